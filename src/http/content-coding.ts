/**
 * Content codings (RFC 9110 §8.4.1): which of those on offer a request takes, and which media types are worth one.
 *
 * What requests prefer is worked out once for each value of Accept-Encoding and remembered, because there are as many
 * different ones as browsers, not as requests. It must never compress anything, nor decide what is on offer.
 */

import { selectEncoding } from "./negotiate.ts";

/** The name of content that is not coded (RFC 9110 §12.5.3). */
const IDENTITY_CODING = "identity";

const IDENTITY_ONLY: readonly string[] = Object.freeze([IDENTITY_CODING]);

/** Values of Accept-Encoding that are remembered; beyond that somebody is making them up. */
const MAX_REMEMBERED = 256;
/** Longer ones too: browsers send some 30 characters. */
const MAX_REMEMBERED_LENGTH = 256;

/** What requests take of the codings on offer, remembered. */
export class CodingPreferences {
  readonly #offered: readonly string[];
  readonly #known: Map<string, readonly string[]>;

  /** @param offered codings in the server's order of preference, in lower case, without `identity` */
  constructor(offered: readonly string[]) {
    this.#offered = offered;
    this.#known = new Map();
  }

  /**
   * The codings that a request takes, the best first, `identity` the last of them where it may be sent at all (RFC 9110
   * §12.5.3); the same array for the same value.
   *
   * @param acceptEncoding the field, null if there was none
   */
  of(acceptEncoding: string | null): readonly string[] {
    if (acceptEncoding === null) return IDENTITY_ONLY;
    const known = this.#known.get(acceptEncoding);
    if (known !== undefined) return known;
    const order = orderOf(acceptEncoding, this.#offered);
    if (this.#known.size < MAX_REMEMBERED && acceptEncoding.length <= MAX_REMEMBERED_LENGTH) {
      this.#known.set(acceptEncoding, order);
    }
    return order;
  }
}

/** Selects again and again from what is left. */
function orderOf(acceptEncoding: string, offered: readonly string[]): readonly string[] {
  const order: string[] = [];
  let left = offered;
  for (;;) {
    const selected = selectEncoding(acceptEncoding, left);
    if (selected === null) return order;
    order.push(selected);
    if (selected === IDENTITY_CODING) return order;
    left = left.filter((one) => one !== selected);
  }
}

const TEXT_LIKE =
  /^(?:text\/.*|.*\+(?:json|xml|text)|application\/(?:json|jsonl|x-ndjson|xml|javascript|ecmascript|wasm|manifest\+json|rtf|x-sh|sql|toml|yaml|x-yaml|x-tex|postscript|vnd\.ms-fontobject)|font\/(?:ttf|otf|collection)|image\/(?:x-icon|bmp|vnd\.microsoft\.icon)|model\/(?:obj|stl|gltf-binary))$/;

/** Whether content of this type grows much smaller in a coding: text and its like. Parameters do not matter. */
export function isCompressible(mediaType: string): boolean {
  return TEXT_LIKE.test(essenceOf(mediaType));
}

/** Type and subtype in lower case, without parameters. */
export function essenceOf(mediaType: string): string {
  const semicolon = mediaType.indexOf(";");
  return (semicolon === -1 ? mediaType : mediaType.slice(0, semicolon)).trim().toLowerCase();
}
