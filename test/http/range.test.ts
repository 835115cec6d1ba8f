import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FieldSource, Validators } from "../../src/http/conditional.ts";
import { Fields } from "../../src/http/fields.ts";
import {
  contentRange,
  DEFAULT_RANGE_LIMITS,
  evaluateRange,
  planByteranges,
  UNSATISFIABLE,
  unsatisfiedRange,
  type ByteRange,
  type RangeLimits,
} from "../../src/http/range.ts";
import { CONDITIONAL_ROWS } from "./conditional-rows.ts";
import { RANGE_ROWS } from "./range-rows.ts";
import { answer, MODIFIED_MS, NOW_MS } from "./semantics-table.ts";

const SEED = { seed: 14, numRuns: 2000 };
const VALIDATORS: Validators = { etag: '"v2"', lastModifiedMs: MODIFIED_MS };
const NO_LIMITS: RangeLimits = { maxRanges: Infinity, maxOverlaps: Infinity, maxReversals: Infinity };

type Result = ReturnType<typeof evaluateRange>;

function evaluate(range: string, sizeBytes: number, limits?: RangeLimits): Result {
  return evaluateRange("GET", Fields.from([["Range", range]]), sizeBytes, VALIDATORS, NOW_MS, limits);
}

function expectRanges(result: Result): readonly ByteRange[] {
  if (result === null || result === UNSATISFIABLE) throw new Error(`ranges expected, not ${String(result)}`);
  return result;
}

describe("range requests, row by row", () => {
  it.each(RANGE_ROWS)("§$section $method $representation $lines: $outcome, $why", (row) => {
    expect(answer(row)).toBe(row.outcome);
  });

  it("together with the conditional ones are at least 200, none of them twice", () => {
    const requests = [...CONDITIONAL_ROWS, ...RANGE_ROWS].map(
      (row) => `${row.method} ${row.representation} ${row.lines}`,
    );
    expect(requests.length).toBeGreaterThanOrEqual(200);
    expect(requests.filter((request, index) => requests.indexOf(request) !== index)).toEqual([]);
  });
});

/** Decimals of all lengths, those around 2^53 and beyond among them, with zeros in front. */
const digits = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 60 }).map(String) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 80n }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("9007199254740991", "9007199254740992", "18446744073709551616", "007", "000"),
  },
);
const rangeSpec = fc.oneof(
  fc.tuple(digits, digits).map(([first, last]) => `${first}-${last}`),
  digits.map((first) => `${first}-`),
  digits.map((length) => `-${length}`),
);
/** Now and then something that is no range-spec, or none at all. */
const member = fc.oneof(
  { weight: 20, arbitrary: rangeSpec },
  { weight: 1, arbitrary: fc.constantFrom("", "-", "5", "x", "1-2-3", "--1", "1 -2", "*") },
);
const anyRange = fc
  .array(fc.tuple(member, fc.constantFrom(",", ", ", " ,\t", ",,")), { minLength: 1, maxLength: 8 })
  .map((members) => `bytes=${members.map((parts) => parts.join("")).join("")}`);

/**
 * RFC 9110 §14.1.1, §14.1.2 once more, in big integers and sets of octets, without a thought of speed.
 *
 * @returns null: invalid; else whether each octet is asked for
 */
