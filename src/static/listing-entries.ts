/**
 * A folder on disk -> its entries, in order, with sizes and times looked up as they are wanted.
 *
 * Reading, sorting and looking up give way to the rest of the server every few milliseconds, and all listings together
 * have a bounded number of looks at the disk under way, so that a folder of 50,000 files holds nobody up. What a client
 * could not be served is not shown: dot files, links that lead out of the root, what is neither file nor folder. It must
 * never follow a link that it was not told to follow, and never hold a descriptor while the peer reads.
 */

import { constants, existsSync, lstat, stat } from "node:fs";
import type { Dirent, Stats } from "node:fs";
import { open, opendir } from "node:fs/promises";
import { sep } from "node:path";
import type { ListingOrder } from "./listing-order.ts";
import { compareEntries, needsStats } from "./listing-order.ts";

/** A file or folder in a listing. */
export interface ListingEntry {
  /** As the system tells it; what was no UTF-8 has U+FFFD in it. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Octets; -1 for folders and for what is not known. */
  sizeBytes: number;
  /** Milliseconds since 1970; NaN where it is not known. */
  mtimeMs: number;
  /** False: nobody can ask for it, because its name is no UTF-8 or holds a backslash. It is shown without a link. */
  isAskable: boolean;
}

/** What a listing may show. */
export interface EntryFilter {
  /** Show names with a leading dot. */
  readonly dotFiles: boolean;
  /** Names that are not shown, `_headers` for one. */
  readonly hiddenNames: ReadonlySet<string>;
  /** Whether a link, by its absolute path, leads to something that would be served. */
  readonly admitsLink: (path: string) => Promise<boolean>;
  /**
   * The folder that was verified. If another stands there by now (a link was swapped in between), it is not read. Null or
   * absent: whatever stands there.
   */
  readonly identity?: FolderIdentity | null;
}

/** What tells a folder from all others; of `Stats`. */
export interface FolderIdentity {
  readonly ino: number;
  readonly dev: number;
}

/** A folder that was read. */
export interface FolderEntries {
  readonly folderCount: number;
  readonly fileCount: number;
  /** There are more, which are not shown. */
  readonly isCut: boolean;
  /** Entries in order, some at a time. Those that vanish meanwhile are left out. To be gone through once. */
  readonly batches: () => AsyncGenerator<readonly ListingEntry[]>;
}

/** More are not shown: a page of so many is of use to nobody, and each has a place in memory while it is made. */
const MAX_ENTRIES = 200_000;
/** Entries that are looked up and rendered together: under a millisecond of work. */
const BATCH = 128;
/** Entries that the system is asked for at a time. */
const READ_BATCH = 256;
/** Sorted at once, before merging; and steps of merging between two rests: about 2 ms (natural comparison takes 0.3 us). */
const SORT_RUN = 512;
const MERGE_STEPS = 4096;

/** Looks at the disk under way for all listings. Node has 4 threads for them, which files in service want too. */
const MAX_LOOKS = 16;

/** A FIFO in the place of a folder does not hold anybody up; both are 0 where they do not exist (Windows). */
const FOLDER_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a folder.
 *
 * @param folder absolute path that has been verified to lie inside the root
 * @returns null if another folder stands there by now
 * @throws the error of the file system if it is no folder, or cannot be read
 */
export async function readEntries(
  folder: string,
  filter: EntryFilter,
  order: ListingOrder,
): Promise<FolderEntries | null> {
  // Windows opens no folder as a file, so there it is read as it stands
  const identity = process.platform === "win32" ? null : (filter.identity ?? null);
  const read = await (identity === null ? readNames(folder, folder, filter) : readVerified(folder, identity, filter));
  if (read === null) return null;
  const { entries, isCut } = read;
  const folderCount = entries.reduce((count, entry) => count + (entry.isFolder ? 1 : 0), 0);
  const batches = (): AsyncGenerator<readonly ListingEntry[]> => inOrder(folder, entries, order);
  return { folderCount, fileCount: entries.length - folderCount, isCut, batches };
}

/** Entries as they were read. */
interface ReadEntries {
  readonly entries: readonly ListingEntry[];
  readonly isCut: boolean;
}

/**
 * Reads the very folder that is held open: check and use are the same (time of check, time of use). Where the system does
 * not show open files as paths, the check stands before the reading.
 */
async function readVerified(
  folder: string,
  identity: FolderIdentity,
  filter: EntryFilter,
): Promise<ReadEntries | null> {
  const handle = await open(folder, FOLDER_FLAGS);
  try {
    const stats = await handle.stat();
    if (stats.ino !== identity.ino || stats.dev !== identity.dev) return null;
    const held = `/proc/self/fd/${handle.fd}`;
    return await readNames(existsSync(held) ? held : folder, folder, filter);
  } finally {
    await handle.close();
  }
}

async function readNames(path: string, folder: string, filter: EntryFilter): Promise<ReadEntries> {
  const entries: ListingEntry[] = [];
  // The iterator closes the folder however the loop ends
  for await (const dirent of await opendir(path, { bufferSize: READ_BATCH })) {
    if (entries.length === MAX_ENTRIES) return { entries, isCut: true };
    if ((dirent.name.startsWith(".") && !filter.dotFiles) || filter.hiddenNames.has(dirent.name)) continue;
    const entry = dirent.isSymbolicLink() ? await followLink(folder, dirent, filter) : entryOf(dirent);
    if (entry !== null) entries.push(entry);
  }
  return { entries, isCut: false };
}

