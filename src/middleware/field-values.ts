/**
 * Options that end up in fields: what is allowed of them, and how they are written.
 *
 * Whatever passes here can stand in a field of any answer (response splitting).
 */

import { isFieldValue } from "../http/fields.ts";
import type { OptionRule } from "../server/option-rules.ts";

/** What it is may be left out with null. */
export const VALUE_OR_NULL: OptionRule = {
  allowed: "the value of a field, or null to leave it out",
  isAllowed: (value) => value === null || (typeof value === "string" && value !== "" && isFieldValue(value)),
};

/** Text for a quoted-string (RFC 9110 §5.6.4) that every client can read. */
export const QUOTABLE: OptionRule = {
  allowed: "text of printable ASCII",
  isAllowed: (value) => typeof value === "string" && /^[\x20-\x7e]*$/.test(value),
};

/** As a quoted-string (RFC 9110 §5.6.4). */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
