/**
 * Media types: `type/subtype;parameters` of Content-Type (RFC 9110 §8.3.1), read and written.
 *
 * Types, subtypes and parameter names are kept in lower case, values as they were. This file must never guess a type
 * from content (§8.3: sniffing is the recipient's risk).
 */

import { isToken } from "./fields.ts";
import { type Parameter, ValueReader } from "./value-reader.ts";

/** A media type, taken apart. */
export interface MediaType {
  /** E.g. `text`, in lower case. */
  readonly type: string;
  /** E.g. `html`, in lower case. */
  readonly subtype: string;
  /** In order, names in lower case; of equal names the first counts. */
  readonly parameters: readonly Parameter[];
}

const SLASH = 0x2f;

/**
 * Reads a media type.
 *
 * @param text field value; white space around it is passed over
 * @returns null if it is none: no token on a side of the slash, or a malformed parameter
 */
export function parseMediaType(text: string): MediaType | null {
  const reader = new ValueReader(text);
  reader.skipWhiteSpace();
  const type = reader.token();
  if (type === "" || !reader.skip(SLASH)) return null;
  const subtype = reader.token();
  if (subtype === "") return null;
  const parameters = reader.parameters();
  if (parameters === null || !reader.isAtEnd) return null;
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), parameters };
}

/**
 * Writes a media type, e.g. `text/html;charset=utf-8`. Values that are no tokens are quoted.
 *
 * @throws TypeError if a name is no token or a value cannot stand in a quoted-string
 */
export function formatMediaType(mediaType: MediaType): string {
  const { type, subtype, parameters } = mediaType;
  let text = `${type}/${subtype}`;
  if (!isToken(type) || !isToken(subtype)) throw new TypeError(`no media type: ${JSON.stringify(text)}`);
  for (const [name, value] of parameters) {
    if (!isToken(name)) throw new TypeError(`no parameter name: ${JSON.stringify(name)}`);
    text += `;${name}=${isToken(value) ? value : quote(value)}`;
  }
  return text;
}

/** RFC 9110 §5.6.4: only `"` and `\` need to be quoted pairs. */
function quote(value: string): string {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw new TypeError(`no parameter value: ${JSON.stringify(value)}`);
  return `"${value.replace(/["\\]/g, String.raw`\$&`)}"`;
}

/** The value of the first parameter named `name` (lower case), else null. */
export function parameterOf(mediaType: MediaType, name: string): string | null {
  return mediaType.parameters.find((parameter) => parameter[0] === name)?.[1] ?? null;
}

/** The charset parameter in lower case (RFC 9110 §8.3.2: names of charsets are case-insensitive), else null. */
export function charsetOf(mediaType: MediaType): string | null {
  return parameterOf(mediaType, "charset")?.toLowerCase() ?? null;
}
