/**
 * Files and folders that the server itself uses and that no client gets, known by what they are and not by their names.
 *
 * A path says where such a thing is; a hard link, a link to its folder, a log made after the start or a key that its link
 * leads to since the renewal has other paths. So what is about to be opened is compared with what stands at the paths now:
 * the same device and number are the same thing. With a log go those that it has become (rotated-logs.ts). What was seen of the
 * paths counts for less than a second. It must never be asked for what comes from the cache, and never throw.
 */

import type { Stats } from "node:fs";
import { sep } from "node:path";
import type { TimeSource } from "../web/clock.ts";
import { realpath, stat } from "./descriptor.ts";
import { RotatedLogs } from "./rotated-logs.ts";

/** So long it may take until a thing that is new at its path is known. */
const SEEN_AGE_MS = 900;

/** What tells a thing from all others; of `Stats`. */
type Identity = Pick<Stats, "dev" | "ino">;

/** What there was at one time. */
interface Sight {
  /** Devices by number. */
  readonly things: ReadonlyMap<number, readonly number[]>;
  /** Real paths. */
  readonly folders: readonly string[];
}

const NOTHING: Sight = { things: new Map(), folders: [] };

/** The things of one server. */
export class OwnThings {
  readonly #files: readonly string[];
  readonly #folders: readonly string[];
  readonly #rotated: RotatedLogs;
  readonly #time: TimeSource;
  #sight: Sight = NOTHING;
  #seenMs = -Infinity;
  #looking: Promise<void> | null = null;

  /**
   * @param files absolute paths, of which some may lead to nothing yet
   * @param folders the same; with a folder goes all that is below its real path
   * @param logs those of the files that are rotated
   */
  constructor(files: readonly string[], folders: readonly string[], time: TimeSource, logs: readonly string[] = []) {
    this.#files = files;
    this.#folders = folders;
    this.#rotated = new RotatedLogs(logs);
    this.#time = time;
  }

  /** Whether something is one of the files, or in one of the folders. @param path that leads to it, or its real path */
  async has(stats: Identity, path: string): Promise<boolean> {
    await this.#refresh();
    if (this.isOne(stats)) return true;
    return this.#sight.folders.length > 0 && this.isInFolder(await realpath(path).catch(() => path));
  }

  /** Whether something is one of the files or folders, by what was seen the last time. */
  isOne({ dev, ino }: Identity): boolean {
    return this.#sight.things.get(ino)?.includes(dev) === true;
  }

  /** Whether a real path is one of the folders or below it, by what was seen the last time. */
  isInFolder(place: string): boolean {
    const { folders } = this.#sight;
    return folders.some((folder) => place === folder || place.startsWith(folder.endsWith(sep) ? folder : folder + sep));
  }

  #refresh(): Promise<void> | void {
    const ageMs = this.#time.nowMs() - this.#seenMs;
    if (ageMs >= 0 && ageMs < SEEN_AGE_MS) return;
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(): Promise<void> {
    // The look counts from its beginning: what changes during it is perhaps not in it
    const startedMs = this.#time.nowMs();
    const [files, rotated, holders, folders] = await Promise.all([
      statAll(this.#files),
      this.#rotated.find(startedMs),
      statAll(this.#folders),
      Promise.all(this.#folders.map((path) => realpath(path).catch(() => path))),
    ]);
    // A folder in the place of a file of ours is not ours
    const ours = [
      ...[...files, ...rotated].filter((stats) => stats.isFile()),
      ...holders.filter((stats) => stats.isDirectory()),
    ];
    const things = new Map<number, number[]>();
    for (const { ino, dev } of ours) things.set(ino, [...(things.get(ino) ?? []), dev]);
    this.#sight = { things, folders };
    this.#seenMs = startedMs;
  }
}

/** What there is of it. */
async function statAll(paths: readonly string[]): Promise<Stats[]> {
  const seen = await Promise.all(paths.map((path) => stat(path).catch(() => null)));
  return seen.filter((stats) => stats !== null);
}

/** What a handler keeps back for the server that it runs in, besides what its options say. */
export interface KeptBack {
  /** Paths below the root, with `/` between names; not patterns, and not read as options are. */
  readonly paths: readonly string[];
  readonly things: OwnThings;
}
