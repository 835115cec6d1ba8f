/**
 * The command from its arguments to its exit code, top to bottom.
 *
 *  1 read     arguments (usage.ts), environment and defaults (settings.ts)
 *  2 find     what is to be served (subject.ts) and its handler (load-module.ts)
 *  3 listen   on the port that was asked for, or a free one (listen.ts)
 *  4 tell     the first lines (banner.ts), then a line per request (log-line.ts)
 *  5 stop     at a signal (stop.ts)
 *
 * It must never touch `process`: whatever it needs of it is in the {@link CommandWorld}.
 */

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import type { Hooks } from "../server/hooks.ts";
import { serveFile } from "../static/serve-file.ts";
import { serveStatic } from "../static/serve-static.ts";
import type { Handler } from "../web/handler.ts";
import { renderBanner, renderPlainBanner } from "./banner.ts";
import type { Welcome } from "./banner.ts";
import { CommandError } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import { renderLimits } from "./limits-table.ts";
import { isContainer, isLoopback, listen, networkUrlsOf } from "./listen.ts";
import type { Listening } from "./listen.ts";
import { loadModule } from "./load-module.ts";
import { plainLines, terminalLines } from "./log-line.ts";
import type { LogLines } from "./log-line.ts";
import { colourPainter, plainPainter } from "./paint.ts";
import type { Painter } from "./paint.ts";
import { readSettings, wantsColour } from "./settings.ts";
import type { Environment, Settings } from "./settings.ts";
import { untilStopped } from "./stop.ts";
import type { SignalSource } from "./stop.ts";
import { findSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";
import { readUsage } from "./usage.ts";

/** What the command sees of the process that it runs in. */
export interface CommandWorld {
  readonly environment: Environment;
  /** Absolute. */
  readonly workingFolder: string;
  /** Somebody watches the output. */
  readonly isTerminal: boolean;
  readonly signals: SignalSource;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * Runs the command.
 *
 * @param args without node and the script
 * @returns the exit code, when the server has stopped or there was nothing to run
 */
export async function runCommand(args: readonly string[], world: CommandWorld): Promise<ExitCode> {
  try {
    return await run(args, world);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const advice = error.advice.map((line) => `  ${line}\n`).join("");
    world.writeError(`fairlead: ${error.message}\n${advice}`);
    return error.exitCode;
  }
}

async function run(args: readonly string[], world: CommandWorld): Promise<ExitCode> {
  const version = readVersion();
  const usage = readUsage(args, version, world.writeOutput);
  if (usage === null) return 0;
  const paint = wantsColour(usage.flags, world.environment, world.isTerminal) ? colourPainter : plainPainter;
  if (usage.flags.limits === true) {
    world.writeOutput(renderLimits(paint));
    return 0;
  }
  const settings = readSettings(usage.flags, world.environment);
  const subject = findSubject(usage.subject, world.workingFolder);
  const handler = await handlerOf(subject);

  const say = settings.isQuiet ? (): void => {} : (line: string): void => world.writeOutput(`${line}\n`);
  const traffic = { running: 0 };
  const listening = await listen(settings, handler, observe(traffic, logLinesFor(world, paint), say));
  if (!settings.isQuiet) welcome(world, paint, settings, { version, subject, listening });
  return untilStopped(listening.server, world.signals, () => traffic.running, say);
}

async function handlerOf(subject: Subject): Promise<Handler> {
  switch (subject.kind) {
    case "folder":
      return serveStatic(subject.path);
    case "file":
      return serveFile(subject.path);
    case "module":
      return loadModule(subject.path);
  }
}

function logLinesFor(world: CommandWorld, paint: Painter): LogLines {
  return world.isTerminal ? terminalLines(paint) : plainLines;
}

/** Counts what runs, and writes a line when it is over. */
function observe(traffic: { running: number }, lines: LogLines, say: (line: string) => void): Hooks {
  return {
    onRequest: () => {
      traffic.running++;
    },
    onResponse: (response) => {
      traffic.running--;
      say(lines.response(response));
    },
    onRefusal: (refusal) => say(lines.refusal(refusal)),
  };
}

/** The start, as told. */
interface Start {
  readonly version: string;
  readonly subject: Subject;
  readonly listening: Listening;
}

function welcome(
  world: CommandWorld,
  paint: Painter,
  settings: Settings,
  { version, subject, listening }: Start,
): void {
  const { server, takenPort } = listening;
  const shownPath = relative(world.workingFolder, subject.path);
  const said: Welcome = {
    version,
    subject,
    shownPath: shownPath === "" ? "this folder" : shownPath,
    url: server.url.href,
    networkUrls: networkUrlsOf(settings.hostname, server.port),
    takenPort,
    isShutIn: isLoopback(settings.hostname) && isContainer(),
  };
  world.writeOutput(world.isTerminal ? renderBanner(said, paint) : renderPlainBanner(said));
}

/** Two folders up from src/cli as from dist/cli. */
function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
