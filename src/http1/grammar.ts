/**
 * The characters of HTTP/1 messages as one 256-entry table of classes, drawn from the ABNF quoted at each class.
 *
 * Only the alphabet lives here; what may stand where is decided by head.ts. Every octet is looked up exactly once while a
 * head is parsed, so a class is a bit and a character may have several.
 */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

/** tchar (RFC 9110 §5.6.2): "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA */
export const TOKEN = 1;
/** field-vchar / SP / HTAB (RFC 9110 §5.5): VCHAR, obs-text %x80-FF and the white space between them. */
export const VALUE = 2;
/**
 * What a request-target may hold (RFC 9112 §3.2): visible US-ASCII without `"`, `<`, `>`, `\` and `#`.
 * RFC 3986 §2 also excludes `{ } | ^ [ ]` and the backtick, but browsers send these raw in paths and queries (the URL
 * standard's percent-encode sets leave them alone), so refusing them would refuse browsers. `\` stays out because URL
 * parsers read it as `/`, `#` because a fragment is never sent.
 */
export const TARGET = 4;

const isTokenSymbol = (code: number): boolean => "!#$%&'*+-.^_`|~".includes(String.fromCharCode(code));
const isAlphanumeric = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);

function classOf(code: number): number {
  let bits = 0;
  const isVisible = code > 0x20 && code < 0x7f;
  if (isAlphanumeric(code) || isTokenSymbol(code)) bits |= TOKEN;
  if (isVisible || code >= 0x80 || code === SP || code === HTAB) bits |= VALUE;
  if (isVisible && !'"<>\\#'.includes(String.fromCharCode(code))) bits |= TARGET;
  return bits;
}

/** Classes of each octet. */
export const CLASS: Uint8Array = Uint8Array.from({ length: 256 }, (_, code) => classOf(code));

/** SP or HTAB (RFC 9110 §5.6.3). */
export function isWhiteSpace(code: number): boolean {
  return code === SP || code === HTAB;
}

/** Value of a HEXDIG (RFC 5234 §B.1), 0 to 15; -1 for any other octet. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
