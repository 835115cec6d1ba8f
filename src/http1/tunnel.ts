/**
 * A connection after 101 (Switching Protocols; RFC 9110 §7.8): bytes both ways, HTTP no more.
 *
 * The bytes that had arrived behind the request head are delivered first. Nothing is interpreted; until somebody starts to
 * read, the peer waits.
 */

import type { ByteSink, ByteStream, ConnectionInfo, Transport } from "../http/exchange.ts";

/** The stream a handler gets; the connection forwards what its transport says. */
export class Tunnel implements ByteStream {
  readonly #transport: Transport;
  #sink: ByteSink | null = null;
  #early: Uint8Array | null;
  #isPaused = true;
  #hasEnded = false;
  #isEnded = false;
  #isClosed = false;
  #closeError: Error | null = null;
  /** The sink has heard that the connection is gone. */
  #isTold = false;

  /** @param early bytes that came behind the head, possibly none */
  constructor(transport: Transport, early: Uint8Array) {
    this.#transport = transport;
    this.#early = early.length > 0 ? early : null;
    transport.pause();
    // No deadline of HTTP runs any more
    transport.keepAlive?.();
  }

  get connection(): ConnectionInfo {
    return this.#transport.info;
  }

  start(sink: ByteSink): void {
    if (this.#sink !== null) throw new TypeError("this connection is being read already");
    this.#sink = sink;
    this.resume();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#transport.pause();
  }

  resume(): void {
    const sink = this.#sink;
    if (!this.#isPaused || sink === null || this.#isTold) return;
    this.#isPaused = false;
    const early = this.#early;
    this.#early = null;
    // Small ones stand in memory that is Node's for everybody; the reader may overwrite or transfer what it gets
    if (early !== null) sink.chunk(new Uint8Array(early));
    // The reader may have paused again at any of these
    if (!this.#isReading() || !this.#deliverEnd(sink)) return;
    if (this.#isClosed) this.#tellClose();
    else this.#transport.resume();
  }

  #isReading(): boolean {
    return !this.#isPaused;
  }

  /** Tells of the peer's end, if it has come. False: the reader has paused. */
  #deliverEnd(sink: ByteSink): boolean {
    if (this.#hasEnded) {
      this.#hasEnded = false;
      sink.end();
    }
    return !this.#isPaused;
  }

  write(bytes: Uint8Array): boolean {
    // Behind our own end there is nobody to tell
    return this.#isEnded || this.#isClosed || this.#transport.write(bytes);
  }

  end(): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    this.#transport.end();
  }

  destroy(): void {
    if (!this.#isClosed) this.#transport.destroy();
  }

  /** From the connection, whose carrier only lends the octets. */
  receive(lent: Uint8Array): void {
    const chunk = new Uint8Array(lent);
    if (this.#sink !== null && !this.#isPaused) return this.#sink.chunk(chunk);
    // What was on its way when we paused; the transport delivers at most one more chunk
    this.#early = this.#early === null ? chunk : Buffer.concat([this.#early, chunk]);
  }

  receiveEnd(): void {
    if (this.#sink !== null && !this.#isPaused) return this.#sink.end();
    this.#hasEnded = true;
  }

  writable(): void {
    this.#sink?.drain();
  }

  closed(error: Error | null): void {
    this.#isClosed = true;
    this.#closeError = error;
    // An orderly end is told behind what a paused reader has not heard yet
    if (error === null && this.#isPaused && (this.#early !== null || this.#hasEnded)) return;
    this.#tellClose();
  }

  /** The sink's last call: nothing comes behind it, whatever a reader that had paused asks for. */
  #tellClose(): void {
    if (this.#sink === null || this.#isTold) return;
    this.#isTold = true;
    this.#sink.close(this.#closeError);
  }
}
