/**
 * One open file, pipe or socket that lines go out to, by pino's destination; a file that was moved away has one that ends and
 * the new file another.
 *
 * It knows what is under way and what became of it: written, waiting, or lost with the descriptor. What the system refuses,
 * for a disk that is full say, waits and is tried again after some time, whether or not more lines come: with as much waiting
 * as may wait, none would.
 */

import { closeSync, writeSync } from "node:fs";
import { destination } from "pino";
import type { TimeSource } from "../web/clock.ts";
import type { LineBatch } from "./line-batch.ts";

/** When the log or the process ends, what the system does not take is tried again for so long. */
export const LAST_TRY_MS = 2_000;
/** And the last try fails within so long, unless it blocks. */
const LAST_ERROR_MS = 500;
/** What was refused is tried again after so long. */
const RETRY_MS = 1_000;
/** And at the end of the process, when nothing else can be done meanwhile, after so long. */
const WAIT_MS = 10;
/** What nobody ever wakes. */
const ASLEEP = new Int32Array(new SharedArrayBuffer(4));
/** The process's own outputs are closed by nobody. */
const STANDARD_ERROR = 2;

type Destination = ReturnType<typeof destination>;

/** Lines that were handed over together. */
interface Piece {
  bytes: number;
  readonly lines: number;
}

/** What an outlet is made with. */
export interface LogOutletOptions {
  /** Handed to the system in pieces of so many octets at most. */
  readonly mostBytes: number;
  readonly time: TimeSource;
  /** The system does not take it, for another reason than that its reader has gone. */
  readonly onError: (error: Error) => void;
  /** The memory given last may be filled again: all of it is written. */
  readonly onWritten: (batch: LineBatch) => void;
  /** So many lines are lost, at most. */
  readonly onLost: (lines: number) => void;
}

/** Takes batches, in their order. */
export class LogOutlet {
  readonly #fd: number;
  readonly #options: LogOutletOptions;
  readonly #stream: Destination;
  readonly #pieces: Piece[] = [];
  #waitingBytes = 0;
  /** Handed over last, as the memory that it is. */
  #given: LineBatch | null = null;
  /** The last thing heard of the system was an error. */
  #hasFailed = false;
  /** Whoever read our output has gone: the stream takes no more, and does not even end. */
  #isUnheard = false;
  /** What is being written was not taken for the moment: the stream has it, and waits. False as soon as it tries again. */
  #isStalled = false;
  /** The stream writes for the last time, and waits for nothing but time. */
  #isLast = false;
  /** Nothing more comes, and what fails now is lost: resolves when that is over. */
  #ended: Promise<void> | null = null;
  #isClosed = false;
  #cancelRetry: (() => void) | null = null;
  /** Monotonic; until then what the system does not take for the moment is tried again. */
  #retryUntilMs = Infinity;

  /** @param fd closed at the end, unless it is the process's own output */
  constructor(fd: number, options: LogOutletOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#stream = this.#open();
  }

  /** Octets that are handed over and not written yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isUnheard(): boolean {
    return this.#isUnheard;
  }

  /** Takes the lines of a batch. @returns true if its memory is taken too, until `onWritten` gives it back */
  give(batch: LineBatch): boolean {
    const { length, lines } = batch;
    // What waits for long must not take much more than it holds: a few lines do not keep the memory of a batch
    const isSmall = length < batch.octets.length / 2;
    this.#pieces.push({ bytes: length, lines });
    this.#waitingBytes += length;
    if (!isSmall) this.#given = batch;
    try {
      // In its mode for buffers it takes them as they are; its types know text alone
      this.#stream.write((isSmall ? batch.copied() : batch.taken()) as unknown as string);
    } catch {
      // pino ends its streams when a process has nothing left to do, and this one has gone on
      this.#lose();
    }
    return !isSmall;
  }

