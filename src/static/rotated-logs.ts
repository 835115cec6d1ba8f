/**
 * What logs have become: files beside a log that are called as it is and have a number or a date behind that, packed or not.
 *
 * `access.log.1`, `access.log.2.gz`, `access.log-20261122`: what rotates logs moves and packs them under such names, and what was
 * in the log is in them. The folder of a log is read again only when it has changed. It must never throw.
 */

import type { Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { opendir, stat } from "./descriptor.ts";

/** Behind the log's name: a number or a date, and what it was packed with. */
const ROTATED = /^[.-]\d[\dT:._-]*(?:\.?(?:gz|xz|bz2|zst|br))?$/;
/** Entries that the system is asked for at a time. */
const READ_BATCH = 256;
/** A folder that was changed within the coarsest tick of a file system may be changed again without showing it. */
const COARSEST_TICK_MS = 2000;

/** What there was beside one log. */
interface Reading {
  /** Of the folder; `""` for one that must be read again. */
  readonly version: string;
  readonly siblings: readonly Stats[];
}

/** The logs of one server. */
export class RotatedLogs {
  readonly #readings: Map<string, Reading> = new Map();
  readonly #paths: readonly string[];

  /** @param paths absolute, of logs; there need be nothing yet */
  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** All that there are. @param nowMs milliseconds since 1970 */
  async find(nowMs: number): Promise<readonly Stats[]> {
    const each = this.#paths.map((path) =>
      // Where there are no descriptors left, what was known is no less a log
      this.#beside(path, nowMs).catch(() => this.#readings.get(path)?.siblings ?? []),
    );
    return (await Promise.all(each)).flat();
  }

  async #beside(path: string, nowMs: number): Promise<readonly Stats[]> {
    const folder = dirname(path);
    const seen = await stat(folder).catch(() => null);
    if (seen === null) return [];
    const { dev, ino, mtimeMs, ctimeMs } = seen;
    const version = `${dev} ${ino} ${mtimeMs} ${ctimeMs}`;
    const known = this.#readings.get(path);
    if (known?.version === version) return known.siblings;
    const name = basename(path);
    const siblings: Stats[] = [];
    // The iterator closes the folder however the loop ends
    for await (const entry of await opendir(folder, READ_BATCH)) {
      if (!entry.name.startsWith(name) || !ROTATED.test(entry.name.slice(name.length))) continue;
      const stats = await stat(join(folder, entry.name)).catch(() => null);
      if (stats !== null) siblings.push(stats);
    }
    const isSettled = Math.abs(nowMs - Math.max(mtimeMs, ctimeMs)) > COARSEST_TICK_MS;
    this.#readings.set(path, { version: isSettled ? version : "", siblings });
    return siblings;
  }
}
