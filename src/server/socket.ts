/**
 * One net.Socket or TLSSocket <-> one ProtocolConnection: bytes and events up, writes down, nothing interpreted.
 *
 * Order of what is written: a value goes to the socket at once; a file or a large value becomes a pump, and what is written
 * while it runs waits behind it. The socket's errors end here: the connection above hears `closed`, once. If the code above
 * throws in spite of its contract, this connection is destroyed and reported, and all others live.
 * The hot path is `data` -> receive -> write: no closure, no object per call.
 */

import type { Socket } from "node:net";
import type { FileSlice, ProtocolConnection, Transport } from "../http/exchange.ts";
import type { BufferPool } from "./buffer-pool.ts";
import type { CoarseClock, Expirable } from "./clock.ts";
import type { SocketInfo } from "./connection-info.ts";
import type { Flushable, FlushQueue } from "./flush-queue.ts";
import { LentReads } from "./lent-reads.ts";
import type { Member } from "./member-list.ts";
import { BytesPump, FilePump, FIRST_PIECE_BYTES, type Pump } from "./pump.ts";
import { MIN_SENDFILE_BYTES, type Sendfile, SendfilePump } from "./sendfile-pump.ts";
import { takenBy } from "./socket-handle.ts";

/** What all sockets of a server share. */
export interface SocketHost {
  readonly clock: CoarseClock;
  readonly flushes: FlushQueue;
  readonly buffers: BufferPool;
  /** Sends files within the kernel; null: nothing does. */
  readonly sendfile: Sendfile | null;
  /** The transport is gone; called once, after the connection above has heard of it. */
  onClosed(transport: SocketTransport, error: Error | null): void;
  /** The code above threw: a bug of ours. */
  onBug(error: unknown): void;
}

/**
 * A value above this is written piece by piece, unless the peer has taken pieces of that size quickly. A burst of answers comes in
 * pieces of a little more than 64 KiB.
 */
const LARGE_BYTES = 2 * FIRST_PIECE_BYTES;

/**
 * Quiet after which TCP asks whether the peer is still there (RFC 1122 §4.2.3.6): shorter than the minutes after which routers
 * forget a connection.
 */
const KEEP_ALIVE_MS = 60_000;

type FileDone = (error: Error | null) => void;

/** A socket as its protocol connection sees it. */
export class SocketTransport implements Transport, Expirable, Flushable, Member {
  readonly info: SocketInfo;
  place = -1;
  readonly #socket: Socket;
  /** Beneath TLS, else the same. */
  readonly #raw: Socket;
  readonly #host: SocketHost;
  #connection: ProtocolConnection | null = null;
  /** What is being moved into the socket, and what waits behind it. */
  #pump: Pump | null = null;
  #reads: LentReads | null = null;
  #behind: Array<string | Uint8Array | Pump> = [];
  #behindBytes = 0;
  #acceptedBytes = 0;
  /** What the kernel sent of files, past the socket's handle. */
  #sentBytes = 0;
  /** What the peer took quickly when it was last pumped to: the next pump begins with it, and a value of no more needs none. */
  #pieceBytes = FIRST_PIECE_BYTES;
  /** Of a file under way. */
  #fileDone: FileDone | null = null;
  #error: Error | null = null;
  /** No more writes: ended or destroyed by us, or closed. */
  #isShut = false;
  #isEndWanted = false;
  #isFlushWanted = false;
  #isWritableDue = false;
  /** Our end would be taken for that of a message. */
  #isEndMeant = false;

  /** @param raw the socket beneath `socket` where that is one of TLS, else the same */
  constructor(socket: Socket, info: SocketInfo, host: SocketHost, raw: Socket) {
    this.#socket = socket;
    this.#raw = raw;
    this.info = info;
    this.#host = host;
  }

