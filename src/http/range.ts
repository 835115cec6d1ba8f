/**
 * Range requests (RFC 9110 §14): a Range field -> the parts of a representation to send, and what is written around them.
 *
 * 1. evaluateRange: method and If-Range, unit, range-set, satisfiability, flood limits, coalescing
 * 2. contentRange, unsatisfiedRange: Content-Range of 206 and of 416
 * 3. planByteranges: the multipart/byteranges frame of several parts (§14.6)
 *
 * Ranges that leave here are inside the representation, never empty, never overlapping and bounded in number, whatever came
 * in. Text is read once from left to right; numbers of any length are compared exactly. Nothing here reads a file.
 */

import { isRangeCurrent } from "./conditional.ts";
import type { FieldSource, Validators } from "./conditional.ts";
import { isFieldValue } from "./fields.ts";

/** A part of a representation: at least one octet, all inside. */
export interface ByteRange {
  /** Offset of the first octet. */
  readonly start: number;
  /** Octets, at least 1. */
  readonly length: number;
}

/** None of the ranges is satisfiable: answer 416 (RFC 9110 §15.5.17). */
export const UNSATISFIABLE = 416;

/** What one Range may ask for; a request that asks for more gets the whole representation (RFC 9110 §14.2, §17.15). */
export interface RangeLimits {
  /** range-specs of one field. Apache MaxRanges 200. */
  readonly maxRanges: number;
  /** range-specs that overlap one before them. Apache MaxRangeOverlaps 20. */
  readonly maxOverlaps: number;
  /** range-specs that start before the one in front of them. Apache MaxRangeReversals 20. */
  readonly maxReversals: number;
}

export const DEFAULT_RANGE_LIMITS: RangeLimits = { maxRanges: 200, maxOverlaps: 20, maxReversals: 20 };

const HTAB = 0x09;
const SP = 0x20;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** range-unit "=" of the only unit that we understand (RFC 9110 §14.1.2). */
const UNIT = "bytes=";

/**
 * Evaluates Range and If-Range of a request whose answer would be 200 (RFC 9110 §14.2, §13.2.2 step 5). The preconditions
 * come first.
 *
 * @param sizeBytes of the selected representation, with its content coding
 * @param nowMs now, in milliseconds since 1970, at most a second old
 * @returns null: send the whole, status 200; {@link UNSATISFIABLE}: 416; else what to send with 206: disjoint ranges in
 *   the order in which they were asked for
 */
export function evaluateRange(
  method: string,
  fields: FieldSource,
  sizeBytes: number,
  validators: Validators,
  nowMs: number,
  limits: RangeLimits = DEFAULT_RANGE_LIMITS,
): readonly ByteRange[] | null | typeof UNSATISFIABLE {
  const text = fields.get("range");
  if (text === null) return null;
  // RFC 9110 §14.2: MUST ignore it with every method but GET. HEAD so tells the size of the whole (§9.3.2).
  if (method !== "GET") return null;
  // RFC 9110 §14.2: MAY ignore it where there is no content. No Content-Range can say "none of nothing", and a client that
  // puts Range on all requests should not see an empty file fail.
  if (sizeBytes === 0) return null;
  if (!isRangeCurrent(fields, validators, nowMs)) return null;
  return parseRange(text, sizeBytes, limits);
}

/** Reads the field's value. Invalid ones are ignored, as RFC 9110 §14.2 allows: old clients are served, not refused. */
function parseRange(
  text: string,
  sizeBytes: number,
  limits: RangeLimits,
): readonly ByteRange[] | null | typeof UNSATISFIABLE {
  // RFC 9110 §14.1: names of units are case-insensitive; §14.2: MUST ignore those we do not understand
  if (text.slice(0, UNIT.length).toLowerCase() !== UNIT) return null;
  const reader = new RangeSetReader(text, UNIT.length, sizeBytes);
  const ranges: ByteRange[] = [];
  let count = 0;
  let reversals = 0;
  while (reader.next()) {
    if (++count > limits.maxRanges) return null;
    // RFC 9110 §14.1.1: one invalid range-spec makes the whole ranges-specifier invalid, so go on reading
    if (!reader.isSatisfiable) continue;
    const previous = ranges.at(-1);
    if (previous !== undefined && reader.start < previous.start && ++reversals > limits.maxReversals) return null;
    ranges.push({ start: reader.start, length: reader.length });
  }
  // RFC 9110 §14.1.1: range-set is 1#range-spec, at least one
  if (reader.isInvalid || count === 0) return null;
  if (ranges.length === 0) return UNSATISFIABLE;
  return ranges.length === 1 ? ranges : coalesce(ranges, limits.maxOverlaps);
}

