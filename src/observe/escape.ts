/**
 * Text that came from a peer, made fit for a line: nothing of it can end the line, pass for another, or reach a terminal as
 * a command (log injection).
 *
 * One way of escaping per form of line. All of them give visible ASCII and spaces alone: beside C0 controls and DEL that
 * shuts out the C1 controls, which some terminals obey, and marks that reorder text. They must never throw, whatever the text.
 */

/** Nothing to escape in JSON: visible ASCII and spaces but for the quotation mark and the backslash. */
const NOT_PLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const EACH_NOT_PLAIN = /[^\x20\x21\x23-\x5b\x5d-\x7e]/g;
const EACH_NOT_ASCII = /[^\0-\x7e]/g;
const EACH_NOT_VISIBLE = /[^\x20-\x5b\x5d-\x7e]/gu;
const EACH_NOT_VISIBLE_NOR_SPACE = /[^\x21-\x5b\x5d-\x7e]/gu;
/** Controls, marks that reorder or hide text, halves of characters, separators of lines. */
const EACH_UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Whether {@link escapeJson} would leave it as it is. */
export function isPlainJson(text: string): boolean {
  return !NOT_PLAIN.test(text);
}

/** What stands between the quotation marks of a JSON string (RFC 8259 §7), in ASCII. */
export function escapeJson(text: string): string {
  return NOT_PLAIN.test(text) ? text.replace(EACH_NOT_PLAIN, jsonEscape) : text;
}

/** JSON in ASCII: what stands outside of it is in strings alone, where an escape means the same. */
export function asciiJson(json: string): string {
  return json.replace(EACH_NOT_ASCII, jsonEscape);
}

function jsonEscape(unit: string): string {
  if (unit === '"' || unit === "\\") return `\\${unit}`;
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * What stands between the quotation marks of Apache's log formats: white space in C's notation, other octets as `\xhh`, quotation
 * marks and backslashes behind a backslash (mod_log_config, "Format Notes").
 */
export function escapeApache(text: string): string {
  return NOT_PLAIN.test(text) ? text.replace(EACH_NOT_PLAIN, apacheEscape) : text;
}

const IN_C: Readonly<Record<string, string>> = {
  "\b": "\\b",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

function apacheEscape(unit: string): string {
  const known = IN_C[unit];
  if (known !== undefined) return known;
  const code = unit.charCodeAt(0);
  // Text of the wire is latin1: a unit is an octet. What is more comes from this process
  return code <= 0xff ? hexOf(code) : [...Buffer.from(unit)].map(hexOf).join("");
}

function hexOf(octet: number): string {
  return `\\x${octet.toString(16).padStart(2, "0")}`;
}

/** Shows anything but visible ASCII and spaces as an escape; a backslash too, so that escapes can be told from text. */
export function escapeText(text: string): string {
  return text.replace(EACH_NOT_VISIBLE, visibleEscape);
}

/** The same with spaces, for lines whose fields they separate. */
export function escapeWord(text: string): string {
  return text.replace(EACH_NOT_VISIBLE_NOR_SPACE, visibleEscape);
}

/** A line that somebody else has made, with letters of all scripts and without what ends it or commands. */
export function escapeLine(text: string): string {
  return text.replace(EACH_UNSAFE, visibleEscape);
}

function visibleEscape(character: string): string {
  if (character === "\\") return "\\\\";
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? hexOf(code) : `\\u{${code.toString(16)}}`;
}

/**
 * A value for another's log: the texts in it made visible, whatever its depth; what has its own form in JSON has that.
 *
 * @param escape for each of them
 */
export function escapeDeep(value: unknown, escape: (text: string) => string = escapeText): unknown {
  if (typeof value === "string") return escape(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one: unknown) => escapeDeep(one, escape));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [escape(name), escapeDeep(one, escape)]));
}
