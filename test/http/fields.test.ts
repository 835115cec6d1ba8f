import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fields, isFieldValue, isToken } from "../../src/http/fields.ts";

const SEED = { seed: 511, numRuns: 500 };
const TOKEN_SYMBOLS = "!#$%&'*+-.^_`|~";

describe("isToken", () => {
  it("accepts exactly the characters of RFC 9110 §5.6.2", () => {
    for (let code = 0; code <= 0x17f; code++) {
      const character = String.fromCharCode(code);
      const isAllowed = /[0-9A-Za-z]/.test(character) || TOKEN_SYMBOLS.includes(character);
      expect([code, isToken(character), isToken(`a${character}`)]).toEqual([code, isAllowed, isAllowed]);
    }
  });

  it("refuses the empty name", () => {
    expect(isToken("")).toBe(false);
  });
});

describe("isFieldValue", () => {
  it("accepts visible characters, obs-text, SP and HTAB alone", () => {
    for (let code = 0; code <= 0x17f; code++) {
      const character = String.fromCharCode(code);
      const isAllowed = code === 0x09 || (code >= 0x20 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
      expect([code, isFieldValue(character), isFieldValue(`a${character}`)]).toEqual([code, isAllowed, isAllowed]);
    }
  });

  it("accepts the empty value", () => {
    expect(isFieldValue("")).toBe(true);
  });
});

describe("Fields", () => {
  const fields = Fields.from([
    ["Host", "a"],
    ["Accept", "b"],
    ["X-Empty", ""],
    ["accept", "c"],
    ["Set-Cookie", "d=1, 2"],
    ["set-cookie", "e"],
    ["Cookie", "f=1"],
    ["cookie", "g=2"],
  ]);

  it.each([
    ["host", "a"],
    ["accept", "b, c"],
    ["x-empty", ""],
    ["set-cookie", "d=1, 2"],
    ["cookie", "f=1; g=2"],
    ["hos", null],
    ["hostt", null],
    ["", null],
  ])("get(%j): %j", (name, value) => {
    expect(fields.get(name)).toBe(value);
    expect(fields.has(name)).toBe(value !== null);
  });

  it("gives all lines of a name in order", () => {
    expect(fields.all("set-cookie")).toEqual(["d=1, 2", "e"]);
    expect(fields.all("accept")).toEqual(["b", "c"]);
    expect(fields.all("via")).toEqual([]);
  });

  it("finds lines by index", () => {
    expect(fields.size).toBe(8);
    expect([fields.indexOf("accept"), fields.indexOf("accept", 2), fields.indexOf("accept", 4)]).toEqual([1, 3, -1]);
    expect([fields.nameAt(3), fields.valueAt(3)]).toEqual(["accept", "c"]);
    expect([fields.nameAt(8), fields.valueAt(8), fields.nameAt(-1), fields.valueAt(-1)]).toEqual(["", "", "", ""]);
    expect(fields.valueOffsetAt(8)).toBe(0);
  });

  it("keeps names as received, in order", () => {
    expect([...fields].map(([name]) => name)).toEqual([
      "Host",
      "Accept",
      "X-Empty",
      "accept",
      "Set-Cookie",
      "set-cookie",
      "Cookie",
      "cookie",
    ]);
  });

  it("reads a section by offsets into its text", () => {
    const section = new Fields("GET / HTTP/1.1\r\nA: b\r\nC:d\r\n\r\n", [16, 17, 19, 20, 22, 23, 24, 25]);
    expect([...section]).toEqual([
      ["A", "b"],
      ["C", "d"],
    ]);
    expect(section.valueOffsetAt(1)).toBe(24);
    expect(section.get("c")).toBe("d");
  });

  it("has nothing when empty", () => {
    expect([Fields.EMPTY.size, Fields.EMPTY.get("a"), [...Fields.EMPTY]]).toEqual([0, null, []]);
  });

  it("compares only letters without regard to case", () => {
    // "@" and "`", "[" and "{" differ in the same bit as letters do
    const odd = Fields.from([
      ["a`", "1"],
      ["a|", "2"],
      ["A^", "3"],
      ["a~", "4"],
    ]);
    expect([odd.get("a`"), odd.get("a@"), odd.get("a|"), odd.get("a\\"), odd.get("a^"), odd.get("a~")]).toEqual([
      "1",
      null,
      "2",
      null,
      "3",
      "4",
    ]);
  });

  it("gives what a Headers object gives, for any lines", () => {
    const name = fc.constantFrom("a", "A", "b", "Ab", "aB", "x-y");
    const value = fc.string({ unit: fc.constantFrom(..."ab, ;=") }).map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), (lines) => {
        const headers = new Headers(lines);
        const section = Fields.from(lines);
        expect([...section]).toEqual(lines);
        for (const key of ["a", "b", "ab", "x-y", "c"]) expect(section.get(key)).toBe(headers.get(key));
      }),
      SEED,
    );
  });
});
