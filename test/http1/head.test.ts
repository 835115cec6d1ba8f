import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeadParser, NEED_MORE, REFUSED } from "../../src/http1/head.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS } from "../../src/http1/limits.ts";

interface Outcome {
  readonly length: number;
  readonly code: string | undefined;
  readonly offset: number | undefined;
  readonly lines: readonly string[];
}

/** Feeds `bytes` in pieces that end at `cuts`, a neighbour of `before` octets in front. */
function parse(bytes: Buffer, cuts: readonly number[], before = 0): Outcome {
  const parser = new HeadParser(DEFAULT_LIMITS, DEFAULT_LENIENCIES);
  const padded = Buffer.concat([Buffer.alloc(before, "x"), bytes]);
  let length: number = NEED_MORE;
  for (const cut of [...cuts, bytes.length]) {
    length = parser.parse(padded, before, before + cut);
    if (length !== NEED_MORE) break;
  }
  const lines: string[] = [];
  for (let i = 0; i < parser.offsetCount; i += 4) {
    const [nameStart = 0, nameEnd = 0, valueStart = 0, valueEnd = 0] = parser.offsets.slice(i, i + 4);
    lines.push(`${bytes.toString("latin1", nameStart, nameEnd)}=${bytes.toString("latin1", valueStart, valueEnd)}`);
  }
  return { length, code: parser.error?.code, offset: parser.error?.offset, lines: length === REFUSED ? [] : lines };
}

const octet = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."GET /abc:HTP1.\r\n\t ") },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) },
);
const headText = fc.oneof(
  fc.array(octet, { maxLength: 60 }).map((octets) => octets.join("")),
  fc
    .tuple(
      fc.constantFrom("GET / HTTP/1.1\r\n", "POST /a?b HTTP/1.0\r\n", "\r\nGET * HTTP/1.1\r\n"),
      fc.array(fc.constantFrom("A: b\r\n", "Host:x\r\n", "C-d:\t e \r\n", "x\r\n", " f\r\n", "y: \x01\r\n", "\r\n"), {
        maxLength: 6,
      }),
    )
    .map(([line, fields]) => line + fields.join("")),
);

describe("the head parser", () => {
  it("gives the same result however the head is split and whatever stands before it", () => {
    fc.assert(
      fc.property(headText, fc.array(fc.nat(80), { maxLength: 8 }), fc.nat(5), (text, cutList, before) => {
        const bytes = Buffer.from(text, "latin1");
        const cuts = cutList.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b);
        const whole = parse(bytes, []);
        expect(parse(bytes, cuts, before)).toEqual(whole);
        expect(parse(bytes, [...bytes.keys()].slice(1))).toEqual(whole);
      }),
      { numRuns: 2000 },
    );
  });

  it("never looks behind the empty line", () => {
    const head = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(parse(Buffer.concat([head, Buffer.from("\0\0garbage")]), []).length).toBe(head.length);
  });

  it("trims white space around values and keeps it inside", () => {
    expect(parse(Buffer.from("GET / HTTP/1.1\r\nA: \t b  c\t \r\nD:\r\nE: \r\n\r\n"), []).lines).toEqual([
      "A=b  c",
      "D=",
      "E=",
    ]);
  });

  it.each([
    ["exactly at the limit", 0, 16 * 1024],
    ["one octet over it", 1, REFUSED],
  ])("takes a head %s", (_name, over, expected) => {
    const frame = "GET / HTTP/1.1\r\na: \r\n\r\n";
    const bytes = Buffer.from(frame.replace("a: ", `a: ${"v".repeat(16 * 1024 - frame.length + over)}`));
    expect(parse(bytes, []).length).toBe(expected);
    expect(parse(bytes, [100, 16 * 1024 - 1, 16 * 1024]).length).toBe(expected);
  });

  it("remembers where the fields of framing are", () => {
    const parser = new HeadParser(DEFAULT_LIMITS, DEFAULT_LENIENCIES);
    const bytes = Buffer.from("GET / HTTP/1.1\r\nhOST: a\r\nContent-Lengti: 1\r\nCONTENT-LENGTH: 1\r\nhost: b\r\n\r\n");
    parser.parse(bytes, 0, bytes.length);
    expect(parser.known.host).toMatchObject({ index: 0, count: 2 });
    expect(parser.known.contentLength).toMatchObject({ index: 2, count: 1 });
    expect(parser.known.expect).toMatchObject({ index: -1, count: 0 });
    parser.reset();
    expect(parser.known.host).toMatchObject({ index: -1, count: 0 });
  });
});