  /** Names the connection and begins to read for it. */
  attach(connection: ProtocolConnection): void {
    this.#connection = connection;
    const socket = this.#socket;
    const receive = (chunk: Buffer): void => this.#receive(connection, chunk);
    socket.on("data", (chunk: Buffer) => {
      receive(chunk);
      // For one request it would cost what it saves
      if (this.#reads === null && !this.#isShut) this.#reads = LentReads.of(socket, receive);
    });
    socket.on("end", () => this.#receiveEnd(connection));
    socket.on("drain", () => this.#drained());
    socket.on("error", (error: Error) => {
      this.#error ??= error;
    });
    socket.on("close", () => this.#closed(connection));
  }

  // For the server

  /** Hands up what was read from the socket before there was a protocol. */
  receiveFirst(chunk: Uint8Array): void {
    if (this.#connection !== null) this.#receive(this.#connection, chunk);
  }

  /** The connection above. */
  get connection(): ProtocolConnection | null {
    return this.#connection;
  }

  get deadlineMs(): number {
    return this.#connection === null ? Infinity : this.#connection.deadlineMs;
  }

  expire(): void {
    if (this.#socket.destroyed) return;
    try {
      this.#connection?.expire();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Asks the connection above to finish what is under way and then close. */
  shutdown(lastCallMs: number = 0): void {
    if (this.#socket.destroyed) return;
    try {
      this.#connection?.shutdown(lastCallMs);
    } catch (error) {
      this.#fail(error);
    }
  }

  flushNow(): void {
    this.#isFlushWanted = false;
    if (this.#socket.destroyed) return;
    try {
      this.#connection?.flush();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Destroys, and tells the connection above the reason. */
  destroyWith(reason: Error): void {
    this.#error ??= reason;
    this.destroy();
  }

  // For the connection above

  get queuedBytes(): number {
    const pumped = this.#pump === null ? 0 : this.#pump.remainingBytes;
    return this.#socket.writableLength + pumped + this.#behindBytes;
  }

  /** Grows with each octet that leaves, not with each piece; under TLS those are counted that are encrypted. */
  get takenBytes(): number {
    const written = takenBy(this.#raw);
    return written === null ? this.#acceptedBytes - this.queuedBytes : written + this.#sentBytes;
  }

  write(data: string | Uint8Array): boolean {
    if (this.#isShut) return false;
    this.#acceptedBytes += data.length;
    if (this.#pump !== null || this.#isLarge(data)) return this.#enqueue(data, data.length);
    const isBelowMark = typeof data === "string" ? this.#socket.write(data, "latin1") : this.#socket.write(data);
    if (!isBelowMark) this.#isWritableDue = true;
    return isBelowMark;
  }

  writeAll(parts: ReadonlyArray<string | Uint8Array>): boolean {
    this.#socket.cork();
    let isBelowMark = true;
    for (const part of parts) isBelowMark = this.write(part);
    this.#socket.uncork();
    return isBelowMark;
  }

  sendFile(slice: FileSlice, done: FileDone, onTaken: ((bytes: number) => void) | null = null): void {
    if (this.#isShut || this.#fileDone !== null) {
      slice.release();
      process.nextTick(done, new Error(this.#isShut ? "the connection is closed" : "another file is being sent"));
      return;
    }
    this.#acceptedBytes += slice.length;
    this.#fileDone = done;
    this.#enqueue(this.#pumpOf(slice, onTaken), slice.length);
  }

  /** What moves it: the kernel by itself, where it can, and it is worth it. */
  #pumpOf(slice: FileSlice, onTaken: ((bytes: number) => void) | null): Pump {
    const { clock, buffers, sendfile } = this.#host;
    const socket = this.#socket;
    const pieceBytes = this.#pieceBytes;
    const done = (error: Error | null): void => this.#fileSent(error);
    if (sendfile === null || slice.length < MIN_SENDFILE_BYTES || this.#raw !== socket)
      return new FilePump(socket, clock, pieceBytes, buffers, slice, done, onTaken);
    const onSent = (bytes: number): void => void (this.#sentBytes += bytes);
    return new SendfilePump({ socket, sendfile, clock, buffers, slice, pieceBytes, done, onSent, onTaken });
  }

  requestFlush(): void {
    if (this.#isFlushWanted || this.#isShut) return;
    this.#isFlushWanted = true;
    this.#host.flushes.add(this);
  }

  giveChunk(): boolean {
    return this.#reads?.give() ?? false;
  }

  giveNoMore(): void {
    this.#reads?.giveNoMore();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#socket.destroyed) this.#socket.resume();
  }

  keepAlive(): void {
    // A unix socket knows of its peer's end at once
    if (!this.info.isUnix) this.#raw.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  end(isLast: boolean = false): void {
    if (this.#isShut) return;
    this.#isShut = true;
    if (this.#pump !== null) this.#isEndWanted = true;
    else if (isLast && this.#raw === this.#socket && this.#socket.writableLength === 0) this.#socket.destroy();
    else this.#socket.end();
  }

  delimitByEnd(): void {
    this.#isEndMeant = true;
  }

  destroy(): void {
    // The end that the peer waits for has not come
    if (this.#isEndMeant && !this.#isShut) return this.abort();
    this.#isShut = true;
    this.#isEndWanted = false;
    const socket = this.#socket;
    if (socket.destroyed) return;
    // What the kernel holds for a peer that does not read would stay for minutes; and a peer that loses a part of its
    // response must see a broken connection, not a clean end (RFC 9112 §8: content delimited by close would look whole)
    if (!this.info.isUnix && this.queuedBytes > 0) this.#reset();
    else socket.destroy();
  }

  abort(): void {
    this.#isEndMeant = false;
    if (!this.info.isUnix && !this.#socket.destroyed) {
      this.#isShut = true;
      this.#isEndWanted = false;
      this.#reset();
    } else this.destroy();
  }

  /** A socket of TLS cannot be reset itself; it goes with the one beneath. */
  #reset(): void {
    this.#raw.resetAndDestroy();
    if (this.#raw !== this.#socket) this.#socket.destroy();
  }

  #enqueue(item: string | Uint8Array | Pump, bytes: number): boolean {
    this.#behind.push(item);
    this.#behindBytes += bytes;
    this.#advance();
    const isBelowMark = this.#pump === null && !this.#socket.writableNeedDrain;
    if (!isBelowMark) this.#isWritableDue = true;
    return isBelowMark;
  }

  /** Writes what waits, up to what must be waited for. */
  #advance(): void {
    while (this.#pump === null) {
      const item = this.#behind.shift();
      if (item === undefined) return;
      if (isPump(item)) {
        this.#behindBytes -= item.remainingBytes;
        this.#startPump(item);
        continue;
      }
      this.#behindBytes -= item.length;
      if (this.#isLarge(item)) {
        this.#startPump(new BytesPump(this.#socket, this.#host.clock, this.#pieceBytes, item, () => this.#pumped()));
      } else if (typeof item === "string") this.#socket.write(item, "latin1");
      else this.#socket.write(item);
    }
  }

  #isLarge(data: string | Uint8Array): boolean {
    return data.length > LARGE_BYTES && data.length > this.#pieceBytes;
  }

  #startPump(pump: Pump): void {
    this.#pump = pump;
    pump.start();
  }

  #fileSent(error: Error | null): void {
    const done = this.#fileDone;
    this.#fileDone = null;
    // After a failure nothing may follow: the caller destroys
    if (error === null) this.#pumped();
    try {
      done?.(error);
    } catch (bug) {
      this.#fail(bug);
    }
  }

  /** A pump has handed over all that it had. */
  #pumped(): void {
    // Only where progress shows within a piece, or a peer that has become slow would be taken for a dead one
    if (this.#pump !== null && takenBy(this.#raw) !== null)
      this.#pieceBytes = Math.max(FIRST_PIECE_BYTES, this.#pump.pieceBytes);
    this.#pump = null;
    this.#advance();
    if (this.#pump !== null) return;
    if (this.#isEndWanted) this.#socket.end();
    else if (!this.#socket.writableNeedDrain) this.#drained();
  }

  #receive(connection: ProtocolConnection, chunk: Uint8Array): void {
    this.#host.clock.touch();
    try {
      connection.receive(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  #receiveEnd(connection: ProtocolConnection): void {
    this.#host.clock.touch();
    try {
      connection.receiveEnd();
    } catch (error) {
      this.#fail(error);
    }
  }

  #drained(): void {
    // A pump drains the socket after each of its pieces
    if (!this.#isWritableDue || this.#pump !== null) return;
    this.#isWritableDue = false;
    try {
      this.#connection?.writable();
    } catch (error) {
      this.#fail(error);
    }
  }

  #closed(connection: ProtocolConnection): void {
    this.#isShut = true;
    this.#pump?.abandon();
    this.#pump = null;
    for (const item of this.#behind) if (isPump(item)) item.abandon();
    this.#behind = [];
    this.#behindBytes = 0;
    const done = this.#fileDone;
    this.#fileDone = null;
    try {
      // First: then the failure of the file is known to be the peer's leaving
      connection.closed(this.#error);
      done?.(this.#error ?? new Error("the connection was closed"));
    } catch (error) {
      this.#host.onBug(error);
    }
    this.#host.onClosed(this, this.#error);
  }

  /** The code above broke its promise not to throw. */
  #fail(error: unknown): void {
    this.destroyWith(error instanceof Error ? error : new Error("the connection failed", { cause: error }));
    this.#host.onBug(error);
  }
}

function isPump(item: string | Uint8Array | Pump): item is Pump {
  return typeof item !== "string" && "abandon" in item;
}
