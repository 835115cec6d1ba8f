/**
 * Fuzz target: Range, Content-Range and the frame of multipart/byteranges (http/range.ts). An input is a size and a Range.
 *
 * Invariants:
 * - Parts lie inside, are never empty, never overlap and are no more than the limits allow (RFC 9110 §14.2, §17.15).
 * - Each octet that is asked for by a reading by the letter is in a part, and no other is (§14.1.2, §15.3.7.2).
 * - A field that is not by the grammar is ignored; one without a satisfiable part is 416 (§14.2, §15.5.17).
 * - The frame read by a reader of multipart has the parts, and the length it declares (§14.6).
 */

import {
  type ByteRange,
  contentRange,
  DEFAULT_RANGE_LIMITS,
  evaluateRange,
  planByteranges,
  UNSATISFIABLE,
} from "../../src/http/range.ts";
import { fieldsOf, join, listOf, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = ["bytes=", "0-", "-1", "0-0", "-0", ",", "9007199254740993", "4294967296"];
const MAX_SIZE = 2_000;
const number = fc.oneof(
  fc.nat(30).map(String),
  wordsOf("0 00 1 9007199254740991 9007199254740993 18446744073709551616"),
);
const spec = fc.oneof(join(number, "-", number), join(number, "-"), join("-", number));
const VALIDATORS = { etag: "", lastModifiedMs: NaN };

/** The target. */
export const rangeTarget: FuzzTarget = {
  name: "range",
  about: "the parts of a Range are disjoint, inside, bounded, and exactly what was asked for",
  arbitrary: orMutated(
    join(fc.nat(40).map(String), "\n", wordsOf("bytes= bytes= Bytes= items="), listOf(spec, wordsOf(", , ,,"), 6)),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf(
      "10\nbytes=0-4",
      "10\nbytes=-3",
      "10\nbytes=5-",
      "10\nbytes=0-0,2-2,-1",
      "0\nbytes=0-",
      "10\nbytes=20-",
      `2000\nbytes=${"0-,".repeat(30)}`,
    ),
  run(input) {
    const [sizeText = "", value = ""] = partsOf(input, 2);
    const size = Math.min(Math.abs(Number.parseInt(sizeText, 10) || 0), MAX_SIZE);
    const fields = fieldsOf({ range: value });
    const ranges = attempt(() => evaluateRange("GET", fields, size, VALIDATORS, 0)).value;
    same(evaluateRange("HEAD", fields, size, VALIDATORS, 0), null, "means nothing with other methods");
    const wanted = size === 0 ? null : readByLetter(value, size);
    if (ranges === null) {
      // Beyond the limits the whole is sent
      const specs = value.split(",").length;
      hold(wanted === null || specs > DEFAULT_RANGE_LIMITS.maxOverlaps, "ignores nothing that is valid", () => value);
      return;
    }
    hold(wanted !== null, "takes nothing that is not valid", () => value);
    if (ranges === UNSATISFIABLE) same(wanted.size, 0, "is 416 where nothing is satisfiable");
    else check(ranges, size, wanted);
  },
};

/** Offsets of all octets asked for; null where the field is not by the grammar. */
function readByLetter(value: string, size: number): Set<number> | null {
  if (!/^bytes=/i.test(value)) return null;
  const specs = value
    .slice("bytes=".length)
    .split(",")
    .map((part) => part.replaceAll(/^[ \t]+|[ \t]+$/g, ""))
    .filter((part) => part !== "");
  if (specs.length === 0) return null;
  const octets = new Set<number>();
  const last = BigInt(size) - 1n;
  for (const text of specs) {
    const match = /^(?:(\d+)-(\d*)|-(\d+))$/.exec(text);
    if (match === null) return null;
    const [, first, end, suffix] = match;
    const from =
      suffix === undefined ? BigInt(first ?? 0) : last + 1n - (BigInt(suffix) > last + 1n ? last + 1n : BigInt(suffix));
    const to = end === undefined || end === "" ? last : BigInt(end);
    if (suffix === undefined && end !== "" && to < from) return null;
    const until = to > last ? last : to;
    for (let at = from; at <= until; at++) octets.add(Number(at));
  }
  return octets;
}

function check(ranges: readonly ByteRange[], size: number, wanted: ReadonlySet<number>): void {
  const covered = new Set<number>();
  for (const { start, length } of ranges) {
    hold(length > 0 && start >= 0 && start + length <= size, "parts lie inside and are not empty");
    for (let at = start; at < start + length; at++) {
      hold(!covered.has(at), "parts do not overlap");
      covered.add(at);
    }
  }
  hold(covered.size === wanted.size && [...covered].every((at) => wanted.has(at)), "sends exactly what was asked for");
  hold(ranges.length <= DEFAULT_RANGE_LIMITS.maxRanges, "sends no more parts than allowed");
  const plan = planByteranges(ranges, size, "text/plain", "b0undary");
  let text = "";
  ranges.forEach((range, i) => (text += `${plan.heads[i]}${"x".repeat(range.length)}`));
  text += plan.tail;
  same(text.length, plan.length, "the frame is as long as it says");
  const parts = text.split("--b0undary").slice(1, -1);
  same(
    parts.map((part) => /\r\nContent-Range: ([^\r]*)\r\n\r\n(x+)\r\n$/.exec(part)?.slice(1)),
    ranges.map((range) => [contentRange(range, size), "x".repeat(range.length)]),
    "the frame has the parts",
  );
}