  /** Resolves when all lines so far are with the system, or have failed to get there. */
  flush(): Promise<void> {
    if (this.#waitingBytes === 0 || this.#hasFailed) return Promise.resolve();
    const stream = this.#stream;
    return new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off("drain", done).off("error", done).off("close", done);
        resolve();
      };
      stream.on("drain", done).on("error", done).on("close", done);
    });
  }

  /**
   * Resolves when what waits is written, or lost, and the descriptor is closed.
   *
   * @param ms for so long at most; then it is lost. A later call can only shorten it
   */
  end(ms: number = Infinity): Promise<void> {
    this.#stopRetrying();
    this.#ended ??= this.#close();
    if (ms === Infinity || this.#isClosed) return this.#ended;
    this.#retryUntilMs = Math.min(this.#retryUntilMs, this.#options.time.elapsedMs() + ms);
    return this.#endedWithin(this.#ended, ms);
  }

  /**
   * The process ends: nothing can be waited for any more, and nothing may hold it for good.
   *
   * @param rest lines that have not been given yet
   * @param untilMs monotonic, {@link LAST_TRY_MS} from when the process began to end
   * @throws if not all was written by then, or something failed before; nothing more is tried then
   */
  writeAtOnce(rest: LineBatch | null, untilMs: number): void {
    try {
      if (this.#hasFailed) throw new Error("the system does not take it");
      this.#retryUntilMs = Math.min(this.#retryUntilMs, untilMs);
      // The stream's own flush leaves it to a timer that does not come any more
      if (this.#isStalled) this.#write(Reflect.get(this.#stream, "_writingBuf") as Buffer);
      // Nobody will say what becomes of what is on its way in another thread: it goes first, and has the room that there is
      else if (this.#waitingBytes > 0) Atomics.wait(ASLEEP, 0, 0, WAIT_MS);
      this.#flushNow();
      if (rest !== null) this.#write(rest.taken());
    } catch (error) {
      // Or pino would go on at its own end of the process
      this.#stream.destroy();
      throw error;
    }
  }

  /** Lines that are not written yet, at most. */
  get waitingLines(): number {
    return this.#pieces.reduce((sum, { lines }) => sum + lines, 0);
  }

  #endedWithin(ended: Promise<void>, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.time.after(ms + LAST_ERROR_MS, () => {
        // A write holds its thread, and cannot be taken back. Or pino would wait for it at the end of the process
        Reflect.set(this.#stream, "destroyed", true);
        this.#lose();
        resolve();
      });
      void ended.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #close(): Promise<void> {
    if (this.#isUnheard) {
      this.#closeUnheard();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = (): void => {
        this.#isClosed = true;
        resolve();
      };
      this.#stream.once("close", done);
      this.#stream.once("error", () => {
        if (!this.#isUnheard) return;
        this.#closeUnheard();
        done();
      });
      this.#stream.end();
    });
  }

  /** pino leaves a stream without a reader as it is, and neither ends nor closes it. */
  #closeUnheard(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#fd > STANDARD_ERROR) closeSync(this.#fd);
  }

  #open(): Destination {
    const stream = destination({
      dest: this.#fd,
      sync: false,
      contentMode: "buffer",
      maxWrite: this.#options.mostBytes,
      // Every line has more. With none at all, its flush() would not try what has failed
      minLength: 1,
      retryEAGAIN: () => (this.#isStalled = this.#mayRetry()),
    });
    Object.defineProperty(stream, "fd", { get: () => this.#beginWrite() });
    stream.on("drain", () => {
      const given = this.#given;
      this.#given = null;
      if (given !== null) this.#options.onWritten(given);
    });
    stream.on("write", (written: number) => this.#noteWritten(written));
    stream.on("error", (error: NodeJS.ErrnoException) => this.#noteError(error));
    return stream;
  }

  #noteWritten(written: number): void {
    this.#hasFailed = false;
    this.#waitingBytes -= written;
    for (let rest = written; rest > 0;) {
      const first = this.#pieces[0];
      if (first === undefined) return;
      const part = Math.min(rest, first.bytes);
      first.bytes -= part;
      rest -= part;
      if (first.bytes === 0) this.#pieces.shift();
    }
  }

  #noteError(error: NodeJS.ErrnoException): void {
    this.#hasFailed = true;
    if (error.code === "EPIPE") {
      this.#isUnheard = true;
      return this.#lose();
    }
    this.#options.onError(error);
    if (this.#ended === null) return this.#retryLater();
    this.#lose();
    this.#stream.destroy();
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#options.time.after(RETRY_MS, () => {
      this.#cancelRetry = null;
      try {
        this.#stream.flush();
      } catch {
        // It has been ended meanwhile, with all that it had
        this.#lose();
      }
    });
  }

  #stopRetrying(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
  }

  #lose(): void {
    this.#stopRetrying();
    const lines = this.waitingLines;
    this.#pieces.length = 0;
    this.#waitingBytes = 0;
    this.#given = null;
    if (lines > 0) this.#options.onLost(lines);
  }

  /** The stream asks for the descriptor: it tries to write, or to close. */
  #beginWrite(): number {
    if (this.#isLast && !this.#mayRetry()) throw notTaken();
    // What is on its way by then must not be written a second time
    this.#isStalled = false;
    return this.#fd;
  }

  /** The stream's own flush tries for good whatever the error: a disk that is full by then, a pipe that nobody empties. */
  #flushNow(): void {
    this.#isLast = true;
    try {
      this.#stream.flushSync();
    } finally {
      this.#isLast = false;
    }
  }

  /** At once, and again as long as it may be that the system takes it. */
  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(this.#fd, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        if (!this.#mayRetry()) throw notTaken();
        Atomics.wait(ASLEEP, 0, 0, WAIT_MS);
      }
    }
  }

  #mayRetry(): boolean {
    return this.#options.time.elapsedMs() < this.#retryUntilMs;
  }
}

function notTaken(): Error {
  return Object.assign(new Error(`the system has not taken it within ${LAST_TRY_MS / 1000} s`), { code: "EAGAIN" });
}
