/** readMultipart: what a form means, however its octets are split, and what is no form. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MultipartOptions, readMultipart } from "../../src/bodies/index.ts";
import { PartParser } from "../../src/bodies/part-parser.ts";
import { MemoryContent } from "../web/support/memory-exchange.ts";
import { failureOf, requestOver, requestWith, requestWithout } from "./support/content-request.ts";
import { BOUNDARY, cut, formOf, MULTIPART_TYPE, part, readParts } from "./support/multipart.ts";

const FORM = formOf([
  part("title", "Emma"),
  part("empty", ""),
  part("cover", "\r\n--edg\r\n--ed\r\n-\r\n\r\r\n--ege", "C:\\fakepath\\emma.png", "image/png"),
  part("title", "é"),
]);
const PARTS = [
  { name: "title", filename: null, original: null, type: "text/plain", content: "Emma" },
  { name: "empty", filename: null, original: null, type: "text/plain", content: "" },
  {
    name: "cover",
    filename: "emma.png",
    original: "C:\\fakepath\\emma.png",
    type: "image/png",
    content: "\r\n--edg\r\n--ed\r\n-\r\n\r\r\n--ege",
  },
  { name: "title", filename: null, original: null, type: "text/plain", content: "Ã©" },
];

describe("a form", () => {
  it("gives its parts in order", async () => {
    expect(await readParts(FORM)).toEqual({ parts: PARTS, error: "", message: "" });
  });

  it("is the same cut at every place", async () => {
    for (let at = 1; at < FORM.length; at++) {
      expect((await readParts(cut(FORM, [at]))).parts, `cut at ${at}`).toEqual(PARTS);
    }
  });

  it("is the same cut at every two places around its content", async () => {
    const small = formOf(
      [part("a", "\r\n--edge"), part("b", "\r\n-")].map((one) => ({ ...one, content: "\r\n--edg!" })),
    );
    const whole = await readParts(small);
    expect(whole.parts.map((one) => one.content)).toEqual(["\r\n--edg!", "\r\n--edg!"]);
    for (let first = 1; first < small.length; first++) {
      for (let second = first + 1; second < small.length; second += 7) {
        expect(await readParts(cut(small, [first, second])), `${first} ${second}`).toEqual(whole);
      }
    }
  });

  it("is the same octet by octet", async () => {
    const bytes = [...FORM].map((octet) => Uint8Array.of(octet));
    expect((await readParts(bytes)).parts).toEqual(PARTS);
  });

  it("of any parts arrives as it was sent, however it is split", async () => {
    // Pieces of delimiters, in every order
    const piece = fc.constantFrom("\r\n", "--", BOUNDARY, "\r", "\n", "-", "e", "x", "\r\n--", "\r\n--edg");
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(""))),
    );
    const sent = fc.array(
      fc.record({ name: fc.string({ unit: "binary", maxLength: 20 }), filename: fc.option(fc.string()), content }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(sent, fc.array(fc.nat({ max: 5000 }), { maxLength: 20 }), async (parts, places) => {
        // No content holds a delimiter (RFC 2046 §5.1.1)
        fc.pre(parts.every((one) => !`\r\n${one.content.toString("latin1")}`.includes(`\r\n--${BOUNDARY}`)));
        const form = formOf(
          parts.map((one) =>
            part(escape(one.name), one.content, one.filename === null ? undefined : escape(one.filename)),
          ),
        );
        const result = await readParts(
          cut(
            form,
            places.map((place) => place % form.length),
          ),
        );
        expect(result.message).toBe("");
        expect(result.parts.map(({ name, original, content }) => ({ name, original, content }))).toEqual(
          parts.map((one) => ({
            name: utf8(one.name),
            original: one.filename === null ? null : utf8(one.filename),
            content: one.content.toString("latin1"),
          })),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("that the platform made arrives as it was given", async () => {
    const sent = fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), fc.boolean()));
    await fc.assert(
      fc.asyncProperty(sent, fc.nat(), async (fields, at) => {
        const form = new FormData();
        for (const [name, value, isFile] of fields) {
          if (isFile) form.append(clean(name), new File([value], `f${clean(value)}`));
          else form.append(clean(name), value);
        }
        const made = new globalThis.Response(form);
        const bytes = new Uint8Array(await made.arrayBuffer());
        const { parts, message } = await readParts(cut(bytes, [at % bytes.length]), {
          type: made.headers.get("content-type")!,
        });
        expect(message).toBe("");
        const want = [...form].map(([name, value]) => [
          name.replaceAll(/\r\n?|\n/g, "\r\n"),
          typeof value === "string" ? null : value.name,
        ]);
        expect(parts.map(({ name, original }) => [name, original])).toEqual(want);
      }),
      { numRuns: 200 },
    );
  });

  /** As browsers write names. */
  function escape(name: string): string {
    return utf8(name)
      .replaceAll("\n", "%0A")
      .replaceAll("\r", "%0D")
      .replaceAll('"', "%22")
      .replaceAll(/[\0-\x08\x0b-\x1f\x7f]/g, "_");
  }

  /** With whole characters only, as it can be sent; controls cannot, and a name with an escape in it is another name. */
  function utf8(name: string): string {
    return Buffer.from(name)
      .toString()
      .replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, "_")
      .replaceAll("%", "P");
  }

  function clean(name: string): string {
    return utf8(name);
  }
});

