/**
 * Names below the roots -> what stands there: a file with its precompressed siblings, a folder, a redirect, or nothing.
 *
 * The order for `/about`: the file, its clean URL, a folder (redirected to its slash); for `/about/`: the folder's index, the
 * folder, a page whose clean URL is without slash. Several roots are one above the other: each trial goes through all of them
 * before the next one, so that a folder in the first hides no index in the second. It looks only, with stat: files are opened
 * and verified by who loads them (load.ts, contain.ts); a folder is verified here, and again by who reads it.
 */

import type { Wanted } from "./cached-file.ts";
import { cleanUrlNames, cleanUrlPath } from "./clean-url.ts";
import { CODINGS, SIBLING_EXTENSIONS } from "./coding.ts";
import { isPacked } from "./compress.ts";
import type { Root, Seen } from "./contain.ts";
import type { Trace } from "./explain.ts";
import type { ListedFolder } from "./listing-entries.ts";
import { isSiblingOf } from "./load.ts";
import type { SeenFile } from "./load.ts";
import { mediaTypeOf } from "./mime.ts";
import { encodePath } from "./rules-text.ts";
import type { StaticSettings } from "./static-options.ts";

/** A file. */
export interface LocatedFile extends SeenFile {
  readonly kind: "file";
}

/** A folder without index: as many as there are roots that have it. */
export interface LocatedFolder {
  readonly kind: "folder";
  /** At least one; what is called the same in two of them is that of the first. */
  readonly parts: readonly ListedFolder[];
}

/** To be asked for at another path. */
export interface LocatedRedirect {
  readonly kind: "redirect";
  /** Without query. */
  readonly location: string;
}

export type Located = LocatedFile | LocatedFolder | LocatedRedirect;

/** Something in one of the roots. */
interface Standing {
  readonly root: Root;
  readonly seen: Seen;
}

/** Looks for things. */
export class Locator {
  readonly #settings: StaticSettings;

  constructor(settings: StaticSettings) {
    this.#settings = settings;
  }

  /** Looks for something. @throws as {@link Root.find} */
  async locate(wanted: Wanted, trace: Trace | null): Promise<Located | null> {
    const located = await (wanted.isExact || !wanted.isFolderPath
      ? this.#asFile(wanted, trace)
      : this.#asFolder(wanted, trace));
    if (located === null && trace !== null) {
      if (await this.#isHidden(wanted.names)) trace.note("find", "hidden", "option hide");
      else await this.#noteClosed(wanted.names, trace);
      const paths = this.#settings.roots.map(({ path }) => path).join(" and ");
      trace.note("find", "nothing", `nothing for ${JSON.stringify(wanted.names.join("/"))} in ${paths}`);
    }
    return located;
  }

  /** For the operator alone. */
  async #isHidden(names: readonly string[]): Promise<boolean> {
    const { hidden, roots } = this.#settings;
    if (hidden.has(names)) return true;
    for (const root of roots) if (await root.isOwn(names)) return true;
    return false;
  }

  async #noteClosed(names: readonly string[], trace: Trace): Promise<void> {
    for (const root of this.#settings.roots) {
      const folder = await root.closedFolder(names);
      if (folder !== null) trace.note("find", "closed", `${folder} cannot be entered by the user that runs this`);
    }
  }

  /** A path without slash. */
  async #asFile({ names, isExact }: Wanted, trace: Trace | null): Promise<Located | null> {
    const { roots, mount } = this.#settings;
    const folders: Standing[] = [];
    for (const root of roots) {
      const seen = await this.#look(root, names);
      if (seen?.kind === "file") return this.#found(root, seen, names, trace);
      if (seen !== null) folders.push({ root, seen });
    }
    if (isExact) return null;
    const page = await this.#cleanPage(names);
    if (page !== null) {
      trace?.note("find", "clean URL", "option cleanUrls: no file has the name itself");
      return this.#found(page.root, page.seen, cleanUrlNames(names) ?? names, trace);
    }
    for (const { root, seen } of folders) {
      if (!(await root.holds(seen))) continue;
      trace?.note("find", "folder", `${seen.path} is a folder, and is asked for with a slash`);
      return { kind: "redirect", location: mount.base + encodePath({ names, isFolderPath: true }) };
    }
    return null;
  }

  /** A path with a slash. */
  async #asFolder({ names }: Wanted, trace: Trace | null): Promise<Located | null> {
    const { roots, index, mount } = this.#settings;
    const indexNames = [...names, index];
    for (const root of index === "" ? [] : roots) {
      const seen = await this.#look(root, indexNames);
      if (seen?.kind === "file") return this.#found(root, seen, indexNames, trace);
    }
    const parts: ListedFolder[] = [];
    let isTaken = false;
    for (const root of roots) {
      const seen = await this.#look(root, names);
      isTaken ||= seen !== null;
      if (seen?.kind !== "folder" || !(await root.holds(seen))) continue;
      trace?.note("find", "folder", `${seen.path} has no ${index === "" ? "index" : index}`);
      parts.push({ root, path: seen.path, identity: seen.stats });
    }
    if (parts.length > 0) return { kind: "folder", parts };
    if (isTaken || (await this.#cleanPage(names)) === null) return null;
    trace?.note("find", "clean URL", "option cleanUrls: the page is at the path without slash");
    return { kind: "redirect", location: cleanUrlPath(names, mount.base) };
  }

  async #cleanPage(names: readonly string[]): Promise<Standing | null> {
    const pageNames = this.#settings.hasCleanUrls ? cleanUrlNames(names) : null;
    if (pageNames === null) return null;
    for (const root of this.#settings.roots) {
      const seen = await this.#look(root, pageNames);
      if (seen?.kind === "file") return { root, seen };
    }
    return null;
  }

  async #found(root: Root, file: Seen, names: readonly string[], trace: Trace | null): Promise<LocatedFile> {
    trace?.note("find", "file", file.path);
    const { hasPrecompressed, mediaTypes } = this.#settings;
    if (!hasPrecompressed || isPacked(mediaTypeOf(file.name, mediaTypes))) {
      return { kind: "file", root, file, siblings: NO_SIBLINGS };
    }
    const siblings = await Promise.all(CODINGS.map((coding) => this.#lookForSibling(root, file, names, coding)));
    if (trace !== null) {
      for (const seen of siblings)
        if (seen !== null) trace.note("find", "sibling", `${seen.path} (option precompressed)`);
    }
    return { kind: "file", root, file, siblings: [null, ...siblings] };
  }

  /** A precompressed sibling of what is there now. */
  async #lookForSibling(root: Root, file: Seen, names: readonly string[], coding: number): Promise<Seen | null> {
    const name = file.name + (SIBLING_EXTENSIONS[coding] as string);
    const seen = await this.#look(root, [...names.slice(0, -1), name]);
    return seen?.kind === "file" && isSiblingOf(file.stats, seen.stats) ? seen : null;
  }

  /** The one way to the disk, so that what is hidden is under no name. */
  #look(root: Root, names: readonly string[]): Promise<Seen | null> {
    return this.#settings.hidden.has(names) ? NOTHING : root.look(names);
  }
}

const NOTHING: Promise<null> = Promise.resolve(null);

const NO_SIBLINGS: readonly (Seen | null)[] = [null, null, null, null];
