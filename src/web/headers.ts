/**
 * Headers that behave as the platform's own and cost nothing until they are asked.
 *
 * They stand over one of three stores: the field section as received (reads go straight to it), flat field lines (after
 * the first write or iteration, or made from an init), or the platform's own object, once one was made. Combining and
 * sorting are those of the Fetch standard (§2.2, §5.1). This file must never give out a list that somebody else may change.
 */

import type { FieldLines } from "../http/exchange.ts";
import type { Fields } from "../http/fields.ts";
import { appendLines, type HeadersInput, indexOfLine, NO_LINES, toFieldName, toFieldValue } from "./header-lines.ts";
import { inheritLazily } from "./inherit.ts";
import { showAs } from "./shown.ts";

/** The platform's interface; what {@link Headers} makes has it. */
export type Headers = globalThis.Headers;

/** Constructor of {@link Headers}. */
export interface HeadersConstructor {
  readonly prototype: Headers;
  /** @throws TypeError for an invalid name or value */
  new (init?: HeadersInput): Headers;
}

type Entry = readonly [name: string, value: string];
type ForEachCallback = (value: string, name: string, headers: Headers) => void;

/** RFC 9110 §5.3, and for Cookie RFC 6265 §5.4. */
function separatorOf(lowerName: string): string {
  return lowerName === "cookie" ? "; " : ", ";
}

function requireArguments(given: number, needed: number): void {
  if (given < needed)
    throw new TypeError(`${needed} argument${needed === 1 ? "" : "s"} required, but only ${given} present`);
}

let create: (fields: Fields | null, lines: FieldLines, isGuarded: boolean) => LineHeaders;
let linesOf: (headers: LineHeaders) => FieldLines;
let setPlatform: (headers: LineHeaders, platform: Headers) => void;
let materialise: (headers: LineHeaders) => Headers;
let isLineHeaders: (value: object) => value is LineHeaders;
let isFrozen: (headers: LineHeaders) => boolean;
let entriesOf: (headers: LineHeaders) => readonly Entry[];
let describe: (headers: LineHeaders) => Record<string, string>;

/** What {@link Headers} makes. Outside of this room it is only known by the platform's interface. */
export class LineHeaders {
  /** The section as received, until the first write. */
  #fields: Fields | null;
  /** Name, value, name, value; meaningless while there is a section or a platform object. */
  #lines: FieldLines;
  /** Whether the list of lines is ours alone to change. */
  #isOwned: boolean;
  #isImmutable: boolean;
  /** Sorted and combined; null after each write. */
  #entries: readonly Entry[] | null;
  #platform: Headers | null;

