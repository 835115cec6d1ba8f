/**
 * Where lines go: a file or a descriptor, written off the event loop, in batches.
 *
 * Steps: write (joined to a batch) -> hand over to the outlet, when the batch is large or some time has passed -> written. What
 * may wait is bounded; what is more is dropped and counted, because a slow disk must neither fill the memory nor hold answers
 * back. A file that was renamed or removed under us is opened anew, which is all that logrotate needs; on the way out of the
 * process what is left is written at once.
 */

import cluster from "node:cluster";
import { fstatSync, openSync, stat, writeSync } from "node:fs";
import type { TimeSource } from "../web/clock.ts";
import type { LineSink } from "./access-hooks.ts";
import { LineBatch } from "./line-batch.ts";
import { APPEND } from "./log-file.ts";
import { LAST_TRY_MS, LogOutlet } from "./log-outlet.ts";

/** Lines are gathered up to so many octets before they are handed over: what a pipe holds on Linux. */
const BATCH_BYTES = 64 * 1024;
/**
 * Of a file, which takes whatever it is given: at 50,000 lines per second a handover costs the server's thread 90 us whatever
 * its size, because it happens too rarely for any cache (docs/decisions/0011-log-lines.md).
 */
const FILE_BATCH_BYTES = 256 * 1024;
/** So many of them may wait, or they are of the usual size. */
const LEAST_BATCHES = 4;
/** Of a pipe that several processes write to: so much of each stays in one piece (POSIX PIPE_BUF, 4 KiB on Linux). */
const SHARED_PIPE_BATCH_BYTES = 4096;
/** Of a socket, which is what systemd gives a service for its output: Linux cuts what is larger than 32 KiB and some. */
const SHARED_SOCKET_BATCH_BYTES = 32 * 1024;
/** Said at most so often. */
const COMPLAINT_PERIOD_MS = 60_000;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
/** Looked at so often whether the file is still where it was, as long as lines come. */
const LOOK_PERIOD_MS = 1_000;

/** What a sink is made with. */
export interface LogSinkOptions {
  /** A path, or a descriptor, which is closed with the sink unless it is the process's own output. */
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
  /** What the file takes well that is open now. */
  #batchBytes: number;
  #outlet: LogOutlet;
  /** Of files that were moved away, and have not taken all that is theirs. */
  readonly #old = new Set<LogOutlet>();
  #identity: string;
  #batch: LineBatch | null = null;
  /** One that is written and may be filled again. */
  #spare: LineBatch | null = null;
  #cancelFlush: (() => void) | null = null;
  #droppedLines = 0;
  #lastComplaintMs = -Infinity;
  #lastLookMs = 0;
  #isClosed = false;

  /** @throws the system's error if the file cannot be opened */
  constructor(options: LogSinkOptions) {
    this.#options = options;
    const fd = this.#openFile();
    this.#identity = identityOf(fd);
    this.#batchBytes = batchBytesOf(fd, options.maxBufferedBytes);
    this.#outlet = this.#openOutlet(fd);
    this.#lastLookMs = options.time.elapsedMs();
    this.#flush = () => {
      this.#cancelFlush = null;
      this.#handOver();
    };
    this.#onExit = () => this.#writeRest();
    // Before pino's own, which flushes too
    process.prependListener("exit", this.#onExit);
  }

  /** Lines that were not written: too much was waiting, or the file was closed and had not taken them. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  /** Octets that wait, roughly. */
  get waitingBytes(): number {
    return this.#givenBytes() + (this.#batch?.length ?? 0);
  }

