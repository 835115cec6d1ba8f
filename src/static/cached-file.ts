/**
 * One version of a file under one path, with its representations: what the cache holds.
 *
 * The identity coding is there from the start; others are siblings on the disk, or made when somebody first accepts them,
 * once. It lives until the file changes or the cache lets go of it; responses that send it then hold what they need.
 * It must never look at the disk.
 */

import type { Stats } from "node:fs";
import type { AskedPath } from "./rules-text.ts";
import type { Coding } from "./coding.ts";
import { OpenFile } from "./open-file.ts";
import type { Version } from "./entity-tag.ts";
import type { Description, Representation } from "./representation.ts";

/** What is to be found: names below the root, and how. */
export interface Wanted extends AskedPath {
  /** Under which the cache knows it. */
  readonly key: string;
  /** Only the file of exactly these names: a fallback, which no client has named. */
  readonly isExact: boolean;
  /** The path by which its fields go: the one that the client asked for, where a rule or a fallback has led here. */
  readonly fieldsFor: AskedPath;
}

/** What tells versions of files apart: anything that differs makes another. */
export interface FileMark {
  readonly path: string;
  readonly stats: Stats;
}

/** Whether both are the same version of the same file. */
export function isSameVersion(a: FileMark, b: FileMark): boolean {
  return (
    a.path === b.path &&
    a.stats.ino === b.stats.ino &&
    a.stats.size === b.stats.size &&
    a.stats.mtimeMs === b.stats.mtimeMs &&
    // Tells what was written with its time put back
    a.stats.ctimeMs === b.stats.ctimeMs &&
    a.stats.dev === b.stats.dev
  );
}

/** A representation; or null: there is none in this coding; or undefined: it could be made. */
type Slot = Representation | null | undefined;

/** A version, to be answered with. */
export class CachedFile {
  /** What was asked for, to look again. */
  readonly wanted: Wanted;
  readonly mark: FileMark;
  readonly version: Version;
  readonly description: Description;
  /** The version's siblings by coding, null where there is none. */
  readonly siblings: readonly (FileMark | null)[];
  readonly identity: Representation;
  /** When the disk was looked at last. */
  checkedMs: number;
  /** A look ahead is under way. */
  isChecking: boolean;
  /** Read so soon after it was written that a change within the file system's resolution could have been missed. */
  isSettled: boolean;
  /** Number of files that it sends from; 0 if all is in memory. */
  readonly openFiles: number;
  /** There are, or may be made, other codings than identity. */
  readonly isNegotiated: boolean;
  readonly #slots: Slot[];
  readonly #making: Map<Coding, Promise<void>>;
  #users: number;
  #isLetGo: boolean;
  #isClosed: boolean;

  constructor(
    wanted: Wanted,
    mark: FileMark,
    version: Version,
    description: Description,
    identity: Representation,
    siblings: readonly (FileMark | null)[],
    slots: readonly Slot[],
    checkedMs: number,
    isSettled: boolean,
  ) {
    this.wanted = wanted;
    this.mark = mark;
    this.version = version;
    this.description = description;
    this.identity = identity;
    this.siblings = siblings;
    this.checkedMs = checkedMs;
    this.isChecking = false;
    this.isSettled = isSettled;
    this.#slots = [identity, slots[1], slots[2], slots[3]];
    this.isNegotiated = slots.some((slot, coding) => coding > 0 && slot !== null);
    this.openFiles = this.#slots.filter((slot) => slot?.file instanceof OpenFile).length;
    this.#making = new Map();
    this.#users = 0;
    this.#isLetGo = false;
    this.#isClosed = false;
  }

  /** All of it can be sent: its files, if it has any, are open, and nobody has written to them. */
  get isUsable(): boolean {
    if (this.openFiles === 0) return true;
    return !this.#isClosed && this.#slots.every((slot) => slot?.file?.isIntact() ?? true);
  }

  /** Its files, if it has any, are open. */
  get isOpen(): boolean {
    return this.openFiles === 0 || !this.#isClosed;
  }

  /** Calls back when it holds more memory than before. */
  onGrown(callback: () => void): void {
    for (const slot of this.#slots) {
      const blocks = slot?.file?.blocks ?? null;
      if (blocks !== null) blocks.onGrown = callback;
    }
  }

  /** Somebody is about to answer with it. */
  get isInUse(): boolean {
    return this.#users > 0;
  }

  /** Octets of memory that its representations hold. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const slot of this.#slots) if (slot !== null && slot !== undefined) bytes += slot.memoryBytes;
    return bytes;
  }

  /**
   * Selects by preference.
   *
   * @param order codings, the best first
   * @returns a representation; a coding that has to be made first; or null if none is acceptable
   */
  select(order: readonly Coding[]): Representation | Coding | null {
    for (const coding of order) {
      const slot = this.#slots[coding];
      if (slot === undefined) return coding;
      if (slot !== null) return slot;
    }
    return null;
  }

  /** Has a coding made, once, however many wait. What fails or is not worthwhile leaves the others. */
  make(coding: Coding, maker: () => Promise<Representation | null>): Promise<void> {
    const running = this.#making.get(coding);
    if (running !== undefined) return running;
    const keep = (representation: Representation | null): void => {
      this.#making.delete(coding);
      this.#slots[coding] = representation;
    };
    const made = maker().then(keep, () => keep(null));
    this.#making.set(coding, made);
    return made;
  }

  /** Somebody is going to answer with it, perhaps after a wait. */
  hold(): void {
    this.#users++;
  }

  /**
   * Somebody has answered with it; responses hold what they send themselves.
   *
   * @param isKept whether the cache keeps it
   */
  release(isKept: boolean): void {
    this.#users--;
    if (isKept && !this.#isLetGo) return;
    // Those who waited for the same look have their turn first
    setImmediate(() => {
      if (this.#users === 0) this.close();
    });
  }

  /** The cache does not keep it any more. */
  letGo(): void {
    this.#isLetGo = true;
    if (this.#users === 0) this.close();
  }

  /** Lets go of its files; responses that send them hold them on. What is in memory stays. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const slot of this.#slots) slot?.file?.release();
  }

  /** A coding that is a sibling's; null if there is none. */
  sibling(coding: Coding): Representation | null {
    return this.siblings[coding] === null ? null : (this.#slots[coding] ?? null);
  }

  /** A coding that was made, for the next look at the same version; undefined if it was not, or was a sibling. */
  madeCoding(coding: Coding): Representation | null | undefined {
    return this.siblings[coding] === null ? this.#slots[coding] : undefined;
  }
}
