/**
 * `ranged()`: range requests and conditional requests for anything whose size is known.
 *
 * Steps: body -> {@link Sized} -> preconditions (RFC 9110 §13.2.2) -> ranges (§14.2) -> 200, 206, 304, 412 or 416. Bytes are
 * cut, files are pumped from where the range begins, a slice function is asked for no more than what is sent. Whatever the
 * answer, what was given is let go once.
 */

import { evaluatePreconditions, NOT_MODIFIED, PROCEED, type Validators } from "../http/conditional.ts";
import { isFieldValue } from "../http/fields.ts";
import {
  type ByteRange,
  contentRange,
  evaluateRange,
  planByteranges,
  UNSATISFIABLE,
  unsatisfiedRange,
} from "../http/range.ts";
import {
  A_TIME_SOURCE,
  findMistakes,
  mistakeIn,
  HEADERS,
  type OptionRules,
  throwMistakes,
} from "../server/option-rules.ts";
import { joinByteranges } from "../web/byteranges.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { appendLines, type HeadersInput, indexOfLine } from "../web/header-lines.ts";
import { type Response, responseOfLines } from "../web/response.ts";
import { A_DATE, AN_ENTITY_TAG, answerNotModified, refuse, refuseUnmet, validatorPairs } from "./preconditions.ts";
import { type RangedBody, type Sized, sizedOf } from "./sized.ts";

/** What there is to say of the representation. */
export interface RangedOptions {
  /** Media type. Default that of a Blob, `text/plain;charset=UTF-8` for text, else `application/octet-stream`. */
  readonly type?: string | undefined;
  /**
   * Entity tag with its quotation marks: `"v1"`, `W/"v1"`. With a strong one, or a date, clients can go on where a download
   * broke off (If-Range) and ask whether there is a new version. Default none.
   */
  readonly etag?: string | undefined;
  /** When it was changed last: a Date, or milliseconds since 1970. Default not known. */
  readonly lastModified?: Date | number | undefined;
  /** More fields of 200, 206 and 304. What frames or describes the content is decided here. */
  readonly headers?: HeadersInput | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

const RULES: OptionRules<RangedOptions> = {
  type: {
    allowed: "a media type",
    isAllowed: (value) => typeof value === "string" && value !== "" && isFieldValue(value),
  },
  etag: AN_ENTITY_TAG,
  lastModified: A_DATE,
  headers: HEADERS,
  time: A_TIME_SOURCE,
};

/** What the answer itself says of its content. */
const DECIDED = ["accept-ranges", "content-length", "content-range", "content-type", "etag", "last-modified"] as const;
/**
 * Answers with a body, or with the parts of it that the request asks for.
 *
 * @param request GET or HEAD; with other methods Range means nothing (RFC 9110 §14.2) and the whole is sent
 * @param body text, bytes, a Blob, part of an open file, or `{ size, slice(start, end) }` with offsets in octets, `end` behind
 *   the last; what `slice` gives must have `end - start` octets, or the response is broken off. Bytes are not copied: they must
 *   not change before the last response with them is sent
 * @returns 200, 206, 304, 412 or 416
 * @throws TypeError that tells every mistake in options and body; a FileSlice is released then
 */
export function ranged(request: globalThis.Request, body: RangedBody, options: RangedOptions = {}): Response {
  const sized = sizedOf(body);
  try {
    return answer(request, sized, options);
  } catch (error) {
    sized.release();
    throw error;
  }
}

function answer(request: globalThis.Request, sized: Sized, options: RangedOptions): Response {
  const mistakes = findMistakes(options, RULES);
  const lines: string[] = [];
  if (mistakes.length === 0 && options.headers !== undefined) appendLines(lines, options.headers);
  for (const name of DECIDED)
    if (indexOfLine(lines, name) !== -1) mistakes.push(mistakeIn("headers", `must not have ${name}`));
  throwMistakes("ranged", mistakes);
  const nowMs = (options.time ?? SYSTEM_TIME).nowMs();
  const { method, headers } = request;
  const { lastModified = NaN, etag = "" } = options;
  const validators: Validators = { etag, lastModifiedMs: Number(lastModified) };
  appendLines(lines, validatorPairs(validators, nowMs));
  const verdict = evaluatePreconditions(method, headers, validators, nowMs);
  if (verdict !== PROCEED) {
    sized.release();
    return verdict === NOT_MODIFIED ? answerNotModified(lines) : refuseUnmet(headers, validators);
  }
  const type = options.type ?? sized.type;
  const ranges = evaluateRange(method, headers, sized.size, validators, nowMs);
  if (ranges === null) return answerWhole(method, sized, type, lines);
  if (ranges !== UNSATISFIABLE) return answerParts(ranges, sized, type, lines);
  sized.release();
  const detail = `there are ${sized.size} octets, none of them in the ranges asked for`;
  // RFC 9110 §15.5.17: SHOULD say the current length
  const pairs: [string, string][] = [["content-range", unsatisfiedRange(sized.size)]];
  return refuse(headers, { status: 416, title: "Range Not Satisfiable", detail, rule: "RFC 9110 §14.1.2" }, pairs);
}

function answerWhole(method: string, sized: Sized, type: string, lines: string[]): Response {
  appendLines(lines, [
    ["content-type", type],
    ["content-length", String(sized.size)],
    ["accept-ranges", "bytes"],
  ]);
  if (method !== "HEAD") return responseOfLines(200, lines, sized.part(0, sized.size));
  // RFC 9110 §9.3.2: the fields of GET, and no content
  sized.release();
  return responseOfLines(200, lines, null);
}

function answerParts(ranges: readonly ByteRange[], sized: Sized, type: string, lines: string[]): Response {
  const [first] = ranges;
  if (ranges.length === 1 && first !== undefined) {
    appendLines(lines, [
      ["content-type", type],
      ["content-length", String(first.length)],
      ["content-range", contentRange(first, sized.size)],
    ]);
    return responseOfLines(206, lines, sized.part(first.start, first.length));
  }
  // Unguessable, or content could be made that holds it
  const boundary = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString("base64url");
  const plan = planByteranges(ranges, sized.size, type, boundary);
  appendLines(lines, [
    ["content-type", plan.contentType],
    ["content-length", String(plan.length)],
  ]);
  return responseOfLines(206, lines, joinByteranges(plan, ranges, sized));
}
