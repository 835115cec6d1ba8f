import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ContentDecoder } from "../../src/http1/decode.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, type Leniencies, type WireLimits } from "../../src/http1/limits.ts";

const SEED = { seed: 9112, numRuns: 500 };
/** Octets of the next request: they must stay where they are. */
const NEIGHBOUR = "GET /next HTTP/1.1\r\n";

interface Options {
  length?: number | null;
  limits?: Partial<WireLimits>;
  leniencies?: Partial<Leniencies>;
  maxBytes?: number;
}

interface Result {
  content: string;
  isDone: boolean;
  consumed: number;
  code: string;
  offset: number;
  field: string;
  trailers: [string, string][];
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function decoderFor({ length = null, limits, leniencies, maxBytes }: Options): ContentDecoder {
  const decoder = new ContentDecoder(
    length,
    { ...DEFAULT_LIMITS, ...limits },
    { ...DEFAULT_LENIENCIES, ...leniencies },
  );
  if (maxBytes !== undefined) decoder.maxBytes = maxBytes;
  return decoder;
}

/** Pushes `text` in the parts between `cuts`, each from a buffer of its own, framed by other octets. */
function decode(text: string, options: Options = {}, cuts: readonly number[] = []): Result {
  const decoder = decoderFor(options);
  let content = "";
  const sink = { chunk: (bytes: Uint8Array): void => void (content += textOf(bytes)) };
  const edges = [0, ...cuts.filter((cut) => cut > 0 && cut < text.length).toSorted((a, b) => a - b), text.length];
  for (let i = 1; i < edges.length; i++) {
    const part = text.slice(edges[i - 1], edges[i]);
    const bytes = bytesOf(`##${part}##`);
    const before = decoder.consumed;
    const after = decoder.decode(bytes, 2, 2 + part.length, sink);
    expect(decoder.consumed - before).toBe(after - 2);
    expect(textOf(bytes)).toBe(`##${part}##`);
    // All is consumed unless the content is done or refused
    expect(after === 2 + part.length || decoder.isDone || decoder.error !== null).toBe(true);
    if (decoder.isDone || decoder.error !== null) break;
  }
  return {
    content,
    isDone: decoder.isDone,
    consumed: decoder.consumed,
    code: decoder.error?.code ?? "",
    offset: decoder.error?.offset ?? -1,
    field: decoder.error?.field ?? "",
    trailers: [...decoder.trailers],
  };
}

/** Decodes whole, byte by byte and cut in two everywhere, and expects the same each time. */
function decodeEverySplit(text: string, options: Options = {}): Result {
  const whole = decode(text, options);
  const everywhere = Array.from({ length: text.length }, (_, i) => i);
  expect(decode(text, options, everywhere)).toEqual(whole);
  for (const cut of everywhere) expect(decode(text, options, [cut])).toEqual(whole);
  return whole;
}

describe("content by length", () => {
  it("is done at once for length 0", () => {
    expect(decoderFor({ length: 0 }).isDone).toBe(true);
  });

  it("takes exactly its octets", () => {
    const result = decodeEverySplit(`hello${NEIGHBOUR}`, { length: 5 });
    expect(result).toMatchObject({ content: "hello", isDone: true, consumed: 5, code: "" });
  });

  it("waits for the rest", () => {
    expect(decode("hel", { length: 5 })).toMatchObject({ content: "hel", isDone: false, consumed: 3 });
  });

  it("is refused before its first octet if longer than maxBytes", () => {
    const result = decodeEverySplit("hello", { length: 5, maxBytes: 4 });
    expect(result).toMatchObject({ content: "", consumed: 0, code: "ERR_CONTENT_TOO_LARGE", offset: 0 });
    expect(decode("hello", { length: 5, maxBytes: 5 })).toMatchObject({ content: "hello", code: "" });
  });

  it("has the limit of the limits unless another is set", () => {
    expect(decode("hello", { length: 5, limits: { maxContentBytes: 4 } }).code).toBe("ERR_CONTENT_TOO_LARGE");
  });

  it("passes on views, not copies", () => {
    const bytes = bytesOf("xhellox");
    const pieces: Uint8Array[] = [];
    decoderFor({ length: 5 }).decode(bytes, 1, 7, { chunk: (piece) => void pieces.push(piece) });
    expect(pieces).toHaveLength(1);
    expect(pieces[0]?.buffer).toBe(bytes.buffer);
    expect(pieces[0]?.byteOffset).toBe(1);
  });
});

describe("chunked content", () => {
  it.each([
    ["one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"],
    ["several chunks", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"],
    ["no chunk", "0\r\n\r\n", ""],
    ["several zeros at the end", "1\r\na\r\n000\r\n\r\n", "a"],
    ["leading zeros", "0005\r\nhello\r\n0\r\n\r\n", "hello"],
    ["hexadecimal digits of both cases", "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", "01234567890123456789a"],
    ["CRLF in the data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"],
    ["what looks like a chunk in the data", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"],
    ["an extension", "1;a\r\nx\r\n0\r\n\r\n", "x"],
    ["an extension with a value", "1;a=b\r\nx\r\n0;c=d\r\n\r\n", "x"],
    ["several extensions", "1;a;b=c;d\r\nx\r\n0\r\n\r\n", "x"],
    ["bad white space around all parts", "1 ;\t a \t=  b\t;c\r\nx\r\n0\r\n\r\n", "x"],
    ["a quoted value", '1;a="b c;=\u00e9"\r\nx\r\n0\r\n\r\n', "x"],
    ["quoted pairs", '1;a="\\"\\\\\\;"\r\nx\r\n0\r\n\r\n', "x"],
    ["an empty quoted value", '1;a="" ;b\r\nx\r\n0\r\n\r\n', "x"],
  ])("takes %s", (_, text, content) => {
    const result = decodeEverySplit(text + NEIGHBOUR);
    expect(result).toMatchObject({ content, isDone: true, consumed: text.length, code: "", trailers: [] });
  });

  it.each([
    // what, octets, code, offset
    ["an empty size", "\r\n", "ERR_CHUNK_SIZE", 0],
    ["a size that is no hexadecimal number", "g\r\n", "ERR_CHUNK_SIZE", 0],
    ["0x", "0x5\r\nhello", "ERR_CHUNK_SIZE", 1],
    ["a sign", "+5\r\nhello", "ERR_CHUNK_SIZE", 0],
    ["a negative size", "-1\r\n", "ERR_CHUNK_SIZE", 0],
    ["white space before the size", " 5\r\nhello", "ERR_CHUNK_SIZE", 0],
    ["white space behind the size", "5 \r\nhello", "ERR_CHUNK_EXTENSION", 2],
    ["an underscore", "1_0\r\n", "ERR_CHUNK_SIZE", 1],
    ["a comma", "1,0\r\n", "ERR_CHUNK_SIZE", 1],
    ["a point", "5.0\r\n", "ERR_CHUNK_SIZE", 1],
    ["NUL in the size", "5\0\r\nhello", "ERR_CHUNK_SIZE", 1],
    ["an octet above 0x7F in the size", "5\u00b5\r\nhello", "ERR_CHUNK_SIZE", 1],
    ["an extension without name", "5;\r\nhello", "ERR_CHUNK_EXTENSION", 2],
    ["an extension whose name is no token", "5;a/b\r\nhello", "ERR_CHUNK_EXTENSION", 3],
    ["an extension without value behind =", "5;a=\r\nhello", "ERR_CHUNK_EXTENSION", 4],
    ["an extension with = alone", "5;=b\r\nhello", "ERR_CHUNK_EXTENSION", 2],
    ["two names without semicolon", "5;a b\r\nhello", "ERR_CHUNK_EXTENSION", 4],
    ["two values", "5;a=b c\r\nhello", "ERR_CHUNK_EXTENSION", 6],
    ["two semicolons", "5;;a\r\nhello", "ERR_CHUNK_EXTENSION", 2],
    ["white space behind an extension", "5;a \r\nhello", "ERR_CHUNK_EXTENSION", 4],
    ["an open quoted value", '5;a="b\r\nhello', "ERR_CHUNK_EXTENSION", 6],
    ["something behind a quoted value", '5;a="b"c\r\nhello', "ERR_CHUNK_EXTENSION", 7],
    ["a quoted CR", '5;a="\\\r\nhello', "ERR_CHUNK_EXTENSION", 6],
    ["a control character in a quoted value", '5;a="\0"\r\nhello', "ERR_CHUNK_EXTENSION", 5],
    ["LF in an extension, which some take for a line end", "5;a=\nhello", "ERR_CHUNK_EXTENSION", 4],
    ["bare LF behind a size", "5\nhello\r\n", "ERR_BARE_LF", 1],
    ["bare LF behind an extension", "5;a\nhello\r\n", "ERR_BARE_LF", 3],
    ["bare CR behind a size", "5\rhello\r\n", "ERR_BARE_CR", 1],
    ["two CRs behind a size", "5\r\r\nhello\r\n", "ERR_BARE_CR", 1],
    ["data longer than its size", "4\r\nhello\r\n", "ERR_CHUNK_END", 7],
    ["bare LF behind data", "5\r\nhello\n0\r\n\r\n", "ERR_BARE_LF", 8],
    ["bare CR behind data", "5\r\nhello\r0\r\n\r\n", "ERR_CHUNK_END", 9],
    ["data shorter than its size", "6\r\nhello\r\n0\r\n\r\n", "ERR_BARE_LF", 9],
    ["bare CR at the end", "0\r\n\rX", "ERR_BARE_CR", 3],
    ["bare LF at the end", "0\r\n\n", "ERR_BARE_LF", 3],
  ])("refuses %s", (_, text, code, offset) => {
    const result = decodeEverySplit(text);
    expect(result).toMatchObject({ isDone: false, code, offset });
    expect(result.consumed).toBeLessThanOrEqual(offset + 2);
  });

  it.each(["20000000000000\r\n", "10000000000000005\r\nhello"])(
    "refuses as too large a size that cannot be counted: %j",
    (text) => {
      for (const maxBytes of [100, Infinity]) {
        expect(decode(text, { maxBytes })).toMatchObject({
          content: "",
          isDone: false,
          code: "ERR_CONTENT_TOO_LARGE",
          offset: 0,
        });
      }
      expect(decodeEverySplit(text)).toMatchObject({ code: "ERR_CONTENT_TOO_LARGE", offset: 0 });
    },
  );

  it.each(["20000000000000", "10000000000000005", "f".repeat(200)])(
    "refuses a size that no number holds, under any limit: %s",
    (size) => {
      for (const maxBytes of [5, Infinity]) {
        const result = decodeEverySplit(`${size}\r\nhello`, { maxBytes });
        expect(result).toMatchObject({ content: "", code: "ERR_CONTENT_TOO_LARGE", offset: 0 });
      }
    },
  );

  it("takes the largest size", () => {
    expect(decode("1fffffffffffff\r\nab", { maxBytes: Infinity })).toMatchObject({ content: "ab", code: "" });
  });

  it("takes bare LF everywhere under allowBareLf, and CRLF still", () => {
    const lenient: Options = { leniencies: { allowBareLf: true } };
    expect(decodeEverySplit(`5;a\nhello\n1\r\n!\r\n0\nx: y\n\n${NEIGHBOUR}`, lenient)).toMatchObject({
      content: "hello!",
      isDone: true,
      code: "",
      trailers: [["x", "y"]],
      consumed: 24,
    });
    expect(decodeEverySplit("5\rhello", lenient)).toMatchObject({ code: "ERR_BARE_CR", offset: 1 });
    expect(decodeEverySplit("5;a=\nhello", lenient)).toMatchObject({ code: "ERR_CHUNK_EXTENSION", offset: 4 });
  });

  it("refuses a chunk that would pass maxBytes before its first octet", () => {
    const result = decodeEverySplit("4\r\nabcd\r\n00002;ext\r\nef\r\n", { maxBytes: 5 });
    expect(result).toMatchObject({ content: "abcd", code: "ERR_CONTENT_TOO_LARGE", offset: 9 });
    expect(decodeEverySplit("4\r\nabcd\r\n1\r\ne\r\n0\r\n\r\n", { maxBytes: 5 })).toMatchObject({
      content: "abcde",
      isDone: true,
    });
  });

  it("refuses a size line longer than maxChunkLineBytes", () => {
    const limits = { maxChunkLineBytes: 6 };
    expect(decodeEverySplit("1;abcd\r\nx\r\n0;bcde\r\n\r\n", { limits })).toMatchObject({ content: "x", isDone: true });
    expect(decodeEverySplit("1;abcde\r\nx", { limits })).toMatchObject({ code: "ERR_CHUNK_LINE_TOO_LONG", offset: 6 });
    expect(decodeEverySplit("0000001\r\nx", { limits })).toMatchObject({ code: "ERR_CHUNK_LINE_TOO_LONG", offset: 6 });
  });

  it("consumes nothing after a refusal or its end", () => {
    const sink = { chunk: (): void => expect.unreachable() };
    for (const text of ["x", "0\r\n\r\n"]) {
      const decoder = decoderFor({});
      decoder.decode(bytesOf(text), 0, text.length, sink);
      const { consumed } = decoder;
      expect(decoder.decode(bytesOf("5\r\nhello"), 3, 8, sink)).toBe(3);
      expect(decoder.consumed).toBe(consumed);
    }
  });
});

describe("trailer section", () => {
  const end = (lines: string, options: Options = {}): Result =>
    decodeEverySplit(`1\r\nx\r\n0\r\n${lines}\r\n${NEIGHBOUR}`, options);

  it.each<[string, [string, string][]]>([
    ["Digest: abc\r\n", [["Digest", "abc"]]],
    ["a:\r\n", [["a", ""]]],
    [
      "a: \t b c \t\r\nA:2\r\n",
      [
        ["a", "b c"],
        ["A", "2"],
      ],
    ],
    ["a: b: c\r\n", [["a", "b: c"]]],
    ["a: \u00e9\t\u00ff\r\n", [["a", "\u00e9\t\u00ff"]]],
    [`x: ${"y".repeat(500)}\r\n`, [["x", "y".repeat(500)]]],
  ])("takes %j", (lines, trailers) => {
    expect(end(lines)).toMatchObject({ content: "x", isDone: true, code: "", trailers });
  });

  it.each([
    // lines, code, offset in the section, field
    ["a b: c\r\n", "ERR_FIELD_SPACE_BEFORE_COLON", 1, ""],
    ["a : c\r\n", "ERR_FIELD_SPACE_BEFORE_COLON", 1, ""],
    [": c\r\n", "ERR_FIELD_NAME", 0, ""],
    ["a(: c\r\n", "ERR_FIELD_NAME", 1, ""],
    ["a\u00e9: c\r\n", "ERR_FIELD_NAME", 1, ""],
    ["abc\r\n", "ERR_FIELD_COLON_MISSING", 3, ""],
    ["a: b\0c\r\n", "ERR_FIELD_VALUE", 4, "a"],
    ["a: b\x7f\r\n", "ERR_FIELD_VALUE", 4, "a"],
    ["a: b\rc: d\r\n", "ERR_BARE_CR", 4, ""],
    ["a: b\nc: d\r\n", "ERR_BARE_LF", 4, ""],
    ["a: b\r\n c\r\n", "ERR_FIELD_FOLDED", 6, ""],
    [" a: b\r\n", "ERR_FIELD_FOLDED", 0, ""],
    ["x: y\r\nContent-Length: 5\r\n", "ERR_TRAILER_FIELD", 6, "Content-Length"],
    ["TRANSFER-ENCODING: chunked\r\n", "ERR_TRAILER_FIELD", 0, "TRANSFER-ENCODING"],
    ["host: a\r\n", "ERR_TRAILER_FIELD", 0, "host"],
    ["authorization: a\r\n", "ERR_TRAILER_FIELD", 0, "authorization"],
    ["cookie: a\r\n", "ERR_TRAILER_FIELD", 0, "cookie"],
    ["content-type: a\r\n", "ERR_TRAILER_FIELD", 0, "content-type"],
    ["x-forwarded-for: a\r\n", "ERR_TRAILER_FIELD", 0, "x-forwarded-for"],
    ["connection: close\r\n", "ERR_TRAILER_FIELD", 0, "connection"],
  ])("refuses %j", (lines, code, offset, field) => {
    expect(end(lines)).toMatchObject({ isDone: false, code, offset: offset + 9, field, trailers: [] });
  });

  it("is bounded in octets and lines", () => {
    expect(end("a: b\r\nc: d\r\n", { limits: { maxTrailerBytes: 12 } })).toMatchObject({ isDone: true });
    expect(end("a: b\r\nc: de\r\n", { limits: { maxTrailerBytes: 12 } })).toMatchObject({
      code: "ERR_TRAILERS_TOO_LARGE",
      offset: 9 + 12,
    });
    expect(end("a:1\r\nb:2\r\n", { limits: { maxFields: 2 } })).toMatchObject({ isDone: true });
    expect(end("a:1\r\nb:2\r\nc:3\r\n", { limits: { maxFields: 2 } })).toMatchObject({
      code: "ERR_TOO_MANY_FIELDS",
      offset: 9 + 10,
    });
  });
});

describe("overhead of chunks", () => {
  const chunk = (extension: number): string => `1;${"x".repeat(extension)}\r\ny\r\n`;

  it("is refused when extensions carry far more octets than content (RFC 9112 §7.1.1)", () => {
    const result = decode(chunk(200).repeat(200));
    expect(result).toMatchObject({ code: "ERR_CHUNK_OVERHEAD", isDone: false });
    expect(result.content.length).toBeLessThan(100);
  });

  it("is no matter for tiny chunks, short extensions, or long ones beside much content", () => {
    expect(decode(`${"1\r\ny\r\n".repeat(20_000)}0\r\n\r\n`)).toMatchObject({ isDone: true });
    expect(decode(`${chunk(14).repeat(20_000)}0\r\n\r\n`)).toMatchObject({ isDone: true });
    const large = `400;${"x".repeat(200)}\r\n${"y".repeat(1024)}\r\n`;
    expect(decode(`${large.repeat(200)}0\r\n\r\n`)).toMatchObject({ isDone: true });
  });
});

describe("stop", () => {
  it("returns behind the piece that was passed on, and the next call goes on there", () => {
    const text = `2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n${NEIGHBOUR}`;
    const bytes = bytesOf(text);
    const decoder = decoderFor({});
    const pieces: string[] = [];
    const sink = {
      chunk: (piece: Uint8Array): void => {
        pieces.push(textOf(piece));
        decoder.stop();
      },
    };
    let at = decoder.decode(bytes, 0, bytes.length, sink);
    expect([at, decoder.isStopped, pieces]).toEqual([5, true, ["ab"]]);
    at = decoder.decode(bytes, at, bytes.length, sink);
    expect([at, decoder.isStopped, pieces]).toEqual([13, true, ["ab", "cde"]]);
    at = decoder.decode(bytes, at, bytes.length, sink);
    expect([at, decoder.isStopped, decoder.isDone]).toEqual([text.length - NEIGHBOUR.length, false, true]);
  });
});

describe("any octets", () => {
  const alphabet = [
    "0",
    "1",
    "2",
    "5",
    "a",
    "F",
    "\r\n",
    "\r\n",
    "\r",
    "\n",
    ";",
    "=",
    '"',
    "\\",
    " ",
    "x",
    ":",
    "a: b\r\n",
    "0\r\n",
    "\r\n\r\n",
    "2\r\nab\r\n",
    "\0",
    "\u00e9",
    "Host: a\r\n",
  ];
  const noise = fc.array(fc.constantFrom(...alphabet), { maxLength: 20 }).map((parts) => parts.join(""));
  const message = fc
    .tuple(
      fc.array(fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 40 }), { maxLength: 6 }),
      fc.constantFrom("", ";a", ';b="c"'),
      fc.constantFrom("", "x: y\r\n"),
    )
    .map(([chunks, extension, trailer]) => ({
      content: chunks.join(""),
      text: `${chunks.map((chunk) => `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`).join("")}0\r\n${trailer}\r\n`,
    }));
  const cuts = fc.array(fc.nat(120), { maxLength: 6 });

  it("give the same result however they are split", () => {
    fc.assert(
      fc.property(noise, cuts, fc.boolean(), (text, where, allowBareLf) => {
        const options: Options = {
          leniencies: { allowBareLf },
          limits: { maxTrailerBytes: 12, maxChunkLineBytes: 8, maxFields: 2 },
          maxBytes: 40,
        };
        const whole = decode(text, options);
        expect(decode(text, options, where)).toEqual(whole);
        expect(
          decode(
            text,
            options,
            Array.from({ length: text.length }, (_, i) => i),
          ),
        ).toEqual(whole);
      }),
      { ...SEED, numRuns: 2000 },
    );
  });

  it("that were chunked give back the content, and the neighbour is not touched", () => {
    fc.assert(
      fc.property(message, cuts, ({ content, text }, where) => {
        expect(decode(text + NEIGHBOUR, {}, where)).toMatchObject({ content, isDone: true, consumed: text.length });
      }),
      SEED,
    );
  });

  it("never pass on more than maxBytes", () => {
    fc.assert(
      fc.property(message, cuts, fc.nat(100), ({ content, text }, where, maxBytes) => {
        const result = decode(text, { maxBytes }, where);
        expect(result.content.length).toBeLessThanOrEqual(maxBytes);
        expect(content.startsWith(result.content)).toBe(true);
        expect(result.isDone).toBe(content.length <= maxBytes);
      }),
      SEED,
    );
  });
});

describe("a limit that was lowered behind a declaration", () => {
  it("refuses the chunk where its size was said, before any octet of it is passed on", () => {
    const decoder = decoderFor({});
    const pieces: string[] = [];
    const sink = { chunk: (piece: Uint8Array) => pieces.push(textOf(piece)) };
    expect(decoder.decode(bytesOf("2\r\nab\r\n5\r\n"), 0, 10, sink)).toBe(10);
    decoder.maxBytes = 6;
    expect(decoder.decode(bytesOf("cdefg\r\n"), 0, 7, sink)).toBe(0);
    expect([decoder.error?.code, decoder.error?.offset, pieces]).toEqual(["ERR_CONTENT_TOO_LARGE", 7, ["ab"]]);
  });

  it("refuses content of a declared length before any octet of it is passed on", () => {
    const decoder = decoderFor({ length: 10 });
    decoder.maxBytes = 9;
    const pieces: Uint8Array[] = [];
    expect(decoder.decode(bytesOf("0123456789"), 0, 10, { chunk: (piece) => pieces.push(piece) })).toBe(0);
    expect([decoder.error?.code, decoder.error?.offset, pieces]).toEqual(["ERR_CONTENT_TOO_LARGE", 0, []]);
  });
});
