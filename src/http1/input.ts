/**
 * Octets that have arrived and are not consumed yet. The only owner of unparsed bytes.
 *
 * A chunk that arrives when nothing is left is used in place, as long as its carrier lends it; what is left then is copied,
 * and what comes behind it is joined to it in a buffer that doubles. Bytes already handed out are never overwritten. How much
 * may gather is the connection's affair: it pauses.
 */

import type { Transport } from "../http/exchange.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Who lends the octets. */
export type Lender = Pick<Transport, "giveChunk" | "giveNoMore">;

/** Input of one connection. */
export class Input {
  buffer: Buffer = NOTHING;
  /** Index of the first octet not consumed. */
  start = 0;
  /** Index behind the last octet that has arrived. */
  end = 0;
  /** The buffer is the carrier's, and something else may stand in it as soon as {@link settle} was called. */
  isLent = false;
  /** The buffer is ours and may have room behind `end`. */
  #isOwned = false;

  readonly #lender: Lender | null;

  constructor(lender: Lender | null = null) {
    this.#lender = lender;
  }

  get length(): number {
    return this.end - this.start;
  }

  add(chunk: Uint8Array): void {
    const length = this.end - this.start;
    if (length === 0) {
      // Sockets give Buffers; a plain array is seen through one
      this.buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      this.start = 0;
      this.end = chunk.length;
      this.isLent = true;
      this.#isOwned = false;
      return;
    }
    if (!this.#isOwned || this.buffer.length - this.end < chunk.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(512, 2 * (length + chunk.length)));
      this.buffer.copy(grown, 0, this.start, this.end);
      this.buffer = grown;
      this.start = 0;
      this.end = length;
      this.isLent = false;
      this.#isOwned = true;
    }
    this.buffer.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** Keeps what is lent, in place, if its carrier agrees. */
  take(): boolean {
    if (this.isLent && this.#lender?.giveChunk?.() === true) this.isLent = false;
    return !this.isLent;
  }

  /** Nothing of what comes next is to be kept. */
  takeNoMore(): void {
    this.#lender?.giveNoMore?.();
  }

  /** Moves what is left to other memory: what it stands in was given away, or is taken back. */
  moveOut(): void {
    if (this.start === this.end) return this.clear();
    this.buffer = Buffer.from(this.buffer.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.isLent = false;
    this.#isOwned = false;
  }

  /** Keeps nothing of what was lent, and no memory once all is consumed. Not from inside of a decoder, which still reads there. */
  settle(): void {
    if (this.isLent || this.start === this.end) this.moveOut();
  }

  /** Forgets all that is left, and its memory. */
  clear(): void {
    this.buffer = NOTHING;
    this.start = 0;
    this.end = 0;
    this.isLent = false;
  }

  /** Takes all that is left. */
  takeAll(): Uint8Array {
    this.settle();
    const rest = this.buffer.subarray(this.start, this.end);
    this.clear();
    return rest;
  }
}
