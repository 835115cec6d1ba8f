/**
 * A transport in memory: what a connection does to its socket, recorded, and a peer's end for the test to play.
 *
 * It behaves as a socket does where a wire can tell the difference: nothing is delivered while paused, events never come
 * from inside a call of the wire, `closed` follows `destroy` and the end of both sides, a queue above its mark makes
 * `write` return false until the test drains it. Misuse (a write after the end, a second end) is collected in
 * {@link MemoryTransport.violations}, which tests compare with an empty list.
 */

import { readSync } from "node:fs";
import type { ConnectionInfo, FileSlice, ProtocolConnection, Transport } from "../../src/http/exchange.ts";

/** A plain connection over loopback. */
export const LOOPBACK: ConnectionInfo = {
  id: 1,
  remoteAddress: { address: "127.0.0.1", port: 50_000, family: "IPv4" },
  localAddress: { address: "127.0.0.1", port: 8080, family: "IPv4" },
  isEncrypted: false,
  alpnProtocol: "http/1.1",
  serverName: null,
};

/** Allowed nowhere in a head, and easy to see in content: "¿". */
const TAKEN_BACK = 0xbf;

/** What the peer did, in order, until the wire can take it. */
type Inbound = Uint8Array | "fin";

/** Records the wire's side, plays the peer's. */
export class MemoryTransport implements Transport {
  readonly info: ConnectionInfo;
  /** Calls of write and writeAll, each as one piece. */
  readonly writes: Buffer[] = [];
  /** What a socket would have thrown or warned at. */
  readonly violations: string[] = [];
  isPaused = false;
  isEnded = false;
  isDestroyed = false;
  /** The peer was shown that it was no proper end. */
  isAborted = false;
  /** True once `closed` was called. */
  isClosed = false;
  isFlushRequested = false;
  flushRequests = 0;
  /** Octets above which `write` returns false; a peer of a transport without a mark takes everything at once. */
  highWaterBytes: number;
  queuedBytes = 0;
  takenBytes = 0;

  #connection: ProtocolConnection | null = null;
  readonly #inbound: Inbound[] = [];
  readonly #sent: Array<() => void> = [];
  #isPeerEnded = false;
  #isPumping = false;
  #closeReason: Error | null = null;

  constructor(options: { info?: ConnectionInfo; highWaterBytes?: number } = {}) {
    this.info = options.info ?? LOOPBACK;
    this.highWaterBytes = options.highWaterBytes ?? Infinity;
  }

  /** Names the connection that lives on this transport. */
  attach(connection: ProtocolConnection): void {
    this.#connection = connection;
  }

  // The wire's side

  write(data: string | Uint8Array): boolean {
    return this.writeAll([data]);
  }

  writeAll(parts: ReadonlyArray<string | Uint8Array>): boolean {
    if (this.isEnded) this.violations.push("write after end");
    if (this.isClosed) this.violations.push("write after closed");
    const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? latin1(part, this.violations) : part)));
    // A socket ignores writes after destroy; a wire has no reason for them
    if (this.isDestroyed) this.violations.push("write after destroy");
    else this.#queue(bytes);
    return this.queuedBytes < this.highWaterBytes;
  }

  sendFile(
    slice: FileSlice,
    done: (error: Error | null) => void,
    onTaken: ((bytes: number) => void) | null = null,
  ): void {
    if (this.isEnded || this.isDestroyed) this.violations.push("sendFile after the end");
    const bytes = Buffer.alloc(slice.length);
    let filled = 0;
    while (filled < slice.length) {
      const count = readSync(slice.fd, bytes, filled, slice.length - filled, slice.start + filled);
      if (count === 0) break;
      filled += count;
    }
    slice.release();
    this.#queue(bytes.subarray(0, filled));
    const error = filled < slice.length ? new Error("the file is shorter than promised") : null;
    this.#sent.push(() => {
      onTaken?.(filled);
      done(error);
    });
  }

  requestFlush(): void {
    this.flushRequests++;
    this.isFlushRequested = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(isLast: boolean = false): void {
    if (this.isEnded) this.violations.push("second end");
    this.isEnded = true;
    if (isLast && this.queuedBytes === 0) this.isDestroyed = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  abort(): void {
    this.isDestroyed = true;
    this.isAborted = true;
  }

  // The peer's side

  /** The peer sends `bytes`: one chunk, delivered by {@link pump}. */
  send(bytes: Uint8Array): void {
    this.#inbound.push(bytes);
  }

  /** The peer ends its side. */
  sendEnd(): void {
    this.#inbound.push("fin");
  }

  /** The connection breaks, now. */
  reset(error: Error): void {
    this.#closeReason = error;
    this.isDestroyed = true;
    this.#inbound.length = 0;
    this.pump();
  }

  /** The peer has read everything that is queued. */
  drain(): void {
    const wasFull = this.queuedBytes >= this.highWaterBytes;
    this.takenBytes += this.queuedBytes;
    this.queuedBytes = 0;
    this.#finishFiles();
    // As of sockets: a stream that is ending has no 'drain'
    if (wasFull && !this.isEnded && !this.isDestroyed && !this.isClosed) this.#connection?.writable();
    this.pump();
  }

  /** Delivers chunks while the wire takes them, then what follows from it: flushes asked for, files sent, the close. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#deliverOne()) {
      // Each turn delivers one event, as an event loop does
    }
    this.#isPumping = false;
  }

  /** Whether something waits for the wire to resume. */
  get hasInbound(): boolean {
    return this.#inbound.length > 0;
  }

  /** All octets written so far. */
  get output(): Buffer {
    return Buffer.concat(this.writes);
  }

  #deliverOne(): boolean {
    const connection = this.#connection;
    if (connection === null || this.isClosed) return false;
    // Our side has ended once what was queued is taken
    if (this.isDestroyed || (this.isEnded && this.#isPeerEnded && this.queuedBytes === 0)) {
      this.isClosed = true;
      connection.closed(this.#closeReason);
      this.#finishFiles();
      return false;
    }
    if (this.isFlushRequested) {
      this.isFlushRequested = false;
      connection.flush();
      return true;
    }
    if (this.#finishFiles()) return true;
    const next = this.isPaused ? undefined : this.#inbound.shift();
    if (next === undefined) return false;
    if (next === "fin") {
      this.#isPeerEnded = true;
      connection.receiveEnd();
    } else receiveLent(connection, next);
    return true;
  }

  /** A file counts as sent when the queue is below its mark. */
  #finishFiles(): boolean {
    if (this.#sent.length === 0 || (this.queuedBytes >= this.highWaterBytes && !this.isDestroyed)) return false;
    for (const done of this.#sent.splice(0)) done();
    return true;
  }

  #queue(bytes: Buffer): void {
    if (bytes.length === 0) this.violations.push("empty write");
    this.writes.push(bytes);
    if (this.highWaterBytes === Infinity) this.takenBytes += bytes.length;
    else this.queuedBytes += bytes.length;
  }
}

/** Lends octets for the time of the call, as the contract says: afterwards something else stands in their memory. */
export function receiveLent(connection: ProtocolConnection, bytes: Uint8Array): void {
  const lent = Buffer.allocUnsafeSlow(bytes.length);
  lent.set(bytes);
  connection.receive(lent);
  lent.fill(TAKEN_BACK);
}

function latin1(text: string, violations: string[]): Buffer {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      violations.push(`text outside latin1 at ${i}`);
      break;
    }
  }
  return Buffer.from(text, "latin1");
}
