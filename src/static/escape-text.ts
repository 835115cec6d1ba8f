/**
 * A name of a file, or anything else that came from elsewhere -> text in markup.
 *
 * What would be markup becomes a reference, what would not be seen, or would turn a line round, becomes something that is
 * seen. It must be the only way of such a text into a page of ours; for links there is percent-encoding.
 */

/** Characters of markup; controls; what reorders or hides text, but for the joiners that scripts and emoji need. */
const UNSAFE = /[&<>"'\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const JOINERS = new Set(["\u200C", "\u200D"]);
const MARKUP: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&#39;"],
]);

/** A name fit for markup. Controls become their pictures (U+2400 on), what would turn the line round becomes U+FFFD. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const entity = MARKUP.get(character);
    if (entity !== undefined) return entity;
    if (JOINERS.has(character)) return character;
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : "\uFFFD";
  });
}
