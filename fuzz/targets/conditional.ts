/**
 * Fuzz target: preconditions, entity tags and HTTP-dates (http/conditional.ts, etag.ts, date.ts). An input is by lines: a
 * method, the entity tag, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range.
 *
 * Invariants:
 * - The verdict is that of the steps of RFC 9110 §13.2.2 taken by the letter, with tags compared as §8.8.3.2 says.
 * - 304 is for GET and HEAD alone (§13.1.2, §13.1.3).
 * - A date is read as Date.parse reads it where that reads the same form; written, it reads the same (§5.6.7).
 * - If-Range counts only for the same strong tag or a date exactly that of the last change (§13.1.5).
 */

import {
  evaluatePreconditions,
  isRangeCurrent,
  NOT_MODIFIED,
  PRECONDITION_FAILED,
  PROCEED,
} from "../../src/http/conditional.ts";
import { formatHttpDate, parseHttpDate } from "../../src/http/date.ts";
import { listHasStrong, listHasWeak, parseEntityTag } from "../../src/http/etag.ts";
import { fieldsOf, join, listOf, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const NOW_MS = Date.UTC(2024, 1, 29, 12, 0, 0);
const CHANGED_MS = Date.UTC(2024, 0, 1, 0, 0, 0) + 700;
const WORDS = [
  '"a"',
  'W/"a"',
  "*",
  "Sun, 06 Nov 1994 08:49:37 GMT",
  "Sunday, 06-Nov-94 08:49:37 GMT",
  "Sun Nov  6 08:49:37 1994",
  ":60",
  "29 Feb",
];
const tag = fc.oneof(wordsOf('"a" "b" W/"a" "" "a,b" w/"a" a "é" W/ "'), fc.constant('"a b"'));
const tags = fc.oneof(listOf(tag, fc.constantFrom(",", ", ", ",, ", " "), 3), fc.constantFrom("*", ""));
const date = fc.oneof(
  fc.constantFrom(
    ...WORDS.slice(3, 6),
    "Mon, 01 Jan 2024 00:00:00 GMT",
    "Mon, 01 Jan 2024 00:00:01 GMT",
    "Sun, 31 Dec 2023 23:59:60 GMT",
    "Thu, 30 Feb 2023 00:00:00 GMT",
    "",
  ),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(2 ** 43) }).map((value) => value.toUTCString()),
);

/** Members of a list of tags; null where the list is none, or any is not by the grammar. */
function readTags(list: string): string[] | null {
  const tags: string[] = [];
  for (let rest = list.replaceAll(/^[ \t,]+/g, ""); rest !== "";) {
    const found = /^(?:W\/)?"[!#-~\x80-\xff]*"/.exec(rest)?.[0];
    if (found === undefined) return null;
    tags.push(found);
    rest = rest.slice(found.length);
    if (rest !== "" && !/^[ \t]*(?:,|$)/.test(rest)) return null;
    rest = rest.replaceAll(/^[ \t,]+/g, "");
  }
  return tags;
}