  static {
    create = (fields, lines, isGuarded) => {
      const headers = new LineHeaders();
      headers.#isImmutable = isGuarded;
      headers.#fields = fields;
      headers.#lines = lines;
      return headers;
    };
    linesOf = (headers) => headers.#readLines();
    setPlatform = (headers, platform) => {
      headers.#platform = platform;
      headers.#fields = null;
      headers.#lines = NO_LINES;
      headers.#entries = null;
    };
    materialise = (headers) => {
      if (headers.#platform === null) setPlatform(headers, new globalThis.Headers(pairsOf(headers.#readLines())));
      return headers.#platform as unknown as Headers;
    };
    isLineHeaders = (value): value is LineHeaders => #lines in value;
    isFrozen = (headers) => headers.#isImmutable;
    entriesOf = (headers) => headers.#sort();
    describe = (headers) => headers.#describe();
  }

  constructor(init: unknown = undefined) {
    this.#fields = null;
    this.#lines = NO_LINES;
    this.#isOwned = false;
    this.#isImmutable = false;
    this.#entries = null;
    this.#platform = null;
    if (init !== undefined) appendLines(this.#ownLines(), init);
  }

  append(name: string, value: string): void {
    requireArguments(arguments.length, 2);
    const fieldName = toFieldName(name);
    const fieldValue = toFieldValue(value, fieldName);
    this.#beforeWrite();
    if (this.#platform === null) this.#ownLines().push(fieldName, fieldValue);
    else this.#platform.append(fieldName, fieldValue);
  }

  delete(name: string): void {
    requireArguments(arguments.length, 1);
    const fieldName = toFieldName(name);
    this.#beforeWrite();
    if (this.#platform === null) this.#remove(fieldName.toLowerCase(), 0);
    else this.#platform.delete(fieldName);
  }

  get(name: string): string | null {
    requireArguments(arguments.length, 1);
    const lowerName = toFieldName(name).toLowerCase();
    if (this.#fields !== null) {
      // A section gives the first Set-Cookie, a Headers object all of them
      return lowerName === "set-cookie" ? joined(this.#fields.all(lowerName)) : this.#fields.get(lowerName);
    }
    if (this.#platform !== null) return this.#platform.get(lowerName);
    const lines = this.#lines;
    let index = indexOfLine(lines, lowerName);
    if (index === -1) return null;
    let value = lines[index + 1] as string;
    const separator = separatorOf(lowerName);
    while ((index = indexOfLine(lines, lowerName, index + 2)) !== -1) value += separator + (lines[index + 1] as string);
    return value;
  }

  getSetCookie(): string[] {
    if (this.#fields !== null) return this.#fields.all("set-cookie");
    if (this.#platform !== null) return this.#platform.getSetCookie();
    const lines = this.#lines;
    const values: string[] = [];
    for (let i = indexOfLine(lines, "set-cookie"); i !== -1; i = indexOfLine(lines, "set-cookie", i + 2)) {
      values.push(lines[i + 1] as string);
    }
    return values;
  }

  has(name: string): boolean {
    requireArguments(arguments.length, 1);
    const lowerName = toFieldName(name).toLowerCase();
    if (this.#fields !== null) return this.#fields.has(lowerName);
    if (this.#platform !== null) return this.#platform.has(lowerName);
    return indexOfLine(this.#lines, lowerName) !== -1;
  }

  set(name: string, value: string): void {
    requireArguments(arguments.length, 2);
    const fieldName = toFieldName(name);
    const fieldValue = toFieldValue(value, fieldName);
    this.#beforeWrite();
    if (this.#platform !== null) return this.#platform.set(fieldName, fieldValue);
    const lowerName = fieldName.toLowerCase();
    const lines = this.#ownLines();
    const index = indexOfLine(lines, lowerName);
    if (index === -1) {
      lines.push(fieldName, fieldValue);
      return;
    }
    lines[index] = fieldName;
    lines[index + 1] = fieldValue;
    this.#remove(lowerName, index + 2);
  }

  forEach(callback: ForEachCallback, thisArg: unknown = undefined): void {
    requireArguments(arguments.length, 1);
    if (typeof callback !== "function") throw new TypeError("the callback of forEach must be a function");
    for (const [name, value] of this.entries()) Reflect.apply(callback, thisArg, [value, name, this]);
  }

  entries(): IterableIterator<[string, string]> {
    return new HeadersIterator<[string, string]>(this, (entry) => [entry[0], entry[1]]);
  }

  keys(): IterableIterator<string> {
    return new HeadersIterator<string>(this, (entry) => entry[0]);
  }

  values(): IterableIterator<string> {
    return new HeadersIterator<string>(this, (entry) => entry[1]);
  }

  #beforeWrite(): void {
    if (this.#isImmutable) throw new TypeError("these headers are immutable");
    this.#entries = null;
  }

  /** The lines, ours to change. */
  #ownLines(): string[] {
    if (!this.#isOwned || this.#fields !== null) {
      this.#lines = [...this.#readLines()];
      this.#isOwned = true;
      this.#fields = null;
    }
    return this.#lines as string[];
  }

  #readLines(): FieldLines {
    if (this.#fields !== null) return [...this.#fields].flat();
    return this.#platform === null ? this.#lines : [...this.#platform].flat();
  }

  #remove(lowerName: string, from: number): void {
    const lines = this.#ownLines();
    for (let i = indexOfLine(lines, lowerName, from); i !== -1; i = indexOfLine(lines, lowerName, i))
      lines.splice(i, 2);
  }

  /** Fetch §2.2 "sort and combine": by name, values of one name joined, each Set-Cookie by itself. */
  #sort(): readonly Entry[] {
    // The platform object may be written to behind our back, so it is asked each time
    if (this.#platform !== null) return [...this.#platform];
    if (this.#entries !== null) return this.#entries;
    const lines = this.#readLines();
    const combined = new Map<string, string>();
    const cookies: Entry[] = [];
    for (let i = 0; i < lines.length; i += 2) {
      const name = (lines[i] as string).toLowerCase();
      const value = lines[i + 1] as string;
      const before = combined.get(name);
      if (name === "set-cookie") cookies.push([name, value]);
      else combined.set(name, before === undefined ? value : before + separatorOf(name) + value);
    }
    const entries: Entry[] = [...combined, ...cookies];
    this.#entries = entries.toSorted((a, b) => order(a[0], b[0]));
    return this.#entries;
  }

  /** Combined, in order of arrival and with the first spelling of each name, as the platform shows it. */
  #describe(): Record<string, string> {
    const spelling = new Map<string, string>();
    const lines = this.#platform === null ? this.#readLines() : [];
    for (let i = 0; i < lines.length; i += 2) {
      const name = lines[i] as string;
      if (!spelling.has(name.toLowerCase())) spelling.set(name.toLowerCase(), name);
    }
    for (const [name] of this.#platform ?? []) spelling.set(name, name);
    const shown: Record<string, string> = {};
    for (const [lowerName, name] of spelling) shown[name] = this.get(lowerName) ?? "";
    return shown;
  }
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function joined(values: readonly string[]): string | null {
  return values.length === 0 ? null : values.join(", ");
}

function pairsOf(lines: FieldLines): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < lines.length; i += 2) pairs.push([lines[i] as string, lines[i + 1] as string]);
  return pairs;
}

/** Web IDL iterators are live: each step looks at the headers as they are then. */
class HeadersIterator<T> implements IterableIterator<T> {
  readonly #headers: LineHeaders;
  readonly #pick: (entry: Entry) => T;
  #index: number;

  constructor(headers: LineHeaders, pick: (entry: Entry) => T) {
    this.#headers = headers;
    this.#pick = pick;
    this.#index = 0;
  }

  next(): IteratorResult<T, undefined> {
    const entry = entriesOf(this.#headers)[this.#index];
    if (entry === undefined) return { done: true, value: undefined };
    this.#index++;
    return { done: false, value: this.#pick(entry) };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

const ITERATOR_PROTOTYPE: unknown = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
Object.setPrototypeOf(HeadersIterator.prototype, ITERATOR_PROTOTYPE as object);
Object.defineProperty(HeadersIterator.prototype, Symbol.toStringTag, { configurable: true, value: "Headers Iterator" });
Object.defineProperty(LineHeaders, "name", { configurable: true, value: "Headers" });
showAs(LineHeaders.prototype, "Headers", describe);
Object.defineProperty(LineHeaders.prototype, Symbol.iterator, {
  configurable: true,
  writable: true,
  value: LineHeaders.prototype.entries,
});
inheritLazily({
  prototype: LineHeaders.prototype,
  platform: () => globalThis.Headers.prototype,
  materialise: (headers) => materialise(headers),
});

/** Headers with the behaviour of the platform's, `instanceof globalThis.Headers`, which keep the case of names on the wire. */
export const Headers: HeadersConstructor = LineHeaders as unknown as HeadersConstructor;

/** Headers of a request, over the section as received. */
export function headersOfFields(fields: Fields): LineHeaders {
  return create(fields, NO_LINES, false);
}

/**
 * Headers over valid lines, which are not copied before the first write.
 *
 * @param isGuarded whether every write is refused
 */
export function headersOfLines(lines: FieldLines, isGuarded: boolean): LineHeaders {
  return create(null, lines, isGuarded);
}

/** Other headers with the same lines. */
export function copyHeaders(headers: LineHeaders): LineHeaders {
  return create(null, [...linesOf(headers)], isFrozen(headers));
}

/** Whether every write is refused, as on a redirect's headers. */
export function isImmutable(headers: LineHeaders): boolean {
  return isFrozen(headers);
}

/** The lines as they should go out; not to be changed. */
export function fieldLinesOf(headers: Headers | LineHeaders): FieldLines {
  return isLineHeaders(headers) ? linesOf(headers) : [...headers].flat();
}

/** Name and value of each line. */
export function fieldPairsOf(headers: LineHeaders): [string, string][] {
  return pairsOf(linesOf(headers));
}

/** From now on the platform's object is the store of `headers`, so that both show the same. */
export function adoptPlatformHeaders(headers: LineHeaders, platform: Headers): void {
  setPlatform(headers, platform);
}
