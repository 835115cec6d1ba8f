/**
 * A folder on disk -> its entries, in order, with sizes and times looked up as they are wanted.
 *
 * Names are read and sorted once for all who ask at a time, and kept as long as one of them is being answered; sizes and times
 * are looked up for each batch as the peer takes it. An order that needs them all is held whole, within a bound for all
 * listings. What a client could not be served is not shown: dot files, links that lead out of the root, what is neither file
 * nor folder. Each look goes through the very folder that was verified; it must never hold a descriptor while the peer reads.
 */

import { constants, existsSync } from "node:fs";
import type { Dirent, Stats } from "node:fs";
import { sep } from "node:path";
import { isNotThere } from "./contain.ts";
import type { Descriptor } from "./descriptor.ts";
import { open, opendir } from "./descriptor.ts";
import { foldName } from "./hidden-paths.ts";
import type { ListingOrder } from "./listing-order.ts";
import { compareByName, compareEntries, needsStats } from "./listing-order.ts";
import { looks, lookUps, readings, sortInSlices, turns } from "./listing-turns.ts";

/** A folder that is listed, alone or with others of the same path in further roots. */
export interface ListedFolder {
  /** Absolute path that has been verified to lie inside the root. */
  readonly path: string;
  /**
   * The folder that was verified. If another stands there by now (a link was swapped in between), it is not read. Null:
   * whatever stands there.
   */
  readonly identity: FolderIdentity | null;
  readonly root: LinkJudge;
}

/** What tells a folder from all others; of `Stats`. */
export interface FolderIdentity {
  readonly ino: number;
  readonly dev: number;
}

/** Who knows what links may lead to. */
export interface LinkJudge {
  /** The real path of what a link leads to, null if that would not be served. */
  readonly destinationOf: (path: string) => Promise<string | null>;
  /** Whether it would not be served because the server uses it itself. */
  readonly isOwnThing: (stats: FolderIdentity) => boolean;
}

/** A file or folder in a listing. */
export interface ListingEntry {
  /** As the system tells it; what was no UTF-8 has U+FFFD in it. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Octets; -1 for folders and for what is not known. */
  readonly sizeBytes: number;
  /** Milliseconds since 1970; NaN where it is not known. */
  readonly mtimeMs: number;
  /** False: nobody can ask for it, because its name is no UTF-8 or holds a backslash. It is shown without a link. */
  readonly isAskable: boolean;
}

/** What a listing may show. */
export interface EntryFilter {
  /** Show names with a leading dot. */
  readonly dotFiles: boolean;
  /** Names that are not shown, `_headers` for one, without regard to case and form (hidden-paths.ts). */
  readonly hiddenNames: ReadonlySet<string>;
}

/** A folder that was read. */
export interface FolderEntries {
  readonly folderCount: number;
  readonly fileCount: number;
  /** There are more, which are not shown. */
  readonly isCut: boolean;
  /** Entries in order, some at a time. Those that vanish meanwhile are left out. To be gone through once. */
  readonly batches: () => AsyncGenerator<readonly ListingEntry[]>;
  /** To be called when nobody wants the batches any more. May be called twice. */
  readonly release: () => void;
}

/** There is another folder by now, or none. */
export const GONE = "gone";
/** So many others are being answered in orders that take memory that there is no room for one more. */
export const BUSY = "busy";

/** More are not shown: a page of so many is of use to nobody, and each has a place in memory while it is made. */
const MAX_ENTRIES = 200_000;
/** Entries that are held in orders by size and time, for all listings together: about 50 MB. */
const MAX_HELD_ENTRIES = 500_000;
/** Entries that are looked up and rendered together: under a millisecond of work. */
const BATCH = 128;
/** Entries that the system is asked for at a time. */
const READ_BATCH = 256;
/** A folder that was changed within the coarsest tick of a file system may be changed again without showing it. */
const COARSEST_TICK_MS = 2000;

/** A FIFO in the place of a folder does not hold anybody up; both are 0 where they do not exist (Windows). */
const FOLDER_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Windows opens no folder as a file, so there it is read as it stands. */
const CAN_HOLD = process.platform !== "win32";
/** Linux shows an open folder as a path that leads to it whatever becomes of its name. */
const SHOWS_DESCRIPTORS: boolean = existsSync("/proc/self/fd");

/** A name that is shown. Shared by all who are answered from the same reading. */
interface FolderName {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
  readonly folder: ListedFolder;
}

/** The names of folders at one time. */
class Reading {
  readonly names: readonly FolderName[];
  readonly folderCount: number;
  readonly isCut: boolean;
  #descending: Promise<readonly FolderName[]> | null;

  /** @param names from A to Z */
  constructor(names: readonly FolderName[], isCut: boolean) {
    this.names = names;
    this.folderCount = names.reduce((count, { isFolder }) => count + (isFolder ? 1 : 0), 0);
    this.isCut = isCut;
    this.#descending = null;
  }