/** Reads a range-set (RFC 9110 §14.1.1) spec by spec. */
class RangeSetReader {
  /** The spec just read is satisfiable, and {@link start} and {@link length} say what it asks for. */
  isSatisfiable: boolean;
  isInvalid: boolean;
  start: number;
  length: number;
  readonly #text: string;
  readonly #sizeBytes: number;
  #at: number;

  constructor(text: string, from: number, sizeBytes: number) {
    this.isSatisfiable = false;
    this.isInvalid = false;
    this.start = 0;
    this.length = 0;
    this.#text = text;
    this.#sizeBytes = sizeBytes;
    this.#at = from;
  }

  /** Reads the next spec; false at the end, and where the set is {@link isInvalid}. */
  next(): boolean {
    this.#skipSeparators();
    if (this.#at === this.#text.length) return false;
    const isValid = this.#isAt(MINUS) ? this.#readSuffixRange() : this.#readIntRange();
    if (isValid && this.#isAtMemberEnd()) return true;
    this.isInvalid = true;
    return false;
  }

  /** suffix-range (RFC 9110 §14.1.2). */
  #readSuffixRange(): boolean {
    this.#at++;
    const from = this.#at;
    const wanted = this.#readDigits();
    if (this.#at === from) return false;
    // The last none are unsatisfiable; more than there is means all
    this.isSatisfiable = wanted > 0;
    this.length = Math.min(wanted, this.#sizeBytes);
    this.start = this.#sizeBytes - this.length;
    return true;
  }

  /** int-range (RFC 9110 §14.1.2). */
  #readIntRange(): boolean {
    const firstFrom = this.#at;
    const first = this.#readDigits();
    const firstTo = this.#at;
    if (firstTo === firstFrom || !this.#isAt(MINUS)) return false;
    this.#at++;
    const lastFrom = this.#at;
    const last = this.#readDigits();
    const hasLast = this.#at > lastFrom;
    // RFC 9110 §14.1.1: invalid if last-pos is less than first-pos, also where both are beyond what a number can hold
    if (hasLast && isLess(this.#text.slice(lastFrom, this.#at), last, this.#text.slice(firstFrom, firstTo), first)) {
      return false;
    }
    this.isSatisfiable = first < this.#sizeBytes;
    this.start = first;
    this.length = (hasLast ? Math.min(last, this.#sizeBytes - 1) : this.#sizeBytes - 1) - first + 1;
    return true;
  }

  /** Reads *DIGIT; what is too large to be exact is Infinity, which is beyond any size (RFC 9110 §14.1.2, integer overflow). */
  #readDigits(): number {
    let value = 0;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      // NaN, behind the end, is no digit either
      if (!(code >= DIGIT_0 && code <= DIGIT_9)) return value;
      value = value * 10 + (code - DIGIT_0);
      if (value > Number.MAX_SAFE_INTEGER) value = Infinity;
      this.#at++;
    }
  }

  /** RFC 9110 §5.6.1.2: empty members are passed over. */
  #skipSeparators(): void {
    while (this.#isAt(COMMA) || this.#isAt(SP) || this.#isAt(HTAB)) this.#at++;
  }

  #isAtMemberEnd(): boolean {
    while (this.#isAt(SP) || this.#isAt(HTAB)) this.#at++;
    return this.#at === this.#text.length || this.#isAt(COMMA);
  }

  #isAt(code: number): boolean {
    return this.#text.charCodeAt(this.#at) === code;
  }
}

/** Whether the decimal `a` is less than the decimal `b`, exactly, however long they are. */
function isLess(a: string, aValue: number, b: string, bValue: number): boolean {
  if (aValue !== Infinity || bValue !== Infinity) return aValue < bValue;
  const left = a.replace(/^0+/, "");
  const right = b.replace(/^0+/, "");
  return left.length === right.length ? left < right : left.length < right.length;
}

/** A range on its way through {@link coalesce}. */
interface Candidate {
  readonly start: number;
  end: number;
  /** Place of the first spec that became part of it. */
  order: number;
}

/**
 * Joins ranges that overlap or touch (RFC 9110 §15.3.7.2 MAY), so that no octet is sent twice. Ranges with a gap between them
 * stay apart, however small the gap: clients exist that look only for the parts that they asked for.
 *
 * @returns disjoint ranges in the order of their first spec (§15.3.7.2 SHOULD); null if too many overlap
 */
function coalesce(ranges: readonly ByteRange[], maxOverlaps: number): readonly ByteRange[] | null {
  const sorted = ranges.map(({ start, length }, order): Candidate => ({ start, end: start + length, order }));
  sorted.sort((a, b) => a.start - b.start);
  const joined: Candidate[] = [];
  let overlaps = 0;
  for (const candidate of sorted) {
    const before = joined.at(-1);
    if (before === undefined || candidate.start > before.end) {
      joined.push(candidate);
      continue;
    }
    if (candidate.start < before.end && ++overlaps > maxOverlaps) return null;
    before.end = Math.max(before.end, candidate.end);
    before.order = Math.min(before.order, candidate.order);
  }
  joined.sort((a, b) => a.order - b.order);
  return joined.map(({ start, end }) => ({ start, length: end - start }));
}

/** Content-Range of a 206 or of one of its parts (RFC 9110 §14.4), e.g. `bytes 0-499/1234`. */
export function contentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.start + range.length - 1}/${sizeBytes}`;
}

/** Content-Range of a 416 (RFC 9110 §14.4, §15.5.17), e.g. `bytes *\/1234`. */
export function unsatisfiedRange(sizeBytes: number): string {
  return `bytes */${sizeBytes}`;
}

/** The frame of multipart/byteranges content: `heads[0]`, octets of part 0, `heads[1]`, octets of part 1, …, `tail`. */
export interface Byteranges {
  /** Content-Type of the response. */
  readonly contentType: string;
  /** What goes before each part, in latin1. */
  readonly heads: readonly string[];
  /** What goes behind the last part. */
  readonly tail: string;
  /** Octets of the whole content, frame and parts. */
  readonly length: number;
}

/** Boundaries that need no quotation marks, which some clients cannot read (RFC 9110 §14.6); 70 at most (RFC 2046 §5.1.1). */
const BOUNDARY = /^[0-9A-Za-z_-]{1,70}$/;

/**
 * Plans the content of a 206 with several parts (RFC 9110 §14.6, §15.3.7.2). One range alone must not be sent like this.
 *
 * @param partType Content-Type that a 200 would have had; `""` if none
 * @param boundary 1 to 70 letters, digits, `-` and `_` that do not occur in the representation: unguessable, so that nobody
 *   can store a file which forges the end of a part
 * @throws TypeError if `boundary` or `partType` cannot stand where they go, or there are no ranges
 */
export function planByteranges(
  ranges: readonly ByteRange[],
  sizeBytes: number,
  partType: string,
  boundary: string,
): Byteranges {
  if (ranges.length === 0) throw new TypeError("multipart/byteranges has at least one part");
  if (!BOUNDARY.test(boundary)) throw new TypeError(`not a boundary: ${JSON.stringify(boundary)}`);
  if (!isFieldValue(partType)) throw new TypeError(`not a field value: ${JSON.stringify(partType)}`);
  const typeLine = partType === "" ? "" : `Content-Type: ${partType}\r\n`;
  const heads: string[] = [];
  const tail = `\r\n--${boundary}--\r\n`;
  let length = tail.length;
  for (const range of ranges) {
    // RFC 2046 §5.1.1: the CRLF before a delimiter belongs to the delimiter; the first one needs none
    const delimiter = heads.length === 0 ? `--${boundary}` : `\r\n--${boundary}`;
    const head = `${delimiter}\r\n${typeLine}Content-Range: ${contentRange(range, sizeBytes)}\r\n\r\n`;
    heads.push(head);
    length += head.length + range.length;
  }
  return { contentType: `multipart/byteranges; boundary=${boundary}`, heads, tail, length };
}
