/**
 * Where lines go: what the command says, and a line per request, to the output or to a file.
 *
 * A file is appended to and never read; if it cannot be written any more, that is
 * said once, and serving goes on.
 */

import { createWriteStream, openSync } from "node:fs";
import { resolve } from "node:path";
import type { Hooks } from "../server/hooks.ts";
import { SYSTEM_TIME } from "../server/clock.ts";
import { CommandError, messageOf } from "./command-error.ts";
import { plainLines, terminalLines } from "./log-line.ts";
import type { LogLines } from "./log-line.ts";
import { combinedLines, jsonLine, jsonLines } from "./log-record.ts";
import type { Painter } from "./paint.ts";
import type { Settings } from "./settings.ts";

/** What a log needs of the world. */
export interface LogWorld {
  readonly workingFolder: string;
  readonly isTerminal: boolean;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** The lines of one run. */
export interface Log {
  /** Requests that have no whole answer yet. */
  readonly running: number;
  readonly hooks: Hooks;
  /** Says something about the server itself, unless it shall be quiet. */
  readonly say: (text: string) => void;
  /** Resolves when all lines are in the file. */
  close(): Promise<void>;
}

/**
 * Opens the log.
 *
 * @throws CommandError with exit code 1 if the file cannot be written
 */
export function openLog(settings: Settings, world: LogWorld, paint: Painter): Log {
  const { logForm, logFile, isQuiet } = settings;
  const file = logFile === "" ? null : openFile(resolve(world.workingFolder, logFile), world);
  const lines = linesOf(settings, world, file === null ? paint : null);
  const isHeard = lines !== null && (file !== null || !isQuiet);
  const write = file === null ? world.writeOutput : file.write;
  let running = 0;
  return {
    get running() {
      return running;
    },
    hooks: {
      onRequest: () => {
        running++;
      },
      onResponse: (response) => {
        running--;
        if (isHeard) write(`${lines.response(response)}\n`);
      },
      onRefusal: (refusal) => {
        if (isHeard) write(`${lines.refusal(refusal)}\n`);
      },
    },
    say: speaker(isQuiet, logForm === "json" && !world.isTerminal, world),
    close: file === null ? async () => {} : file.close,
  };
}

/** @param paint null for a file, which has no colours */
function linesOf(settings: Settings, world: LogWorld, paint: Painter | null): LogLines | null {
  const { logForm, isVerbose } = settings;
  if (logForm === "off") return null;
  if (logForm === "text") return world.isTerminal && paint !== null ? terminalLines(paint, isVerbose) : plainLines;
  return logForm === "json" ? jsonLines(wallTime, isVerbose) : combinedLines(wallTime);
}

function wallTime(): number {
  return SYSTEM_TIME.wallMs();
}

/** Whoever reads lines of JSON gets nothing else. */
function speaker(isQuiet: boolean, isJson: boolean, world: LogWorld): (text: string) => void {
  if (isQuiet) return () => {};
  if (!isJson) return (text) => world.writeOutput(`${text}\n`);
  return (text) => world.writeOutput(`${jsonLine(wallTime(), "info", text, {})}\n`);
}

/** A file that is appended to. */
interface LogFile {
  readonly write: (text: string) => void;
  readonly close: () => Promise<void>;
}

function openFile(path: string, world: LogWorld): LogFile {
  let fd: number;
  try {
    fd = openSync(path, "a", 0o640);
  } catch (error) {
    throw new CommandError(1, `--log-file: ${path} cannot be written: ${messageOf(error)}`, [], { cause: error });
  }
  const stream = createWriteStream(path, { fd });
  let isBroken = false;
  stream.on("error", (error) => {
    if (!isBroken) world.writeError(`fairlead: ${path} cannot be written any more: ${error.message}\n`);
    isBroken = true;
  });
  return {
    write: (text) => {
      // A disk that is slower than the requests must not fill the memory: what is too much is not written
      if (!isBroken && stream.writableLength < MOST_UNWRITTEN_BYTES) stream.write(text);
    },
    close: () => new Promise((done) => (isBroken ? done() : stream.end(done))),
  };
}

const MOST_UNWRITTEN_BYTES = 16 * 1024 * 1024;
