/**
 * What users give as headers -> flat, validated field lines, by the rules of the Fetch standard (§5.1 "fill").
 *
 * Names keep their case, so that they go out as written. A value with CR, LF or NUL inside is refused here, at the line of
 * the handler's code that wrote it (response splitting). It must never interpret a field.
 */

import type { FieldLines } from "../http/exchange.ts";
import { isToken } from "../http/fields.ts";

/** What can be made into headers. */
export type HeadersInput = globalThis.Headers | Iterable<readonly string[]> | Readonly<Record<string, string>>;

/** No field line at all. */
export const NO_LINES: FieldLines = Object.freeze([]);

/** Nothing to trim, nothing to refuse: the usual value. */
const PLAIN_VALUE = /^[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?$/;
/** Fetch §2.2.2: no NUL, CR or LF; a byte string has no code unit above 0xFF. */
const FORBIDDEN_IN_VALUE = /[\0\r\n\u0100-\uffff]/;

/**
 * A field name as given.
 *
 * @throws TypeError if it is no token
 */
export function toFieldName(name: unknown): string {
  // A template refuses symbols, String() would not
  const text = typeof name === "string" ? name : `${name as string}`;
  if (!isToken(text)) throw new TypeError(`${JSON.stringify(text)} is an invalid header name`);
  return text;
}

/** Fetch §2.2.2 "normalize": without HTAB, LF, CR and SP at both ends. By hand: a pattern takes quadratic time over space inside. */
function trimHttpSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isHttpSpace(text.charCodeAt(start))) start++;
  while (end > start && isHttpSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isHttpSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b && code !== 0x0c);
}

/**
 * A field value without surrounding white space.
 *
 * @throws TypeError if it holds CR, LF or NUL, or a character above U+00FF
 */
export function toFieldValue(value: unknown, name: string): string {
  const text = typeof value === "string" ? value : `${value as string}`;
  if (PLAIN_VALUE.test(text)) return text;
  const trimmed = trimHttpSpace(text);
  if (FORBIDDEN_IN_VALUE.test(trimmed)) throw new TypeError(`the value of header ${name} holds an invalid character`);
  return trimmed;
}

/**
 * Appends the lines that `init` stands for to `lines`.
 *
 * @throws TypeError for an invalid name or value, for a pair that is none, and for `init` that is no object
 */
export function appendLines(lines: string[], init: unknown): void {
  if ((typeof init !== "object" && typeof init !== "function") || init === null) {
    throw new TypeError("headers must be a Headers object, an iterable of pairs or a record");
  }
  const iterator: unknown = Reflect.get(init, Symbol.iterator);
  if (iterator === undefined || iterator === null) appendRecord(lines, init as Record<string, unknown>);
  else appendPairs(lines, init as Iterable<unknown>);
}

function appendRecord(lines: string[], record: Readonly<Record<string, unknown>>): void {
  // Web IDL §3.2.23: names are strings
  if (Object.getOwnPropertySymbols(record).length > 0) throw new TypeError("a symbol is no header name");
  for (const key of Object.keys(record)) {
    const name = toFieldName(key);
    lines.push(name, toFieldValue(record[key], name));
  }
}

function appendPairs(lines: string[], pairs: Iterable<unknown>): void {
  for (const pair of pairs) {
    if (typeof pair !== "object" || pair === null || typeof Reflect.get(pair, Symbol.iterator) !== "function") {
      throw new TypeError("each header must be a pair of name and value");
    }
    const parts: unknown[] = Array.isArray(pair) ? (pair as unknown[]) : [...(pair as Iterable<unknown>)];
    if (parts.length !== 2)
      throw new TypeError(`each header must be a pair of name and value, not ${parts.length} items`);
    const name = toFieldName(parts[0]);
    lines.push(name, toFieldValue(parts[1], name));
  }
}

/**
 * The lines of one plain field, by its name, as they were made last. Most responses of a server give the same media type and
 * nothing else: they then share one checked array, whose rendering the wire remembers.
 */
const lastSingles: Map<string, Single> = new Map();

interface Single {
  /** The record that they were made of. It had no symbols and is not asked again, which would cost as much as all else here. */
  readonly record: object;
  readonly value: string;
  readonly defaults: FieldLines;
  readonly lines: FieldLines;
}

/** Names and lengths beyond these are made anew each time. */
const MAX_SINGLES = 64;
const MAX_SINGLE_LENGTH = 256;

/** The lines that `headers` stand for, and of `defaults` what they lack. */
export function joinLines(headers: unknown, defaults: FieldLines): FieldLines {
  if (!isObjectLiteral(headers)) return makeLines(headers, defaults);
  const names = Object.keys(headers);
  const name = names[0];
  if (names.length !== 1 || name === undefined) return makeLines(headers, defaults);
  const value = headers[name];
  const last = lastSingles.get(name);
  const isKnown = last !== undefined && last.value === value && last.defaults === defaults;
  if (isKnown && last.record === headers) return last.lines;
  // What might have an iterator or symbols takes the longer way
  if (Object.getOwnPropertySymbols(headers).length > 0) return makeLines(headers, defaults);
  if (isKnown) return last.lines;
  const lines = makeLines(headers, defaults);
  if (typeof value !== "string" || value.length > MAX_SINGLE_LENGTH) return lines;
  if (last !== undefined || lastSingles.size < MAX_SINGLES) {
    lastSingles.set(name, { record: headers, value, defaults, lines: Object.freeze(lines) });
  }
  return lines;
}

/** As headers are mostly given. */
function isObjectLiteral(headers: unknown): headers is Readonly<Record<string, unknown>> {
  return typeof headers === "object" && headers !== null && Object.getPrototypeOf(headers) === Object.prototype;
}

function makeLines(headers: unknown, defaults: FieldLines): string[] {
  const lines: string[] = [];
  appendLines(lines, headers);
  if (defaults.length > 0 && indexOfLine(lines, "content-type") === -1) lines.push(...defaults);
  return lines;
}

/** Index of the first line named `lowerName` at or after `from`, else -1. */
export function indexOfLine(lines: FieldLines, lowerName: string, from = 0): number {
  const length = lowerName.length;
  for (let i = from; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (name.length === length && (name === lowerName || name.toLowerCase() === lowerName)) return i;
  }
  return -1;
}
