/**
 * What tells one version of a file from all others, and the entity tag that says so (RFC 9110 §8.8.3).
 *
 * Time and size with all that the file system knows of it, as nginx has it: without inode or device, so that servers with the
 * same files agree. Where they may not tell versions apart, because the time was set by hand (archives, copies, reproducible
 * builds) or is coarse, the content tells: every process of every server comes to the same tag then, after any restart. It
 * must never give two contents the same strong tag (RFC 9110 §8.8.1).
 */

import type { Stats } from "node:fs";
import { CODING_NAMES, type Coding, IDENTITY } from "./coding.ts";

/** Which version of what a representation is of. */
export interface Version {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** Of the content, where time and size do not tell it from others; else `""`. */
  readonly distinction: string;
}

/** Some file systems know only every other second (FAT). */
export const COARSEST_TICK_MS = 2000;

/**
 * Names a version.
 *
 * @param bytes its content where it is in memory
 * @param ageMs between its time and the first look at it
 * @param isTwin another version with the same size and time is known
 */
export function versionOf(stats: Stats, bytes: Buffer | null, ageMs: number, isTwin: boolean): Version {
  const { size: sizeBytes, mtimeMs, ctimeMs } = stats;
  // What is written has both times of the moment; a time that was set has left the other behind
  const isSet = Math.abs(ctimeMs - mtimeMs) > COARSEST_TICK_MS;
  const isCoarse = mtimeMs % 1000 === 0 && ageMs <= COARSEST_TICK_MS;
  const isTold = !isSet && !isCoarse && !isTwin;
  return { sizeBytes, mtimeMs, distinction: isTold ? "" : distinctionOf(bytes, ctimeMs) };
}

/** Of content in memory the content itself; of what is too large for that the time at which the file became what it is. */
function distinctionOf(bytes: Buffer | null, ctimeMs: number): string {
  if (bytes === null) return `.${Math.round(ctimeMs * 1000).toString(36)}`;
  // An import would load it at every start
  return `-${process.getBuiltinModule("node:zlib").crc32(bytes).toString(36)}`;
}

/** Strong, because a version is only kept under a tag when its time has passed (see load.ts). */
export function entityTag({ sizeBytes, mtimeMs, distinction }: Version, coding: Coding): string {
  const time = Math.round(mtimeMs * 1000).toString(36);
  // RFC 9110 §8.8.3.3: distinct tags for distinct codings
  const coded = coding === IDENTITY ? "" : `-${CODING_NAMES[coding] as string}`;
  return `"${time}-${sizeBytes.toString(36)}${distinction}${coded}"`;
}
