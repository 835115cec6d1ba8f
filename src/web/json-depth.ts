/**
 * How deep JSON is nested, measured on the text before anything is made of it.
 *
 * JSON.parse takes any depth, and whoever walks through what it made does not: JSON.stringify, structuredClone and most code of
 * handlers are recursive and overflow the stack. It is not recursive itself: nesting is the sender's.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Offset of the bracket that opens one level too many, -1 if there is none. Text that is no JSON gives either.
 *
 * @param maxDepth levels of arrays and objects; `[]` has one
 */
export function findTooDeep(text: string, maxDepth: number): number {
  // What is opened must be closed: shorter text cannot be that deep and valid
  if (text.length < 2 * (maxDepth + 1) || !hasMoreOpen(text, maxDepth)) return -1;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth++;
      if (depth > maxDepth) return at;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth--;
    }
  }
  return -1;
}

/** Whether more than `count` brackets open, in strings or not: most content has fewer, and needs no closer look. */
function hasMoreOpen(text: string, count: number): boolean {
  let left = count;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) if (--left < 0) return true;
  }
  return false;
}

/** Offset of the quote that ends the string which begins at `start`; the length of the text if none does. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
}
