/**
 * Tunnel: a connection after its upgrade as a pair of web streams (WinterTC Fetch Server API, "The Tunnel interface").
 *
 * Each direction ends by itself; when both have ended, or the connection is gone, `closed` settles. Backpressure goes both
 * ways: unread bytes make the peer wait, a slow peer makes writes wait. It must never interpret a byte.
 */

import { ProtocolError } from "../http/errors.ts";
import type { ByteStream } from "../http/exchange.ts";

/** Unread octets before the peer has to wait. */
const READ_MARK_BYTES = 64 * 1024;

/** Both directions of an upgraded connection. Fits wherever a `ReadableWritablePair` does. */
export interface Tunnel {
  /** What the peer sends, beginning with what had arrived behind the head; ends when the peer ends its side. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the peer gets; closing it ends our side. */
  readonly writable: WritableStream<Uint8Array>;
  /** Fulfilled when both sides have ended, rejected when the connection broke or was destroyed before. */
  readonly closed: Promise<void>;
  /** Ends our side after what is written; the peer may still send. */
  close(): void;
  /** Drops the connection now. */
  destroy(error?: Error): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A tunnel over a byte stream, which nobody else may have started. */
export function tunnelOf(stream: ByteStream): Tunnel {
  return new StreamTunnel(stream);
}

class StreamTunnel implements Tunnel {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly closed: Promise<void>;
  readonly #stream: ByteStream;
  #input: ReadableStreamDefaultController<Uint8Array> | null;
  #output: WritableStreamDefaultController | null;
  #isPaused: boolean;
  #hasEnded: boolean;
  /** Both sides are through or the connection is gone. */
  #isClosed: boolean;
  #drained: (() => void) | null;
  #settle: (error: Error | null) => void;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#input = null;
    this.#output = null;
    this.#isPaused = false;
    this.#hasEnded = false;
    this.#isClosed = false;
    this.#drained = null;
    this.#settle = ignore;
    this.closed = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === null ? resolve() : reject(error));
    });
    // Who does not look at `closed` sees the same error on the streams
    this.closed.catch(ignore);
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#input = controller;
        },
        pull: () => this.#resume(),
        cancel: (reason) => this.destroy(toError(reason, "the tunnel was cancelled")),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: READ_MARK_BYTES }),
    );
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#output = controller;
      },
      write: (bytes) => this.#write(bytes),
      close: () => this.#endOutput(),
      abort: (reason) => this.destroy(toError(reason, "the tunnel was aborted")),
    });
    stream.start({
      chunk: (bytes) => this.#chunk(bytes),
      end: () => this.#endInput(),
      drain: () => this.#drain(),
      close: (error) => this.#fail(error ?? new ProtocolError("ERR_CLOSED_BY_PEER")),
    });
  }

  close(): void {
    if (this.#output === null) return;
    // A writer that holds the lock ends its stream itself; then there is nothing to close here but the connection's side
    if (this.writable.locked) this.#endOutput();
    else this.writable.close().catch(ignore);
  }

  destroy(error?: Error): void {
    if (this.#isClosed) return;
    this.#fail(error ?? new Error("the tunnel was destroyed"));
    this.#stream.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.closed;
  }

  #chunk(bytes: Uint8Array): void {
    const input = this.#input;
    if (input === null) return;
    input.enqueue(bytes);
    if ((input.desiredSize ?? 0) > 0 || this.#isPaused) return;
    this.#isPaused = true;
    this.#stream.pause();
  }

  #endInput(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#input?.close();
    this.#input = null;
    this.#settleIfThrough();
  }

  #drain(): void {
    const drained = this.#drained;
    this.#drained = null;
    drained?.();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#stream.resume();
  }

  #write(bytes: unknown): void | Promise<void> {
    if (this.#output === null) throw new TypeError("our side of the tunnel has ended");
    if (!(bytes instanceof Uint8Array)) throw new TypeError("a tunnel takes Uint8Array chunks");
    if (bytes.length === 0 || this.#stream.write(bytes)) return;
    return new Promise((resolve) => (this.#drained = resolve));
  }

  #endOutput(): void {
    if (this.#output === null) return;
    this.#output = null;
    this.#stream.end();
    this.#settleIfThrough();
  }

  #settleIfThrough(): void {
    if (this.#isClosed || !this.#hasEnded || this.#output !== null) return;
    this.#isClosed = true;
    this.#settle(null);
  }

  #fail(error: Error): void {
    // Our end may have come before what was written last had left
    if (this.#isClosed) return this.#drain();
    this.#isClosed = true;
    this.#input?.error(error);
    this.#output?.error(error);
    this.#input = null;
    this.#output = null;
    this.#drain();
    this.#settle(error);
  }
}

function ignore(): void {}

function toError(reason: unknown, message: string): Error {
  return reason instanceof Error ? reason : new Error(message, { cause: reason });
}
