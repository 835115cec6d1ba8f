/**
 * Content codings of files (RFC 9110 §8.4.1): which exist here, in the server's order of preference, and which of them a
 * request takes.
 *
 * They are numbers, because a file has an array of representations by coding. It must never compress anything.
 */

import { CodingPreferences } from "../http/content-coding.ts";

/** Index of a coding; {@link IDENTITY} is none. The order is that of preference among equals: the smallest result first. */
export type Coding = 0 | 1 | 2 | 3;

export const IDENTITY = 0;
export const BR = 1;
export const ZSTD = 2;
export const GZIP = 3;

/** Names as registered, by index. */
export const CODING_NAMES: readonly string[] = ["identity", "br", "zstd", "gzip"];

/** What a precompressed sibling is called, by index. */
export const SIBLING_EXTENSIONS: readonly string[] = ["", ".br", ".zst", ".gz"];

/** All but identity. */
export const CODINGS: readonly Coding[] = [BR, ZSTD, GZIP];

const IDENTITY_ONLY: readonly Coding[] = [IDENTITY];

/** What requests accept, as indices. */
export class Acceptances {
  readonly #preferences: CodingPreferences;
  /** By the array of names, of which there is one for each value that is remembered. */
  readonly #indices: WeakMap<readonly string[], readonly Coding[]>;

  constructor() {
    this.#preferences = new CodingPreferences(CODINGS.map((coding) => CODING_NAMES[coding] as string));
    this.#indices = new WeakMap();
  }

  /**
   * The codings that a request takes, the best first, `IDENTITY` among them where it may be sent at all (RFC 9110 §12.5.3).
   *
   * @param acceptEncoding the field, null if there was none
   */
  of(acceptEncoding: string | null): readonly Coding[] {
    if (acceptEncoding === null) return IDENTITY_ONLY;
    const names = this.#preferences.of(acceptEncoding);
    let indices = this.#indices.get(names);
    if (indices === undefined) {
      indices = names.map((name) => CODING_NAMES.indexOf(name) as Coding);
      this.#indices.set(names, indices);
    }
    return indices;
  }
}
