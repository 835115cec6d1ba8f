/**
 * The folder that file servers are measured with: made anew in a temporary place, of octets that no coding makes smaller.
 *
 * `mixed/` holds 20 files of 1 to 300 KB, as the pages of a site do; the others are one size each.
 */
import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const KB = 1024;

/** Sizes of the mixed files in KB: many small, few large. */
const MIXED_KB = [1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 28, 40, 60, 80, 120, 200, 300];
const TYPES = ["html", "css", "js", "png", "svg"];

/** A folder to serve. */
export interface StaticTree {
  readonly folder: string;
  /** Paths of the mixed files. */
  readonly mixed: readonly string[];
  /** SHA-256 by path. */
  readonly hashes: ReadonlyMap<string, string>;
  remove(): void;
}

/** Makes the folder. */
export function makeStaticTree(): StaticTree {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  const hashes = new Map<string, string>();
  const add = (path: string, bytes: number): string => {
    const content = randomFillSync(Buffer.alloc(bytes));
    writeFileSync(join(folder, path), content);
    // Long finished, as files on a server are
    utimesSync(join(folder, path), new Date("2026-01-02T03:04:05Z"), new Date("2026-01-02T03:04:05Z"));
    hashes.set(path, createHash("sha256").update(content).digest("hex"));
    return path;
  };
  mkdirSync(join(folder, "mixed"));
  const mixed = MIXED_KB.map((size, i) => add(`/mixed/file-${i}.${TYPES[i % TYPES.length] ?? "bin"}`, size * KB));
  add("/4k.html", 4 * KB);
  add("/64k.js", 64 * KB);
  add("/1m.png", 1024 * KB);
  add("/100m.bin", 100 * 1024 * KB);
  const remove = (): void => {
    // A subject may have a folder of its own beside it
    for (const one of [folder, `${folder}-nginx`]) rmSync(one, { recursive: true, force: true });
  };
  return { folder, mixed, hashes, remove };
}
