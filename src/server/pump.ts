/**
 * What moves long content into a socket piece by piece: parts of files ({@link FilePump}) and large values in memory
 * ({@link BytesPump}).
 *
 * A piece follows when the kernel has taken the one before; so a slow peer is waited for with one or two buffers in hand, and
 * progress can be told (a single large write would show none until its end). A file is read by position, one buffer ahead.
 * The slice of a file is released exactly once, and never while a read of it is under way.
 */

import { read } from "node:fs";
import type { Socket } from "node:net";
import { HandlerError } from "../http/errors.ts";
import type { Clock, FileSlice } from "../http/exchange.ts";
import type { BufferPool } from "./buffer-pool.ts";

/** Octets handed to the socket at first; what is longer is cut, so that progress shows. */
export const FIRST_PIECE_BYTES: number = 64 * 1024;
const MIN_PIECE_BYTES = 16 * 1024;
const MAX_PIECE_BYTES = 256 * 1024;
/** A piece that was taken sooner may be followed by one twice as large: the kernel has room, or the peer makes it quickly. */
const QUICK_MS = 250;

/**
 * How much to hand over at once. A peer that is slow must show its progress in small steps, or it is taken for a dead one; a
 * quick one should not be cut into many system calls.
 */
class PieceSize {
  bytes: number;
  readonly #clock: Clock;
  #sinceMs = 0;

  /** @param bytes of the first piece */
  constructor(clock: Clock, bytes: number) {
    this.#clock = clock;
    this.bytes = bytes;
  }

  /** A piece is handed over. */
  begin(): void {
    this.#sinceMs = this.#clock.nowMs;
  }

  /** The kernel has taken it. */
  end(): void {
    const isQuick = this.#clock.nowMs - this.#sinceMs < QUICK_MS;
    this.bytes = isQuick ? Math.min(2 * this.bytes, MAX_PIECE_BYTES) : Math.max(this.bytes / 2, MIN_PIECE_BYTES);
  }
}

/** Something that is being moved into a socket. */
export interface Pump {
  /** Octets that have not been handed to the socket. */
  readonly remainingBytes: number;
  /** Octets of a piece, as the peer has taken the last ones. */
  readonly pieceBytes: number;
  start(): void;
  /** The socket is gone; nothing more will be written, `done` is not called any more. */
  abandon(): void;
}

/** Moves a large string or byte array. */
export class BytesPump implements Pump {
  readonly #socket: Socket;
  readonly #data: string | Uint8Array;
  readonly #done: () => void;
  readonly #onWritten: (error?: Error | null) => void;
  readonly #piece: PieceSize;
  #offset = 0;

  /**
   * @param pieceBytes octets to begin with
   * @param done called when the kernel has taken all of it
   */
  constructor(socket: Socket, clock: Clock, pieceBytes: number, data: string | Uint8Array, done: () => void) {
    this.#socket = socket;
    this.#piece = new PieceSize(clock, pieceBytes);
    this.#data = data;
    this.#done = done;
    this.#onWritten = (error) => this.#continue(error);
  }

  get remainingBytes(): number {
    return this.#data.length - this.#offset;
  }

  get pieceBytes(): number {
    return this.#piece.bytes;
  }

  start(): void {
    const data = this.#data;
    const end = Math.min(this.#offset + this.#piece.bytes, data.length);
    this.#piece.begin();
    if (typeof data === "string") this.#socket.write(data.slice(this.#offset, end), "latin1", this.#onWritten);
    else this.#socket.write(data.subarray(this.#offset, end), this.#onWritten);
    this.#offset = end;
  }

  abandon(): void {
    this.#offset = this.#data.length;
  }

  #continue(error: Error | null | undefined): void {
    // The socket's own close tells the rest
    if (error !== null && error !== undefined) return;
    this.#piece.end();
    if (this.remainingBytes > 0) this.start();
    else this.#done();
  }
}

/** Moves part of a file. */
export class FilePump implements Pump {
  readonly #socket: Socket;
  readonly #pool: BufferPool;
  readonly #slice: FileSlice;
  readonly #done: (error: Error | null) => void;
  readonly #onTaken: ((bytes: number) => void) | null;
  readonly #behindBytes: number;
  readonly #onRead: (error: Error | null, bytesRead: number) => void;
  readonly #onWritten: (error?: Error | null) => void;
  readonly #piece: PieceSize;
  /** Of the next read. */
  #position: number;
  #unreadBytes: number;
  #unwrittenBytes: number;
  #reading: Buffer | null = null;
  /** Read ahead, waiting for its turn. */
  #ready: Buffer | null = null;
  #readyBytes = 0;
  #writing: Buffer | null = null;
  #writingOffset = 0;
  #writingBytes = 0;
  #pieceBytes = 0;
  #isOver = false;

