/**
 * Segments of several parts: `:year-:month`, `:name.json`, `:id(\\d+)`.
 *
 * Each param takes as little as leaves something to it, up to the literal that follows; the last one takes the rest. Where
 * there are no constraints this finds a division whenever there is one, without trying twice: time grows with the length of
 * the segment, never faster (a regular expression for the whole would take quadratic time and more). Pure.
 */

import type { Capture } from "./pattern.ts";

/** A segment of several parts, ready to be compared. */
export class MixedSegment {
  readonly parts: ReadonlyArray<string | Capture>;
  /** The more of a segment is literal, the earlier it is tried; then the more of it is constrained. */
  readonly rank: number;
  readonly #values: string[];

  constructor(parts: ReadonlyArray<string | Capture>) {
    this.parts = parts;
    let literals = 0;
    let constraints = 0;
    for (const part of parts) {
      if (typeof part === "string") literals += part.length;
      else if (part.constraint !== null) constraints++;
    }
    this.rank = literals * 1024 + constraints;
    this.#values = [];
  }

  /** The params' values in order, null if the segment does not match. The array is the next call's as well. */
  match(text: string): readonly string[] | null {
    const { parts } = this;
    const values = this.#values;
    values.length = 0;
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as string | Capture;
      if (typeof part === "string") {
        // Behind a param it was found already, and at the end it is the end
        if (!text.startsWith(part, at)) return null;
        at += part.length;
        continue;
      }
      const end = this.#endOf(text, at, i);
      if (end <= at) return null;
      const value = text.slice(at, end);
      if (part.constraint !== null && !part.constraint.test(value)) return null;
      values.push(value);
      at = end;
    }
    return at === text.length ? values : null;
  }

  /** Where the param at `index` ends, -1 if nowhere. */
  #endOf(text: string, at: number, index: number): number {
    const next = this.parts[index + 1] as string | undefined;
    if (next === undefined) return text.length;
    if (index + 2 === this.parts.length) return text.endsWith(next) ? text.length - next.length : -1;
    return text.indexOf(next, at + 1);
  }
}