describe("text around the parts", () => {
  it("is passed over: preamble and epilogue", async () => {
    const form = Buffer.concat([Buffer.from("This is a form.\r\n--edg\r\n"), FORM, Buffer.from("\r\n--edge\r\nafter")]);
    expect((await readParts(form)).parts).toEqual(PARTS);
    for (let at = 1; at < form.length; at += 7) expect((await readParts(cut(form, [at]))).parts).toEqual(PARTS);
  });

  it("may be white space behind a boundary, up to 1 KiB", async () => {
    const padded = (padding: string): string =>
      `--edge${padding}\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--edge--${padding}`;
    for (const padding of [" ", "\t \t", " ".repeat(1022)]) {
      const bytes = Buffer.from(padded(padding));
      expect((await readParts(bytes)).parts).toMatchObject([{ name: "a", content: "b" }]);
      expect((await readParts(cut(bytes, [3, 7, 8, 30]))).parts).toMatchObject([{ name: "a", content: "b" }]);
    }
    for (const tooMuch of [" ".repeat(1023), " ".repeat(5000)]) {
      expect((await readParts(padded(tooMuch))).error).toBe("ERR_MULTIPART");
    }
    expect((await readParts(`--edge${" ".repeat(5000)}`)).message).toContain(
      "a boundary is followed by something else",
    );
  });

  it("may be long and without a line end behind the last boundary", async () => {
    for (const end of [`\r\n${"x".repeat(5000)}`, `\n${"x".repeat(5000)}`, " \t\r\nx", " ", "\r"]) {
      expect((await readParts(`--edge--${end}`)).error).toBe("");
    }
  });

  it("may be all there is: no parts", async () => {
    expect(await readParts("--edge--\r\n")).toEqual({ parts: [], error: "", message: "" });
    expect(await readParts("--edge--")).toEqual({ parts: [], error: "", message: "" });
  });
});

describe("a part without content", () => {
  // RFC 2046 §5.1.1: body-part = MIME-part-headers [CRLF *OCTET]
  it.each([
    ["and with an empty line", "\r\n\r\n\r\n--edge", ""],
    ["and without", "\r\n\r\n--edge", ""],
    ["but the beginning of a delimiter", "\r\n\r\n--edg\r\n--edge", "--edg"],
    ["but half of a line end", "\r\n\r\n\r\r\n--edge", "\r"],
    ["but a line end", "\r\n\r\n\r\n\r\n--edge", "\r\n"],
  ])("%s is a part, split anywhere", async (_, middle, content) => {
    const head = 'Content-Disposition: form-data; name="a"';
    const form = Buffer.from(`--edge\r\n${head}${middle}\r\n${head}\r\n\r\nb\r\n--edge--`);
    const expected = [content, "b"];
    expect((await readParts(form)).parts.map((one) => one.content)).toEqual(expected);
    for (let at = 1; at < form.length; at++) {
      expect(
        (await readParts(cut(form, [at]))).parts.map((one) => one.content),
        `cut at ${at}`,
      ).toEqual(expected);
    }
  });
});

describe("the parser", () => {
  const limits = { maxParts: 10, maxFiles: 10, maxPartBytes: Infinity, maxPartHeadBytes: 8192 };

  it("finds its boundary whatever is done to what it hands on", () => {
    const contents: string[] = [];
    const parser = new PartParser("edge", limits, () => {
      const at = contents.push("") - 1;
      return {
        push(bytes): void {
          contents[at] += Buffer.from(bytes).toString("latin1");
          bytes.fill(0);
        },
        end(): void {},
      };
    });
    const head = 'Content-Disposition: form-data; name="a"\r\n\r\n';
    const form = Buffer.from(`--edge\r\n${head}x\r\n--edg\r\ny\r\n--edge\r\n${head}z\r\n--edge--`);
    for (const octet of form) parser.write(Uint8Array.of(octet));
    parser.end();
    expect(contents).toEqual(["x\r\n--edg\r\ny", "z"]);
  });

  it("takes any token as the name of a field", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const head = `${names.map((name) => `${name}: ${name}!`).join("\r\n")}\r\nContent-Disposition: form-data; name="a"`;
    const rows: string[] = [];
    new PartParser("edge", limits, (found) => {
      rows.push(...found.lines);
      return { push: () => {}, end: () => {} };
    }).write(formOf([{ head, content: "" }]));
    expect(rows.slice(0, 8)).toEqual(names.flatMap((name) => [name.toLowerCase(), `${name}!`]));
  });
});

