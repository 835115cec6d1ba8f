/**
 * `fileResponse()`: one file of the handler's choosing as a response, with validators, ranges and backpressure.
 *
 * The file is opened before anything is said of it, and what is sent is that very file: size and time are those of the open
 * descriptor, and where it is written to while it is sent the response is broken off. A path is taken as it is: it must never
 * be made of what a client said (path traversal); that is what `serveStatic()` is for.
 */

import { constants, fstatSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { HttpError } from "../http/errors.ts";
import type { FileSlice } from "../http/exchange.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import type { Response } from "../web/response.ts";
import { ranged, type RangedOptions } from "./ranged.ts";

/** What there is to say of a file. */
export interface FileResponseOptions extends RangedOptions {
  /** Entity tag, default one of size and time. `""` for none. */
  readonly etag?: string | undefined;
  /** Default when the file was changed last. */
  readonly lastModified?: Date | number | undefined;
}

/** A part of an open file, and what is known of the file. */
export interface OpenedFile {
  /** The whole file as a body, for `new Response()` or `ranged()`. Whoever sends it closes the file by that. */
  readonly slice: FileSlice;
  readonly sizeBytes: number;
  /** Milliseconds since 1970, with fractions. */
  readonly mtimeMs: number;
  /** Made of size and time. Weak where the file was changed within the last two seconds: it may be again, unnoticed. */
  readonly etag: string;
}

/** How long after a change another one may have the same time, on file systems with coarse clocks. */
const UNSETTLED_MS = 2000;
/** Errors that mean: there is no such file for us. */
const NOT_THERE: ReadonlySet<unknown> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENAMETOOLONG",
  "ENXIO",
]);

/**
 * Answers with a file: 200, 206, 304, 412 or 416.
 *
 * @param file a path, a file: URL, or a handle, which stays the caller's to close, once the response was sent
 * @param options `type` is not guessed from the name: default `application/octet-stream`
 * @returns rejects with HttpError 404 where there is no file that may be read, and with TypeError for wrong options
 */
export async function fileResponse(
  request: globalThis.Request,
  file: string | URL | FileHandle,
  options: FileResponseOptions = {},
): Promise<Response> {
  const { slice, mtimeMs, etag } = await openFile(file, (options.time ?? SYSTEM_TIME).nowMs());
  const tag = options.etag ?? etag;
  const { etag: _etag, ...rest } = options;
  return ranged(request, slice, { lastModified: mtimeMs, ...rest, ...(tag === "" ? {} : { etag: tag }) });
}

/**
 * Opens a file to be sent.
 *
 * @param file a path, a file: URL, or a handle that stays open until its owner closes it
 * @param nowMs milliseconds since 1970, default now
 * @returns rejects with HttpError 404 where there is no file that may be read: also for folders, devices and pipes
 */
export async function openFile(
  file: string | URL | FileHandle,
  nowMs: number = SYSTEM_TIME.nowMs(),
): Promise<OpenedFile> {
  const isPath = typeof file === "string" || file instanceof URL;
  const handle = isPath ? await openPath(file) : file;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw missing();
    const { size, mtimeMs, ctimeMs } = stats;
    // A time that was set by hand may be that of other content too: then the time at which that was done tells them apart
    const set = Math.abs(ctimeMs - mtimeMs) > UNSETTLED_MS ? `.${Math.round(ctimeMs * 1000).toString(36)}` : "";
    const tag = `"${Math.round(mtimeMs * 1000).toString(36)}-${size.toString(36)}${set}"`;
    const etag = nowMs - mtimeMs < UNSETTLED_MS ? `W/${tag}` : tag;
    return { slice: new HandleSlice(handle, size, mtimeMs, isPath), sizeBytes: size, mtimeMs, etag };
  } catch (error) {
    if (isPath) await handle.close();
    throw error;
  }
}

async function openPath(file: string | URL): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK the opening of a pipe waits for its other end
    return await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code)) throw missing(error);
    throw error;
  }
}

/** Alike for what is not there and what must not be read, and without the path. */
function missing(cause?: unknown): HttpError {
  return new HttpError(404, "there is nothing here", { cause });
}

/** A whole open file. Holds the handle, which the garbage collector would close. */
class HandleSlice implements FileSlice {
  readonly fd: number;
  readonly start: number = 0;
  readonly length: number;
  readonly #handle: FileHandle;
  readonly #mtimeMs: number;
  readonly #isOwned: boolean;
  #isReleased = false;

  constructor(handle: FileHandle, length: number, mtimeMs: number, isOwned: boolean) {
    this.fd = handle.fd;
    this.length = length;
    this.#handle = handle;
    this.#mtimeMs = mtimeMs;
    this.#isOwned = isOwned;
  }

  isIntact(): boolean {
    if (this.#isReleased) return false;
    const { size, mtimeMs } = fstatSync(this.fd);
    return size === this.length && mtimeMs === this.#mtimeMs;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // What closing could fail with concerns nobody: the file was only read
    if (this.#isOwned) this.#handle.close().catch(() => {});
  }
}
