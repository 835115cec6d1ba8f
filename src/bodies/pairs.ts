/**
 * Names and values of forms and queries, bounded in number, and the object that a schema gets of them.
 *
 * Decoding is that of the URL standard (application/x-www-form-urlencoded parsing): what is no percent-escape stays, what is
 * no UTF-8 becomes U+FFFD. Objects have no prototype, and `__proto__` is no name for a member.
 */

import { ContentError } from "./content-error.ts";

/** How pairs become an object. */
export interface PairOptions {
  /** The most names with values. Default 1,000, as PHP and qs. */
  readonly maxFields?: number;
  /**
   * Names whose values are an array however many there are. Default none: a name that stands once has a string, one that
   * stands several times has an array, and the schema says which it takes.
   */
  readonly arrays?: readonly string[];
}

const AMPERSAND = "&";

/** @throws ContentError ERR_TOO_MANY_PAIRS before anything is made of them */
export function parsePairs(text: string, maxFields: number): URLSearchParams {
  let count = 0;
  for (let at = 0; at < text.length;) {
    const found = text.indexOf(AMPERSAND, at);
    const end = found === -1 ? text.length : found;
    // Nothing between two ampersands is no pair
    if (end > at && ++count > maxFields) throw tooMany(maxFields);
    at = end + 1;
  }
  return new URLSearchParams(text);
}

export function tooMany(maxFields: number): ContentError {
  return new ContentError("ERR_TOO_MANY_PAIRS", `more than ${maxFields}`);
}

/** @throws ContentError ERR_PROTOTYPE_NAME for the name `__proto__` */
export function recordOf(pairs: URLSearchParams, arrays: readonly string[] = []): Record<string, string | string[]> {
  const record = Object.create(null) as Record<string, string | string[]>;
  for (const name of arrays) record[name] = [];
  for (const [name, value] of pairs) {
    if (name === "__proto__") throw new ContentError("ERR_PROTOTYPE_NAME", name);
    const known = record[name];
    if (known === undefined) record[name] = value;
    else if (typeof known === "string") record[name] = [known, value];
    else known.push(value);
  }
  return record;
}
