/**
 * Moves part of a file into a socket within the kernel, where somebody has given us a way to call sendfile(2): Node has none.
 *
 * The kernel takes octets until the socket has no more room. Nobody tells when it has room again but a write of Node's own that
 * waits for it; so then one small piece is read and written as {@link FilePump} does, and behind it the kernel goes on. What is
 * not in memory is read that way too, in a thread: sendfile would hold up all connections for the disk. And so are the last
 * octets of each file, before which it is asked whether the file is still the same.
 * Octets may go to a descriptor only while Node's own queue for it is empty, and in the same turn in which that was seen.
 */

import { readSync } from "node:fs";
import type { Socket } from "node:net";
import type { Clock, FileSlice } from "../http/exchange.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { FilePump, type Pump } from "./pump.ts";
import { BUSY, descriptorOf, UNKNOWN } from "./socket-handle.ts";

/**
 * Hands octets of a file to a socket, without waiting for the peer or the disk.
 *
 * @param socket descriptor of a connected socket that does not block
 * @param file descriptor of an open file
 * @param position of the first octet in the file
 * @param length octets, at least 1
 * @returns the octets that went, or why none did: {@link SENDFILE_FULL}, {@link SENDFILE_ABSENT}, {@link SENDFILE_NEVER}. If it
 *   throws, or gives anything else, the answer is broken off, because nobody knows what went.
 */
export type Sendfile = (socket: number, file: number, position: number, length: number) => number;

/** The socket has no room, or something else is in the way for now. */
export const SENDFILE_FULL = 0;
/** The octets are not in memory. */
export const SENDFILE_ABSENT: number = -1;
/** It will not work for this file and this socket. */
export const SENDFILE_NEVER: number = -2;

/** Of 256 KiB that no cache has it spares a quarter, of 1 MiB two fifths; what is smaller is mostly in a cache. */
export const MIN_SENDFILE_BYTES: number = 256 * 1024;
/** In one turn of the event loop: some 0.2 ms, after which others have theirs. */
const TURN_BYTES = 2 * 1024 * 1024;
/** Read and written to learn when there is room again. */
const WAITING_BYTES = 4 * 1024;
/** Read and written where they are not in memory: so many that the next buffer is read while one is written. */
const ABSENT_BYTES = 8 * 1024 * 1024;
/** Read and written at the end of each file. */
const LAST_BYTES = 16 * 1024;

/** What a pump is made with, and who hears of it. */
export interface SendfileParts {
  readonly socket: Socket;
  readonly sendfile: Sendfile;
  readonly clock: Clock;
  readonly buffers: BufferPool;
  readonly slice: FileSlice;
  /** Octets that {@link FilePump} begins with. */
  readonly pieceBytes: number;
  /** Called once, when the kernel has taken all or the file failed; not called after {@link Pump.abandon}. */
  done(error: Error | null): void;
  /** Octets went that Node's socket knows nothing of. */
  onSent(bytes: number): void;
  /** Called with the length of each piece that the kernel has taken; null: nobody wants to know. */
  readonly onTaken: ((bytes: number) => void) | null;
}

/** Moves part of a file, within the kernel as far as that goes. */
export class SendfilePump implements Pump {
  readonly #parts: SendfileParts;
  readonly #end: number;
  readonly #next: () => void;
  /** Of the first octet that has not been handed over, nor is being read and written. */
  #position: number;
  /** Under way for what is not in memory, for the last octets, and for files that the kernel does not send. */
  #copying: FilePump | null = null;
  /** Waits for room. */
  #waiting: Buffer | null = null;
  #isOver = false;

  constructor(parts: SendfileParts) {
    this.#parts = parts;
    this.#position = parts.slice.start;
    this.#end = parts.slice.start + parts.slice.length;
    this.#next = () => this.#go();
  }

