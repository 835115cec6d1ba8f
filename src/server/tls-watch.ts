/**
 * Notices when the files of certificates change, and asks for them to be loaded again.
 *
 * Two ways, because each misses something: the system's notices come at once, but not from every file system, and end when a
 * folder is moved; a look at the files every minute always works. Folders are watched, not files: tools put a new file in the
 * place of the old one, or turn a link (certbot, Kubernetes). A change is acted on when things have been quiet for a moment,
 * since certificate and key are two files. It must never keep the process alive.
 */

import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname, resolve } from "node:path";
import type { TimeSource } from "./clock.ts";

/** Quiet for so long: both files are there. */
export const QUIET_MS = 500;
/** Between two looks at the files. */
export const LOOK_MS = 60_000;

/** Watches some files. */
export class CertificateWatch {
  readonly #files: readonly string[];
  readonly #time: TimeSource;
  readonly #onChange: () => boolean;
  readonly #watchers: FSWatcher[] = [];
  readonly #stopLooking: () => void;
  #cancelWaiting: (() => void) | null = null;
  /** What was taken up last; null if that has failed. */
  #seen: string | null;
  #isStopped = false;

  /**
   * @param loaded the {@link factsOf} the files from before they were loaded: what has changed since then is told too
   * @param onChange called when one of the files has changed and nothing has for {@link QUIET_MS}. False: it was not taken up,
   *   and is told again at the next look, as what could not be read (no descriptors were left) may be readable then
   */
  constructor(files: readonly string[], loaded: string, time: TimeSource, onChange: () => boolean) {
    this.#files = files.map((file) => resolve(file));
    this.#time = time;
    this.#onChange = onChange;
    this.#seen = loaded;
    for (const folder of new Set(this.#files.map((file) => dirname(file)))) this.#watchFolder(folder);
    this.#stopLooking = time.every(LOOK_MS, () => this.#look());
    if (factsOf(this.#files) !== loaded) this.#waitForQuiet();
  }

  /** Ends it. */
  stop(): void {
    this.#isStopped = true;
    this.#stopLooking();
    this.#cancelWaiting?.();
    for (const watcher of this.#watchers) watcher.close();
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#waitForQuiet());
      // The folder has gone, or the system has no more watches: looking goes on
      watcher.on("error", () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // The same
    }
  }

  #waitForQuiet(): void {
    if (this.#isStopped) return;
    this.#cancelWaiting?.();
    this.#cancelWaiting = this.#time.after(QUIET_MS, () => this.#look(), false);
  }

  /** Compares what identifies each file's content with the last time. */
  #look(): void {
    const seen = factsOf(this.#files);
    if (this.#isStopped || seen === this.#seen) return;
    this.#seen = this.#onChange() ? seen : null;
  }
}

/** What identifies the content of each. They are a few, and are read at once as well. */
export function factsOf(files: readonly string[]): string {
  return files.map((file) => factsOfOne(resolve(file))).join("\n");
}

/** `""` for a file that is not there now. */
function factsOfOne(file: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
    return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
  } catch {
    return "";
  }
}
