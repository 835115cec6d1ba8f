/**
 * A file that was seen -> a version with its representations, whole and of one moment.
 *
 * Steps: open and verify; wait until the file's time is past; read what is small and compare the file's marks before and
 * after; the same for precompressed siblings. A file that is written to all the time is served from its descriptor, and
 * a response that spans a change breaks off. It must never keep what it has not proven to be one version.
 */

import type { Stats } from "node:fs";
import type { FileMark, Wanted } from "./cached-file.ts";
import { CachedFile, isSameVersion } from "./cached-file.ts";
import type { TimeSource } from "../web/clock.ts";
import { isCompressible } from "../http/content-coding.ts";
import type { Coding } from "./coding.ts";
import { CODINGS } from "./coding.ts";
import { canCompress, compress, MAX_COMPRESS_BYTES, MIN_COMPRESS_BYTES } from "./compress.ts";
import { closeFile } from "./contain.ts";
import type { FoundFile, Root, Seen } from "./contain.ts";
import { OpenFile } from "./open-file.ts";
import { COARSEST_TICK_MS, type Version, versionOf } from "./entity-tag.ts";
import type { Body, Description } from "./representation.ts";
import { Representation } from "./representation.ts";

/**
 * Content up to this is kept in memory: one write instead of reads through the thread pool. The bench's 1 MB file costs 0.8
 * of nginx's CPU so; larger ones gain nothing and would crowd out others.
 */
const MAX_BODY_BYTES: number = 1024 * 1024;

/** File systems stamp with the kernel's tick, 1 to 10 ms: what was written within it may be written again under the same time. */
const TICK_MS = 12;
/** Looks while a tick passes; a file that is written to without end is served as it is. */
const MAX_LOOKS = 400;

/** Something seen together with its precompressed siblings. */
export interface SeenFile {
  readonly root: Root;
  readonly file: Seen;
  /** By coding; null where there is none. */
  readonly siblings: readonly (Seen | null)[];
}

/** Content with what the system has said of it. */
interface Settled {
  readonly body: Body;
  readonly stats: Stats;
}

/** Makes versions. */
export class Loader {
  readonly #time: TimeSource;
  readonly #maxBodyBytes: number;
  readonly #maxBlockBytes: number;
  readonly #maxCompressBytes: number;
  readonly #compresses: boolean;

  /** @param maxCacheBytes no file takes more than a quarter of it */
  constructor(time: TimeSource, maxCacheBytes: number, compresses: boolean) {
    this.#time = time;
    this.#maxBodyBytes = Math.min(MAX_BODY_BYTES, maxCacheBytes / 4);
    this.#maxBlockBytes = maxCacheBytes / 4;
    this.#maxCompressBytes = Math.min(MAX_COMPRESS_BYTES, maxCacheBytes / 4);
    this.#compresses = compresses;
  }

  /**
   * Loads a version.
   *
   * @param describe what its responses say
   * @param before the version that was there, to be told apart from
   * @returns null if it is gone, or not inside its root
   */
  async load(
    wanted: Wanted,
    seen: SeenFile,
    describe: (isNegotiated: boolean) => Description,
    before: CachedFile | null,
  ): Promise<CachedFile | null> {
    const startedMs = this.#time.nowMs();
    const found = await seen.root.open(seen.file);
    if (found === null) return null;
    const { body, stats } = await this.#settle(found);
    const opened: Body[] = [body];
    try {
      return await this.#assemble(wanted, seen, describe, before, { body, stats, startedMs, opened });
    } catch (error) {
      // Whoever describes is not ours, and a sibling may take the last descriptor
      opened.forEach(letGo);
      throw error;
    }
  }

