import { describe, expect, it } from "vitest";
import {
  A_FUNCTION,
  checkOptions,
  findMistakes,
  listOf,
  mistakeIn,
  oneOf,
  type OptionRule,
  throwMistakes,
  whole,
  wholeOrInfinity,
  YES_OR_NO,
} from "../../src/server/option-rules.ts";

interface Options {
  readonly maxParts?: number;
  readonly maxPartBytes?: number;
  readonly mode?: string;
  readonly onEnd?: () => void;
}

const RULES = {
  maxParts: whole(1, 10, "parts"),
  maxPartBytes: wholeOrInfinity(0, "octets"),
  mode: oneOf("fast", "safe"),
  onEnd: A_FUNCTION,
};

const check = (options: unknown): void => checkOptions("reader", options as Options, RULES);

describe("options", () => {
  it("that are right, or undefined, are left alone", () => {
    const options = Object.freeze({ maxParts: 10, maxPartBytes: Infinity, mode: "fast", onEnd: undefined });
    expect(() => check(options)).not.toThrow();
  });

  it("are told with all their mistakes at once", () => {
    expect(() => check({ maxParts: 11, mode: "slow", onEnd: null })).toThrow(
      new TypeError(
        [
          "reader: 3 options are invalid:",
          "  maxParts: 11 was given, whole parts from 1 to 10 is allowed",
          '  mode: "slow" was given, "fast" or "safe" is allowed',
          "  onEnd: null was given, a function is allowed",
        ].join("\n"),
      ),
    );
  });

  it.each([
    ["maxPart", "maxParts"],
    ["maxpartbytes", "maxPartBytes"],
    ["max", "maxParts"],
    ["on", ""],
    ["constructor", ""],
    ["__proto__x", ""],
  ])("that nobody knows are mistakes: %s is perhaps %j", (name, nearest) => {
    expect(findMistakes({ [name]: 1 }, RULES).map((mistake) => mistake.nearest)).toEqual([nearest]);
  });

  it.each([[null], [undefined], ["text"], [5]])("are an object, not %j", (given) => {
    expect(() => check(given)).toThrow("reader: the options must be an object");
  });

  it("may be wrong in ways that no rule of one knows", () => {
    expect(() => throwMistakes("reader", [])).not.toThrow();
    expect(() => throwMistakes("reader", [mistakeIn("mode", "it is not for this system")])).toThrow(
      "reader: an option is invalid:\n  mode: it is not for this system",
    );
  });
});

describe("a rule", () => {
  it.each<[OptionRule, unknown[], unknown[]]>([
    [whole(0, Infinity, "octets"), [0, 2 ** 53 - 1], [-1, 1.5, Infinity, NaN, "1", 2 ** 53]],
    [wholeOrInfinity(1, "levels"), [1, Infinity], [0, -Infinity, 1.5, null]],
    [oneOf("a", "b"), ["a", "b"], ["c", ["a"], 1]],
    [listOf("names", (name) => name !== ""), [[], ["a"]], [[""], [1], "a", { length: 0 }]],
    [YES_OR_NO, [true, false], ["true", 1, null]],
  ])("takes what it says: $allowed", ({ isAllowed }, right, wrong) => {
    expect([right.map(isAllowed), wrong.map(isAllowed)]).toEqual([right.map(() => true), wrong.map(() => false)]);
  });
});
