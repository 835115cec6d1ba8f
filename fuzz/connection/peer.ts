/**
 * The peer of a script and the socket between: a transport in memory whose other end reads and writes as the script says.
 *
 * It does what the server's socket does where a wire can tell the difference: nothing is delivered while paused, nothing comes
 * from inside a call of the wire, what is written behind a file waits for it, `writable` comes when all is taken that was queued,
 * never behind our own end; `closed` comes once, last. Beside that it counts, and collects what no wire may do. It must never
 * throw at the wire, nor read a real clock.
 */

import { readSync } from "node:fs";
import type { ConnectionInfo, FileSlice, ProtocolConnection, Transport } from "../../src/http/exchange.ts";
import { ProtocolError } from "../../src/http/errors.ts";
import { LOOPBACK, receiveLent } from "../../test/support/memory-transport.ts";
import type { Script } from "./script.ts";

/** What waits for the peer to take it: so many octets, of a file or not. */
interface Queued {
  bytes: number;
  readonly file: FileUnderWay | null;
}

interface FileUnderWay {
  readonly done: (error: Error | null) => void;
  readonly onTaken: ((bytes: number) => void) | null;
  readonly failure: Error | null;
}

/** Both ends of a connection's transport. */
export class Peer implements Transport {
  readonly info: ConnectionInfo;
  /** What the wire must not do, in words. */
  readonly faults: string[] = [];
  /** The wire has paused. */
  isPaused = false;
  /** Our side has ended, behind what is queued. */
  isEnded = false;
  isDestroyed = false;
  /** The peer saw that it was no proper end. */
  isAborted = false;
  /** The peer has gone of its own will, and knows. */
  hasReset = false;
  /** `closed` was called. */
  isClosed = false;
  queuedBytes = 0;
  takenBytes = 0;
  /** Octets of the peer that were given to the wire. */
  deliveredBytes = 0;
  /** The most octets that were queued at any time. */
  mostQueuedBytes = 0;
  readonly #markBytes: number;
  readonly #flushesLate: boolean;
  readonly #output: Buffer[] = [];
  readonly #queue: Queued[] = [];
  readonly #inbound: Array<Uint8Array | "fin"> = [];
  #connection: ProtocolConnection | null = null;
  #isPeerEnded = false;
  /** Our end would be taken for that of a message. */
  #isEndMeant = false;
  #isFlushWanted = false;
  #isWritableDue = false;
  #isInside = false;
  #closeReason: Error | null = null;

  constructor({ markBytes, flushesLate, isEncrypted }: Script) {
    this.info = isEncrypted ? { ...LOOPBACK, isEncrypted } : LOOPBACK;
    this.#markBytes = markBytes;
    this.#flushesLate = flushesLate;
  }

  attach(connection: ProtocolConnection): void {
    this.#connection = connection;
  }

  /** All octets that were written, whether the peer has taken them or not. */
  get output(): Buffer {
    return Buffer.concat(this.#output);
  }

  /** Whether {@link turn} has something to do. */
  get isDue(): boolean {
    if (this.isClosed) return false;
    return this.isDestroyed || this.#isFlushWanted || this.#hasInbound();
  }

  /** Whether the peer has something to read. */
  get isTakeable(): boolean {
    return this.queuedBytes > 0 && !this.isDestroyed && !this.isClosed;
  }

  get hasPeerEnded(): boolean {
    return this.#isPeerEnded;
  }

  // The wire's side

  write(data: string | Uint8Array): boolean {
    return this.writeAll([data]);
  }

  writeAll(parts: ReadonlyArray<string | Uint8Array>): boolean {
    if (this.isEnded) this.faults.push("writes behind its own end");
    if (this.isClosed) this.faults.push("writes to a connection that is closed");
    if (this.isDestroyed || this.isEnded) return false;
    for (const part of parts) {
      if (part.length === 0) this.faults.push("writes nothing");
      const bytes = typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part);
      if (typeof part === "string" && bytes.toString("latin1") !== part) this.faults.push("writes text outside latin1");
      this.#output.push(bytes);
      this.#queue.push({ bytes: bytes.length, file: null });
      this.#count(bytes.length);
    }
    const isBelowMark = this.queuedBytes < this.#markBytes && !this.#hasFile();
    if (!isBelowMark) this.#isWritableDue = true;
    return isBelowMark;
  }