function entryOf(dirent: Dirent): ListingEntry | null {
  const isFolder = dirent.isDirectory();
  return isFolder || dirent.isFile() ? newEntry(dirent.name, isFolder) : null;
}

function newEntry(name: string, isFolder: boolean): ListingEntry {
  return { name, isFolder, sizeBytes: -1, mtimeMs: NaN, isAskable: !/[\\\p{Cs}]/u.test(name) };
}

/** What a link leads to, looked up at once: whether it is a folder decides its place. */
async function followLink(folder: string, dirent: Dirent, filter: EntryFilter): Promise<ListingEntry | null> {
  const path = folder + sep + dirent.name;
  if (!(await filter.admitsLink(path))) return null;
  const stats = await new Promise<Stats | null>((resolve) => looks.add({ path, isFollowed: true, done: resolve }));
  if (stats === null || !(stats.isFile() || stats.isDirectory())) return null;
  const entry = newEntry(dirent.name, stats.isDirectory());
  fillStats(entry, stats);
  return entry;
}

/** Sorts, and looks up before or after as the order needs it. */
async function* inOrder(
  folder: string,
  entries: readonly ListingEntry[],
  order: ListingOrder,
): AsyncGenerator<readonly ListingEntry[]> {
  let known = entries;
  const isSortedByStats = needsStats(order);
  if (isSortedByStats) {
    const kept: ListingEntry[] = [];
    for (let i = 0; i < entries.length; i += BATCH) kept.push(...(await lookUp(folder, entries.slice(i, i + BATCH))));
    known = kept;
  }
  const sorted = await sortInSlices(known, (a, b) => compareEntries(a, b, order));
  for (let i = 0; i < sorted.length; i += BATCH) {
    const batch = sorted.slice(i, i + BATCH);
    if (isSortedByStats) await turns.wait();
    yield isSortedByStats ? batch : await lookUp(folder, batch);
  }
}

/** Fills in sizes and times. What is gone, or has become something else, is left out. */
function lookUp(folder: string, entries: readonly ListingEntry[]): Promise<ListingEntry[]> {
  return new Promise((resolve) => {
    const isKept: boolean[] = [];
    let left = 0;
    for (const [index, entry] of entries.entries()) {
      isKept.push(true);
      if (!Number.isNaN(entry.mtimeMs)) continue;
      left++;
      const done = (stats: Stats | null): void => {
        isKept[index] = settle(entry, stats);
        if (--left === 0) resolve(entries.filter((_, i) => isKept[i] === true));
      };
      looks.add({ path: folder + sep + entry.name, isFollowed: false, done });
    }
    if (left === 0) resolve([...entries]);
  });
}

/** Whether an entry is still what it was. */
function settle(entry: ListingEntry, stats: Stats | null): boolean {
  if (stats === null) {
    // A name that was no UTF-8 cannot be asked for, not even by us
    entry.isAskable = false;
    return entry.name.includes("\uFFFD");
  }
  if (entry.isFolder ? !stats.isDirectory() : !stats.isFile()) return false;
  fillStats(entry, stats);
  return true;
}

function fillStats(entry: ListingEntry, stats: Stats): void {
  entry.sizeBytes = entry.isFolder ? -1 : stats.size;
  entry.mtimeMs = stats.mtimeMs;
}

/** A look at the disk that is wanted. */
interface Look {
  readonly path: string;
  readonly isFollowed: boolean;
  readonly done: (stats: Stats | null) => void;
}

/** Looks at the disk, a few at a time. */
class LookQueue {
  #running: number;
  #waiting: Look[];
  #next: number;

  constructor() {
    this.#running = 0;
    this.#waiting = [];
    this.#next = 0;
  }

  add(look: Look): void {
    if (this.#running >= MAX_LOOKS) this.#waiting.push(look);
    else this.#start(look);
  }

  #start({ path, isFollowed, done }: Look): void {
    this.#running++;
    (isFollowed ? stat : lstat)(path, (error, stats) => {
      this.#running--;
      const next = this.#take();
      if (next !== undefined) this.#start(next);
      done(error === null ? stats : null);
    });
  }

  #take(): Look | undefined {
    const look = this.#waiting[this.#next++];
    if (look === undefined || this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    return look;
  }
}

const looks: LookQueue = new LookQueue();

/** Turns of the event loop, one listing in each: ten that sort at a time hold nobody up longer than one. */
class TurnQueue {
  readonly #waiting: (() => void)[];

  constructor() {
    this.#waiting = [];
  }

  /** Lets everything else that is due have its turn, and other listings theirs. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}

const turns: TurnQueue = new TurnQueue();

/** A sorted copy: a merge sort from the bottom, with rests between. Stable. */
async function sortInSlices<T>(items: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  let from: T[] = [];
  for (let i = 0; i < items.length; i += SORT_RUN) {
    if (i > 0) await turns.wait();
    from.push(...items.slice(i, i + SORT_RUN).toSorted(compare));
  }
  let steps = 0;
  for (let width = SORT_RUN; width < from.length; width *= 2) {
    const into: T[] = [];
    for (let low = 0; low < from.length; low += 2 * width) {
      const middle = Math.min(low + width, from.length);
      const high = Math.min(low + 2 * width, from.length);
      let left = low;
      let right = middle;
      while (left < middle || right < high) {
        const takesLeft = right >= high || (left < middle && compare(from[left] as T, from[right] as T) <= 0);
        into.push(from[takesLeft ? left++ : right++] as T);
        if (++steps % MERGE_STEPS === 0) await turns.wait();
      }
    }
    from = into;
  }
  return from;
}
