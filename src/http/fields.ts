/**
 * Field sections: ordered, case-insensitive field lines (RFC 9110 §5), and what a valid name and value is.
 *
 * A section from the wire is one latin1 string and a list of offsets into it; lines are cut only when asked for, because
 * most handlers read two of twelve. Combination is that of §5.3 (", "), except Set-Cookie, which is never combined.
 * It must never interpret a value: that is for the owner of the field.
 */

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// RFC 9110 §5.5: VCHAR, obs-text, SP and HTAB; what would allow response splitting (CR, LF, NUL) is excluded with all controls
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether `text` is a token (RFC 9110 §5.6.2), and so a possible field name or method. */
export function isToken(text: string): boolean {
  return NAME.test(text);
}

/** Whether `text` may stand as a field value (RFC 9110 §5.5): no control but HTAB, no code unit above 0xFF. */
export function isFieldValue(text: string): boolean {
  return VALUE.test(text);
}

/** Without SP and HTAB at both ends (OWS, RFC 9110 §5.6.3). By hand: `[ \t]+$` takes quadratic time over white space inside. */
export function trimWhiteSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text.charCodeAt(start))) start++;
  while (end > start && isWhiteSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Where a line's parts are in the text: four offsets per line: name start, name end, value start, value end. */
const PARTS = 4;

/** A field section as received. Immutable. */
export class Fields {
  /** The section without lines. */
  static readonly EMPTY: Fields = new Fields("", []);

  readonly #text: string;
  readonly #offsets: readonly number[];

  /**
   * @param text latin1 text that holds the section
   * @param offsets name start, name end, value start, value end of each line, in order
   */
  constructor(text: string, offsets: readonly number[]) {
    this.#text = text;
    this.#offsets = offsets;
  }

  /** A section from pairs, for wires without text of their own and for tests. Names and values must be valid. */
  static from(lines: ReadonlyArray<readonly [string, string]>): Fields {
    let text = "";
    const offsets: number[] = [];
    for (const [name, value] of lines) {
      const nameStart = text.length;
      text += name;
      offsets.push(nameStart, text.length, text.length, text.length + value.length);
      text += value;
    }
    return new Fields(text, offsets);
  }

  /** Number of lines. */
  get size(): number {
    return this.#offsets.length / PARTS;
  }

  /** Name of line `index` as received; `""` out of range. */
  nameAt(index: number): string {
    const at = index * PARTS;
    return this.#text.slice(this.#offsets[at] ?? 0, this.#offsets[at + 1] ?? 0);
  }

  /** Value of line `index` without surrounding whitespace; `""` out of range. */
  valueAt(index: number): string {
    const at = index * PARTS;
    return this.#text.slice(this.#offsets[at + 2] ?? 0, this.#offsets[at + 3] ?? 0);
  }

  /** Offset of line `index`'s value from the start of the section's text; for error messages. */
  valueOffsetAt(index: number): number {
    return this.#offsets[index * PARTS + 2] ?? 0;
  }

  /** Index of the first line named `name` (lower case) at or after `from`, else -1. */
  indexOf(name: string, from = 0): number {
    const offsets = this.#offsets;
    const length = name.length;
    for (let at = from * PARTS; at < offsets.length; at += PARTS) {
      const start = offsets[at] as number;
      if ((offsets[at + 1] as number) - start === length && this.#equals(start, name)) return at / PARTS;
    }
    return -1;
  }

  /** Whether a line named `name` (lower case) exists. */
  has(name: string): boolean {
    return this.indexOf(name) !== -1;
  }

  /** The combined value of `name` (lower case; RFC 9110 §5.3), or null if no line has it. */
  get(name: string): string | null {
    let index = this.indexOf(name);
    if (index === -1) return null;
    let value = this.valueAt(index);
    // RFC 6265 §3: Set-Cookie values hold commas, the first alone is the best that one string can say; use all()
    if (name === "set-cookie") return value;
    // RFC 6265 §5.4 sends one Cookie line; HTTP/2 splits it and RFC 9113 §8.2.3 joins it with "; "
    const separator = name === "cookie" ? "; " : ", ";
    while ((index = this.indexOf(name, index + 1)) !== -1) value += separator + this.valueAt(index);
    return value;
  }

  /** The values of all lines named `name` (lower case), in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = this.indexOf(name); i !== -1; i = this.indexOf(name, i + 1)) values.push(this.valueAt(i));
    return values;
  }

  /** Lines in order: name as received, value. */
  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let i = 0; i < this.size; i++) yield [this.nameAt(i), this.valueAt(i)];
  }

  /** Compares text at `start` with `name`, which is lower case. */
  #equals(start: number, name: string): boolean {
    const text = this.#text;
    for (let i = 0; i < name.length; i++) {
      const code = text.charCodeAt(start + i);
      const folded = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
      if (folded !== name.charCodeAt(i)) return false;
    }
    return true;
  }
}
