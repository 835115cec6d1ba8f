/**
 * Names of files as clients send them -> names that are safe to give to a file, on any system.
 *
 * What is left is one name without path, controls, leading dots or characters that some system forbids, and short enough to
 * get a suffix. It must never give a name that leads out of its folder, hides, or names a device.
 */

import { posix } from "node:path";

/** Most file systems allow 255 octets; the rest is for suffixes. */
const MAX_NAME_BYTES = 200;
const MAX_EXTENSION_BYTES = 20;
/** For a name of which nothing is left. */
const NO_NAME = "unnamed";

/** Controls, marks that hide or reorder text, halves of characters, line separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** What Windows forbids; a colon there also leads into another stream of the same file. */
const FORBIDDEN = /[<>:"|?*]/g;
const DOT_OR_SPACE = /[.\s]/;
/** Names of devices on Windows, whatever the extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/**
 * The safe name.
 *
 * @param original as sent, a path perhaps: older browsers send all of it
 * @returns never empty
 */
export function safeFileName(original: string): string {
  const base = original.slice(Math.max(original.lastIndexOf("/"), original.lastIndexOf("\\")) + 1);
  // In this order: what stood between a letter and its accent is gone before the two are joined
  const visible = base.replace(INVISIBLE, "").normalize("NFC").replace(FORBIDDEN, "_");
  // A leading dot hides a file, or makes it one that servers obey; trailing dots and spaces are dropped by Windows
  const name = shorten(withoutEnd(visible.replace(/^[.\s]+/, "")));
  if (name === "") return NO_NAME;
  return DEVICE.test(name) ? `_${name}` : name;
}

/** Without dots and space behind it. By hand: `[.\s]+$` takes quadratic time over a name that is nothing else but for its end. */
function withoutEnd(name: string): string {
  let end = name.length;
  while (end > 0 && DOT_OR_SPACE.test(name[end - 1] as string)) end--;
  return name.slice(0, end);
}

/** Whole characters only, and the extension kept. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const [stem, extension] = splitName(name);
  const isLong = Buffer.byteLength(extension) > MAX_EXTENSION_BYTES;
  const end = isLong ? "" : extension;
  let left = MAX_NAME_BYTES - Buffer.byteLength(end);
  let kept = "";
  for (const character of isLong ? name : stem) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    kept += character;
  }
  return withoutEnd(kept) + end;
}

/** Before the extension, and the extension with its dot. */
export function splitName(name: string): [stem: string, extension: string] {
  const extension = posix.extname(name);
  return [name.slice(0, name.length - extension.length), extension];
}
