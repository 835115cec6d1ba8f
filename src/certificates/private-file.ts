/**
 * Files that hold keys: readable by their owner alone, there whole or not at all.
 *
 * A file is written beside its place, flushed, and moved in, so that a reader meets the old one or the new one. Folders that
 * are made are closed to others too; those that were there stay as they are.
 */

import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

const OWNER_ONLY = 0o600;
/** What all but the owner may do. */
const OTHERS = 0o077;
const FOLDER_OWNER_ONLY = 0o700;

/**
 * Writes a file in the place of what is there.
 *
 * @param mode 0600 unless said otherwise
 */
export async function writePrivate(path: string, text: string, mode: number = OWNER_ONLY): Promise<void> {
  const unfinished = await writeBeside(path, text, mode);
  try {
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/**
 * Writes a file if there is none.
 *
 * @returns false if there is one, which stays: somebody else was first
 */
export async function createPrivate(path: string, text: string): Promise<boolean> {
  const unfinished = await writeBeside(path, text, OWNER_ONLY);
  try {
    await link(unfinished, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(unfinished, { force: true });
  }
}

/**
 * Text of a file, null if there is none. What others could read is closed to them.
 *
 * @param mode 0600 unless said otherwise, as it was written with; others may do what it says, no more and no less
 */
export async function readPrivate(path: string, mode: number = OWNER_ONLY): Promise<string | null> {
  try {
    const text = await readFile(path, "utf8");
    if (process.platform !== "win32" && (((await stat(path)).mode ^ mode) & OTHERS) !== 0) await chmod(path, mode);
    return text;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

async function writeBeside(path: string, text: string, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: FOLDER_OWNER_ONLY });
  const unfinished = `${path}.${randomBytes(6).toString("hex")}`;
  const file = await open(unfinished, "wx", mode);
  try {
    // An umask that is stricter would take from it
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return unfinished;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, "code") : undefined;
}
