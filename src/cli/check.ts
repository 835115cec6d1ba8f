/**
 * `fairlead check`: everything that a start would do but listening, and what holds with where each value came from.
 *
 *  1 look      arguments, environment and file, settings, what is served (config-intent.ts)
 *  2 prepare   its handler with the gate before it, certificates, the log's file (prepare.ts)
 *  3 print     all mistakes, or all settings (check-report.ts)
 *
 * A mistake does not hide the next one. It must never listen, and never write to the log's file.
 */

import { basename } from "node:path";
import { editDistance } from "../server/option-check.ts";
import { CommandError, Mistakes } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import { renderReport, renderReportJson } from "./check-report.ts";
import type { Report } from "./check-report.ts";
import { lookAround } from "./config-intent.ts";
import { SETTABLE, variableOf } from "./config-layers.ts";
import type { Environment } from "./config-layers.ts";
import { isOn } from "./flags.ts";
import type { Flags } from "./flags.ts";
import type { Painter } from "./paint.ts";
import { prepare } from "./prepare.ts";
import type { Usage } from "./usage.ts";
import type { CommandWorld } from "./world.ts";

/** Checks. Exit code 1 for a mistake, 2 if one was typed or is in the environment. */
export async function check(usage: Usage, world: CommandWorld, paint: Painter): Promise<ExitCode> {
  const { word, flags } = wordsOf(usage);
  const found = new Mistakes();
  const outlook = await lookAround(word, flags, world, found);
  const { given, settings, subject } = outlook;
  if (subject?.kind === "module" && world.handOver !== null) return world.handOver();
  await prepare(outlook, world, found, true);
  const mistakes = found.all;
  const report: Report = {
    given,
    settings,
    isNamed: word !== undefined,
    subject,
    mistakes,
    notes: [...settings.notes, ...strangersIn(world.environment)],
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

/** Variables that look like ours and are not. Others may have good reason to be there. */
function strangersIn(environment: Environment): string[] {
  const ours = [...SETTABLE.map(({ name }) => variableOf(name)), "FAIRLEAD_CONFIG"];
  // Port and host have names without it, which is easily forgotten
  const whole = (name: string): string => name.replace(/^(?!FAIRLEAD_)/, "FAIRLEAD_");
  const notes: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("FAIRLEAD_") || ours.includes(name)) continue;
    const [nearest] = ours
      .map((one) => ({ one, distance: editDistance(whole(one), name) }))
      .filter(({ distance }) => distance <= 2)
      .toSorted((a, b) => a.distance - b.distance);
    notes.push(
      `the environment's ${name} is nothing that is read${nearest === undefined ? "" : `; ${nearest.one} is`}`,
    );
  }
  return notes;
}
