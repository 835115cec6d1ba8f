/**
 * Names below the root -> an open regular file that is proven to lie inside the root, or nothing.
 *
 * Check and use are the same open file: it is opened first and verified through its handle, so that a link swapped in
 * between (time of check, time of use) gains nothing. It must never open what is no regular file on purpose (a FIFO would
 * wait for its writer, a device may act on being opened), never give a handle away that it has not verified, and never
 * throw for what a client can ask for. Steps: look (stat), open, verify the handle, verify the place.
 */

import { constants, realpathSync } from "node:fs";
import type { Stats } from "node:fs";
import { sep } from "node:path";
import { HttpError } from "../http/errors.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import type { Descriptor } from "./descriptor.ts";
import { open, readlink, realpath, stat } from "./descriptor.ts";
import type { OwnThings } from "./own-things.ts";
import { isRefusal, UnreadableFiles } from "./unreadable.ts";

/**
 * O_NONBLOCK: a FIFO put there after the stat opens at once instead of waiting for a writer. O_NOCTTY: a terminal does not
 * become ours. Both are 0 where they do not exist (Windows).
 */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** What an operating system says of a path that leads to nothing that can be read. All of it is 404 to a client. */
const NOT_THERE: ReadonlySet<string> = new Set([
  "EACCES",
  "EINVAL",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENODEV",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
  "UNKNOWN",
  "ERR_INVALID_ARG_VALUE",
]);

/** What it says when it could, but not now. */
const SHORTAGE: ReadonlySet<string> = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"]);

const INSIDE = 0;
const OUTSIDE = 1;
const CHANGED = 2;

/** A file that is replaced all the time is opened anew as often; then it is as good as not there. */
const MAX_TRIES = 16;

/** What stands at a path, as a look at it says: not opened, and not verified to lie inside the root. */
export interface Seen {
  readonly kind: "file" | "folder";
  /** Absolute path on the disk. */
  readonly path: string;
  /** The name that was asked for, which decides the media type even where it is a link; `""` for the root. */
  readonly name: string;
  readonly stats: Stats;
}

/** A verified file. Whoever gets it closes it once. */
export interface FoundFile {
  readonly kind: "file";
  readonly handle: Descriptor;
  /** Of the open file. */
  readonly stats: Stats;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** The name that was asked for, which decides the media type even where it is a link. */
  readonly name: string;
}

/** A folder inside the root; nothing is open. */
interface FoundFolder {
  readonly kind: "folder";
}

export type Found = FoundFile | FoundFolder;

/** The one folder out of which files are served. */
export class Root {
  readonly path: string;
  readonly #followsLinks: boolean;
  readonly #own: OwnThings | null;
  readonly #unreadable: UnreadableFiles = new UnreadableFiles(SYSTEM_TIME);
  #realPath: string;

  /**
   * @param path absolute path of an existing folder; it may be a link, and may later be pointed elsewhere
   * @param followsLinks serve what links inside lead to, wherever it is
   * @param own things that are as good as not there
   * @throws the error of the file system if it does not exist
   */
  constructor(path: string, followsLinks: boolean = false, own: OwnThings | null = null) {
    this.path = path;
    this.#followsLinks = followsLinks;
    this.#own = own;
    this.#realPath = realpathSync.native(path);
  }

  /**
   * Opens what the names lead to.
   *
   * @param names segments below the root, decoded and without dot segments
   * @returns an open file, a folder, or null for everything that a client shall not see
   * @throws HttpError 503 where the system is out of descriptors or memory
   * @throws the error of the file system where it is broken (EIO)
   */
  async find(names: readonly string[]): Promise<Found | null> {
    const seen = await this.look(names);
    if (seen === null) return null;
    if (seen.kind === "folder") return (await this.holds(seen)) ? FOLDER : null;
    return this.open(seen);
  }

  /**
   * Looks what stands at the names, at the price of one stat.
   *
   * @returns null for what is neither file nor folder, and for what is not there
   * @throws as {@link find}
   */
  async look(names: readonly string[]): Promise<Seen | null> {
    const path = this.#pathOf(names);
    try {
      const stats = await stat(path);
      if (this.#own !== null && (await this.#own.has(stats, path))) return null;
      const name = names.at(-1) ?? "";
      if (stats.isFile()) return { kind: "file", path, name, stats };
      return stats.isDirectory() ? { kind: "folder", path, name, stats } : null;
    } catch (error) {
      if (isRefusal(error)) await this.#tellClosed(names, error);
      return nothingOr(error);
    }
  }

  /** Whether it is for what stands there that {@link look} gives nothing: the server uses it itself. Never throws. */
  async isOwn(names: readonly string[]): Promise<boolean> {
    const path = this.#pathOf(names);
    const stats = this.#own === null ? null : await stat(path).catch(() => null);
    return stats !== null && this.#own !== null && this.#own.has(stats, path);
  }

  /** The same of an entry of a listing, by what is known without a look at the disk. */
  isOwnThing(stats: Pick<Stats, "dev" | "ino">): boolean {
    return this.#own !== null && this.#own.isOne(stats);
  }

  #pathOf(names: readonly string[]): string {
    return names.length === 0 ? this.path : this.path + sep + names.join(sep);
  }

