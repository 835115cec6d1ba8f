/**
 * An open file that several responses share, and the parts of it that they send.
 *
 * The descriptor is the version: a file that is replaced or deleted lives on under it until the last response is done. One
 * that is written to in its place does not, so each part can tell whether its octets belong together. The file is closed when
 * the last holder lets go of it, once; it must never be closed while a read may be under way.
 */

import { fstatSync } from "node:fs";
import type { Stats } from "node:fs";
import type { FileSlice } from "../http/exchange.ts";
import { closeFile } from "./contain.ts";
import type { Descriptor } from "./descriptor.ts";
import { BLOCK_BYTES, FileBlocks } from "./file-blocks.ts";

/** A verified file with its holders. Made with one. */
export class OpenFile {
  readonly fd: number;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** What is in memory of it; null where nothing may be. */
  readonly blocks: FileBlocks | null;
  /** Held, because one that nobody holds is closed. */
  readonly #handle: Descriptor;
  readonly #ctimeMs: number;
  #holders: number;

  /** @param maxBlockBytes octets of it that may be kept in memory */
  constructor(handle: Descriptor, stats: Stats, maxBlockBytes: number) {
    this.fd = handle.fd;
    this.sizeBytes = stats.size;
    this.mtimeMs = stats.mtimeMs;
    this.blocks = maxBlockBytes >= BLOCK_BYTES ? new FileBlocks(this, maxBlockBytes) : null;
    this.#handle = handle;
    this.#ctimeMs = stats.ctimeMs;
    this.#holders = 1;
  }

  /** False once it is closed. */
  get isOpen(): boolean {
    return this.#holders > 0;
  }

  acquire(): void {
    if (this.#holders === 0) throw new Error("the file is closed");
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    // Closing twice would close a descriptor that meanwhile is somebody else's
    if (this.#holders === 0) closeFile(this.#handle);
  }

  /** Whether nobody has written to it since it was opened. */
  isIntact(): boolean {
    if (this.#holders === 0) return false;
    const { size, mtimeMs } = fstatSync(this.fd);
    return size === this.sizeBytes && mtimeMs === this.mtimeMs;
  }

  /** The same, and nobody has put its time back since: stricter than a response need be, which a mere renaming must not break. */
  isUntouched(): boolean {
    if (this.#holders === 0) return false;
    const { size, mtimeMs, ctimeMs } = fstatSync(this.fd);
    return size === this.sizeBytes && mtimeMs === this.mtimeMs && ctimeMs === this.#ctimeMs;
  }

  /** A part to send, which holds the file until it is released. */
  part(start: number, length: number): FileSlice {
    this.acquire();
    return new OpenFilePart(this, start, length);
  }

  /** Reads by position. The caller holds the file. @returns octets read, 0 at the end */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.#handle.read(target, offset, length, position);
  }
}

class OpenFilePart implements FileSlice {
  readonly fd: number;
  readonly start: number;
  readonly length: number;
  readonly #file: OpenFile;
  #isReleased: boolean;

  constructor(file: OpenFile, start: number, length: number) {
    this.fd = file.fd;
    this.start = start;
    this.length = length;
    this.#file = file;
    this.#isReleased = false;
  }

  isIntact(): boolean {
    return this.#file.isIntact();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#file.release();
  }
}
