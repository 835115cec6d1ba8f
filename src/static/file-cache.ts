/**
 * The files that were asked for lately, by path: bounded in octets, in number and in open files, and honest about its hits.
 *
 * What is in it was looked at within the last second, or is looked at again before it is answered with; see
 * {@link FileCache.fresh}. Shortly before that second is over the look is made ahead, so that a busy path never waits. It must
 * never be asked about anything but whole paths, and never answer for longer than it says.
 */

import { LRUCache } from "lru-cache";
import type { CachedFile } from "./cached-file.ts";
import type { TimeSource } from "../web/clock.ts";

/** A change is seen within so many milliseconds. */
const MAX_AGE_MS = 1000;
/** From here on a look is made ahead. */
const LOOK_AHEAD_MS = 700;

/** What an entry costs besides its content: objects, lines, the path. Measured at about 2 KiB. */
const ENTRY_BYTES = 2048;

/** Descriptors kept for files that are too large for memory; a process may often have no more than 1,024. */
const MAX_OPEN_FILES = 128;
/** Nobody having asked for so long, files are closed: a descriptor keeps the disk space of a deleted file. */
const IDLE_MS = 250;

/** What there is to say about a cache. */
export interface CacheStats {
  /** Answers from memory, without a look at the disk. */
  readonly hits: number;
  readonly misses: number;
  /** Hits over both, 0 to 1; 0 before the first. */
  readonly hitRate: number;
  readonly entries: number;
  readonly bytes: number;
  readonly openFiles: number;
}

/** The cache of one handler. */
export class FileCache {
  readonly #files: LRUCache<string, CachedFile>;
  /** When those with open files were used, least recently used first. */
  readonly #holding: Map<string, number>;
  readonly #time: TimeSource;
  #isSweepDue: boolean;
  #isResizing: boolean;
  readonly #onAgeing: (key: string, file: CachedFile) => void;
  #openFiles: number;
  #hits: number;
  #misses: number;

  /** @param onAgeing called where it is time to look again; what is there may be answered with all the same */
  constructor(
    time: TimeSource,
    maxBytes: number,
    maxEntries: number,
    onAgeing: (key: string, file: CachedFile) => void,
  ) {
    this.#time = time;
    this.#onAgeing = onAgeing;
    this.#holding = new Map();
    this.#isSweepDue = false;
    this.#isResizing = false;
    this.#openFiles = 0;
    this.#hits = 0;
    this.#misses = 0;
    this.#files = new LRUCache({
      // Of a cache of no octets or entries every file is too large
      max: Math.max(maxEntries, 1),
      maxSize: maxEntries === 0 ? 1 : Math.max(maxBytes, 1),
      sizeCalculation: sizeOf,
      dispose: (file, key) => this.#dispose(file, key),
    });
  }

  /**
   * What may be answered with now, or null.
   */
  fresh(key: string, nowMs: number): CachedFile | null {
    const file = this.#files.get(key);
    if (file === undefined) return null;
    const ageMs = nowMs - file.checkedMs;
    // A clock that was put back says nothing about age
    if (!(ageMs >= 0 && ageMs < MAX_AGE_MS)) return null;
    if (ageMs >= LOOK_AHEAD_MS && !file.isChecking) this.#onAgeing(key, file);
    if (file.openFiles > 0) this.#touch(key, nowMs);
    this.#hits++;
    return file;
  }

  /** What was there, however old. */
  stale(key: string): CachedFile | undefined {
    return this.#files.get(key);
  }

  missed(): void {
    this.#misses++;
  }

  /** Keeps a version, in the place of the one before. */
  set(key: string, file: CachedFile): void {
    this.#files.set(key, file);
    if (this.#files.peek(key) !== file) return;
    const opened = file.openFiles;
    if (opened === 0) return;
    this.#openFiles += opened;
    this.#touch(key, this.#time.nowMs());
    for (const oldest of this.#holding.keys()) {
      if (this.#openFiles <= MAX_OPEN_FILES || oldest === key) break;
      this.#files.delete(oldest);
    }
    if (!this.#isSweepDue) this.#sweepLater();
  }

  /** Counts what a file holds anew, after a representation or a block was added to it. */
  resize(key: string, file: CachedFile): void {
    if (this.#files.peek(key) !== file) return;
    // Setting the same value anew would leave its size as it was
    this.#isResizing = true;
    this.#files.delete(key);
    this.#isResizing = false;
    this.#files.set(key, file);
    if (this.#files.peek(key) !== file) this.#dispose(file, key);
  }

  delete(key: string): void {
    this.#files.delete(key);
  }

  clear(): void {
    this.#files.clear();
  }

  get stats(): CacheStats {
    const asked = this.#hits + this.#misses;
    return {
      hits: this.#hits,
      misses: this.#misses,
      hitRate: asked === 0 ? 0 : this.#hits / asked,
      entries: this.#files.size,
      bytes: this.#files.calculatedSize,
      openFiles: this.#openFiles,
    };
  }

  #touch(key: string, nowMs: number): void {
    this.#holding.delete(key);
    this.#holding.set(key, nowMs);
  }

  #sweepLater(): void {
    this.#isSweepDue = this.#holding.size > 0;
    if (this.#isSweepDue) this.#time.after(IDLE_MS, () => this.#sweep());
  }

  #sweep(): void {
    this.closeIdle(IDLE_MS);
    this.#sweepLater();
  }

  /** Closes the files that nobody has asked for so long; what is in memory stays. Returns how many those were. */
  closeIdle(idleMs: number): number {
    const nowMs = this.#time.nowMs();
    const before = this.#openFiles;
    for (const [key, usedMs] of this.#holding) {
      const file = this.#files.peek(key);
      if (file === undefined || file.isInUse || nowMs - usedMs < idleMs) continue;
      this.#forget(file, key);
      file.close();
    }
    return before - this.#openFiles;
  }

  /** Its files do not count any more. */
  #forget(file: CachedFile, key: string): void {
    if (!this.#holding.delete(key)) return;
    this.#openFiles -= file.openFiles;
  }

  #dispose(file: CachedFile, key: string): void {
    if (this.#isResizing) return;
    // One that is being replaced has its files counted under the same key
    if (file.openFiles > 0) this.#forget(file, key);
    file.letGo();
  }
}

function sizeOf(file: CachedFile, key: string): number {
  return file.memoryBytes + 2 * key.length + ENTRY_BYTES;
}
