import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findJsonError, JsonSyntaxError, parseJson } from "../../src/web/json.ts";

describe("parseJson", () => {
  it("gives what JSON.parse gives", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, "\t"), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("changes no prototype by __proto__", () => {
    const value = parseJson('{"__proto__":{"isAdmin":true}}') as Record<string, unknown>;
    expect(value["isAdmin"]).toBeUndefined();
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["isAdmin"]).toBeUndefined();
  });

  it("throws a SyntaxError with place, code and status", () => {
    const text = '{\n  "a": 1,\n  "b": x\n}';
    const error: unknown = (() => {
      try {
        return parseJson(text);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toBeInstanceOf(JsonSyntaxError);
    expect(error).toMatchObject({ name: "SyntaxError", code: "ERR_JSON", status: 400, offset: 19, line: 3, column: 8 });
    expect((error as Error).message).toBe("the content is not valid JSON: unexpected character at line 3, column 8");
    expect((error as Error).cause).toBeInstanceOf(SyntaxError);
  });

  it("does not quote the content", () => {
    expect(() => parseJson("hunter2")).toThrow(
      "the content is not valid JSON: unexpected character at line 1, column 1",
    );
  });
});

describe("findJsonError", () => {
  it.each([
    ["", 0],
    ["   ", 3],
    ["x", 0],
    ["{", 1],
    ["[", 1],
    ["[1", 2],
    ["[1,", 3],
    ["[1,]", 3],
    ["[1 2]", 3],
    ["[,1]", 1],
    ["{}}", 2],
    ["{]", 1],
    ["[}", 1],
    ['{"a"}', 4],
    ['{"a":}', 5],
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ["{a:1}", 1],
    ["{1:1}", 1],
    ['{"a":1 "b":2}', 7],
    ['{"a":[{"b":nul}]}', 14],
    ["tru", 3],
    ["trux", 3],
    ["nulll", 4],
    ["falsy", 4],
    ["-", 1],
    ["-x", 1],
    ["01", 1],
    ["1.", 1],
    [".5", 0],
    ["+1", 0],
    ["1e", 1],
    ["NaN", 0],
    ['"abc', 4],
    ['"a\nb"', 2],
    ['"a\\x"', 3],
    ['"\\u12g4"', 5],
    ['"\\', 2],
    ["'a'", 0],
    ["1 1", 2],
    ["[1]x", 3],
    ["\u00a01", 0],
    ["// no", 0],
  ])("finds the place in %j", (text, offset) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(findJsonError(text)).toBe(offset);
  });

  it("accepts what JSON.parse accepts, and says where it refuses", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      "1",
      "-2.5e3",
      "true",
      "null",
      " ",
      "\n",
      '"\\u00e9"',
      "x",
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        const offset = findJsonError(text);
        let isValid = true;
        try {
          JSON.parse(text);
        } catch {
          isValid = false;
        }
        if (isValid) {
          expect(offset).toBe(text.length);
          return;
        }
        // All before the place is the beginning of some JSON: V8 names no earlier place
        expect(offset).toBeLessThanOrEqual(text.length);
        expect(findJsonError(text.slice(0, offset))).toBe(offset);
      }),
      { numRuns: 3000 },
    );
  });

  it("goes deep without recursion", () => {
    expect(findJsonError("[".repeat(500_000))).toBe(500_000);
    expect(findJsonError('{"a":'.repeat(100_000))).toBe(500_000);
  });

  it("takes time in proportion to the text", () => {
    const text = `"${"a".repeat(1_000_000)}\\x"`;
    expect(findJsonError(text)).toBe(1_000_002);
  });
});