  async #assemble(
    wanted: Wanted,
    seen: SeenFile,
    describe: (isNegotiated: boolean) => Description,
    before: CachedFile | null,
    { body, stats, startedMs, opened }: Settled & { readonly startedMs: number; readonly opened: Body[] },
  ): Promise<CachedFile> {
    const mark: FileMark = { path: seen.file.path, stats };
    const mayCompress = this.#mayCompress(describe(false).mediaType, stats.size);
    const description = describe(mayCompress || seen.siblings.some((sibling) => sibling !== null));
    const version = versionFrom(mark, body, startedMs, before?.mark ?? null, before?.identity ?? null);
    // What was compressed of the same version need not be again
    const isSame = before !== null && before.isSettled && isSameVersion(before.mark, mark);
    const known = isSame ? before?.identity.file?.blocks : null;
    if (known !== null && known !== undefined && !(body instanceof Uint8Array)) body.blocks?.adopt(known);
    const slots: (Representation | null | undefined)[] = [null];
    for (const coding of CODINGS) {
      const sibling = seen.siblings[coding] ?? null;
      const loaded =
        sibling === null
          ? null
          : await this.#loadSibling(seen.root, stats, sibling, coding, description, before, opened);
      const made = isSame ? before?.madeCoding(coding) : undefined;
      slots[coding] = loaded ?? (mayCompress && canCompress(coding) ? made : null);
    }
    const identity = new Representation(0, version, body, description, this.#time.nowMs());
    const isSettled = startedMs - stats.mtimeMs > COARSEST_TICK_MS;
    return new CachedFile(wanted, mark, version, description, identity, seen.siblings, slots, startedMs, isSettled);
  }

  /** Makes a coding of a version; null if it would not be worthwhile. */
  async code(file: CachedFile, coding: Coding): Promise<Representation | null> {
    const { bytes, file: opened } = file.identity;
    const content = bytes ?? (opened === null ? null : await readHeld(opened));
    const packed = content === null ? null : await compress(content, coding);
    return packed === null
      ? null
      : new Representation(coding, file.version, packed, file.description, this.#time.nowMs());
  }

  #mayCompress(mediaType: string, sizeBytes: number): boolean {
    if (!this.#compresses || sizeBytes < MIN_COMPRESS_BYTES || sizeBytes > this.#maxCompressBytes) return false;
    return isCompressible(mediaType);
  }

  /** Null if it is not, or not any more, of this version: another may stand there since it was seen. */
  async #loadSibling(
    root: Root,
    file: Stats,
    seen: Seen,
    coding: Coding,
    description: Description,
    before: CachedFile | null,
    opened: Body[],
  ): Promise<Representation | null> {
    const found = await root.open(seen);
    if (found === null) return null;
    const { body, stats } = await this.#settle(found);
    if (!isSiblingOf(file, stats)) {
      letGo(body);
      return null;
    }
    opened.push(body);
    const marked: FileMark = { path: seen.path, stats };
    const markBefore = before?.siblings[coding] ?? null;
    const version = versionFrom(marked, body, this.#time.nowMs(), markBefore, before?.sibling(coding) ?? null);
    return new Representation(coding, version, body, description, this.#time.nowMs());
  }

  /** Content of one moment. Takes over the handle. */
  async #settle({ handle, stats }: FoundFile): Promise<Settled> {
    let known = stats;
    let isKept = false;
    try {
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        const ageMs = this.#time.nowMs() - known.mtimeMs;
        if (ageMs >= 0 && ageMs < TICK_MS) {
          known = await handle.stat();
          continue;
        }
        if (known.size > this.#maxBodyBytes) break;
        const bytes = await readBytes(
          (target, offset, length, position) => handle.read(target, offset, length, position),
          known.size,
        );
        const after = await handle.stat();
        const isWhole = bytes !== null && after.size === known.size && after.mtimeMs === known.mtimeMs;
        known = after;
        if (isWhole) return { body: bytes, stats: known };
      }
      isKept = true;
      return { body: new OpenFile(handle, known, this.#maxBlockBytes), stats: known };
    } finally {
      if (!isKept) closeFile(handle);
    }
  }
}

/**
 * Whether a precompressed file is of the version beside it: an older one is of a version before. Nor may it be empty: no coding
 * of anything is, so somebody is just writing it.
 */
export function isSiblingOf(file: Stats, sibling: Stats): boolean {
  // By the second: archives and copies keep no more of a time
  return sibling.size > 0 && Math.floor(sibling.mtimeMs / 1000) >= Math.floor(file.mtimeMs / 1000);
}

/** The same size and time with other content: changed within the file system's resolution. */
function versionFrom(
  mark: FileMark,
  body: Body,
  seenMs: number,
  markBefore: FileMark | null,
  before: Representation | null,
): Version {
  const { size: sizeBytes, mtimeMs } = mark.stats;
  const bytes = body instanceof Uint8Array ? body : null;
  let isTwin = false;
  if (markBefore !== null && before?.version.mtimeMs === mtimeMs && before.version.sizeBytes === sizeBytes) {
    const isSame =
      bytes !== null && before.bytes !== null ? bytes.equals(before.bytes) : isSameVersion(markBefore, mark);
    if (isSame) return before.version;
    isTwin = true;
  }
  return versionOf(mark.stats, bytes, seenMs - mtimeMs, isTwin);
}

function letGo(body: Body): void {
  if (!(body instanceof Uint8Array)) body.release();
}

type Read = (target: Uint8Array, offset: number, length: number, position: number) => Promise<number>;

/** All of a file; null if there is less. */
async function readBytes(read: Read, sizeBytes: number): Promise<Buffer | null> {
  // Not from the shared pool: it would be kept alive by a neighbour
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  for (let at = 0; at < sizeBytes;) {
    const count = await read(bytes, at, sizeBytes - at, at);
    if (count === 0) return null;
    at += count;
  }
  return bytes;
}

/** All of an open file, if it is intact. */
async function readHeld(file: OpenFile): Promise<Buffer | null> {
  if (!file.isOpen) return null;
  file.acquire();
  try {
    const bytes = await readBytes(
      (target, offset, length, position) => file.read(target, offset, length, position),
      file.sizeBytes,
    );
    return bytes !== null && file.isIntact() ? bytes : null;
  } finally {
    file.release();
  }
}
