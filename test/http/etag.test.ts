import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listHasStrong, listHasWeak, parseEntityTag, strongEquals, weakEquals } from "../../src/http/etag.ts";

const SEED = { seed: 9110, numRuns: 1000 };

/** etagc (RFC 9110 §8.8.3), commas often, because they are what a careless reader splits at. */
const etagc = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", ",", "\\", "'", "!", "~", "é", "\u0080", "ÿ") },
  fc.integer({ min: 0x23, max: 0x7e }).map((code) => String.fromCharCode(code)),
);
const opaqueTag = fc.string({ unit: etagc, maxLength: 4 }).map((text) => `"${text}"`);
const strongTag = opaqueTag;
const entityTag = fc.tuple(fc.constantFrom("", "W/"), opaqueTag).map(([weak, opaque]) => weak + opaque);
const separator = fc.constantFrom(",", ", ", " ,", "\t,\t", ",,", ", , ");

/** A list with all that the grammar allows between tags. */
const entityTagList = fc.array(fc.tuple(entityTag, separator), { minLength: 1, maxLength: 6 }).map((members) => ({
  tags: members.map(([tag]) => tag),
  text: members.map(([tag, behind], index) => (index === members.length - 1 ? tag : tag + behind)).join(""),
}));

describe("parseEntityTag", () => {
  it.each([
    ['"xyzzy"', false, '"xyzzy"'],
    ['W/"xyzzy"', true, '"xyzzy"'],
    ['""', false, '""'],
    ['W/""', true, '""'],
    ['"a,b"', false, '"a,b"'],
    ['"W/"', false, '"W/"'],
    ['"é\\"', false, '"é\\"'],
    ['"!#~"', false, '"!#~"'],
  ])("reads %s", (text, isWeak, opaque) => {
    expect(parseEntityTag(text)).toEqual({ isWeak, opaqueTag: opaque });
  });

  it.each([
    "",
    "x",
    '"',
    '"x',
    'x"',
    'w/"x"',
    'W"x"',
    "W/",
    "W/x",
    'W/ "x"',
    ' "x"',
    '"x" ',
    '"x""y"',
    '"x", "y"',
    '"a b"',
    '"a\tb"',
    '"\u007f"',
    '"\u0000"',
    '"\n"',
    '"Ā"',
    "*",
    "'x'",
  ])("refuses %j", (text) => {
    expect(parseEntityTag(text)).toBeNull();
  });

  it("reads every tag of the grammar back to itself", () => {
    fc.assert(
      fc.property(entityTag, (text) => {
        const tag = parseEntityTag(text);
        expect(tag).not.toBeNull();
        expect((tag?.isWeak === true ? "W/" : "") + (tag?.opaqueTag ?? "")).toBe(text);
      }),
      SEED,
    );
  });
});

describe("strongEquals and weakEquals", () => {
  // RFC 9110 §8.8.3.2, Table 3, and the same the other way round
  it.each([
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', 'W/"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"2"', false, false],
    ['"1"', '"11"', false, false],
    ['"11"', '"1"', false, false],
    ['"W/1"', 'W/"1"', false, false],
    ['"a"', '"A"', false, false],
    ["", "", false, false],
    ["", '""', false, false],
    ['""', '""', true, true],
  ])("%s and %s: strongly %s, weakly %s", (a, b, isStrong, isWeak) => {
    expect(strongEquals(a, b)).toBe(isStrong);
    expect(weakEquals(a, b)).toBe(isWeak);
  });

  it("compare as the parts of the tags do, in either order", () => {
    fc.assert(
      fc.property(entityTag, entityTag, (a, b) => {
        const left = parseEntityTag(a);
        const right = parseEntityTag(b);
        const isSame = left?.opaqueTag === right?.opaqueTag;
        expect(weakEquals(a, b)).toBe(isSame);
        expect(weakEquals(b, a)).toBe(isSame);
        expect(strongEquals(a, b)).toBe(isSame && left?.isWeak === false && right?.isWeak === false);
      }),
      SEED,
    );
  });
});

describe("listHasStrong and listHasWeak", () => {
  it("find exactly the tags that are members", () => {
    fc.assert(
      fc.property(entityTagList, entityTag, ({ tags, text }, other) => {
        for (const tag of [...tags, other]) {
          expect(listHasWeak(text, tag), tag).toBe(tags.some((member) => weakEquals(member, tag)));
          expect(listHasStrong(text, tag), tag).toBe(tags.some((member) => strongEquals(member, tag)));
        }
      }),
      SEED,
    );
  });

  it("find no representation without a tag", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(listHasWeak(text, "")).toBe(false);
        expect(listHasStrong(text, "")).toBe(false);
      }),
      SEED,
    );
  });

  it("never throw, and find a tag only where it is written", () => {
    const soup = fc.string({
      unit: fc.constantFrom('"', "W", "/", ",", " ", "\t", "a", "*", "\\", "é"),
      maxLength: 30,
    });
    fc.assert(
      fc.property(soup, strongTag, (text, tag) => {
        if (listHasWeak(text, tag) || listHasStrong(text, tag)) expect(text).toContain(tag);
      }),
      SEED,
    );
  });

  // A quadratic reader would take minutes for these
  it.each([
    ["commas", ",".repeat(1_000_000)],
    ["blanks", `${" ".repeat(1_000_000)}x`],
    ["blanks behind a tag", `"x"${" ".repeat(1_000_000)}x`],
    ["tags", '"x", '.repeat(200_000)],
    ["weak tags that differ at their end", `W/"${"v".repeat(99)}x",`.repeat(10_000)],
    ["a tag without end", `"${"v".repeat(1_000_000)}`],
    ["quotation marks", '"'.repeat(1_000_000)],
    ["blank members", '"x"  ,  ,'.repeat(100_000)],
  ])("search a million of %s in linear time", (_, list) => {
    const start = performance.now();
    expect(listHasWeak(list, `"${"v".repeat(100)}"`)).toBe(false);
    expect(listHasStrong(list, `"${"v".repeat(100)}"`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