  /** From Z to A, folders first all the same. */
  descending(): Promise<readonly FolderName[]> {
    this.#descending ??= (async () => {
      const { names, folderCount } = this;
      await turns.wait();
      return [...names.slice(0, folderCount).toReversed(), ...names.slice(folderCount).toReversed()];
    })();
    return this.#descending;
  }
}

/** What is being read, or answered from; nobody else holds it. By what makes readings alike. */
const shared: Map<string, WeakRef<Promise<Reading | null>>> = new Map();
let heldEntries = 0;

/**
 * Reads a folder, or the several that are one to the client: of what is called the same the first counts.
 *
 * @param nowMs milliseconds since 1970
 * @throws the error of the file system if it is no folder, or cannot be read
 */
export async function readEntries(
  folders: readonly ListedFolder[],
  filter: EntryFilter,
  order: ListingOrder,
  nowMs: number,
): Promise<FolderEntries | typeof GONE | typeof BUSY> {
  const key = await keyOf(folders, filter, nowMs);
  if (key === null) return GONE;
  const running = readShared(key, folders, filter);
  const reading = await running;
  if (reading === null) return GONE;
  const { names, folderCount, isCut } = reading;
  const facts = { folderCount, fileCount: names.length - folderCount, isCut };
  if (!needsStats(order)) {
    const sorted = order.isDescending ? await reading.descending() : names;
    // The promise is held with the names: whoever asks meanwhile finds it
    const batches = (): AsyncGenerator<readonly ListingEntry[]> => lookedUp(sorted, running);
    return { ...facts, batches, release: () => {} };
  }
  if (heldEntries + names.length > MAX_HELD_ENTRIES) return BUSY;
  heldEntries += names.length;
  let isHeld = true;
  const release = (): void => {
    if (isHeld) heldEntries -= names.length;
    isHeld = false;
  };
  try {
    const sorted = await readings.during(() => sortByStats(names, order));
    return { ...facts, batches: () => inBatches(sorted), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Readings with the same key would be the same; `""` where that cannot be told; null if another folder stands there. */
async function keyOf(folders: readonly ListedFolder[], filter: EntryFilter, nowMs: number): Promise<string | null> {
  const parts: string[] = [JSON.stringify([filter.dotFiles, ...filter.hiddenNames])];
  if (folders.some(({ identity }) => identity === null)) return "";
  let isSettled = true;
  for (const folder of folders) {
    const stats = await holding(folder, (_path, handle) => handle?.stat() ?? Promise.resolve(null));
    if (stats === GONE) return null;
    isSettled &&= stats !== null && Math.abs(nowMs - Math.max(stats.mtimeMs, stats.ctimeMs)) > COARSEST_TICK_MS;
    // Names come and go with a new time of their folder
    parts.push(folder.path, `${numberOf(folder.root)} ${stats?.dev} ${stats?.ino} ${stats?.mtimeMs} ${stats?.ctimeMs}`);
  }
  return isSettled ? parts.join("\0") : "";
}

/** Judges have numbers: one that follows links must not share with one that does not. */
const judges: WeakMap<LinkJudge, number> = new WeakMap();
let judgeCount = 0;

function numberOf(judge: LinkJudge): number {
  const known = judges.get(judge);
  if (known !== undefined) return known;
  judges.set(judge, ++judgeCount);
  return judgeCount;
}

function readShared(key: string, folders: readonly ListedFolder[], filter: EntryFilter): Promise<Reading | null> {
  const known = key === "" ? undefined : shared.get(key)?.deref();
  if (known !== undefined) return known;
  const running = readings.during(() => read(folders, filter));
  if (key === "") return running;
  for (const [old, reference] of shared) if (reference.deref() === undefined) shared.delete(old);
  shared.set(key, new WeakRef(running));
  // What has failed is tried anew by who asks next
  running.catch(() => shared.delete(key));
  return running;
}

/** Reads names. @returns null if another folder stands there by now */
async function read(folders: readonly ListedFolder[], filter: EntryFilter): Promise<Reading | null> {
  const names: FolderName[] = [];
  const taken: ReadonlySet<string>[] = [];
  let isCut = false;
  for (const folder of folders) {
    const own = folders.length === 1 ? null : new Set<string>();
    const isRead = await holding(folder, async (path) => {
      // The iterator closes the folder however the loop ends
      for await (const dirent of await opendir(path, READ_BATCH)) {
        isCut = names.length === MAX_ENTRIES;
        if (isCut) return;
        const { name } = dirent;
        own?.add(name);
        if ((name.startsWith(".") && !filter.dotFiles) || isHidden(name, filter)) continue;
        if (taken.some((above) => above.has(name))) continue;
        const shown = await nameOf(path, dirent, folder);
        if (shown !== null) names.push(shown);
      }
    });
    if (isRead === GONE) return null;
    if (own !== null) taken.push(own);
  }
  return new Reading(await sortInSlices(names, compareByName), isCut);
}

/** Folded as where a file is asked for, or a listing would tell of what is 404. */
function isHidden(name: string, { hiddenNames }: EntryFilter): boolean {
  return hiddenNames.size > 0 && hiddenNames.has(foldName(name));
}

/** What is shown of what a folder holds, null for nothing. */
async function nameOf(path: string, dirent: Dirent, folder: ListedFolder): Promise<FolderName | null> {
  const { name } = dirent;
  if (!dirent.isSymbolicLink()) {
    const isFolder = dirent.isDirectory();
    return isFolder || dirent.isFile() ? { name, isFolder, isLink: false, folder } : null;
  }
  // Whether it leads to a folder decides its place
  const stats = await lookBehind(path + sep + name, folder.root);
  if (stats === null || !(stats.isFile() || stats.isDirectory()) || folder.root.isOwnThing(stats)) return null;
  return { name, isFolder: stats.isDirectory(), isLink: true, folder };
}

/**
 * Holds the very folder that was verified while something is done in it: check and use are the same (time of check, time of
 * use). Where the system does not show open files as paths, the check stands before the use.
 *
 * @param work gets a path that leads to the folder, and its handle if there is one
 */
async function holding<T>(
  folder: ListedFolder,
  work: (path: string, handle: Descriptor | null) => Promise<T>,
): Promise<T | typeof GONE> {
  const { path, identity } = folder;
  if (identity === null || !CAN_HOLD) return work(path, null);
  let handle: Descriptor;
  try {
    handle = await open(path, FOLDER_FLAGS);
  } catch (error) {
    if (isNotThere(error)) return GONE;
    throw error;
  }
  try {
    const { ino, dev } = await handle.stat();
    if (ino !== identity.ino || dev !== identity.dev) return GONE;
    return await work(SHOWS_DESCRIPTORS ? `/proc/self/fd/${handle.fd}` : path, handle);
  } finally {
    await handle.close();
  }
}

async function* lookedUp(
  names: readonly FolderName[],
  source: Promise<Reading | null>,
): AsyncGenerator<readonly ListingEntry[]> {
  for (let i = 0; i < names.length; i += BATCH) yield await lookUp(names.slice(i, i + BATCH));
  // So long it can be shared
  await source;
}

async function* inBatches(entries: readonly ListingEntry[]): AsyncGenerator<readonly ListingEntry[]> {
  for (let i = 0; i < entries.length; i += BATCH) {
    await turns.wait();
    yield entries.slice(i, i + BATCH);
  }
}

async function sortByStats(names: readonly FolderName[], order: ListingOrder): Promise<readonly ListingEntry[]> {
  const entries: ListingEntry[] = [];
  for (let i = 0; i < names.length; i += BATCH) entries.push(...(await lookUp(names.slice(i, i + BATCH))));
  return sortInSlices(entries, (a, b) => compareEntries(a, b, order));
}

/** Looks up sizes and times. What is gone, or has become something else, is left out. */
async function lookUp(names: readonly FolderName[]): Promise<ListingEntry[]> {
  const entries: (ListingEntry | null)[] = names.map(() => null);
  for (const folder of new Set(names.map((name) => name.folder))) {
    // A few batches at a time: what is made for one is garbage before it is old
    await lookUps.during(() => holding(folder, (path) => fill(entries, names, folder, path)));
  }
  return entries.filter((entry) => entry !== null);
}

/** Fills in the entries that are in one of the folders. */
function fill(
  entries: (ListingEntry | null)[],
  names: readonly FolderName[],
  folder: ListedFolder,
  path: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = 1;
    const done = (): void => {
      if (--left === 0) resolve();
    };
    for (const [index, name] of names.entries()) {
      if (name.folder !== folder) continue;
      left++;
      const settle = (stats: Stats | null): void => {
        entries[index] = entryOf(name, stats);
        done();
      };
      const place = path + sep + name.name;
      if (name.isLink) lookBehind(place, folder.root).then(settle, reject);
      else looks.add({ path: place, done: settle });
    }
    done();
  });
}

function lookAt(path: string): Promise<Stats | null> {
  return new Promise((resolve) => looks.add({ path, done: resolve }));
}

/** What a link leads to, if that may be seen: the judge's answer is looked at, not the link again. */
async function lookBehind(path: string, judge: LinkJudge): Promise<Stats | null> {
  const destination = await judge.destinationOf(path);
  return destination === null ? null : lookAt(destination);
}

/** An entry, if it still is what it was. */
function entryOf({ name, isFolder, folder }: FolderName, stats: Stats | null): ListingEntry | null {
  if (stats === null) {
    // A name that was no UTF-8 cannot be asked for, not even by us
    return name.includes("\uFFFD") ? { name, isFolder, sizeBytes: -1, mtimeMs: NaN, isAskable: false } : null;
  }
  // A hard link is told by nothing else
  if ((isFolder ? !stats.isDirectory() : !stats.isFile()) || folder.root.isOwnThing(stats)) return null;
  const isAskable = !/[\\\p{Cs}]/u.test(name);
  return { name, isFolder, sizeBytes: isFolder ? -1 : stats.size, mtimeMs: stats.mtimeMs, isAskable };
}
