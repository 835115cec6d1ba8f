/**
 * The folder that file servers are measured with: made anew in a temporary place, of octets that no coding makes smaller, but
 * for one text with its compressed neighbours.
 *
 * `mixed/` holds 20 files of 1 to 300 KB, as the pages of a site do; the others are one size each.
 */
import { createHash, randomFillSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const KB = 1024;

/** Sizes of the mixed files in KB: many small, few large. */
const MIXED_KB = [1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 28, 40, 60, 80, 120, 200, 300];
const TYPES = ["html", "css", "js", "png", "svg"];
/** Compresses to about a tenth, as a bundle of scripts does at best. */
const TEXT_LINES = 2_400;

/** A folder to serve. */
export interface StaticTree {
  readonly folder: string;
  /** Paths of the mixed files. */
  readonly mixed: readonly string[];
  /** SHA-256 by path. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Some octets of a file. */
  slice(path: string, start: number, end: number): Buffer;
  remove(): void;
}

/** Makes the folder. What there is no room for leaves nothing behind. */
export function makeStaticTree(): StaticTree {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-"));
  try {
    return fill(folder);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function fill(folder: string): StaticTree {
  const hashes = new Map<string, string>();
  const add = (path: string, content: Buffer): string => {
    writeFileSync(join(folder, path), content);
    // Long finished, as files on a server are
    utimesSync(join(folder, path), new Date("2026-01-02T03:04:05Z"), new Date("2026-01-02T03:04:05Z"));
    hashes.set(path, createHash("sha256").update(content).digest("hex"));
    return path;
  };
  const noise = (bytes: number): Buffer => randomFillSync(Buffer.alloc(bytes));
  mkdirSync(join(folder, "mixed"));
  const mixed = MIXED_KB.map((size, i) =>
    add(`/mixed/file-${i}.${TYPES[i % TYPES.length] ?? "bin"}`, noise(size * KB)),
  );
  add("/4k.html", noise(4 * KB));
  add("/64k.js", noise(64 * KB));
  add("/1m.png", noise(1024 * KB));
  add("/100m.bin", noise(100 * 1024 * KB));
  const line = (i: number): string => `export const entry${i} = { id: ${i * 7}, title: "entry ${i % 97}" };\n`;
  const text = Buffer.from(Array.from({ length: TEXT_LINES }, (_, i) => line(i)).join(""));
  add("/bundle.js", text);
  add("/bundle.js.gz", gzipSync(text, { level: 9 }));
  add("/bundle.js.br", brotliCompressSync(text));
  const contents = new Map<string, Buffer>();
  const slice = (path: string, start: number, end: number): Buffer => {
    const content = contents.get(path) ?? readFileSync(join(folder, path));
    contents.set(path, content);
    return content.subarray(start, end);
  };
  const remove = (): void => {
    // A subject may have a folder of its own beside it
    for (const one of [folder, `${folder}-nginx`]) rmSync(one, { recursive: true, force: true });
  };
  return { folder, mixed, hashes, slice, remove };
}