function octetsAskedFor(text: string, sizeBytes: number): boolean[] | null {
  const octets = Array.from({ length: sizeBytes }, () => false);
  const specs = text
    .slice("bytes=".length)
    .split(",")
    .map((spec) => spec.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((spec) => spec !== "");
  if (specs.length === 0) return null;
  for (const spec of specs) {
    const match = /^(\d*)-(\d*)$/.exec(spec);
    const [, first = "", last = ""] = match ?? [];
    if (first === "" && last === "") return null;
    if (first !== "" && last !== "" && BigInt(last) < BigInt(first)) return null;
    for (let at = 0; at < sizeBytes; at++) {
      const isAsked =
        first === ""
          ? BigInt(sizeBytes - at) <= BigInt(last)
          : BigInt(at) >= BigInt(first) && (last === "" || BigInt(at) <= BigInt(last));
      octets[at] = octets[at] === true || isAsked;
    }
  }
  return octets;
}

/** What holds for all that leaves: inside, not empty, disjoint and not even touching. */
function expectSound(ranges: readonly ByteRange[], sizeBytes: number): void {
  expect(ranges.length).toBeGreaterThan(0);
  const ascending = ranges.toSorted((a, b) => a.start - b.start);
  let end = -1;
  for (const { start, length } of ascending) {
    expect(Number.isSafeInteger(start) && Number.isSafeInteger(length)).toBe(true);
    expect(start).toBeGreaterThan(end);
    expect(length).toBeGreaterThanOrEqual(1);
    end = start + length;
    expect(end).toBeLessThanOrEqual(sizeBytes);
  }
}

describe("evaluateRange", () => {
  it("sends exactly the octets that are asked for, each once", () => {
    fc.assert(
      fc.property(anyRange, fc.integer({ min: 1, max: 50 }), (text, sizeBytes) => {
        const asked = octetsAskedFor(text, sizeBytes);
        const result = evaluate(text, sizeBytes);
        if (asked === null) {
          expect(result).toBeNull();
        } else if (!asked.includes(true)) {
          expect(result).toBe(UNSATISFIABLE);
        } else {
          const ranges = expectRanges(result);
          expectSound(ranges, sizeBytes);
          const sent = Array.from({ length: sizeBytes }, (_, at) =>
            ranges.some(({ start, length }) => at >= start && at < start + length),
          );
          expect(sent).toEqual(asked);
        }
      }),
      SEED,
    );
  });

  it("sends parts in the order in which their first octets were asked for", () => {
    const disjoint = fc.uniqueArray(fc.nat({ max: 500 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(disjoint, (places) => {
        const text = `bytes=${places.map((place) => `${place * 10}-${place * 10 + 4}`).join(",")}`;
        const ranges = expectRanges(evaluate(text, 10_000, NO_LIMITS));
        expect(ranges).toEqual(places.map((place) => ({ start: place * 10, length: 5 })));
      }),
      SEED,
    );
  });

  it("yields null, unsatisfiable or sound ranges for any text and size, and never throws", () => {
    const soup = fc.string({ unit: fc.constantFrom(..."0123456789-, \t=bytes*é"), maxLength: 60 });
    const text = fc.oneof(
      fc.string(),
      soup,
      soup.map((rest) => `bytes=${rest}`),
      anyRange,
    );
    fc.assert(
      fc.property(text, fc.maxSafeNat(), (range, sizeBytes) => {
        const result = evaluate(range, sizeBytes);
        if (result === null || result === UNSATISFIABLE) return;
        expectSound(result, sizeBytes);
        expect(result.length).toBeLessThanOrEqual(DEFAULT_RANGE_LIMITS.maxRanges);
      }),
      SEED,
    );
  });

  it("keeps a single range exact at every size up to 2^53 - 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.maxSafeNat(), (sizeBytes, position) => {
        const first = position % sizeBytes;
        expect(evaluate(`bytes=${first}-`, sizeBytes)).toEqual([{ start: first, length: sizeBytes - first }]);
        expect(evaluate(`bytes=-${sizeBytes - first}`, sizeBytes)).toEqual([
          { start: first, length: sizeBytes - first },
        ]);
        expect(evaluate(`bytes=${sizeBytes}-`, sizeBytes)).toBe(UNSATISFIABLE);
      }),
      SEED,
    );
  });

  it("costs one look-up where no Range is, and then does not ask for If-Range", () => {
    const asked: string[] = [];
    const source: FieldSource = {
      get(lowerName) {
        asked.push(lowerName);
        return null;
      },
    };
    expect(evaluateRange("GET", source, 10_000, VALIDATORS, NOW_MS)).toBeNull();
    expect(asked).toEqual(["range"]);
  });
});

