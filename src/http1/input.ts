/**
 * Octets that have arrived and are not consumed yet. The only owner of unparsed bytes.
 *
 * A chunk that arrives when nothing is left is used in place; only a head or a line cut in two is copied, into a buffer that
 * doubles. Bytes already handed out are never overwritten. How much may gather is the connection's affair: it pauses.
 */

const NOTHING: Buffer = Buffer.alloc(0);

/** Input of one connection. */
export class Input {
  buffer: Buffer = NOTHING;
  /** Index of the first octet not consumed. */
  start = 0;
  /** Index behind the last octet that has arrived. */
  end = 0;
  /** The buffer is ours and may have room behind `end`. */
  #isOwned = false;

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
      this.#isOwned = false;
      return;
    }
    if (!this.#isOwned || this.buffer.length - this.end < chunk.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(512, 2 * (length + chunk.length)));
      this.buffer.copy(grown, 0, this.start, this.end);
      this.buffer = grown;
      this.start = 0;
      this.end = length;
      this.#isOwned = true;
    }
    this.buffer.set(chunk, this.end);
    this.end += chunk.length;
  }

  /** Moves what is left to other memory: what it stands in was given away. */
  moveOut(): void {
    if (this.start === this.end) return;
    this.buffer = Buffer.from(this.buffer.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.#isOwned = false;
  }

  /** Lets go of the memory once all is consumed. */
  trim(): void {
    if (this.start !== this.end) return;
    this.buffer = NOTHING;
    this.start = 0;
    this.end = 0;
  }

  /** Takes all that is left. */
  takeAll(): Uint8Array {
    const rest = this.buffer.subarray(this.start, this.end);
    this.start = this.end;
    this.trim();
    return rest;
  }
}
