/**
 * `fairlead check`: everything that a start would do but listening, and what holds with where each value came from.
 *
 *  1 gather    arguments, environment and file
 *  2 read      settings, what is served, its handler with the gate before it, each as far as the others allow
 *  3 print     all mistakes, or all settings (check-report.ts)
 *
 * A mistake does not hide the next one. It must never listen, and never write to the log's file.
 */

import { accessSync, constants, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { ServerError } from "../http/errors.ts";
import { editDistance } from "../server/option-check.ts";
import { resolveOptions } from "../server/options.ts";
import { CommandError, messageOf } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import { renderReport, renderReportJson } from "./check-report.ts";
import type { Report } from "./check-report.ts";
import { findIntended, gather } from "./config-intent.ts";
import { SETTABLE, variableOf } from "./config-layers.ts";
import type { Environment, Given } from "./config-layers.ts";
import { isOn } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { makeHandler } from "./make-handler.ts";
import type { Painter } from "./paint.ts";
import { readSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { Subject } from "./subject.ts";
import type { Usage } from "./usage.ts";
import type { CommandWorld } from "./world.ts";

const NOTHING: Given = { flags: new Map(), origins: new Map(), file: null, mistakes: [] };

/** Checks. Exit code 1 for a mistake, 2 if one was typed or is in the environment. */
export async function check(usage: Usage, world: CommandWorld, paint: Painter): Promise<ExitCode> {
  const { word, flags } = wordsOf(usage);
  const mistakes: CommandError[] = [];
  const given = await attempt(mistakes, () => gather(word, flags, world), null);
  const settings = await attempt(mistakes, () => readSettings(given ?? NOTHING, world.isTerminal), null);
  const subject = await attempt(mistakes, () => findIntended(given ?? NOTHING, word, world.workingFolder), null);
  if (subject?.kind === "module" && world.handOver !== null) return world.handOver();
  if (settings !== null && subject !== null) await checkDisk(settings, subject, flags, world, mistakes);
  const report: Report = {
    given: given ?? NOTHING,
    settings,
    subject,
    mistakes,
    notes: [...(given?.file?.notes ?? []), ...strangersIn(world.environment)],
  };
  if (isOn(flags, "json", false)) world.writeOutput(renderReportJson(report));
  else {
    const { output, errors } = renderReport(report, paint);
    if (output !== "") world.writeOutput(output);
    if (errors !== "") world.writeError(errors);
  }
  if (mistakes.length === 0) return 0;
  return mistakes.some(({ exitCode }) => exitCode === 2) ? 2 : 1;
}

/** What is checked may be named, or the configuration file. */
function wordsOf({ words, flags }: Usage): { word: string | undefined; flags: Flags } {
  const [word, ...others] = words;
  if (others.length > 0) {
    throw new CommandError(2, `check takes one folder, file or module, not ${words.length}: ${words.join(" ")}`);
  }
  if (word === undefined || !isConfigName(basename(word))) return { word, flags };
  return { word: undefined, flags: new Map([...flags, ["config", [word]]]) };
}

function isConfigName(name: string): boolean {
  return name === "serve.json" || /\.config\.(?:json|[cm]?[jt]s)$/i.test(name);
}

async function attempt<T>(mistakes: CommandError[], run: () => T | Promise<T>, instead: T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (Array.isArray(error.cause) && error.cause.every((one) => one instanceof CommandError)) {
      mistakes.push(...error.cause);
    } else mistakes.push(error);
    return instead;
  }
}

/** The handler is made: folder, rules, module, passwords and fields are read as at a start. */
async function checkDisk(
  settings: Settings,
  subject: Subject,
  flags: Flags,
  world: CommandWorld,
  mistakes: CommandError[],
): Promise<void> {
  await attempt<unknown>(mistakes, () => makeHandler(subject, settings, flags, world.workingFolder), null);
  await attempt(mistakes, () => checkCertificate(settings, world.workingFolder), undefined);
  await attempt(mistakes, () => checkLogFile(settings.logFile, world.workingFolder), undefined);
}

/** Files alone, and what needs them: a local certificate, or one of ACME, is made by a start. */
function checkCertificate({ tls, server }: Settings, workingFolder: string): void {
  if (tls !== null && tls.kind !== "files") return;
  const files =
    tls === null
      ? {}
      : { tls: { certFile: resolve(workingFolder, tls.certFile), keyFile: resolve(workingFolder, tls.keyFile) } };
  try {
    resolveOptions({ ...server, ...files, fetch: () => undefined });
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const [said = "", ...lines] = error.message.split("\n");
    throw new CommandError(
      1,
      said.replace(/:$/, ""),
      lines.map((line) => line.trim()),
      { cause: error },
    );
  }
}

/** Whether it could be opened, without making it. */
function checkLogFile(name: string, workingFolder: string): void {
  if (name === "") return;
  const path = resolve(workingFolder, name);
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) throw new Error("it is a folder");
    accessSync(stats === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw new CommandError(1, `--log-file: ${path} cannot be written: ${messageOf(error)}`, [], { cause: error });
  }
}

/** Variables that look like ours and are not. Others may have good reason to be there. */
function strangersIn(environment: Environment): string[] {
  const ours = [...SETTABLE.map(({ name }) => variableOf(name)), "FAIRLEAD_CONFIG"];
  const notes: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("FAIRLEAD_") || ours.includes(name)) continue;
    const nearest = ours.find((one) => editDistance(one, name) <= 2);
    notes.push(`the environment's ${name} is nothing that is read${nearest === undefined ? "" : `; ${nearest} is`}`);
  }
  return notes;
}
