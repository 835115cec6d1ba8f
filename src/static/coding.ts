/**
 * Content codings (RFC 9110 §8.4.1): which exist here, in the server's order of preference, and which of them a request takes.
 *
 * Preferences of one Accept-Encoding are worked out once and remembered, because there are as many different ones as
 * browsers, not as requests. It must never compress anything.
 */

import { selectEncoding } from "../http/negotiate.ts";

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

/** Values of Accept-Encoding that are remembered; beyond that somebody is making them up. */
const MAX_REMEMBERED = 256;

/** What requests accept, remembered. */
export class Acceptances {
  readonly #known: Map<string, readonly Coding[]>;

  constructor() {
    this.#known = new Map();
  }

  /**
   * The codings that a request takes, the best first, `IDENTITY` among them where it may be sent at all (RFC 9110 §12.5.3).
   *
   * @param acceptEncoding the field, null if there was none
   */
  of(acceptEncoding: string | null): readonly Coding[] {
    if (acceptEncoding === null) return IDENTITY_ONLY;
    const known = this.#known.get(acceptEncoding);
    if (known !== undefined) return known;
    const order = orderOf(acceptEncoding);
    if (this.#known.size < MAX_REMEMBERED) this.#known.set(acceptEncoding, order);
    return order;
  }
}

/** Selects again and again from what is left. */
function orderOf(acceptEncoding: string): readonly Coding[] {
  const order: Coding[] = [];
  let offered = CODINGS;
  for (;;) {
    const selected = selectEncoding(
      acceptEncoding,
      offered.map((coding) => CODING_NAMES[coding] as string),
    );
    if (selected === null) return order;
    const coding = CODING_NAMES.indexOf(selected) as Coding;
    order.push(coding);
    if (coding === IDENTITY) return order;
    offered = offered.filter((one) => one !== coding);
  }
}
