/**
 * Preconditions (RFC 9110 §13): what If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since make of a request, in
 * the order of §13.2.2, and whether If-Range lets a Range count (§13.1.5).
 *
 * Results are numbers and nothing is allocated; a request without these fields costs four look-ups. The caller must ask only
 * where the answer would otherwise be 2xx (§13.2.1). Time is an argument: this file must never ask a clock.
 */

import { parseHttpDate } from "./date.ts";
import { listHasStrong, listHasWeak, strongEquals } from "./etag.ts";

/** Where field values come from: `Fields` of a request head, or the platform's `Headers`. Lines are combined (RFC 9110 §5.3). */
export interface FieldSource {
  /** @param lowerName field name in lower case */
  get(lowerName: string): string | null;
}

/** Validators of the selected representation (RFC 9110 §8.8). */
export interface Validators {
  /** Entity tag as sent in ETag, e.g. `"xyzzy"` or `W/"xyzzy"`; `""` if there is none. */
  readonly etag: string;
  /** Last modification in milliseconds since 1970, as exactly as known; NaN if not known. */
  readonly lastModifiedMs: number;
}

/** Perform the method. */
export const PROCEED = 0;
/** Answer 304 (Not Modified; RFC 9110 §15.4.5). */
export const NOT_MODIFIED = 304;
/** Answer 412 (Precondition Failed; RFC 9110 §15.5.13). */
export const PRECONDITION_FAILED = 412;

/**
 * Evaluates the preconditions of a request in order of precedence (RFC 9110 §13.2.2, steps 1 to 4; 5 is {@link isRangeCurrent}).
 *
 * @param validators of the selected representation; null if the target resource has no current representation, so that PUT
 *   with `If-None-Match: *` may create one
 * @param nowMs now, in milliseconds since 1970, at most a second old
 * @returns {@link PROCEED}, {@link NOT_MODIFIED} or {@link PRECONDITION_FAILED}
 */
export function evaluatePreconditions(
  method: string,
  fields: FieldSource,
  validators: Validators | null,
  nowMs: number,
): number {
  const ifMatch = fields.get("if-match");
  const ifUnmodifiedSince = fields.get("if-unmodified-since");
  const ifNoneMatch = fields.get("if-none-match");
  const ifModifiedSince = fields.get("if-modified-since");
  if (ifMatch === null && ifUnmodifiedSince === null && ifNoneMatch === null && ifModifiedSince === null)
    return PROCEED;
  // RFC 9110 §13.2.1: MUST ignore them with methods that neither select nor modify a representation
  if (method === "OPTIONS" || method === "TRACE" || method === "CONNECT") return PROCEED;

  // Steps 1 and 2. That a state-changing request has been applied already is for its handler to find out.
  if (ifMatch !== null) {
    if (!isMatch(ifMatch, validators)) return PRECONDITION_FAILED;
  } else if (ifUnmodifiedSince !== null && validators !== null) {
    if (isModifiedSince(ifUnmodifiedSince, validators, nowMs) === MODIFIED) return PRECONDITION_FAILED;
  }

  // Steps 3 and 4
  const isGetOrHead = method === "GET" || method === "HEAD";
  if (ifNoneMatch !== null) {
    if (isNoneMatch(ifNoneMatch, validators)) return PROCEED;
    return isGetOrHead ? NOT_MODIFIED : PRECONDITION_FAILED;
  }
  // RFC 9110 §13.1.3: MUST ignore it if the method is neither GET nor HEAD
  if (ifModifiedSince !== null && isGetOrHead && validators !== null) {
    if (isModifiedSince(ifModifiedSince, validators, nowMs) === NOT_LATER) return NOT_MODIFIED;
  }
  return PROCEED;
}

/**
 * Evaluates If-Range (RFC 9110 §13.1.5). Ask only for GET with a Range.
 *
 * @returns true if there is no If-Range, or if it names the selected representation: the Range counts. Else it is ignored.
 */
export function isRangeCurrent(fields: FieldSource, validators: Validators, nowMs: number): boolean {
  const ifRange = fields.get("if-range");
  if (ifRange === null) return true;
  // A date has no DQUOTE; a tag has it among its first three characters, and a weak one is strongly equal to nothing
  if (ifRange.includes('"')) return strongEquals(ifRange, validators.etag);
  return isStrongDate(ifRange, validators.lastModifiedMs, nowMs);
}

/** RFC 9110 §13.1.1: "*" asks for any current representation, a list for one strongly equal tag. */
function isMatch(ifMatch: string, validators: Validators | null): boolean {
  if (validators === null) return false;
  return ifMatch === "*" || listHasStrong(ifMatch, validators.etag);
}

/** RFC 9110 §13.1.2: "*" asks for no current representation, a list for no weakly equal tag. */
function isNoneMatch(ifNoneMatch: string, validators: Validators | null): boolean {
  if (validators === null) return true;
  return ifNoneMatch !== "*" && !listHasWeak(ifNoneMatch, validators.etag);
}

/** The field does not count: no valid date, or no modification date to compare it with. */
const UNKNOWN = 0;
/** The representation's date is earlier than the field's, or the same. */
const NOT_LATER = 1;
/** The representation's date is later than the field's. */
const MODIFIED = 2;

/** RFC 9110 §13.1.3, §13.1.4: MUST ignore what is not one valid HTTP-date, and all if the modification date is not known. */
function isModifiedSince(text: string, validators: Validators, nowMs: number): number {
  const sentSecond = lastModifiedSecond(validators.lastModifiedMs, nowMs);
  if (Number.isNaN(sentSecond)) return UNKNOWN;
  const dateMs = parseHttpDate(text, nowMs);
  if (dateMs === null) return UNKNOWN;
  // An HTTP-date has whole seconds: the 0.7 of a file's time that Last-Modified could not say must not make it look newer
  return sentSecond <= dateMs / 1000 ? NOT_LATER : MODIFIED;
}

/**
 * The second that Last-Modified names: RFC 9110 §8.8.2.1, a time in the future is replaced by now, so that it
 * does not validate a copy until it has passed.
 */
function lastModifiedSecond(lastModifiedMs: number, nowMs: number): number {
  return Math.floor(Math.min(lastModifiedMs, nowMs) / 1000);
}

/** Whether `text` is exactly Last-Modified, and a strong validator (RFC 9110 §13.1.5, §8.8.2.2). */
function isStrongDate(text: string, lastModifiedMs: number, nowMs: number): boolean {
  const dateMs = parseHttpDate(text, nowMs);
  if (dateMs === null || dateMs / 1000 !== Math.floor(lastModifiedMs / 1000)) return false;
  // A leap second reads as the second before it, which is near but not exact
  if (text.includes(":60")) return false;
  // RFC 9110 §8.8.2.2: whoever fetched the file within the second it changed in cannot know that it did not change again.
  // Once that second is over the client can tell by Date whether it did, and only then is it allowed to send If-Range.
  return Math.floor(nowMs / 1000) > Math.floor(lastModifiedMs / 1000);
}
