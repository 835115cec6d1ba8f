/**
 * Octets as they come -> a file that is there whole or not at all.
 *
 * They go to a file of a hidden, random name in the same folder, made exclusively; only when all have come does that get its
 * true name, and never over a file that is there unless that is asked for. Whatever breaks leaves nothing behind. It must
 * never make a path of what a client sent: names were made safe by file-name.ts, and are joined to a folder here alone.
 */

import { randomBytes } from "node:crypto";
import { type FileHandle, link, lstat, open, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ContentError } from "./content-error.ts";
import { safeFileName, splitName } from "./file-name.ts";

/** How uploads become files. */
export interface SaveOptions {
  /** Replace a file of the same name, in one step. Default false: 409 for a path, another name in a folder. */
  readonly overwrite?: boolean;
}

/** A file that was saved. */
export interface SavedFile {
  /** Absolute. Not for the eyes of clients. */
  readonly path: string;
  /** The last name of it. */
  readonly name: string;
  /** Octets. */
  readonly size: number;
}

/** Names tried in a folder, the original first, before a random one. */
const MAX_NUMBERED = 20;

/**
 * Saves what `pull` gives.
 *
 * @param target a folder that exists, to get a file of the safe form of `name`; or the path of the file itself
 * @param name as the client sent it, `""` for none
 * @throws ContentError ERR_FILE_EXISTS (409); what `pull` throws; errors of the file system as they are
 */
export async function saveFile(
  pull: () => Promise<Uint8Array | null>,
  target: string,
  name: string,
  options: SaveOptions,
): Promise<SavedFile> {
  if (target === "" || target.includes("\0")) throw new TypeError("saveTo: the target must be a path");
  const overwrite = options.overwrite ?? false;
  const path = resolve(target);
  const isFolder = /[/\\]$/.test(target) || (await isDirectory(path));
  // Told before a gigabyte has come rather than after
  if (!isFolder && !overwrite && (await isThere(path))) throw new ContentError("ERR_FILE_EXISTS");
  const folder = isFolder ? path : dirname(path);
  const temporary = join(folder, `.upload-${randomBytes(12).toString("hex")}.part`);
  // "wx": exclusive, so that no link that somebody has put there is followed
  const handle = await open(temporary, "wx");
  try {
    const size = await writeAll(handle, pull);
    const placed = isFolder
      ? await placeIn(folder, temporary, safeFileName(name), overwrite)
      : await place(temporary, path, overwrite);
    if (placed === null) throw new ContentError("ERR_FILE_EXISTS");
    return { path: placed, name: basename(placed), size };
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function writeAll(handle: FileHandle, pull: () => Promise<Uint8Array | null>): Promise<number> {
  let size = 0;
  try {
    for (;;) {
      const piece = await pull();
      if (piece === null) return size;
      for (let at = 0; at < piece.length;) {
        const { bytesWritten } = await handle.write(piece, at, piece.length - at);
        at += bytesWritten;
      }
      size += piece.length;
    }
  } finally {
    await handle.close();
  }
}

/** `name`, or `name-2`, `name-3` … where there are files of these names. */
async function placeIn(folder: string, temporary: string, name: string, overwrite: boolean): Promise<string | null> {
  const [stem, extension] = splitName(name);
  for (let number = 1; number <= MAX_NUMBERED; number++) {
    const numbered = number === 1 ? name : `${stem}-${number}${extension}`;
    const placed = await place(temporary, join(folder, numbered), overwrite);
    if (placed !== null) return placed;
  }
  return place(temporary, join(folder, `${stem}-${randomBytes(9).toString("hex")}${extension}`), overwrite);
}

/** Gives a file its name; null if that is taken. */
async function place(temporary: string, path: string, overwrite: boolean): Promise<string | null> {
  if (overwrite) {
    await rename(temporary, path);
    return path;
  }
  try {
    // Unlike a rename, it fails where there is a file already
    await link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return null;
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS") return placeWithoutLinks(temporary, path);
    throw error;
  }
  await unlink(temporary);
  return path;
}

/** For file systems without links: the name is taken by an empty file, which the true one replaces. */
async function placeWithoutLinks(temporary: string, path: string): Promise<string | null> {
  try {
    await (await open(path, "wx")).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return null;
    throw error;
  }
  await rename(temporary, path);
  return path;
}