  get remainingBytes(): number {
    if (this.#isOver) return 0;
    return this.#end - this.#position + (this.#copying?.remainingBytes ?? 0);
  }

  get pieceBytes(): number {
    return this.#copying?.pieceBytes ?? this.#parts.pieceBytes;
  }

  start(): void {
    this.#go();
  }

  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { buffers, slice } = this.#parts;
    if (this.#waiting !== null) buffers.drop(this.#waiting);
    this.#waiting = null;
    if (this.#copying === null) slice.release();
    // It releases when no read is under way any more
    else this.#copying.abandon();
  }

  #go(): void {
    if (this.#isOver) return;
    const left = this.#end - this.#position;
    if (left <= LAST_BYTES) return this.#copy(left);
    const { socket, sendfile, slice } = this.#parts;
    const descriptor = descriptorOf(socket);
    if (descriptor === UNKNOWN) return this.#copy(left);
    // The head, for instance, is still on its way. Nobody has asked whether the octets are in memory: a thread reads them
    if (descriptor === BUSY) return this.#copy(WAITING_BYTES);
    const wanted = Math.min(left - LAST_BYTES, TURN_BYTES);
    let sent: number;
    try {
      sent = sendfile(descriptor, slice.fd, this.#position, wanted);
    } catch (error) {
      return this.#fail(error);
    }
    // Where it went on from here nobody would know
    if (!Number.isInteger(sent) || sent > wanted) {
      return this.#fail(new TypeError(`sendfile was to send up to ${wanted} octets, and said ${String(sent)}`));
    }
    if (sent === SENDFILE_ABSENT) return this.#copy(Math.min(left, ABSENT_BYTES));
    if (sent < 0) return this.#copy(left);
    this.#took(sent);
    if (sent < wanted) return this.#wait();
    setImmediate(this.#next);
  }

  /** What we were given to send with is wrong, and so may be what it has sent. */
  #fail(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error("sendfile failed", { cause });
    process.nextTick(() => {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#parts.slice.release();
      this.#parts.done(error);
    });
  }

  #took(bytes: number): void {
    if (bytes === 0) return;
    this.#position += bytes;
    this.#parts.onSent(bytes);
    this.#parts.onTaken?.(bytes);
  }

  /** Comes back when the kernel has room. */
  #wait(): void {
    const { socket, buffers, slice } = this.#parts;
    const buffer = buffers.take(WAITING_BYTES);
    let bytes = 0;
    try {
      // Next to what the kernel has just been asked to send: it is in memory, or about to be
      bytes = readSync(slice.fd, buffer, 0, WAITING_BYTES, this.#position);
    } catch {
      // The same again below, where there is an ear for it
    }
    if (bytes === 0) {
      buffers.give(buffer);
      return this.#copy(this.#end - this.#position);
    }
    this.#position += bytes;
    this.#waiting = buffer;
    socket.write(buffer.subarray(0, bytes), (error?: Error | null) => {
      // After an error the socket's close follows and abandons us. Of one that is destroyed Node calls it without an error
      if (this.#isOver || socket.destroyed || (error !== null && error !== undefined)) return;
      buffers.give(buffer);
      this.#waiting = null;
      this.#parts.onTaken?.(bytes);
      // There may have been room at once, and so again and again, with nobody else's turn between
      setImmediate(this.#next);
    });
  }

  /** Reads and writes what comes next. */
  #copy(length: number): void {
    const { socket, clock, buffers, slice, pieceBytes, onTaken } = this.#parts;
    const start = this.#position;
    const isLast = start + length === this.#end;
    const part: FileSlice = {
      fd: slice.fd,
      start,
      length,
      isIntact: () => !isLast || slice.isIntact?.() !== false,
      release: () => {
        if (this.#isOver || isLast) slice.release();
      },
    };
    const copied = (error: Error | null): void => {
      this.#copying = null;
      if (error === null && !isLast) return this.#go();
      // A file that failed before its last part is still ours to let go
      if (!isLast) slice.release();
      this.#isOver = true;
      this.#parts.done(error);
    };
    this.#position += length;
    const behind = this.#end - this.#position;
    this.#copying = new FilePump(socket, clock, pieceBytes, buffers, part, copied, onTaken, behind);
    this.#copying.start();
  }
}