  /** A short line that comes now goes behind what waits in the batch, or into the next one, and each batch may be full. */
  get isTaking(): boolean {
    if (this.#isClosed || this.#outlet.isUnheard) return false;
    return this.waitingBytes + this.#batchBytes <= this.#options.maxBufferedBytes;
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
    return this.#isClosed ? Promise.resolve() : forAll(this.#outlets(), (outlet) => outlet.flush());
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
    const old = this.#outlet;
    this.#identity = identityOf(fd);
    // Where a file was there may be a pipe now. Memory of another size is not used again
    this.#batchBytes = batchBytesOf(fd, this.#options.maxBufferedBytes);
    this.#spare = null;
    this.#outlet = this.#openOutlet(fd);
    this.#old.add(old);
    void old.end().then(() => this.#old.delete(old));
  }

  /** Resolves when all lines are written and the file is closed, or after two seconds and a half. Takes nothing afterwards. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#handOver();
    this.#isClosed = true;
    const ended = forAll(this.#outlets(), (outlet) => outlet.end(LAST_TRY_MS));
    // Until then the process may end before it
    return ended.finally(() => process.off("exit", this.#onExit));
  }

  #openFile(): number {
    const { destination: where, mode } = this.#options;
    if (typeof where === "string") return openSync(where, APPEND, mode);
    // Node opens its outputs when they are first asked for: pipes then keep nobody waiting, and processes not from their end
    if (where === STANDARD_OUTPUT) void process.stdout;
    if (where === STANDARD_ERROR) void process.stderr;
    return where;
  }

  #openOutlet(fd: number): LogOutlet {
    return new LogOutlet(fd, {
      mostBytes: this.#batchBytes,
      time: this.#options.time,
      onError: (error) => this.#complain(error),
      onWritten: (batch) => this.#keepSpare(batch),
      onLost: (lines) => (this.#droppedLines += lines),
    });
  }

  #outlets(): LogOutlet[] {
    return [...this.#old, this.#outlet];
  }

  #givenBytes(): number {
    let bytes = this.#outlet.waitingBytes;
    for (const old of this.#old) bytes += old.waitingBytes;
    return bytes;
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

  /** To the outlet, unless more would wait than may. */
  #give(batch: LineBatch): void {
    const outlet = this.#outlet;
    if (outlet.isUnheard || this.#givenBytes() + batch.length > this.#options.maxBufferedBytes) {
      this.#droppedLines += batch.lines;
      this.#keepSpare(batch);
    } else if (!outlet.give(batch)) this.#keepSpare(batch);
    // Also when nothing is taken: to move the log away is what is done about a disk that is full
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
      // Somebody may read the pipe again
      const isOther = error === null && (this.#outlet.isUnheard || `${found.dev}:${found.ino}` !== this.#identity);
      if (isOther || error?.code === "ENOENT") this.reopen();
    });
  }

  /** The process ends: nothing can be waited for any more, and nothing may hold it for good. */
  #writeRest(): void {
    const untilMs = this.#options.time.elapsedMs() + LAST_TRY_MS;
    const batch = this.#batch;
    this.#batch = null;
    for (const outlet of this.#outlets()) {
      const rest = outlet === this.#outlet ? batch : null;
      const lines = outlet.waitingLines + (rest?.lines ?? 0);
      try {
        outlet.writeAtOnce(rest, untilMs);
      } catch (error) {
        if (lines > 0 && !outlet.isUnheard) tellOfLoss(lines, error as Error);
      }
    }
  }

  #complain(error: Error): void {
    const nowMs = this.#options.time.elapsedMs();
    if (nowMs - this.#lastComplaintMs < COMPLAINT_PERIOD_MS) return;
    this.#lastComplaintMs = nowMs;
    this.#options.onTrouble(error.message);
  }
}

/** A file takes whatever is appended in one piece; what several processes share besides takes less. */
function batchBytesOf(fd: number, maxBufferedBytes: number): number {
  const stats = fstatSync(fd);
  // What may wait bounds batches too: one that is larger would always be dropped
  if (stats.isFile()) return FILE_BATCH_BYTES * LEAST_BATCHES <= maxBufferedBytes ? FILE_BATCH_BYTES : BATCH_BYTES;
  if (!cluster.isWorker) return BATCH_BYTES;
  if (stats.isFIFO()) return SHARED_PIPE_BATCH_BYTES;
  return stats.isSocket() ? SHARED_SOCKET_BATCH_BYTES : BATCH_BYTES;
}

async function forAll(outlets: readonly LogOutlet[], wait: (outlet: LogOutlet) => Promise<void>): Promise<void> {
  await Promise.all(outlets.map(wait));
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
