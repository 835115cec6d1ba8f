/**
 * Names below the roots -> what stands there: a file with its precompressed siblings, a folder, a redirect, or nothing.
 *
 * The order for `/about`: the file, its clean URL, a folder (redirected to its slash); for `/about/`: the folder's index, the
 * folder, a page whose clean URL is without slash. Roots are asked one after the other. It looks only, with stat: files are
 * opened and verified by who loads them (load.ts, contain.ts); a folder is verified here, because nobody opens it.
 */

import type { Wanted } from "./cached-file.ts";
import { cleanUrlNames, cleanUrlPath } from "./clean-url.ts";
import { CODINGS, SIBLING_EXTENSIONS } from "./coding.ts";
import { isPacked } from "./compress.ts";
import type { Root, Seen } from "./contain.ts";
import type { Trace } from "./explain.ts";
import type { SeenFile } from "./load.ts";
import { mediaTypeOf } from "./mime.ts";
import { encodePath } from "./rules-text.ts";
import type { StaticSettings } from "./static-options.ts";

/** A file. */
export interface LocatedFile extends SeenFile {
  readonly kind: "file";
}

/** A folder without index, inside its root. */
export interface LocatedFolder {
  readonly kind: "folder";
  readonly root: Root;
  readonly path: string;
}

/** To be asked for at another path. */
export interface LocatedRedirect {
  readonly kind: "redirect";
  /** Without query. */
  readonly location: string;
}

export type Located = LocatedFile | LocatedFolder | LocatedRedirect;

/** Looks for things. */
export class Locator {
  readonly #settings: StaticSettings;

  constructor(settings: StaticSettings) {
    this.#settings = settings;
  }

  /** Looks for something. @throws as {@link Root.find} */
  async locate(wanted: Wanted, trace: Trace | null): Promise<Located | null> {
    for (const root of this.#settings.roots) {
      const located =
        wanted.isExact || !wanted.isFolderPath
          ? await this.#asFile(root, wanted, trace)
          : await this.#asFolder(root, wanted, trace);
      if (located !== null) return located;
      trace?.note("find", "nothing", `${root.path} has nothing for ${JSON.stringify(wanted.names.join("/"))}`);
    }
    return null;
  }

  /** A path without slash. */
  async #asFile(root: Root, wanted: Wanted, trace: Trace | null): Promise<Located | null> {
    const { names, isExact } = wanted;
    const seen = await root.look(names);
    if (seen?.kind === "file") return this.#found(root, seen, names, trace);
    if (isExact) return null;
    const page = await this.#cleanPage(root, names);
    if (page !== null) {
      trace?.note("find", "clean URL", "option cleanUrls: no file has the name itself");
      return this.#found(root, page, cleanUrlNames(names) ?? names, trace);
    }
    if (seen === null || !(await root.holds(seen))) return null;
    trace?.note("find", "folder", `${seen.path} is a folder, and is asked for with a slash`);
    return { kind: "redirect", location: this.#settings.mount.base + encodePath({ names, isFolderPath: true }) };
  }

  /** A path with a slash. */
  async #asFolder(root: Root, { names }: Wanted, trace: Trace | null): Promise<Located | null> {
    const { index, mount } = this.#settings;
    if (index !== "") {
      const indexNames = [...names, index];
      const seen = await root.look(indexNames);
      if (seen?.kind === "file") return this.#found(root, seen, indexNames, trace);
    }
    const folder = await root.look(names);
    if (folder?.kind === "folder" && (await root.holds(folder))) {
      trace?.note("find", "folder", `${folder.path} has no ${index === "" ? "index" : index}`);
      return { kind: "folder", root, path: folder.path };
    }
    if (folder !== null || (await this.#cleanPage(root, names)) === null) return null;
    trace?.note("find", "clean URL", "option cleanUrls: the page is at the path without slash");
    return { kind: "redirect", location: cleanUrlPath(names, mount.base) };
  }

  async #cleanPage(root: Root, names: readonly string[]): Promise<Seen | null> {
    const pageNames = this.#settings.hasCleanUrls ? cleanUrlNames(names) : null;
    if (pageNames === null) return null;
    const page = await root.look(pageNames);
    return page?.kind === "file" ? page : null;
  }

  async #found(root: Root, file: Seen, names: readonly string[], trace: Trace | null): Promise<LocatedFile> {
    trace?.note("find", "file", file.path);
    const { hasPrecompressed, mediaTypes } = this.#settings;
    if (!hasPrecompressed || isPacked(mediaTypeOf(file.name, mediaTypes))) {
      return { kind: "file", root, file, siblings: NO_SIBLINGS };
    }
    const siblings = await Promise.all(CODINGS.map((coding) => lookForSibling(root, file, names, coding)));
    return { kind: "file", root, file, siblings: [null, ...siblings] };
  }
}

const NO_SIBLINGS: readonly (Seen | null)[] = [null, null, null, null];

/** A precompressed sibling that is not older than the file: an older one is of a version before. */
async function lookForSibling(root: Root, file: Seen, names: readonly string[], coding: number): Promise<Seen | null> {
  const name = file.name + (SIBLING_EXTENSIONS[coding] as string);
  const seen = await root.look([...names.slice(0, -1), name]);
  if (seen?.kind !== "file") return null;
  // By the second: archives and copies keep no more of a time
  return Math.floor(seen.stats.mtimeMs / 1000) >= Math.floor(file.stats.mtimeMs / 1000) ? seen : null;
}
