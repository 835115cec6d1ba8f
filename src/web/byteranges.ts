/**
 * Content of several parts with their frame, read part by part as the peer takes it: multipart/byteranges (RFC 9110 §14.6).
 *
 * The frame comes from http/range.ts, the octets of a part from whoever has them. A part that is longer or shorter than it
 * said breaks the content off, so that no octet is taken for one of another part. What was opened is let go once, whatever
 * becomes of the content, and never while a read is under way.
 */

import { HandlerError } from "../http/errors.ts";
import type { Byteranges, ByteRange } from "../http/range.ts";

/** Where the octets of parts come from. */
export interface PartSource {
  /** The octets of one part. Asked for when its turn comes. */
  read(range: ByteRange): AsyncIterable<Uint8Array>;
  /** Asked before the end is sent: whether all octets were of one version. */
  isIntact(): boolean;
  /** Called once. */
  release(): void;
}

/** Frames parts. Holds `source` from now on. */
export function joinByteranges(
  plan: Byteranges,
  ranges: readonly ByteRange[],
  source: PartSource,
): AsyncIterable<Uint8Array> {
  return new FramedParts(plan, ranges, source);
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

class FramedParts implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #plan: Byteranges;
  readonly #ranges: readonly ByteRange[];
  readonly #source: PartSource;
  #index = 0;
  #part: AsyncIterator<Uint8Array> | null = null;
  /** Octets of the part that are still to come. */
  #left = 0;
  #isOver = false;
  #isReading = false;
  #isReleased = false;

  constructor(plan: Byteranges, ranges: readonly ByteRange[], source: PartSource) {
    this.#plan = plan;
    this.#ranges = ranges;
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isOver) return DONE;
    this.#isReading = true;
    try {
      return await this.#step();
    } catch (error) {
      this.#close();
      throw error;
    } finally {
      this.#isReading = false;
      if (this.#isOver) this.#release();
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#close();
    if (!this.#isReading) this.#release();
    return Promise.resolve(DONE);
  }

  async #step(): Promise<IteratorResult<Uint8Array>> {
    while (this.#part !== null) {
      const step: IteratorResult<Uint8Array, unknown> = await this.#part.next();
      if (this.#isOver) return DONE;
      if (step.done === true) {
        if (this.#left > 0) throw new Error("a part ended short of what was promised");
        this.#part = null;
        this.#index++;
      } else {
        this.#left -= step.value.length;
        if (this.#left < 0) throw new Error("a part is longer than what was promised");
        if (step.value.length > 0) return step;
      }
    }
    const range = this.#ranges[this.#index];
    if (range !== undefined) {
      this.#part = this.#source.read(range)[Symbol.asyncIterator]();
      this.#left = range.length;
      return { done: false, value: Buffer.from(this.#plan.heads[this.#index] as string, "latin1") };
    }
    // Before the last octets leave: without them the peer knows that what it has is not whole
    if (!this.#source.isIntact()) throw new HandlerError("ERR_FILE_CHANGED", "it was written to");
    this.#isOver = true;
    return { done: false, value: Buffer.from(this.#plan.tail, "latin1") };
  }

  #close(): void {
    this.#isOver = true;
    const part = this.#part;
    this.#part = null;
    part?.return?.().catch(() => {});
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#source.release();
  }
}