describe("content that is no form", () => {
  const disposition = 'Content-Disposition: form-data; name="a"';
  it.each([
    ["nothing", ""],
    ["garbage", "garbage"],
    ["a form with another boundary", formOf([part("a", "b")], "other")],
    ["only a delimiter", "--edge"],
    ["only a delimiter line", "--edge\r\n"],
    ["a header without end", `--edge\r\n${disposition}`],
    ["a header that ends in the closing boundary", `--edge\r\n${disposition}\r\n--edge--\r\n`],
    ["a header that ends in another part", `--edge\r\n${disposition}\r\n--edge\r\n${disposition}\r\n\r\n\r\n--edge--`],
    ["a part without end", `--edge\r\n${disposition}\r\n\r\nabc`],
    ["a part with half a delimiter", `--edge\r\n${disposition}\r\n\r\nabc\r\n--edge`],
    ["a part with half a closing delimiter", `--edge\r\n${disposition}\r\n\r\nabc\r\n--edge-`],
    ["a part without header", "--edge\r\n\r\nabc\r\n--edge--\r\n"],
    ["a part without Content-Disposition", "--edge\r\nContent-Type: a/b\r\n\r\nabc\r\n--edge--\r\n"],
    ["a line of header without colon", `--edge\r\nnonsense\r\n${disposition}\r\n\r\nabc\r\n--edge--\r\n`],
    [
      "a line of header without colon behind the others",
      `--edge\r\n${disposition}\r\nnonsense\r\n\r\nabc\r\n--edge--\r\n`,
    ],
    ["a header line without name", `--edge\r\n${disposition}\r\n: x\r\n\r\nabc\r\n--edge--\r\n`],
    ["a header that begins folded", `--edge\r\n x: y\r\n${disposition}\r\n\r\nabc\r\n--edge--\r\n`],
    ["a bare CR in a header", `--edge\r\n${disposition}\r\nx: a\rb\r\n\r\nabc\r\n--edge--\r\n`],
    ["a bare LF in a header", `--edge\r\n${disposition}\r\nx: a\nb: c\r\n\r\nabc\r\n--edge--\r\n`],
    ["a boundary that looks like a field", `--edge\r\n${disposition}\r\n--edge: x\r\n\r\nabc\r\n--edge--\r\n`],
    ["a boundary with one dash behind it", `--edge-\r\n${disposition}\r\n\r\nabc\r\n--edge--\r\n`],
    ["a boundary with a word behind it", `--edge x\r\n${disposition}\r\n\r\nabc\r\n--edge--\r\n`],
    ["a closing boundary with a word behind it", `--edge\r\n${disposition}\r\n\r\nabc\r\n--edge--x\r\n`],
    ["a closing boundary with a dash behind it", `--edge\r\n${disposition}\r\n\r\nabc\r\n--edge---`],
    [
      "a second header that begins folded",
      `--edge\r\n${disposition}\r\n\r\nb\r\n--edge\r\n x\r\n${disposition}\r\n\r\n\r\n--edge--`,
    ],
    ["a boundary line that ends in LF", `--edge\n${disposition}\r\n\r\nabc\r\n--edge--\r\n`],
    ["a boundary that only begins like it", `--edgeX\r\n${disposition}\r\n\r\nabc\r\n--edge--\r\n`],
    [
      "lines that end in LF",
      formOf([part("a", "b")])
        .toString()
        .replaceAll("\r\n", "\n"),
    ],
  ])("is 400, split anywhere: %s", async (_, content) => {
    const bytes = Buffer.from(content as string);
    const whole = await readParts(bytes);
    expect(whole.error).toBe("ERR_MULTIPART");
    for (let at = 1; at < bytes.length; at++) {
      expect((await readParts(cut(bytes, [at]))).error, `cut at ${at}`).toBe("ERR_MULTIPART");
    }
  });

  it("keeps the parts before the mistake", async () => {
    const form = `${formOf([part("a", "b"), part("c", "d")])
      .toString()
      .slice(0, -10)}\r\n--edge\r\nx\r\n\r\n`;
    const { parts, error } = await readParts(form);
    expect([parts.map((one) => one.name), error]).toEqual([["a", "c"], "ERR_MULTIPART"]);
  });

  it("of any octets gives parts or one error, the same however it is split", async () => {
    const piece = fc.oneof(
      fc.constantFrom(`--${BOUNDARY}`, "\r\n", "--", "\r\n\r\n", disposition, ": ", "\0", "filename=x", "-", BOUNDARY),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 25 }), fc.array(fc.nat({ max: 500 })), async (pieces, places) => {
        const bytes = Buffer.from(pieces.join(""));
        fc.pre(bytes.length > 0);
        const whole = await readParts(bytes);
        expect(["", "ERR_MULTIPART"]).toContain(whole.error);
        expect(
          await readParts(
            cut(
              bytes,
              places.map((place) => place % bytes.length),
            ),
          ),
        ).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused early where no part begins", async () => {
    const content = new MemoryContent(null);
    const reading = failureOf(readMultipart(requestOver(MULTIPART_TYPE, content, null)).next());
    content.feed("x".repeat(16 * 1024 + 1));
    await Promise.resolve();
    content.feed("y");
    expect(await reading).toMatchObject({ status: 400, code: "ERR_MULTIPART" });
    expect(content.isCancelled).toBe(true);
  });
});

