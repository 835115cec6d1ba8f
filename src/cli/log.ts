/**
 * Where lines go: what the command says, and a line per request, to the output or to a file; failures of handlers too, where
 * the form has a place for them, and else to standard error.
 *
 * Text for people is written as it comes. The forms for programs are those of the access log of `fairlead/observe`, whose writer,
 * pino's, is loaded when there is much to write (log-writer.ts): the time to the first answer is mostly that of loading. SIGUSR1
 * and SIGUSR2, which rotations send, open a file anew.
 */

import { resolve } from "node:path";
import type { ProtocolError } from "../http/errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { AccessLog } from "../observe/access-hooks.ts";
import type { FixedFormat, LineSink } from "../observe/access-hooks.ts";
import type { Hooks } from "../server/hooks.ts";
import { SYSTEM_TIME } from "../server/clock.ts";
import { userOf } from "./asked-by.ts";
import { faultText } from "./fault-text.ts";
import { plainLines, terminalLines } from "./log-line.ts";
import type { LogLines } from "./log-line.ts";
import { jsonLine } from "./log-record.ts";
import { openLogFile, openLogOutput } from "./log-writer.ts";
import type { Painter } from "./paint.ts";
import type { Settings } from "./settings.ts";
import type { SignalSource } from "./stop.ts";

/** What a log needs of the world. */
export interface LogWorld {
  readonly workingFolder: string;
  readonly isTerminal: boolean;
  readonly signals: SignalSource;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** The lines of one run. */
export interface Log {
  /** Requests that have no whole answer yet. */
  readonly running: number;
  /** Lines that could not be written. */
  readonly droppedLines: number;
  readonly hooks: Hooks;
  /** Says something about the server itself, unless it shall be quiet. */
  readonly say: (text: string) => void;
  /** Says what is wrong with it; where it shall be quiet, on standard error. */
  readonly warn: (text: string) => void;
  /** Resolves when all lines are written. */
  close(): Promise<void>;
}

const REOPEN_SIGNALS: readonly NodeJS.Signals[] = ["SIGUSR1", "SIGUSR2"];

/**
 * Opens the log.
 *
 * @throws CommandError with exit code 1 if the file cannot be written
 */
export function openLog(settings: Settings, world: LogWorld, paint: Painter): Log {
  const { logForm, logFile, isQuiet } = settings;
  const onTrouble = (message: string): void => world.writeError(`fairlead: the log cannot be written: ${message}\n`);
  const sink =
    logFile === ""
      ? openLogOutput(world.writeOutput, onTrouble)
      : openLogFile(resolve(world.workingFolder, logFile), onTrouble);
  const isHeard = logForm !== "off" && (logFile !== "" || !isQuiet);
  const lines = isHeard ? hooksOf(settings, world, logFile === "" ? paint : null, sink) : null;
  let running = 0;
  const reopen = (): void => sink.reopen();
  for (const signal of REOPEN_SIGNALS) world.signals.on(signal, reopen);
  return {
    get running() {
      return running;
    },
    get droppedLines() {
      return sink.droppedLines;
    },
    hooks: {
      onRequest: () => {
        running++;
      },
      onResponse: (response) => {
        running--;
        lines?.onResponse?.(response);
      },
      ...(lines?.onRefusal === undefined ? {} : { onRefusal: lines.onRefusal }),
      onFault: (fault) => {
        const isTaken = lines?.onFault?.(fault) === true;
        if (!isTaken) world.writeError(faultText(fault, SYSTEM_TIME.wallMs()));
      },
    },
    say: isQuiet ? () => {} : speaker("info", logForm, logFile === "" ? sink : null, world),
    warn: isQuiet
      ? (text) => world.writeError(`fairlead: ${text}\n`)
      : speaker("warn", logForm, logFile === "" ? sink : null, world),
    close: async () => {
      await sink.close();
      for (const signal of REOPEN_SIGNALS) world.signals.off(signal, reopen);
    },
  };
}

/** @param paint null for a file, which has no colours */
function hooksOf(settings: Settings, world: LogWorld, paint: Painter | null, sink: LineSink): Hooks {
  const { logForm, isVerbose } = settings;
  if (logForm === "text") {
    const isForPerson = world.isTerminal && paint !== null;
    return textHooks(isForPerson ? terminalLines(paint, isVerbose) : plainLines, sink);
  }
  return new AccessLog({ user: userOf }, logForm as FixedFormat, sink);
}

/** A request is one line: its refusal waits for the end of the exchange, of which there is a line anyway. */
function textHooks(lines: LogLines, sink: LineSink): Hooks {
  const refused = new Map<Exchange, ProtocolError>();
  return {
    onResponse: (response) => {
      let error: ProtocolError | null = null;
      if (refused.size > 0) {
        error = refused.get(response.exchange) ?? null;
        refused.delete(response.exchange);
      }
      sink.write(`${lines.response(response, error)}\n`, false);
    },
    onRefusal: (refusal) => {
      if (refusal.exchange === null) sink.write(`${lines.refusal(refusal)}\n`, false);
      else refused.set(refusal.exchange, refusal.error);
    },
  };
}

/**
 * Whoever reads lines of JSON gets nothing else.
 *
 * @param sink where the lines per request go too, so that all stay in order; null if that is a file
 */
function speaker(
  level: "info" | "warn",
  logForm: Settings["logForm"],
  sink: LineSink | null,
  world: LogWorld,
): (text: string) => void {
  const write = sink === null ? world.writeOutput : (text: string): void => sink.write(text, false);
  if (logForm !== "json" || world.isTerminal) return (text) => write(`${text}\n`);
  return (text) => write(`${jsonLine(SYSTEM_TIME.wallMs(), level, text, {})}\n`);
}