/** The target. */
export const conditionalTarget: FuzzTarget = {
  name: "conditional",
  about: "preconditions are evaluated in the order of RFC 9110 §13.2.2, tags and dates by their grammar",
  arbitrary: orMutated(
    join(
      wordsOf("GET HEAD PUT OPTIONS"),
      "\n",
      tag,
      "\n",
      tags,
      "\n",
      tags,
      "\n",
      date,
      "\n",
      date,
      "\n",
      fc.oneof(tag, date),
    ),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf(
      'GET\n"a"\n\n"a", W/"b"\n\n\n',
      'PUT\n"a"\n*\n\n\n\n',
      "GET\n\n\n\nMon, 01 Jan 2024 00:00:00 GMT\n\nSun, 06 Nov 1994 08:49:37 GMT",
    ),
  run(input) {
    const [method = "", etag = "", ...values] = partsOf(input, 7);
    const [ifMatch = null, ifNoneMatch = null, ifModified = null, ifUnmodified = null, ifRange = null] = values.map(
      (value) => (value === "" ? null : value),
    );
    const fields = fieldsOf({
      "if-match": ifMatch,
      "if-none-match": ifNoneMatch,
      "if-modified-since": ifModified,
      "if-unmodified-since": ifUnmodified,
      "if-range": ifRange,
    });
    const isTag = attempt(() => parseEntityTag(etag)).value !== null;
    same(isTag, /^(?:W\/)?"[!#-~\x80-\xff]*"$/.test(etag), "knows entity tags (RFC 9110 §8.8.3)");
    for (const text of values) checkDate(text);
    const validators = { etag: isTag ? etag : "", lastModifiedMs: CHANGED_MS };
    const verdict = attempt(() => evaluatePreconditions(method, fields, validators, NOW_MS)).value;
    hold(verdict !== NOT_MODIFIED || method === "GET" || method === "HEAD", "answers 304 to GET and HEAD alone");
    same(attempt(() => evaluatePreconditions(method, fields, null, NOW_MS)).error, null, "takes that there is none");
    if (isTag) checkVerdict(verdict ?? -1, method, etag, [ifMatch, ifNoneMatch, ifModified, ifUnmodified]);
    const isCurrent = attempt(() => isRangeCurrent(fields, validators, NOW_MS)).value;
    if (isCurrent === true && ifRange !== null) {
      const isExact = parseHttpDate(ifRange, NOW_MS) === CHANGED_MS - 700;
      hold(isExact || (ifRange === etag && !etag.startsWith("W/")), "a Range counts for the same version alone");
    }
  },
};

/** The steps by the letter, for lists that are by the grammar. */
function checkVerdict(verdict: number, method: string, etag: string, fields: ReadonlyArray<string | null>): void {
  const [ifMatch = null, ifNoneMatch = null, ifModified = null, ifUnmodified = null] = fields;
  const lists = [ifMatch, ifNoneMatch].map((list) => (list === null || list === "*" ? [] : readTags(list)));
  const [matching, noneMatching] = lists;
  if (matching === null || matching === undefined || noneMatching === null || noneMatching === undefined) return;
  const opaque = etag.replace(/^W\//, "");
  const isStrong = (ifMatch ?? "") === "*" || (!etag.startsWith("W/") && matching.includes(etag));
  const isWeak = (ifNoneMatch ?? "") === "*" || noneMatching.some((one) => one.replace(/^W\//, "") === opaque);
  if (ifMatch !== null && ifMatch !== "*") same(listHasStrong(ifMatch, etag), isStrong, "compares strongly");
  if (ifNoneMatch !== null && ifNoneMatch !== "*") same(listHasWeak(ifNoneMatch, etag), isWeak, "compares weakly");
  const second = Math.floor(CHANGED_MS / 1000) * 1000;
  const modified = ifModified === null ? null : parseHttpDate(ifModified, NOW_MS);
  const unmodified = ifUnmodified === null ? null : parseHttpDate(ifUnmodified, NOW_MS);
  const facts = {
    isStrong,
    isWeak,
    isModified: modified === null || second > modified,
    isLate: unmodified !== null && second > unmodified,
  };
  same(verdict, stepsOf(method, ifMatch, ifNoneMatch, facts), "the verdict is that of RFC 9110 §13.2.2");
}

/** RFC 9110 §13.2.2, steps 1 to 4. */
function stepsOf(
  method: string,
  ifMatch: string | null,
  ifNoneMatch: string | null,
  facts: { isStrong: boolean; isWeak: boolean; isModified: boolean; isLate: boolean },
): number {
  if (["OPTIONS", "TRACE", "CONNECT"].includes(method)) return PROCEED;
  if (ifMatch === null ? facts.isLate : !facts.isStrong) return PRECONDITION_FAILED;
  const isRead = method === "GET" || method === "HEAD";
  if (ifNoneMatch === null) return isRead && !facts.isModified ? NOT_MODIFIED : PROCEED;
  if (!facts.isWeak) return PROCEED;
  return isRead ? NOT_MODIFIED : PRECONDITION_FAILED;
}

function checkDate(text: string): void {
  const parsed = attempt(() => parseHttpDate(text, NOW_MS)).value;
  if (parsed === null) return;
  hold(Number.isInteger(parsed), "a date is a whole number of milliseconds");
  const year = new Date(parsed).getUTCFullYear();
  if (year >= 0 && year <= 9999)
    same(parseHttpDate(formatHttpDate(parsed), NOW_MS), parsed, "a date reads the same when written");
  // Date.parse takes no leap second, and another century for two digits and for years before 100
  if (/^\w{3}, .* GMT$/.test(text) && !text.includes(":60") && year >= 100)
    same(parsed, Date.parse(text), "a date is what Date.parse reads");
}