describe("the media type", () => {
  it.each([
    ["application/json", "ERR_CONTENT_TYPE", 415],
    ["multipart/mixed; boundary=edge", "ERR_CONTENT_TYPE", 415],
    ["multipart/form-data; boundary", "ERR_CONTENT_TYPE", 415],
    [null, "ERR_CONTENT_TYPE", 415],
    ["multipart/form-data", "ERR_MULTIPART_BOUNDARY", 400],
    ['multipart/form-data; boundary=""', "ERR_MULTIPART_BOUNDARY", 400],
    ['multipart/form-data; boundary="a "', "ERR_MULTIPART_BOUNDARY", 400],
    ['multipart/form-data; boundary="a\tb"', "ERR_MULTIPART_BOUNDARY", 400],
    [`multipart/form-data; boundary=${"a".repeat(71)}`, "ERR_MULTIPART_BOUNDARY", 400],
    ["multipart/form-data; boundary=a; boundary=b", "ERR_MULTIPART_BOUNDARY", 400],
  ])("must be a form's with a boundary: %s", async (type, code, status) => {
    expect(await failureOf(() => readMultipart(requestWith(type, FORM)))).toMatchObject({ code, status });
  });

  it.each(["a", "a".repeat(70), "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a b", "'()+_,-./:=?"])(
    "may have the boundary %s",
    async (boundary) => {
      const type = `Multipart/Form-Data; charset=utf-8; BOUNDARY="${boundary}"`;
      const { parts } = await readParts(formOf([part("x", "y")], boundary), { type });
      expect(parts).toMatchObject([{ name: "x", content: "y" }]);
    },
  );

  it("needs content", async () => {
    expect(await failureOf(() => readMultipart(requestWithout(MULTIPART_TYPE)))).toMatchObject({
      status: 400,
      code: "ERR_CONTENT_MISSING",
    });
  });
});

