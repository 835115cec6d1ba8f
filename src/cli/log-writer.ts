/**
 * Lines to the output or to a file, by the writer of `fairlead/observe`, which is loaded no sooner than it is needed.
 *
 * At first lines are written as they come, one by one. The output changes over when there have been many: who asks for so much
 * is no person, and whoever reads a pipe may stop reading, which would stop this process when the pipe is full. A file changes
 * over at its first line, because only the writer notices that the file was moved. It must never fail an answer.
 */

import { closeSync, fstatSync, openSync, writeFileSync } from "node:fs";
import type { LineSink } from "../observe/access-hooks.ts";
import type { LineBatch } from "../observe/line-batch.ts";
import { APPEND } from "../observe/log-file.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import { CommandError, messageOf, whyNotOpened } from "./command-error.ts";

/**
 * Characters that the output gets line by line: what a person causes in a minute or two. A pipe holds 64 KiB before it makes
 * its writer wait (pipe(7)), and other workers write into the same.
 */
const FEW_CHARACTERS = 8 * 1024;

const STANDARD_OUTPUT = 1;
const NOT_OPEN = -1;
/** The owner writes, the group reads: who has asked for what is nobody else's business. */
const FILE_MODE = 0o640;
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
const FLUSH_MS = 50;

/** How lines get where they belong. */
interface LateWriterOptions {
  readonly destination: string | number;
  /** Length of the text that does without the writer. */
  readonly fewCharacters: number;
  /** Writes at once, until the writer is there. */
  readonly writeNow: (line: string) => void;
  /** Something is wrong with the destination; serving goes on. */
  readonly onTrouble: (message: string) => void;
  /** The writer has the destination open itself, or has failed to. */
  readonly onLoaded?: () => void;
}

/** Writes by itself first, then through the writer. */
class LateWriter implements LineSink {
  readonly #options: LateWriterOptions;
  #writer: LineSink | null = null;
  /** Makes it, once that is loaded. */
  #open: (() => LineSink) | null = null;
  #loading: Promise<void> | null = null;
  #written = 0;
  /** Lines that came while the writer was being loaded: a process that ends meanwhile writes them itself. */
  readonly #waiting: string[] = [];
  readonly #onExit = (): void => this.#writeWaiting();
  #isLoading = false;
  #lostLines = 0;
  #hasComplained = false;

  constructor(options: LateWriterOptions) {
    this.#options = options;
  }

  get droppedLines(): number {
    return this.#lostLines + (this.#writer?.droppedLines ?? 0);
  }

  get isTaking(): boolean {
    return this.#writer?.isTaking ?? this.#lostLines === 0;
  }

  write(line: string, isAscii?: boolean): void {
    // Whoever reads a pipe may have been away when it was opened
    if (this.#writer === null && this.#open !== null) this.#tryToOpen(this.#open);
    if (this.#writer !== null) return this.#writer.write(line, isAscii);
    if (this.#isLoading) {
      this.#waiting.push(line);
      return;
    }
    this.#writeNow(line);
    this.#written += line.length;
    if (this.#written > this.#options.fewCharacters) this.#loading ??= this.#load();
  }

  room(bytes: number): LineBatch | null {
    return this.#writer === null ? null : this.#writer.room(bytes);
  }

  async flush(): Promise<void> {
    await this.#loading;
    await this.#writer?.flush();
  }

  /** Nothing without the writer: each line has the file opened anew. */
  reopen(): void {
    this.#writer?.reopen();
  }

  async close(): Promise<void> {
    await this.#loading;
    await this.#writer?.close();
  }

  #writeNow(line: string): void {
    try {
      this.#options.writeNow(line);
    } catch (error) {
      this.#lostLines++;
      this.#complain(error);
    }
  }

  #writeWaiting(): void {
    for (const line of this.#waiting.splice(0)) this.#writeNow(line);
  }

  async #load(): Promise<void> {
    this.#isLoading = true;
    process.prependListener("exit", this.#onExit);
    try {
      const { LogSink } = await import("../observe/log-sink.ts");
      const { destination, onTrouble } = this.#options;
      this.#open = () =>
        new LogSink({
          destination,
          mode: FILE_MODE,
          maxBufferedBytes: MAX_BUFFERED_BYTES,
          flushMs: FLUSH_MS,
          time: SYSTEM_TIME,
          onTrouble,
        });
      this.#tryToOpen(this.#open);
    } catch (error) {
      // Then it goes on as it has begun
      this.#complain(error);
    }
    this.#isLoading = false;
    this.#options.onLoaded?.();
    process.off("exit", this.#onExit);
    if (this.#writer === null) return this.#writeWaiting();
    // Not known to be ASCII any more
    for (const line of this.#waiting.splice(0)) this.#writer.write(line, false);
  }

  /** Where it cannot be opened it goes on as it has begun, until it can. */
  #tryToOpen(open: () => LineSink): void {
    try {
      this.#writer = open();
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    if (!this.#hasComplained) this.#options.onTrouble(messageOf(error));
    this.#hasComplained = true;
  }
}

/** The output, to which `writeNow` writes. */
export function openLogOutput(writeNow: (text: string) => void, onTrouble: (message: string) => void): LineSink {
  return new LateWriter({ destination: STANDARD_OUTPUT, fewCharacters: FEW_CHARACTERS, writeNow, onTrouble });
}

/**
 * A file that is appended to.
 *
 * @throws CommandError with exit code 1 if it cannot be written
 */
export function openLogFile(path: string, onTrouble: (message: string) => void): LineSink {
  let fd = NOT_OPEN;
  try {
    fd = openSync(path, APPEND, FILE_MODE);
  } catch (error) {
    throw new CommandError(1, `--log-file: ${path} cannot be written: ${whyNotOpened(error)}`, [], { cause: error });
  }
  const close = (): void => {
    if (fd !== NOT_OPEN) closeSync(fd);
    fd = NOT_OPEN;
  };
  // Whoever reads a pipe would take it for the end
  if (!fstatSync(fd).isFIFO()) close();
  const writeNow = (line: string): void => {
    const own = openSync(path, APPEND, FILE_MODE);
    try {
      writeFileSync(own, line);
    } finally {
      closeSync(own);
    }
  };
  return new LateWriter({ destination: path, fewCharacters: 0, writeNow, onTrouble, onLoaded: close });
}
