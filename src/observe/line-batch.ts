/**
 * Lines that wait to be handed over, as octets in one piece of memory.
 *
 * A line is put down where it will be written from: it is no object and no text first, and leaves nothing to collect. Whoever puts octets down itself moves `length` and `lines` on when the line is whole, and not before.
 */

/** Octets that a character outside of ASCII may have in UTF-8, for each of its code units. */
const MOST_OCTETS_PER_UNIT = 3;

/** Where lines may be put down. */
export interface BatchSource {
  /** What waits, with room for so many octets more; null where lines cannot be put down, or not one as long. */
  room(bytes: number): LineBatch | null;
}

/** A batch of so many octets at most. */
export class LineBatch {
  readonly octets: Buffer;
  /** Octets of whole lines. */
  length = 0;
  lines = 0;

  constructor(capacity: number) {
    this.octets = Buffer.allocUnsafeSlow(capacity);
  }

  /** The most that `line` may take, in octets. */
  static most(line: string, isAscii: boolean): number {
    return isAscii ? line.length : line.length * MOST_OCTETS_PER_UNIT;
  }

  hasRoom(bytes: number): boolean {
    return this.length + bytes <= this.octets.length;
  }

  /** Adds a line for which there is room. */
  add(line: string, isAscii: boolean): void {
    // The octets of ASCII are its code units: copied, not encoded
    this.length += this.octets.write(line, this.length, isAscii ? "latin1" : "utf8");
    this.lines++;
  }

  /** The lines, in this memory. */
  taken(): Buffer {
    return this.octets.subarray(0, this.length);
  }

  /** The lines, in as much memory as they need. */
  copied(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.length);
    this.octets.copy(copy, 0, 0, this.length);
    return copy;
  }

  empty(): void {
    this.length = 0;
    this.lines = 0;
  }
}

/** Puts down ASCII. @returns where it ends */
export function putText(octets: Buffer, at: number, text: string): number {
  return at + octets.write(text, at, "latin1");
}

const BILLION = 1e9;
const DIGIT_0 = 0x30;

/** Puts down an integer that is not negative. @returns where it ends */
export function putInteger(octets: Buffer, at: number, value: number): number {
  if (!(value < BILLION)) return putText(octets, at, String(value));
  let end = at + 1;
  for (let limit = 10; value >= limit; limit *= 10) end++;
  let rest = value;
  for (let i = end - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    octets[i] = DIGIT_0 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

/** Puts down `000` to `999`. */
export function putThousandths(octets: Buffer, at: number, value: number): void {
  const hundreds = Math.floor(value / 100);
  const tens = Math.floor(value / 10);
  octets[at] = DIGIT_0 + hundreds;
  octets[at + 1] = DIGIT_0 + tens - hundreds * 10;
  octets[at + 2] = DIGIT_0 + value - tens * 10;
}
