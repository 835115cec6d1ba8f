/**
 * Content of a request as a stream with backpressure.
 *
 * Inside it is no byte stream of the platform's: that would move the memory of every piece into a buffer object of its own,
 * which costs the collector as much as receiving the octets does. A reader with a buffer of its own (BYOB) gets one when it
 * asks. Nothing is read before somebody asks. It must never give away memory that others may look at.
 */

import type { ContentSink, ContentSource } from "../http/exchange.ts";
import { PieceIterator, type PieceSource, type PieceTaker } from "./piece-iterator.ts";

/** What a stream holds of content that nobody takes, before the peer has to wait, in octets. */
const STREAM_MARK_BYTES = 64 * 1024;
/** A piece costs some hundred octets besides its own. */
const MAX_UNREAD_PIECES = 256;

let contentStreamClass: ReturnType<typeof defineContentStream> | null = null;

/**
 * A stream over a content source. Reading starts with the first read, so that a peer which waits for 100 (Continue) gets it
 * then; the peer is made to wait while more than 64 KiB lie unread.
 */
export function streamOfSource(source: ContentSource): ReadableStream<Uint8Array> {
  contentStreamClass ??= defineContentStream();
  return new contentStreamClass(new SourceStream(source));
}

/** What feeds the stream. */
class SourceStream implements ContentSink, PieceSource {
  readonly #source: ContentSource;
  #controller: ReadableStreamDefaultController<Uint8Array> | null;
  /** Who gets the pieces in place of the stream. */
  #taker: PieceTaker | null;
  #isStarted: boolean;
  #isPaused: boolean;
  /** Since the reader asked last: tiny ones cost more memory than their octets say. */
  #pieces: number;
  #unreadBytes: number;

  constructor(source: ContentSource) {
    this.#source = source;
    this.#controller = null;
    this.#taker = null;
    this.#isStarted = false;
    this.#isPaused = false;
    this.#pieces = 0;
    this.#unreadBytes = 0;
  }

  /** Nobody has asked for anything yet. */
  get isUntouched(): boolean {
    return !this.#isStarted && this.#controller !== null;
  }

  /** What is asked for at this moment; what comes ahead of that nobody may ever take. */
  get isWaiting(): boolean {
    return this.#pieces === -1;
  }

  /** From the stream, when it is made. */
  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
  }

  /** Somebody waits, and nothing is there. */
  pull(): void {
    if (this.#taker === null) this.more();
  }

  /** From now on all pieces are somebody else's; the stream only hears of the end. */
  divert(taker: PieceTaker): void {
    this.#taker = taker;
  }

  more(): void {
    // The piece that comes next is taken at once
    this.#pieces = -1;
    this.#unreadBytes = 0;
    if (!this.#isStarted) {
      this.#isStarted = true;
      try {
        this.#source.start(this);
      } catch (error) {
        this.fail(error as Error);
      }
    } else if (this.#isPaused) {
      this.#isPaused = false;
      this.#source.resume();
    }
  }

  cancel(): void {
    this.#controller = null;
    this.#source.cancel();
  }

  chunk(bytes: Uint8Array): void {
    const controller = this.#controller;
    if (controller === null) return;
    // The reader may write to it, or transfer it
    const piece = this.#source.givesBuffers === true ? bytes : new Uint8Array(bytes);
    if (this.#taker === null) controller.enqueue(piece);
    else this.#taker.take(piece);
    if (++this.#pieces === 0) return;
    this.#unreadBytes += bytes.length;
    const isFull = this.#pieces >= MAX_UNREAD_PIECES || this.#unreadBytes >= STREAM_MARK_BYTES;
    if (!this.#isPaused && isFull) {
      this.#isPaused = true;
      this.#source.pause();
    }
  }

  end(): void {
    if (this.#taker === null) this.close();
    else this.#taker.finish();
  }

  close(): void {
    this.#controller?.close();
  }

  fail(reason: Error): void {
    this.#controller?.error(reason);
    this.#taker?.fail(reason);
  }
}

type Bytes = ReadableStream<Uint8Array>;
type ReaderOptions = Parameters<Bytes["getReader"]>[0];
type Reader = ReturnType<Bytes["getReader"]>;
type PipeOptions = Parameters<Bytes["pipeTo"]>[1];
type Iterator = ReturnType<Bytes["values"]>;

/**
 * The class of the stream itself. As soon as somebody reads with a buffer of its own, a byte stream stands in for it. Made when
 * the first stream is: to name the platform's class loads it, which a server that sends files alone has no use for.
 */
function defineContentStream(): new (source: SourceStream) => ReadableStream<Uint8Array> {
  return class ContentStream extends ReadableStream<Uint8Array> {
    readonly #source: SourceStream;
    #bytes: ReadableStream<Uint8Array> | null;

    constructor(source: SourceStream) {
      super(source, { highWaterMark: 0 });
      this.#source = source;
      this.#bytes = null;
    }

    override get locked(): boolean {
      return this.#bytes === null ? super.locked : this.#bytes.locked;
    }

    override cancel(reason?: unknown): Promise<void> {
      return this.#bytes === null ? super.cancel(reason) : this.#bytes.cancel(reason);
    }

    override getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
    override getReader(): ReadableStreamDefaultReader<Uint8Array>;
    override getReader(options?: ReaderOptions): Reader;
    override getReader(options?: ReaderOptions): Reader {
      if (this.#bytes === null) {
        if (options?.mode === undefined || String(options.mode) !== "byob") return super.getReader(options);
        this.#bytes = byteStreamOf(super.getReader());
      }
      return this.#bytes.getReader(options);
    }

    override pipeThrough<T>(
      pair: { readable: ReadableStream<T>; writable: WritableStream<Uint8Array> },
      options?: PipeOptions,
    ): ReadableStream<T> {
      return this.#bytes === null ? super.pipeThrough(pair, options) : this.#bytes.pipeThrough(pair, options);
    }

    override pipeTo(destination: WritableStream<Uint8Array>, options?: PipeOptions): Promise<void> {
      return this.#bytes === null ? super.pipeTo(destination, options) : this.#bytes.pipeTo(destination, options);
    }

    /** Both branches may write to what they get: the platform sees to that in byte streams (Streams, ReadableByteStreamTee). */
    override tee(): [ReadableStream<Uint8Array>, ReadableStream<Uint8Array>] {
      this.#bytes ??= byteStreamOf(super.getReader());
      return this.#bytes.tee();
    }

    override values(options?: { preventCancel?: boolean }): Iterator {
      if (this.#bytes !== null) return this.#bytes.values(options);
      // What is no plain wish for the usual, and what was begun otherwise, is the platform's
      const isUsual = (options ?? null) === null || (typeof options === "object" && !options.preventCancel);
      if (!isUsual || super.locked || !this.#source.isUntouched) return super.values(options);
      return new PieceIterator(this.#source, super.getReader()) as unknown as Iterator;
    }

    override [Symbol.asyncIterator](options?: { preventCancel?: boolean }): Iterator {
      return this.values(options);
    }
  };
}

/** A byte stream of copies of what a reader gives. */
function byteStreamOf(reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller): Promise<void> {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(new Uint8Array(value));
      try {
        controller.close();
        // Streams §4.7: a read into the reader's own buffer that waits is answered by zero octets
        controller.byobRequest?.respond(0);
      } catch {
        // Content that ends within an element of the reader's view: the stream is errored by that, and its reader told
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
