/**
 * Where lines go: a file or a descriptor, written by pino's destination off the event loop, in batches.
 *
 * Steps: write (joined to a batch) -> hand over, when the batch is large or some time has passed -> written. What may wait
 * is bounded; what is more is dropped and counted, because a slow disk must neither fill the memory nor hold answers back. A
 * file that was renamed or removed under us is opened anew, which is all that logrotate needs; on the way out of the process
 * what is left is written at once.
 */

import cluster from "node:cluster";
import { fstatSync, openSync, stat, writeSync } from "node:fs";
import { destination } from "pino";
import type { TimeSource } from "../web/clock.ts";
import type { LineSink } from "./access-hooks.ts";
import { LineBatch } from "./line-batch.ts";

/** Lines are gathered up to so many octets before they are handed over. */
const BATCH_BYTES = 64 * 1024;
/** Of a pipe that several processes write to: so much of each stays in one piece (POSIX PIPE_BUF, 4 KiB on Linux). */
const SHARED_PIPE_BATCH_BYTES = 4096;
/** Of a socket, which is what systemd gives a service for its output: Linux cuts what is larger than 32 KiB and some. */
const SHARED_SOCKET_BATCH_BYTES = 32 * 1024;
/** Said at most so often. */
const COMPLAINT_PERIOD_MS = 60_000;
/** The process ends, and the system does not take what is left: tried again for so long. */
const LAST_TRY_MS = 2_000;
const STANDARD_ERROR = 2;
/** Looked at so often whether the file is still where it was, as long as lines come. */
const LOOK_PERIOD_MS = 1_000;

const NOTHING: Buffer = Buffer.alloc(0);

type Destination = ReturnType<typeof destination>;

/** What a sink is made with. */
export interface LogSinkOptions {
  /** A path, or a descriptor, which stays open when the sink is closed. */
  readonly destination: string | number;
  /** Mode of a file that is made. */
  readonly mode: number;
  /** The most that waits, in octets. */
  readonly maxBufferedBytes: number;
  /** How long a line waits for others to go with, in milliseconds. */
  readonly flushMs: number;
  readonly time: TimeSource;
  /** Something is wrong with the file; serving goes on. */
  readonly onTrouble: (message: string) => void;
}

/** Takes lines of ASCII, or of any text. */
export class LogSink implements LineSink {
  readonly #options: LogSinkOptions;
  readonly #onExit: () => void;
  readonly #flush: () => void;
  #stream: Destination;
  readonly #batchBytes: number;
  /** Handed over last, as the memory that it is. */
  #given: LineBatch | null = null;
  #fd: number;
  #identity: string;
  #batch: LineBatch | null = null;
  /** One that is written and may be filled again. */
  #spare: LineBatch | null = null;
  /** Handed over since the stream had nothing left. */
  #linesUnderWay = 0;
  /** Monotonic; until then what the system does not take is tried again. */
  #retryUntilMs = Infinity;
  /** Handed over and not written yet, in octets. */
  #underWay = 0;
  #cancelFlush: (() => void) | null = null;
  #droppedLines = 0;
  #lastComplaintMs = -Infinity;
  #lastLookMs = 0;
  #isClosed = false;
  /** The last thing heard of the stream was an error; it tries again with the next lines. */
  #hasFailed = false;
  /** Whoever read our output has gone: the stream takes no more, and does not even end. */
  #isUnheard = false;

  /** @throws the system's error if the file cannot be opened */
  constructor(options: LogSinkOptions) {
    this.#options = options;
    this.#fd = this.#openFile();
    this.#identity = identityOf(this.#fd);
    this.#batchBytes = batchBytesOf(this.#fd);
    this.#stream = this.#openStream(this.#fd);
    this.#lastLookMs = options.time.elapsedMs();
    this.#flush = () => {
      this.#cancelFlush = null;
      this.#handOver();
    };
    this.#onExit = () => this.#writeRest();
    // Before pino's own, which flushes too
    process.prependListener("exit", this.#onExit);
  }