  /** Whether what was seen stands there still, and lies inside the root. @throws as {@link find} */
  async holds(seen: Seen): Promise<boolean> {
    if (this.#followsLinks) return true;
    try {
      return (await this.#placeOf(seen.path, seen.stats)) === INSIDE;
    } catch (error) {
      return nothingOr(error) !== null;
    }
  }

  /**
   * Where a link at `path` leads to.
   *
   * @returns a path without links; null if nothing stands there, or nothing that may be served
   */
  async destinationOf(path: string): Promise<string | null> {
    try {
      const destination = await realpath(path);
      if (this.#own?.isInFolder(destination) === true) return null;
      return this.#followsLinks || isInside(destination, this.#realPath) ? destination : null;
    } catch {
      return null;
    }
  }

  /** Opens a file that was seen, and verifies it. @returns null if it is no file, or not inside. @throws as {@link find} */
  async open(seen: Seen): Promise<FoundFile | null> {
    try {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const found = await this.#open(seen.path, seen.name);
        if (found !== CHANGED) return found;
      }
      return null;
    } catch (error) {
      this.#unreadable.tell(seen.path, error);
      return nothingOr(error);
    }
  }

  /**
   * The folder on the way that this process may not enter, so that nobody can tell what is in it.
   *
   * @returns an absolute path; null if there is none, or none that would be served
   */
  async closedFolder(names: readonly string[]): Promise<string | null> {
    // The first whose entry cannot be looked at: so many names a client may send, no more than that are asked for
    for (let count = 0; count < names.length; count++) {
      const error = await stat(this.#pathOf(names.slice(0, count + 1))).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error === null) continue;
      const folder = this.#pathOf(names.slice(0, count));
      return isRefusal(error) && (await this.destinationOf(folder)) !== null ? folder : null;
    }
    return null;
  }

  async #tellClosed(names: readonly string[], error: unknown): Promise<void> {
    const folder = await this.closedFolder(names);
    if (folder !== null) this.#unreadable.tellFolder(folder, error);
  }

  /** Why {@link open} has given nothing, for the owner of the folder: a client is told nothing of it. */
  async whyNot({ path }: Seen): Promise<string> {
    try {
      closeFile(await open(path, OPEN_FLAGS));
    } catch (error) {
      return `${path} cannot be opened (${(error as NodeJS.ErrnoException).code})`;
    }
    return `${path} leads out of ${this.path} (option followLinks), or was replaced meanwhile`;
  }

  async #open(path: string, name: string): Promise<FoundFile | null | typeof CHANGED> {
    const handle = await open(path, OPEN_FLAGS);
    let isVerified = false;
    try {
      const stats = await handle.stat();
      // Again, because a link may have been swapped in since the look (time of check, time of use)
      if (!stats.isFile() || (this.#own !== null && (await this.#own.has(stats, path)))) return null;
      const place = this.#followsLinks ? INSIDE : await this.#placeOfOpen(handle, path, stats);
      if (place !== INSIDE) return place === CHANGED ? CHANGED : null;
      isVerified = true;
      return { kind: "file", handle, stats, sizeBytes: stats.size, mtimeMs: stats.mtimeMs, name };
    } finally {
      if (!isVerified) closeFile(handle);
    }
  }

  /** Where an open file is: Linux tells it of the descriptor itself, so that nothing that happens to the path matters. */
  async #placeOfOpen(
    handle: Descriptor,
    path: string,
    stats: Stats,
  ): Promise<typeof INSIDE | typeof OUTSIDE | typeof CHANGED> {
    const realPath = await pathOfDescriptor(handle.fd);
    if (realPath === null) return this.#placeOf(path, stats);
    return (await this.#contains(realPath)) ? INSIDE : OUTSIDE;
  }

  /**
   * Where the thing with these `stats` is. Following all links of `path` gives a real path; what stands there must be the very
   * thing that is held, else it was replaced, or a link was swapped, meanwhile.
   */
  async #placeOf(path: string, stats: Stats): Promise<typeof INSIDE | typeof OUTSIDE | typeof CHANGED> {
    const realPath = await realpath(path);
    if (!(await this.#contains(realPath))) return OUTSIDE;
    const there = await stat(realPath).catch((error: unknown) => nothingOr(error));
    return there !== null && there.ino === stats.ino && there.dev === stats.dev ? INSIDE : CHANGED;
  }

  async #contains(realPath: string): Promise<boolean> {
    if (isInside(realPath, this.#realPath)) return true;
    // The root itself may have been pointed to a new release since; files of the new one are inside then
    this.#realPath = await realpath(this.path);
    return isInside(realPath, this.#realPath);
  }
}

/** The real path of an open file, null where the system does not tell. One that was deleted since has a mark at its end. */
async function pathOfDescriptor(fd: number): Promise<string | null> {
  if (process.platform !== "linux") return null;
  const path = await readlink(`/proc/self/fd/${fd}`).catch(() => "");
  return path.startsWith("/") ? path : null;
}

const FOLDER: FoundFolder = { kind: "folder" };

/** Closes a file of {@link Root.find}. Errors of it concern nobody: the descriptor is gone either way. */
export function closeFile(handle: Descriptor): void {
  handle.close().catch(ignore);
}

function ignore(): void {
  // Nothing can be done about a failed close
}

/** Whether a real path is the folder or lies below it. `/srv/www-old` is not inside `/srv/www`. */
function isInside(realPath: string, folder: string): boolean {
  if (realPath === folder) return true;
  return realPath.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Whether the file system says "nothing there for you", as opposed to "I cannot". */
export function isNotThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && NOT_THERE.has(String(error.code));
}

/** Nothing, where that is what the file system says. */
function nothingOr(error: unknown): null {
  if (isNotThere(error)) return null;
  // Many slow downloads can bring that about, so it is no failure of the handler
  if (isShortage(error)) throw new HttpError(503, "", { cause: error, headers: { "retry-after": "5" } });
  throw error;
}

/** Whether the system has none left of what it takes to open a file, be it said in its own words or in those of {@link Root}. */
export function isShortage(error: unknown): boolean {
  if (error instanceof HttpError) return isShortage(error.cause);
  return error instanceof Error && "code" in error && SHORTAGE.has(String(error.code));
}