describe("limits of a Range", () => {
  function list(count: number, spec: (index: number) => string): string {
    return `bytes=${Array.from({ length: count }, (_, index) => spec(index)).join(",")}`;
  }

  it("are at least Apache's", () => {
    expect(DEFAULT_RANGE_LIMITS).toEqual({ maxRanges: 200, maxOverlaps: 20, maxReversals: 20 });
  });

  it.each([
    ["as many ranges as allowed", list(200, (i) => `${i * 10}-${i * 10}`), 200],
    ["more ranges than allowed", list(201, (i) => `${i * 10}-${i * 10}`), null],
    ["more unsatisfiable ranges than allowed", list(201, (i) => `${90_000 + i}-`), null],
    ["as many overlaps as allowed", list(21, () => "0-"), 1],
    ["more overlaps than allowed", list(22, () => "0-"), null],
    ["a flood of overlaps that grow", list(200, (i) => `5-${i + 5}`), null],
    ["a flood of overlaps from the end", list(200, (i) => `-${i + 1}`), null],
    ["many touching ranges, which do not overlap", list(200, (i) => `${i * 10}-${i * 10 + 9}`), 1],
    ["as many reversals as allowed", list(21, (i) => `${1000 - i * 10}-${1000 - i * 10}`), 21],
    ["more reversals than allowed", list(22, (i) => `${1000 - i * 10}-${1000 - i * 10}`), null],
    ["a zigzag", list(100, (i) => (i % 2 === 0 ? `${i * 10}-${i * 10}` : `${5000 - i * 10}-${5000 - i * 10}`)), null],
  ])("%s", (_, range, count) => {
    const result = evaluate(range, 10_000);
    expect(result === null || result === UNSATISFIABLE ? null : result.length).toBe(count);
  });

  it("can be set", () => {
    const limits = { ...NO_LIMITS, maxRanges: 1 };
    expect(evaluate("bytes=0-0", 10, limits)).toHaveLength(1);
    expect(evaluate("bytes=0-0,5-5", 10, limits)).toBeNull();
    expect(
      evaluate(
        list(1000, () => "0-"),
        10,
        NO_LIMITS,
      ),
    ).toEqual([{ start: 0, length: 10 }]);
  });

  // A quadratic reader would take minutes for these
  it.each([
    ["commas", `bytes=${",".repeat(1_000_000)}`],
    ["blanks", `bytes=${" ".repeat(1_000_000)}x`],
    ["blanks behind a spec", `bytes=0-1${" ".repeat(1_000_000)}x`],
    ["digits", `bytes=${"9".repeat(1_000_000)}-${"8".repeat(1_000_000)}`],
    ["zeros", `bytes=${"0".repeat(1_000_000)}-${"0".repeat(1_000_000)}`],
    ["nines and zeros", `bytes=${"9".repeat(500_000)}${"0".repeat(500_000)}-5`],
    ["ranges", list(100_000, (i) => `${i * 10}-${i * 10}`)],
    ["suffixes", list(200_000, () => "-5")],
    ["minuses", `bytes=${"-".repeat(1_000_000)}`],
    ["unsatisfiable ranges", list(100_000, () => "99999999-")],
  ])("a million of %s are read in linear time", (_, range) => {
    const start = performance.now();
    evaluate(range, 10_000);
    evaluate(range, 10_000, NO_LIMITS);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe("contentRange and unsatisfiedRange", () => {
  // RFC 9110 §14.4 and §15.5.17
  it.each([
    [0, 500, "bytes 0-499/1234"],
    [500, 500, "bytes 500-999/1234"],
    [500, 734, "bytes 500-1233/1234"],
    [734, 500, "bytes 734-1233/1234"],
    [42, 1192, "bytes 42-1233/1234"],
    [0, 1, "bytes 0-0/1234"],
  ])("from %d, %d octets: %s", (start, length, text) => {
    expect(contentRange({ start, length }, 1234)).toBe(text);
  });

  it("says the size alone where nothing is satisfiable", () => {
    expect(unsatisfiedRange(47_022)).toBe("bytes */47022");
    expect(unsatisfiedRange(0)).toBe("bytes */0");
  });

  it("writes large numbers in digits", () => {
    const size = Number.MAX_SAFE_INTEGER;
    expect(contentRange({ start: size - 1, length: 1 }, size)).toBe(
      "bytes 9007199254740990-9007199254740990/9007199254740991",
    );
  });
});

describe("planByteranges", () => {
  const RANGES = [
    { start: 500, length: 500 },
    { start: 7000, length: 1000 },
  ];

  it("frames parts as RFC 9110 §14.6 shows", () => {
    const plan = planByteranges(RANGES, 8000, "application/pdf", "THIS_STRING_SEPARATES");
    expect(plan.contentType).toBe("multipart/byteranges; boundary=THIS_STRING_SEPARATES");
    const content = `${plan.heads[0] ?? ""}…the first range…${plan.heads[1] ?? ""}…the second range${plan.tail}`;
    expect(content.split("\r\n")).toEqual([
      "--THIS_STRING_SEPARATES",
      "Content-Type: application/pdf",
      "Content-Range: bytes 500-999/8000",
      "",
      "…the first range…",
      "--THIS_STRING_SEPARATES",
      "Content-Type: application/pdf",
      "Content-Range: bytes 7000-7999/8000",
      "",
      "…the second range",
      "--THIS_STRING_SEPARATES--",
      "",
    ]);
  });

  it("writes no Content-Type where the whole would have had none", () => {
    const { heads } = planByteranges(RANGES, 8000, "", "b");
    expect(heads[0]).toBe("--b\r\nContent-Range: bytes 500-999/8000\r\n\r\n");
  });

  it("counts exactly the octets of frame and parts", () => {
    const sets = fc.array(fc.record({ start: fc.nat(), length: fc.integer({ min: 1, max: 300 }) }), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(sets, fc.constantFrom("", "text/plain; charset=utf-8", "a/é"), (ranges, type) => {
        const plan = planByteranges(ranges, 2 ** 40, type, "0123456789abcdef-_");
        const content = ranges.map(({ length }, index) => (plan.heads[index] ?? "") + "x".repeat(length)).join("");
        expect(plan.heads).toHaveLength(ranges.length);
        expect(Buffer.byteLength(content + plan.tail, "latin1")).toBe(plan.length);
      }),
      { seed: 146, numRuns: 200 },
    );
  });

  it.each(["", "a b", 'a"b', "a\r\nb", "é", "x".repeat(71), "a;b"])("refuses the boundary %j", (boundary) => {
    expect(() => planByteranges(RANGES, 8000, "", boundary)).toThrow(TypeError);
  });

  it("refuses a type that would split the head of a part", () => {
    expect(() => planByteranges(RANGES, 8000, "text/plain\r\nX: y", "b")).toThrow(TypeError);
  });

  it("refuses to frame nothing", () => {
    expect(() => planByteranges([], 8000, "", "b")).toThrow(TypeError);
  });
});
