/**
 * Content-Disposition of responses (RFC 6266): how content is meant to be shown, and under which name it is to be saved.
 *
 * A name goes out as `filename` in plain letters, and where it holds others as `filename*` too (RFC 8187), which wins where
 * both are understood (RFC 6266 §4.3). Names may come from strangers: what could lead out of the folder for downloads, or
 * deceive who looks at it, does not get past here; what could split the response throws.
 */

/** Not in a name at all: a field cannot carry them, and nobody has them in good faith. */
const CONTROL = /\p{Cc}/u;
/** Marks that reorder text: `txt.exe` could be shown as `exe.txt`. */
const REORDERING = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/g;
/** Characters that no file name can have on one system or another, and `/` and `\`, which separate folders. */
const RESERVED = /[<>:"|?*/\\]/g;
/** RFC 6266 Appendix D: a percent sign with digits is decoded by some, a backslash is passed on by others. */
const NOT_PLAIN = /[^\x20-\x7e]|[%"\\]/gu;
/** RFC 8187 §3.2.1 attr-char, which needs no percent-encoding. */
const ATTR_CHAR = /[\w!#$&+.^`|~-]/;

/** Whether content is to be shown where it can be, or saved. Other types than these mean `attachment` (RFC 6266 §4.2). */
export type DispositionType = "attachment" | "inline";

/**
 * Writes a Content-Disposition.
 *
 * @param filename a name, or a path of which only the last name is told; `""` for none. Marks that reorder text and
 *   characters that file systems forbid become `_`, lone surrogates U+FFFD.
 * @returns e.g. `attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`
 * @throws TypeError if the name holds a control character (response splitting), or is `.` or `..` or nothing behind its path
 */
export function contentDisposition(type: DispositionType, filename = ""): string {
  if (type !== "attachment" && type !== "inline") {
    throw new TypeError(`a disposition is attachment or inline, not ${JSON.stringify(type)}`);
  }
  if (filename === "") return type;
  const name = safeName(filename);
  const plain = name.replace(NOT_PLAIN, "_");
  const written = `${type}; filename="${plain}"`;
  return plain === name ? written : `${written}; filename*=UTF-8''${encodeExtended(name)}`;
}

/** The last name of a path as any system can have it. */
function safeName(filename: string): string {
  if (CONTROL.test(filename)) {
    throw new TypeError(`the name of a file holds a control character: ${JSON.stringify(filename.slice(0, 80))}`);
  }
  // RFC 6266 §4.3: recipients must not follow a path; neither must they be given one
  const last = filename.slice(Math.max(filename.lastIndexOf("/"), filename.lastIndexOf("\\")) + 1);
  const name = last.replace(REORDERING, "_").replace(RESERVED, "_").trim();
  if (/^\.{0,2}$/.test(name)) throw new TypeError(`not the name of a file: ${JSON.stringify(filename.slice(0, 80))}`);
  return name;
}

/** value-chars of RFC 8187 §3.2.1: UTF-8, percent-encoded. */
function encodeExtended(name: string): string {
  let text = "";
  for (const octet of new TextEncoder().encode(name)) {
    const character = String.fromCharCode(octet);
    text += octet < 0x80 && ATTR_CHAR.test(character) ? character : `%${hex(octet)}`;
  }
  return text;
}

function hex(octet: number): string {
  return octet.toString(16).toUpperCase().padStart(2, "0");
}
