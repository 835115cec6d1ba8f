/**
 * Content that comes piece by piece, in a content coding: pulled no faster than its reader takes it, and held back no longer
 * than a blink.
 *
 * A coder says little before it has seen much; so what it was given is flushed once the source pauses, or has gone on for
 * {@link MAX_HELD_MS}, and behind each event of an event stream. When the reader leaves, the source is cancelled at once
 * and the coder's memory is given back. It must never hold more than one piece of the source and what became of it.
 */

import { letGo } from "../http/let-go.ts";
import type { TimeSource } from "../web/clock.ts";
import { type ContentCoding, type Effort, StreamCoder } from "./content-coder.ts";

/** How long octets may be in the coder, in milliseconds: less than people notice, and long enough for a source that only yields. */
const MAX_HELD_MS = 20;
/** The most that is coded at once, so that a large piece neither waits whole nor is there twice. */
const SLICE_BYTES: number = 64 * 1024;

/** What content can come from. */
export type StreamContent = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

type Step = { readonly done?: boolean | undefined; readonly value?: unknown };
type Result = IteratorResult<Uint8Array, undefined>;

const END: Result = Object.freeze({ done: true, value: undefined });
const HELD = Symbol("held");

/** One stream, once. */
export class CodedStream implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #coder: StreamCoder;
  readonly #isOfEvents: boolean;
  readonly #time: TimeSource;
  readonly #read: () => Promise<Step>;
  readonly #cancel: () => Promise<unknown> | undefined;
  /** A read of the source that was not waited for to the end. */
  #reading: Promise<Step> | null;
  /** Octets of a piece that are not coded yet. */
  #rest: Uint8Array | null;
  /** When the first octet went in that may not have come out; NaN for none. */
  #heldSinceMs: number;
  #isEnded: boolean;
  #isOver: boolean;

  constructor(source: StreamContent, coding: ContentCoding, effort: Effort, isOfEvents: boolean, time: TimeSource) {
    if (source instanceof ReadableStream) {
      const reader = source.getReader();
      this.#read = () => reader.read();
      this.#cancel = () => reader.cancel();
    } else {
      const iterator = source[Symbol.asyncIterator]();
      this.#read = () => iterator.next() as Promise<Step>;
      this.#cancel = () => {
        letGo(source);
        return iterator.return?.();
      };
    }
    this.#coder = new StreamCoder(coding, effort, isOfEvents);
    this.#isOfEvents = isOfEvents;
    this.#time = time;
    this.#reading = null;
    this.#rest = null;
    this.#heldSinceMs = NaN;
    this.#isEnded = false;
    this.#isOver = false;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Result> {
    try {
      for (;;) {
        const bytes = this.#isOver ? undefined : this.#coder.take();
        if (bytes !== undefined) return { done: false, value: bytes };
        if (this.#isOver || this.#isEnded) return this.#end();
        await this.#advance();
      }
    } catch (error) {
      if (this.#isOver) return END;
      this.#close();
      throw error;
    }
  }

  /** The reader wants no more: acts at once, even while a read is waiting. */
  return(): Promise<Result> {
    if (!this.#isOver) this.#close();
    return Promise.resolve(END);
  }

  #end(): Result {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#coder.destroy();
    }
    return END;
  }

  #close(): void {
    this.#isOver = true;
    this.#coder.destroy();
    try {
      // Its complaints about that interest nobody
      this.#cancel()?.catch(ignore);
    } catch {
      // Nor do those that it has at once
    }
  }

  /** One thing: a slice into the coder, a flush, or the end. */
  async #advance(): Promise<void> {
    if (this.#rest === null) {
      this.#reading ??= this.#read();
      const step = await this.#stepOrPause(this.#reading);
      if (this.#isOver) return;
      if (step === HELD) return this.#flush();
      this.#reading = null;
      if (step.done === true) {
        this.#isEnded = true;
        return this.#coder.finish();
      }
      this.#rest = bytesOf(step.value);
    }
    const slice = this.#rest.subarray(0, SLICE_BYTES);
    this.#rest = slice.length === this.#rest.length ? null : this.#rest.subarray(SLICE_BYTES);
    if (slice.length === 0) return;
    await this.#coder.write(slice);
    // Each write of an event stream is flushed by the coder itself
    if (!this.#isOfEvents && Number.isNaN(this.#heldSinceMs)) this.#heldSinceMs = this.#time.elapsedMs();
  }

  async #flush(): Promise<void> {
    this.#heldSinceMs = NaN;
    await this.#coder.flush();
  }

  /** The source's next step, or {@link HELD} when what the coder has must not wait for it any longer. */
  #stepOrPause(reading: Promise<Step>): Promise<Step | typeof HELD> {
    if (Number.isNaN(this.#heldSinceMs)) return reading;
    const leftMs = this.#heldSinceMs + MAX_HELD_MS - this.#time.elapsedMs();
    if (leftMs <= 0) return Promise.resolve(HELD);
    return new Promise((resolve, reject) => {
      const stop = this.#time.after(leftMs, () => resolve(HELD));
      reading.then(
        (step) => {
          stop();
          resolve(step);
        },
        (error: unknown) => {
          stop();
          reject(error instanceof Error ? error : new Error("the source failed", { cause: error }));
        },
      );
    });
  }
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`a stream must give Uint8Array, not ${value === null ? "null" : typeof value}`);
}

function ignore(): void {}