describe("limits", () => {
  const big = formOf([part("a", "1234"), part("b", "12345", "a-longer-name.txt"), part("c", "1", "c.txt")]);
  it.each<[MultipartOptions, string, string[]]>([
    [{ maxPartBytes: 5 }, "", ["a", "b", "c"]],
    [{ maxPartBytes: 4 }, "ERR_PART_TOO_LARGE", ["a"]],
    [{ maxPartBytes: 0 }, "ERR_PART_TOO_LARGE", []],
    [{ maxParts: 3 }, "", ["a", "b", "c"]],
    [{ maxParts: 2 }, "ERR_TOO_MANY_PARTS", ["a", "b"]],
    [{ maxParts: 0 }, "ERR_TOO_MANY_PARTS", []],
    [{ maxFiles: 2 }, "", ["a", "b", "c"]],
    [{ maxFiles: 1 }, "ERR_TOO_MANY_PARTS", ["a", "b"]],
    [{ maxBytes: big.length }, "", ["a", "b", "c"]],
    [{ maxBytes: big.length - 1 }, "ERR_UPLOAD_TOO_LARGE", []],
    [{ maxBufferedBytes: 4 }, "ERR_PART_TOO_LARGE", ["a"]],
    [{ maxPartHeadBytes: 64 }, "ERR_PART_HEAD_TOO_LARGE", ["a"]],
  ])("%j: %s", async (options, code, names) => {
    const { parts, error } = await readParts(big, options);
    expect([error, parts.map((one) => one.name)]).toEqual([code, names]);
    if (code !== "ERR_UPLOAD_TOO_LARGE") {
      for (let at = 1; at < big.length; at++) {
        const again = await readParts(cut(big, [at]), options);
        expect([again.error, again.parts.map((one) => one.name)], `cut at ${at}`).toEqual([code, names]);
      }
    }
  });

  it("of a header count its octets, and not the empty line behind it", async () => {
    const head = 'Content-Disposition: form-data; name="a"\r\nX: one value\r\n folded\r\n';
    const form = Buffer.from(`--edge\r\n${head}\r\nb\r\n--edge--`);
    for (let at = 1; at < form.length; at++) {
      const pieces = (): ReturnType<typeof cut> => cut(form, [at]);
      expect((await readParts(pieces(), { maxPartHeadBytes: head.length })).error, `cut at ${at}`).toBe("");
      expect((await readParts(pieces(), { maxPartHeadBytes: head.length - 1 })).error).toBe("ERR_PART_HEAD_TOO_LARGE");
    }
  });

  it("hold for what is declared, unread", async () => {
    const content = new MemoryContent(1000);
    const request = requestOver(MULTIPART_TYPE, content, 1000);
    expect(await failureOf(() => readMultipart(request, { maxBytes: 999 }))).toMatchObject({
      status: 413,
      code: "ERR_UPLOAD_TOO_LARGE",
    });
    expect(content.isStarted).toBe(false);
  });

  it.each([
    ["many lines", `${"X-A: b\r\n".repeat(40)}Content-Disposition: form-data; name="a"`],
    ["a long line", `X-A: ${"b".repeat(9000)}\r\nContent-Disposition: form-data; name="a"`],
    ["a long name", `Content-Disposition: form-data; name="${"a".repeat(9000)}"`],
    ["a mebibyte", `Content-Disposition: form-data; name="a"\r\nX-A: ${"b".repeat(1024 * 1024)}`],
  ])("hold for a header of %s", async (_, head) => {
    const form = formOf([{ head, content: "" }]);
    expect((await readParts(form)).error).toBe("ERR_PART_HEAD_TOO_LARGE");
    const pieces = cut(
      form,
      Array.from({ length: 50 }, (__, i) => i * 100 + 1),
    );
    expect((await readParts(pieces)).error).toBe("ERR_PART_HEAD_TOO_LARGE");
  });

  it("take 32 lines of a header, folded as often as there is room", async () => {
    const rest = 'Content-Disposition: form-data; name="a"';
    const lines = (count: number): Buffer =>
      formOf([{ head: `${"X-A: b\r\n".repeat(count - 1)}${rest}`, content: "" }]);
    expect([(await readParts(lines(32))).error, (await readParts(lines(33))).error]).toEqual([
      "",
      "ERR_PART_HEAD_TOO_LARGE",
    ]);
    const folded = formOf([{ head: `X-A: b${"\r\n\tc".repeat(100)}\r\n${rest}`, content: "" }]);
    expect((await readParts(folded)).error).toBe("");
  });

  it("do not count content that comes between two headers that are cut", async () => {
    const form = formOf([part("a", "x".repeat(20_000)), part("b", "y")]);
    const places = [form.indexOf("Disposition"), form.lastIndexOf("Disposition")];
    const { parts, error } = await readParts(cut(form, places));
    expect([error, parts.map(({ name }) => name)]).toEqual(["", ["a", "b"]]);
  });

  it("end a header that never ends", async () => {
    const content = new MemoryContent(null);
    const request = requestOver(MULTIPART_TYPE, content, null);
    const reading = failureOf(readMultipart(request).next());
    content.feed(`--edge\r\nContent-Disposition: form-data; name="a"\r\n`);
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      content.feed("x".repeat(1024));
    }
    expect(await reading).toMatchObject({ status: 413, code: "ERR_PART_HEAD_TOO_LARGE" });
    expect(content.isCancelled).toBe(true);
  });

  it("stop a hundred thousand parts", async () => {
    const form = formOf(Array.from({ length: 100_000 }, () => part("a", "")));
    const { parts, error } = await readParts(form);
    expect([parts.length, error]).toEqual([1000, "ERR_TOO_MANY_PARTS"]);
  });

  it("are told when they are wrong", async () => {
    const error = await failureOf(() =>
      readMultipart(requestWith(MULTIPART_TYPE, FORM), { maxPart: 1, maxFiles: -1 } as object),
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/did you mean maxParts[^]*maxFiles: -1 was given/);
  });
});
