/**
 * Buffers for file content on its way to sockets, in a few sizes, used again once a socket is done with them.
 *
 * What is out is counted: the more is out, the smaller the buffers that are handed out, so that ten thousand slow readers of
 * large files cost ten thousand small buffers. What lies idle is bounded, and dropped when the server has nothing to do.
 * It must never hand out a buffer that a socket may still read from.
 */

/** Sizes kept, ascending. A 1 MiB read costs as few calls as reading gets; the smallest is four pages. */
const SIZES: readonly number[] = [16 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024];

/** While less than this is out, any size is given: 32 transfers of two large buffers each. */
const AMPLE_BYTES = 64 * 1024 * 1024;
/** From here on only the smallest size is given. */
const SCARCE_BYTES = 128 * 1024 * 1024;
/** Kept for the next transfers, all sizes together. */
const MAX_IDLE_BYTES = 16 * 1024 * 1024;

/** The buffers of one server. */
export class BufferPool {
  readonly #free: Buffer[][] = SIZES.map(() => []);
  #idleBytes = 0;
  #outBytes = 0;

  /** Octets of the buffers that are in use. */
  get outBytes(): number {
    return this.#outBytes;
  }

  /** Octets of the buffers that wait to be used again. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** A buffer for `wantedBytes` of content, the next size up; smaller than wanted where that is much, or little is left to give. */
  take(wantedBytes: number): Buffer {
    let index = 0;
    const last = this.#largestIndex();
    while (index < last && (SIZES[index] as number) < wantedBytes) index++;
    const size = SIZES[index] as number;
    this.#outBytes += size;
    const free = this.#free[index]?.pop();
    if (free === undefined) return Buffer.allocUnsafeSlow(size);
    this.#idleBytes -= size;
    return free;
  }

  /** Takes back a buffer that nobody uses any more. */
  give(buffer: Buffer): void {
    this.#outBytes -= buffer.length;
    if (this.#idleBytes + buffer.length > MAX_IDLE_BYTES) return;
    this.#idleBytes += buffer.length;
    this.#free[SIZES.indexOf(buffer.length)]?.push(buffer);
  }

  /** Gives up a buffer that a destroyed socket may still hold; the garbage collector knows when it is free. */
  drop(buffer: Buffer): void {
    this.#outBytes -= buffer.length;
  }

  /** Lets go of all idle buffers. */
  clear(): void {
    for (const list of this.#free) list.length = 0;
    this.#idleBytes = 0;
  }

  #largestIndex(): number {
    if (this.#outBytes < AMPLE_BYTES) return SIZES.length - 1;
    return this.#outBytes < SCARCE_BYTES ? 1 : 0;
  }
}
