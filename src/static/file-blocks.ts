/**
 * Blocks of a file that is too large to be kept whole: what small ranges of it are answered with from memory, without a way
 * through the thread pool for each.
 *
 * A block is read when it has been asked for twice, so that who jumps about in a large file makes nobody read 32 times what he
 * wants. It belongs to the open file, which is the version: octets are kept only if nobody has written to the file until
 * they were read, so parts of several blocks are of one version. Bounded in octets; the file cache counts them among its own.
 */

/** What is read at once. A part of 4 KiB lies in one block 31 times of 32. */
export const BLOCK_BYTES: number = 128 * 1024;
/** Larger parts are read for themselves: the bench's 64 KB costs as much either way. */
const MAX_PART_BYTES = 64 * 1024;
/** Blocks of one file that are being read. */
const MAX_READING = 2;
/** Blocks that were asked for once, remembered. */
const MAX_NOTED = 256;

/** An open file as its blocks need it. */
export interface BlockSource {
  readonly sizeBytes: number;
  acquire(): void;
  release(): void;
  isUntouched(): boolean;
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
}

/** The blocks of one version. */
export class FileBlocks {
  /** Called when {@link bytes} has changed. */
  onGrown: (() => void) | null;
  readonly #source: BlockSource;
  readonly #most: number;
  /** By number; the one used last at the end. */
  #blocks: Map<number, Buffer>;
  /** Asked for once. */
  readonly #noted: Set<number>;
  readonly #reading: Set<number>;
  #bytes: number;

  /** @param maxBytes octets of all blocks; at least one block is kept */
  constructor(source: BlockSource, maxBytes: number) {
    this.onGrown = null;
    this.#source = source;
    this.#most = Math.max(1, Math.floor(maxBytes / BLOCK_BYTES));
    this.#blocks = new Map();
    this.#noted = new Set();
    this.#reading = new Set();
    this.#bytes = 0;
  }

  /** Octets that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A part, if it is small and in memory; else null, and what is asked for again is read meanwhile. */
  part(start: number, length: number): Buffer | null {
    if (length > MAX_PART_BYTES) return null;
    const first = Math.floor(start / BLOCK_BYTES);
    const last = Math.floor((start + length - 1) / BLOCK_BYTES);
    const head = this.#take(first);
    const tail = last === first ? head : this.#take(last);
    if (head === null || tail === null) return null;
    const offset = start - first * BLOCK_BYTES;
    if (last === first) return head.subarray(offset, offset + length);
    return Buffer.concat([head.subarray(offset), tail.subarray(0, offset + length - BLOCK_BYTES)], length);
  }

  /** Takes over the blocks of the same version of the same file, which was opened anew. */
  adopt(before: FileBlocks): void {
    this.#blocks = new Map(before.#blocks);
    this.#bytes = before.#bytes;
  }

  #take(number: number): Buffer | null {
    const block = this.#blocks.get(number);
    if (block === undefined) {
      this.#missed(number);
      return null;
    }
    if (this.#blocks.size === this.#most) {
      this.#blocks.delete(number);
      this.#blocks.set(number, block);
    }
    return block;
  }

  #missed(number: number): void {
    if (this.#reading.has(number)) return;
    if (!this.#noted.has(number)) {
      if (this.#noted.size >= MAX_NOTED) this.#noted.clear();
      this.#noted.add(number);
    } else if (this.#reading.size < MAX_READING) {
      this.#noted.delete(number);
      this.#reading.add(number);
      const forget = (): void => {
        this.#reading.delete(number);
      };
      // Who asked has an answer on another way; a file that cannot be read fails there
      void this.#read(number).then(forget, forget);
    }
  }

  async #read(number: number): Promise<void> {
    const source = this.#source;
    const position = number * BLOCK_BYTES;
    const length = Math.min(BLOCK_BYTES, source.sizeBytes - position);
    // Not from the shared pool: it would be kept alive by a neighbour
    const block = Buffer.allocUnsafeSlow(length);
    source.acquire();
    try {
      for (let at = 0; at < length;) {
        const count = await source.read(block, at, length - at, position + at);
        if (count === 0) return;
        at += count;
      }
      // After the reading: what was written before it would be another version
      if (source.isUntouched()) this.#keep(number, block);
    } finally {
      source.release();
    }
  }

  #keep(number: number, block: Buffer): void {
    if (this.#blocks.has(number)) return;
    for (const [oldest, { length }] of this.#blocks) {
      if (this.#blocks.size < this.#most) break;
      this.#blocks.delete(oldest);
      this.#bytes -= length;
    }
    this.#blocks.set(number, block);
    this.#bytes += block.length;
    this.onGrown?.();
  }
}