  sendFile(
    slice: FileSlice,
    done: (error: Error | null) => void,
    onTaken: ((bytes: number) => void) | null = null,
  ): void {
    if (this.isEnded || this.isDestroyed || this.isClosed) this.faults.push("sends a file behind the end");
    if (this.#hasFile()) this.faults.push("sends two files at once");
    const bytes = Buffer.alloc(slice.length);
    let filled = 0;
    while (filled < slice.length) {
      const count = readSync(slice.fd, bytes, filled, slice.length - filled, slice.start + filled);
      if (count === 0) break;
      filled += count;
    }
    const isIntact = filled === slice.length && slice.isIntact?.() !== false;
    if (!isIntact && filled > 0 && filled === slice.length) filled--;
    slice.release();
    this.#output.push(bytes.subarray(0, filled));
    const failure = isIntact ? null : new Error("the file is not what it was");
    this.#queue.push({ bytes: filled, file: { done, onTaken, failure } });
    this.#isWritableDue = true;
    this.#count(filled);
  }

  requestFlush(): void {
    this.#isFlushWanted = true;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(isLast: boolean = false): void {
    if (this.isEnded) this.faults.push("ends twice");
    this.isEnded = true;
    if (isLast && this.queuedBytes === 0) this.isDestroyed = true;
  }

  delimitByEnd(): void {
    this.#isEndMeant = true;
  }

  destroy(): void {
    if (this.queuedBytes > 0 || (this.#isEndMeant && !this.isEnded)) this.isAborted = true;
    this.isDestroyed = true;
  }

  abort(): void {
    this.isDestroyed = true;
    this.isAborted = true;
  }

  // The peer's side

  send(bytes: Uint8Array): void {
    this.#inbound.push(bytes);
  }

  sendEnd(): void {
    this.#inbound.push("fin");
  }

  /** The peer resets the connection. */
  reset(): void {
    this.hasReset = true;
    this.#break(new Error("ECONNRESET"));
  }

  /** The server cuts the connection off. */
  cut(): void {
    this.destroy();
    this.#break(new ProtocolError("ERR_SHUTDOWN"));
  }

  #break(reason: Error): void {
    this.#closeReason ??= reason;
    this.isDestroyed = true;
    this.#inbound.length = 0;
  }

  /** The peer reads up to `bytes` octets of what is queued. */
  take(bytes: number): void {
    let left = bytes;
    for (let first = this.#queue[0]; first !== undefined && !this.isDestroyed; first = this.#queue[0]) {
      const part = Math.min(left, first.bytes);
      if (part === 0 && first.bytes > 0) break;
      first.bytes -= part;
      left -= part;
      this.queuedBytes -= part;
      this.takenBytes += part;
      if (first.file !== null && part > 0) first.file.onTaken?.(part);
      if (first.bytes > 0) break;
      this.#queue.shift();
      const { file } = first;
      // The pump is through first, then who waits for it hears
      if (file !== null) this.#call(() => file.done(file.failure));
    }
    if (this.queuedBytes > 0 || this.#queue.length > 0 || !this.#isWritableDue) return;
    this.#isWritableDue = false;
    // As of sockets: a stream that is ending has no 'drain'
    if (!this.isEnded && !this.isDestroyed && !this.isClosed) this.#call((connection) => connection.writable());
  }

  /** A deadline of the wire has passed. */
  expire(): void {
    this.#call((connection) => connection.expire());
  }

  /** One event of the loop. False: nothing is due. */
  turn(): boolean {
    if (this.isClosed) return false;
    // Our side has ended once what was queued is taken
    if (this.isDestroyed || (this.isEnded && this.#isPeerEnded && this.queuedBytes === 0)) {
      this.#close();
      return true;
    }
    if (this.#isFlushWanted && !(this.#flushesLate && this.#hasInbound())) {
      this.#isFlushWanted = false;
      this.#call((connection) => connection.flush());
      return true;
    }
    const next = this.isPaused ? undefined : this.#inbound.shift();
    if (next === undefined) return false;
    if (next === "fin") {
      this.#isPeerEnded = true;
      this.#call((connection) => connection.receiveEnd());
    } else {
      this.deliveredBytes += next.length;
      this.#call((connection) => receiveLent(connection, next));
    }
    return true;
  }

  /** Calls the wire; it never throws to its carrier, and is never called from inside. */
  #call(piece: (connection: ProtocolConnection) => void): void {
    if (this.#connection === null) return;
    if (this.#isInside) this.faults.push("is called from inside itself");
    this.#isInside = true;
    try {
      piece(this.#connection);
    } catch (error) {
      this.faults.push(`throws to its carrier: ${error instanceof Error ? error.message : String(error)}`);
      this.isDestroyed = true;
    }
    this.#isInside = false;
  }

  #close(): void {
    this.isClosed = true;
    const files = this.#queue.splice(0).flatMap(({ file }) => (file === null ? [] : [file]));
    this.queuedBytes = 0;
    this.#call((connection) => connection.closed(this.#closeReason));
    for (const file of files) this.#call(() => file.done(this.#closeReason ?? new Error("the connection was closed")));
  }

  #hasInbound(): boolean {
    return !this.isPaused && this.#inbound.length > 0;
  }

  #hasFile(): boolean {
    return this.#queue.some(({ file }) => file !== null);
  }

  #count(bytes: number): void {
    this.queuedBytes += bytes;
    this.mostQueuedBytes = Math.max(this.mostQueuedBytes, this.queuedBytes);
  }
}
