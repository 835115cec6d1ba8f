/**
 * Entity tags (RFC 9110 §8.8.3): reading one, the two comparisons, and a search through the lists of If-Match and
 * If-None-Match (§13.1.1, §13.1.2).
 *
 * A tag is opaque: nothing here may look into it, unescape it or fold its case. A comma may stand inside a tag, so a list is
 * read tag by tag and never split; it is compared in place, without a copy, because this runs for every revalidation.
 */

const HTAB = 0x09;
const SP = 0x20;
const DQUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const UPPER_W = 0x57;

/** An entity tag taken apart. */
export interface EntityTag {
  readonly isWeak: boolean;
  /** opaque-tag with its quotation marks, e.g. `"xyzzy"`. */
  readonly opaqueTag: string;
}

/**
 * Reads `[ "W/" ] DQUOTE *etagc DQUOTE` (RFC 9110 §8.8.3), nothing around it.
 *
 * @returns null if `text` is no entity tag; so are a lower-case `w/` and a tag without quotation marks
 */
export function parseEntityTag(text: string): EntityTag | null {
  if (text === "" || tagEnd(text, 0) !== text.length) return null;
  const isWeak = isWeakAt(text, 0);
  return { isWeak, opaqueTag: isWeak ? text.slice(2) : text };
}

/** Strong comparison of two entity tags (RFC 9110 §8.8.3.2): the same, and neither is weak. */
export function strongEquals(a: string, b: string): boolean {
  return a === b && a.charCodeAt(0) === DQUOTE;
}

/** Weak comparison of two entity tags (RFC 9110 §8.8.3.2): the same opaque-tag, weak or not. */
export function weakEquals(a: string, b: string): boolean {
  if (a === b) return a !== "";
  const startA = opaqueStart(a, 0);
  const startB = opaqueStart(b, 0);
  return a.length - startA === b.length - startB && a.endsWith(b.slice(startB));
}

/** Whether `list`, an If-Match field value that is not `*`, holds a tag that is strongly equal to `etag` (RFC 9110 §13.1.1). */
export function listHasStrong(list: string, etag: string): boolean {
  // A weak tag, or none, is strongly equal to nothing
  if (etag.charCodeAt(0) !== DQUOTE) return false;
  return list === etag || searchList(list, etag, true);
}

/** Whether `list`, an If-None-Match field value that is not `*`, holds a tag that is weakly equal to `etag` (RFC 9110 §13.1.2). */
export function listHasWeak(list: string, etag: string): boolean {
  if (etag === "") return false;
  // What a client sends back most often is the one tag it was given
  return list === etag || searchList(list, etag, false);
}

/**
 * Searches `#entity-tag` (RFC 9110 §5.6.1.2: empty members count as nothing) from left to right, once over each character.
 *
 * A malformed member ends the search: where quotation marks do not pair, nobody can say which text is a tag and which is
 * between tags. No match is the careful answer of both fields: 412 for If-Match, the whole representation for If-None-Match.
 */
function searchList(list: string, etag: string, isStrong: boolean): boolean {
  const wantedStart = opaqueStart(etag, 0);
  const wantedLength = etag.length - wantedStart;
  const wanted = wantedStart === 0 ? etag : etag.slice(wantedStart);
  let at = 0;
  for (;;) {
    at = skipSeparators(list, at);
    if (at === list.length) return false;
    const end = tagEnd(list, at);
    if (end === -1) return false;
    const start = opaqueStart(list, at);
    const isCandidate = !isStrong || start === at;
    if (isCandidate && end - start === wantedLength && list.startsWith(wanted, start)) {
      return isMemberEnd(list, end);
    }
    if (!isMemberEnd(list, end)) return false;
    at = end;
  }
}

/** Behind OWS and commas (RFC 9110 §5.6.1, §5.6.3). */
function skipSeparators(list: string, from: number): number {
  let at = from;
  for (; at < list.length; at++) {
    const code = list.charCodeAt(at);
    if (code !== COMMA && code !== SP && code !== HTAB) break;
  }
  return at;
}

/** Whether a member may end at `from`: only OWS stands between it and a comma or the end. */
function isMemberEnd(list: string, from: number): boolean {
  let at = from;
  while (list.charCodeAt(at) === SP || list.charCodeAt(at) === HTAB) at++;
  return at >= list.length || list.charCodeAt(at) === COMMA;
}

function isWeakAt(text: string, at: number): boolean {
  // RFC 9110 §8.8.3: %s"W/", which is case-sensitive
  return text.charCodeAt(at) === UPPER_W && text.charCodeAt(at + 1) === SLASH;
}

function opaqueStart(text: string, at: number): number {
  return isWeakAt(text, at) ? at + 2 : at;
}

/** Offset behind the entity tag that starts at `from`, or -1 if none stands there whole. */
function tagEnd(text: string, from: number): number {
  let at = opaqueStart(text, from);
  if (text.charCodeAt(at) !== DQUOTE) return -1;
  for (at++; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DQUOTE) return at + 1;
    // RFC 9110 §8.8.3: etagc is VCHAR without DQUOTE, or obs-text; a backslash is one like any other
    if (code < 0x21 || code === 0x7f || code > 0xff) return -1;
  }
  return -1;
}
