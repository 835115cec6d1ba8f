import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ValueReader } from "../../src/http/value-reader.ts";

const SEED = { seed: 56, numRuns: 1000 };

describe("quotedString", () => {
  it.each([
    ['""', ""],
    ['"a b"', "a b"],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['"\\a\\ "', "a "],
    ['"\t\u00e9"', "\t\u00e9"],
    ['"a,;="', "a,;="],
  ])("reads %s", (text, value) => {
    const reader = new ValueReader(text);
    expect(reader.quotedString()).toBe(value);
    expect(reader.isAtEnd).toBe(true);
  });

  it.each(["", "a", '"', '"a', '"a\\', '"a\\"', '"\0"', '"\\\0"', '"\x7f"', '"\n"', '"\u0100"', "'a'"])(
    "finds none in %j",
    (text) => {
      expect(new ValueReader(text).quotedString()).toBeNull();
    },
  );

  it("undoes quoting of any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) }),
        (text) => {
          const quoted = `"${text.replace(/["\\]/g, "\\$&")}"`;
          expect(new ValueReader(quoted).quotedString()).toBe(text);
        },
      ),
      SEED,
    );
  });
});

describe("parameters", () => {
  it.each<[string, [string, string][]]>([
    ["", []],
    ["  ", []],
    [";a=b", [["a", "b"]]],
    [
      ' ; A=b\t;c="d;e"',
      [
        ["a", "b"],
        ["c", "d;e"],
      ],
    ],
    [";;a=b; ;", [["a", "b"]]],
    [
      ";a=b;a=c",
      [
        ["a", "b"],
        ["a", "c"],
      ],
    ],
    [';a=""', [["a", ""]]],
  ])("reads %j", (text, parameters) => {
    const reader = new ValueReader(text);
    expect(reader.parameters()).toEqual(parameters);
    expect(reader.isAtEnd).toBe(true);
  });

  it.each([";a", ";a=", ";a =b", ";a= b", ';a="b', ";a=;b=c", ";a=b c=d;e"])("refuses or stops in %j", (text) => {
    const reader = new ValueReader(text);
    expect(reader.parameters() === null || !reader.isAtEnd).toBe(true);
  });

  it("take linear time", () => {
    const text = ';a="b\\""'.repeat(50_000);
    expect(new ValueReader(text).parameters()).toHaveLength(50_000);
    expect(new ValueReader(`;a="${"\\\\".repeat(200_000)}`).parameters()).toBeNull();
  });
});