  /**
   * @param pieceBytes octets to begin with
   * @param done called once, when the kernel has taken all or the file failed; not called after {@link abandon}
   * @param onTaken called with the length of each piece that the kernel has taken
   * @param behindBytes octets of the same message that stand behind the slice, and are missing too where that is short
   */
  constructor(
    socket: Socket,
    clock: Clock,
    pieceBytes: number,
    pool: BufferPool,
    slice: FileSlice,
    done: (error: Error | null) => void,
    onTaken: ((bytes: number) => void) | null = null,
    behindBytes: number = 0,
  ) {
    this.#socket = socket;
    this.#piece = new PieceSize(clock, pieceBytes);
    this.#pool = pool;
    this.#slice = slice;
    this.#done = done;
    this.#onTaken = onTaken;
    this.#behindBytes = behindBytes;
    this.#position = slice.start;
    this.#unreadBytes = slice.length;
    this.#unwrittenBytes = slice.length;
    this.#onRead = (error, bytesRead) => this.#hasRead(error, bytesRead);
    this.#onWritten = (error) => this.#hasWritten(error);
  }

  get remainingBytes(): number {
    return this.#unwrittenBytes;
  }

  get pieceBytes(): number {
    return this.#piece.bytes;
  }

  start(): void {
    if (this.#unreadBytes === 0) process.nextTick(() => this.#finish(null));
    else this.#read();
  }

  abandon(): void {
    if (!this.#isOver) this.#close();
  }

  #read(): void {
    const buffer = this.#pool.take(this.#unreadBytes);
    this.#reading = buffer;
    read(this.#slice.fd, buffer, 0, Math.min(buffer.length, this.#unreadBytes), this.#position, this.#onRead);
  }

  #hasRead(error: Error | null, bytesRead: number): void {
    const buffer = this.#reading as Buffer;
    this.#reading = null;
    if (this.#isOver) {
      this.#pool.give(buffer);
      // Not before: a descriptor that is closed and opened anew under a running read would be another file
      this.#slice.release();
      return;
    }
    if (error !== null || bytesRead === 0) {
      this.#pool.give(buffer);
      this.#finish(error ?? fileChanged(`it ended ${this.#unreadBytes + this.#behindBytes} octets short`));
      return;
    }
    this.#position += bytesRead;
    this.#unreadBytes -= bytesRead;
    // Before the last octets leave: without them the peer knows that what it has is not whole
    if (this.#unreadBytes === 0 && this.#slice.isIntact?.() === false) {
      this.#pool.give(buffer);
      this.#finish(fileChanged("it was written to"));
      return;
    }
    this.#ready = buffer;
    this.#readyBytes = bytesRead;
    if (this.#writing === null) this.#turn();
  }

  /** Begins to write what was read, and to read what comes behind it. */
  #turn(): void {
    this.#writing = this.#ready;
    this.#writingOffset = 0;
    this.#writingBytes = this.#readyBytes;
    this.#ready = null;
    this.#write();
    if (this.#unreadBytes > 0) this.#read();
  }

  #write(): void {
    const from = this.#writingOffset;
    const end = Math.min(from + this.#piece.bytes, this.#writingBytes);
    this.#piece.begin();
    this.#writingOffset = end;
    this.#pieceBytes = end - from;
    this.#unwrittenBytes -= this.#pieceBytes;
    this.#socket.write((this.#writing as Buffer).subarray(from, end), this.#onWritten);
  }

  #hasWritten(error: Error | null | undefined): void {
    // After an error the socket's close follows and abandons us. Of one that is destroyed Node calls it without an error
    if (this.#isOver || this.#socket.destroyed || (error !== null && error !== undefined)) return;
    this.#piece.end();
    this.#onTaken?.(this.#pieceBytes);
    if (this.#writingOffset < this.#writingBytes) return this.#write();
    this.#pool.give(this.#writing as Buffer);
    this.#writing = null;
    if (this.#ready !== null) this.#turn();
    else if (this.#unreadBytes === 0 && this.#reading === null) this.#finish(null);
  }

  #finish(error: Error | null): void {
    if (this.#isOver) return;
    this.#close();
    this.#done(error);
  }

  /** Lets go of buffers and file; a read that is under way does the rest when it returns. */
  #close(): void {
    this.#isOver = true;
    this.#unwrittenBytes = 0;
    if (this.#writing !== null) this.#pool.drop(this.#writing);
    if (this.#ready !== null) this.#pool.give(this.#ready);
    this.#writing = null;
    this.#ready = null;
    if (this.#reading === null) this.#slice.release();
  }
}

/** Nobody's mistake: what was promised cannot be kept, and the peer must see that the message is not whole. */
function fileChanged(how: string): HandlerError {
  return new HandlerError("ERR_FILE_CHANGED", how);
}
