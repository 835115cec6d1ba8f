/**
 * URI references as people write them -> as they stand in a field (RFC 3986 §2, §4.1).
 *
 * Letters of all scripts become their percent-encoded UTF-8; what is there already stays as it is, percent signs included.
 * It must never resolve or normalise: that is for whoever follows the reference.
 */

/** A reference in visible US-ASCII; halves of surrogate pairs become U+FFFD. */
export function encodeReference(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, (part) =>
    Array.from(Buffer.from(part), (octet) => `%${octet.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}