  /** Lines that were not written because too much was waiting. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  /** Octets that wait, roughly. */
  get waitingBytes(): number {
    return this.#underWay + (this.#batch?.length ?? 0);
  }

  /**
   * Takes a line, its line feed with it.
   *
   * @param isAscii false if it holds more than ASCII
   */
  write(line: string, isAscii = true): void {
    if (this.#isClosed) return;
    const batch = this.room(LineBatch.most(line, isAscii));
    if (batch !== null) return batch.add(line, isAscii);
    // Longer than a batch: one of its own, behind what came before it
    this.#handOver();
    const own = new LineBatch(Buffer.byteLength(line));
    own.add(line, isAscii);
    this.#give(own);
  }

  room(bytes: number): LineBatch | null {
    if (this.#isClosed || bytes > this.#batchBytes) return null;
    if (this.#batch !== null && !this.#batch.hasRoom(bytes)) this.#handOver();
    this.#cancelFlush ??= this.#options.time.after(this.#options.flushMs, this.#flush);
    return (this.#batch ??= this.#takeSpare());
  }

  /** Resolves when all lines so far are with the system, or have failed to get there. */
  flush(): Promise<void> {
    this.#handOver();
    if (this.#underWay === 0 || this.#hasFailed || this.#isClosed) return Promise.resolve();
    const stream = this.#stream;
    return new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off("drain", done).off("error", done).off("close", done);
        resolve();
      };
      stream.on("drain", done).on("error", done).on("close", done);
    });
  }

  /** Opens the file by its name again: what has been written so far stays where it is. Nothing for a descriptor. */
  reopen(): void {
    if (this.#isClosed || typeof this.#options.destination === "number") return;
    let fd: number;
    try {
      fd = this.#openFile();
    } catch (error) {
      return this.#complain(error as Error);
    }
    this.#handOver();
    const old = this.#stream;
    this.#given = null;
    this.#fd = fd;
    this.#identity = identityOf(fd);
    this.#stream = this.#openStream(fd);
    old.end();
  }

  /** Resolves when all lines are written and the file is closed. Takes nothing afterwards. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#handOver();
    this.#isClosed = true;
    process.off("exit", this.#onExit);
    if (this.#isUnheard) return Promise.resolve();
    const stream = this.#stream;
    return new Promise((resolve) => {
      stream.once("close", () => resolve());
      // What cannot be written is not waited for; and a stream without a reader does not close
      stream.once("error", () => {
        stream.destroy();
        if (this.#isUnheard) resolve();
      });
      stream.end();
    });
  }

  #openFile(): number {
    const { destination: where, mode } = this.#options;
    return typeof where === "number" ? where : openSync(where, "a", mode);
  }

  #openStream(fd: number): Destination {
    const stream = destination({
      dest: fd,
      sync: false,
      contentMode: "buffer",
      maxWrite: this.#batchBytes,
      retryEAGAIN: () => this.#mayRetry(),
    });
    stream.on("drain", () => {
      this.#linesUnderWay = 0;
      if (stream !== this.#stream || this.#given === null) return;
      // All that it was given is written
      this.#keepSpare(this.#given);
      this.#given = null;
    });
    stream.on("write", (written: number) => {
      this.#underWay = Math.max(0, this.#underWay - written);
      this.#hasFailed = false;
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#hasFailed = true;
      if (error.code === "EPIPE") this.#isUnheard = true;
      else this.#complain(error);
      // Of a file that was moved away nothing more comes that would make it try again
      if (stream !== this.#stream) stream.destroy();
    });
    return stream;
  }

  #takeSpare(): LineBatch {
    const spare = this.#spare;
    this.#spare = null;
    return spare ?? new LineBatch(this.#batchBytes);
  }

  #handOver(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const batch = this.#batch;
    if (batch === null || batch.length === 0 || this.#isClosed) return;
    this.#batch = null;
    this.#give(batch);
  }

  /** To the stream, which has its memory until all that it was given is written. */
  #give(batch: LineBatch): void {
    const { length, lines } = batch;
    if (this.#isUnheard || this.#underWay + length > this.#options.maxBufferedBytes) {
      this.#droppedLines += lines;
      this.#keepSpare(batch);
      return;
    }
    this.#underWay += length;
    this.#linesUnderWay += lines;
    // What waits for long must not take much more than it holds: a few lines do not keep the memory of a batch
    const isSmall = length < batch.octets.length / 2;
    try {
      // In its mode for buffers it takes them as they are; its types know text alone
      this.#stream.write((isSmall ? batch.copied() : batch.taken()) as unknown as string);
      if (isSmall) this.#keepSpare(batch);
      else this.#given = batch;
    } catch {
      // pino ends its streams when a process has nothing left to do, and this one has gone on
      this.#underWay -= length;
      this.#droppedLines += lines;
    }
    this.#look();
  }

  #keepSpare(batch: LineBatch): void {
    if (batch.octets.length !== this.#batchBytes) return;
    batch.empty();
    this.#spare = batch;
  }

  /** Whether somebody has moved the file away. */
  #look(): void {
    const { destination: where, time } = this.#options;
    if (typeof where === "number") return;
    const nowMs = time.elapsedMs();
    if (nowMs - this.#lastLookMs < LOOK_PERIOD_MS) return;
    this.#lastLookMs = nowMs;
    stat(where, (error, found) => {
      if (this.#isClosed) return;
      if (error === null ? `${found.dev}:${found.ino}` !== this.#identity : error.code === "ENOENT") this.reopen();
    });
  }

  /** The process ends: nothing can be waited for any more, and nothing may hold it for good. */
  #writeRest(): void {
    const lines = this.#linesUnderWay + (this.#batch?.lines ?? 0);
    try {
      // What has failed before is not tried again
      if (this.#hasFailed) throw new Error("the system does not take it");
      this.#flushWithin(LAST_TRY_MS);
      const bytes = this.#batch?.taken() ?? NOTHING;
      this.#batch = null;
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      // Or pino would go on at its own end of the process
      this.#stream.destroy();
      if (lines > 0 && !this.#isUnheard) tellOfLoss(lines, error as Error);
    }
  }

  /**
   * The stream's own flush tries for good whatever the error: a disk that is full by then, a pipe that nobody empties. Each try
   * asks for the descriptor, and is refused once the time is over.
   */
  #flushWithin(ms: number): void {
    const stream = this.#stream;
    const fd = this.#fd;
    this.#retryUntilMs = this.#options.time.elapsedMs() + ms;
    const get = (): number => {
      if (this.#mayRetry()) return fd;
      throw Object.assign(new Error(`the system has not taken it within ${ms / 1000} s`), { code: "EAGAIN" });
    };
    Object.defineProperty(stream, "fd", { get, configurable: true });
    try {
      stream.flushSync();
    } finally {
      Object.defineProperty(stream, "fd", { value: fd, writable: true });
    }
  }

  #mayRetry(): boolean {
    return this.#options.time.elapsedMs() < this.#retryUntilMs;
  }

  #complain(error: Error): void {
    const nowMs = this.#options.time.elapsedMs();
    if (nowMs - this.#lastComplaintMs < COMPLAINT_PERIOD_MS) return;
    this.#lastComplaintMs = nowMs;
    this.#options.onTrouble(error.message);
  }
}

/** A file takes whatever is appended in one piece; what several processes share besides takes less. */
function batchBytesOf(fd: number): number {
  if (!cluster.isWorker) return BATCH_BYTES;
  const stats = fstatSync(fd);
  if (stats.isFIFO()) return SHARED_PIPE_BATCH_BYTES;
  return stats.isSocket() ? SHARED_SOCKET_BATCH_BYTES : BATCH_BYTES;
}

/** What tells one file from another. */
function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

/** At once: whatever is asked of the process now does not come to pass any more. */
function tellOfLoss(lines: number, { message }: Error): void {
  try {
    writeSync(STANDARD_ERROR, `fairlead: up to ${lines} lines of the log are lost: ${message}\n`);
  } catch {
    // There is nobody left to tell
  }
}
