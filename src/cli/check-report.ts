/**
 * What `fairlead check` found, as text for people and as JSON for programs.
 *
 * Every setting has a row with its value and where it came from, also those that nobody gave. Passwords and keys are never
 * shown, wherever in a value they stand (shown-value.ts). It looks at nothing but what it is given.
 */

import { OPTION_TABLE } from "../server/option-table.ts";
import type { CommandError } from "./command-error.ts";
import { SERVER_SETTINGS } from "./config-schema.ts";
import { SETTABLE, settingOf } from "./config-layers.ts";
import type { Given } from "./config-layers.ts";
import { type AmountRow, formatExactAmount } from "./exact-amount.ts";
import type { FlagName, FlagRow } from "./flags.ts";
import type { Painter } from "./paint.ts";
import { flagWithoutSecrets, withoutSecrets } from "./shown-value.ts";
import type { Settings } from "./settings.ts";
import type { Subject } from "./subject.ts";

/** What was found. */
export interface Report {
  readonly given: Given;
  /** Null if they could not be read. */
  readonly settings: Settings | null;
  /** Whether what is served was named by a word, which goes before any `root`. */
  readonly isNamed: boolean;
  /** Null if there is nothing to serve. */
  readonly subject: Subject | null;
  readonly mistakes: readonly CommandError[];
  readonly notes: readonly string[];
}

/** One setting. */
interface Row {
  readonly name: string;
  readonly value: unknown;
  readonly shown: string;
  readonly source: "argument" | "flag" | "environment" | "file" | "default";
  /** `--port`, `PORT`, `fairlead.config.ts:3`; `""` for an argument and a default. */
  readonly place: string;
}

/** What options of files are by default, which no table has. */
const FILE_DEFAULTS: readonly (readonly [name: keyof Settings["files"]["more"], value: unknown, unit: string])[] = [
  ["index", "index.html", ""],
  ["notFound", true, ""],
  ["prefix", "", ""],
  ["mediaTypes", {}, ""],
  ["maxCacheBytes", 64 * 1024 * 1024, "B"],
  ["maxCacheEntries", 4096, ""],
];

/** Text for people: what holds for the output, what is wrong for the errors. */
export function renderReport(report: Report, paint: Painter): { output: string; errors: string } {
  const { mistakes, notes } = report;
  const noted = notes.map((note) => `${paint("warning", "note")}  ${note}\n`).join("");
  if (mistakes.length > 0) {
    const lines = mistakes.flatMap(({ message, advice }) => [
      `${paint("bad", "wrong")}  ${message}`,
      ...advice.map((line) => `         ${line}`),
    ]);
    const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
    return { output: noted, errors: `${lines.join("\n")}\n\n${count}; nothing would be served.\n` };
  }
  const rows = rowsOf(report);
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const valueWidth = Math.min(40, Math.max(...rows.map(({ shown }) => shown.length)));
  const lines = rows.map(({ name, shown, source, place }) => {
    const isGiven = source !== "default";
    const value = isGiven ? paint("good", shown.padEnd(valueWidth)) : shown.padEnd(valueWidth);
    const from = isGiven ? place || source : paint("faint", source);
    return `${name.padEnd(nameWidth)}  ${value}  ${from}`;
  });
  const { subject } = report;
  const what = subject === null ? "" : `: ${subject.kind === "module" ? "app" : subject.kind} ${subject.path}`;
  return { output: `${lines.join("\n")}\n\n${noted}${paint("good", "All is well")}${what}\n`, errors: "" };
}

/** The same for programs, one object on many lines. */
export function renderReportJson(report: Report): string {
  const { subject, mistakes, notes } = report;
  const value = {
    ok: mistakes.length === 0,
    subject,
    mistakes: mistakes.map(({ message, advice }) => ({ message, advice })),
    notes,
    settings: rowsOf(report).map(({ name, value: given, source, place }) => ({ name, value: given, source, place })),
  };
  // JSON knows no Infinity
  return `${JSON.stringify(value, (_, one: unknown) => (one === Infinity ? "Infinity" : one), 2)}\n`;
}

function rowsOf({ given, settings, isNamed, subject }: Report): Row[] {
  if (settings === null) return [];
  return [
    ...SETTABLE.map((row) =>
      isNamed && row.name === "root" ? argumentRow(subject) : flagRow(row, given, settings, subject),
    ),
    ...FILE_DEFAULTS.map(([name, byDefault, unit]) => {
      const value = settings.files.more[name];
      // Counts of what is kept
      const description = typeof byDefault === "number" ? "0: none" : "";
      const row = { path: `files.${name}`, unit, description };
      return fileRow(row, value ?? byDefault, value !== undefined, given);
    }),
    ...OPTION_TABLE.filter(({ path }) => SERVER_SETTINGS.includes(path.replace(/\..*/, ""))).map((row) => {
      const value = valueAt(settings.server, row.path);
      const safe = withoutSecrets(row.path, value);
      return fileRow(row, safe ?? row.default, value !== undefined, given);
    }),
  ];
}

function flagRow(row: FlagRow, given: Given, settings: Settings, subject: Subject | null): Row {
  const name = settingOf(row.name);
  const origin = given.origins.get(row.name);
  const values = given.flags.get(row.name)?.map((value) => flagWithoutSecrets(row.name, value));
  // Of one whose values are all wrong nothing is left
  const said = values !== undefined && values.length > 1 ? values : values?.[0];
  const value = said ?? defaultOf(row, settings, subject);
  const place = origin === undefined ? "" : origin.shown.replace(/^the environment's /, "").replace(/^\w+ in /, "");
  return { name, value, shown: show(value, PLAIN), source: origin?.source ?? "default", place };
}

function argumentRow(subject: Subject | null): Row {
  const value = subject?.path ?? null;
  return { name: "root", value, shown: show(value, PLAIN), source: "argument", place: "" };
}

/** What holds where nobody said anything. */
function defaultOf(row: FlagRow, settings: Settings, subject: Subject | null): unknown {
  const known: Partial<Record<FlagName, unknown>> = {
    "port": settings.targets.find((target) => target.kind === "tcp")?.port ?? null,
    "host": settings.targets.find((target) => target.kind === "tcp")?.hostname ?? null,
    "cache": "auto",
    "clean-urls": true,
    "list": settings.files.listsFolders,
    "compress": true,
    "precompressed": true,
    "rules": true,
    "log": settings.logForm,
    "color": true,
    "port-switching": true,
    "root": subject?.path ?? null,
  };
  const value = known[row.name];
  if (value !== undefined) return value;
  return row.value.startsWith("<") ? null : false;
}

function fileRow(row: AmountRow, value: unknown, isGiven: boolean, { file }: Given): Row {
  const { path } = row;
  const place = isGiven && file !== null ? (file.places.get(path) ?? file.shown) : "";
  return { name: path, value, shown: show(value, row), source: isGiven ? "file" : "default", place };
}

function valueAt(server: object, path: string): unknown {
  let value: unknown = server;
  for (const name of path.split(".")) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

/** Of a flag, whose value is shown as it was typed. */
const PLAIN: AmountRow = { path: "", unit: "", description: "" };

function show(value: unknown, row: AmountRow): string {
  if (value === true) return "on";
  if (value === false) return "off";
  if (value === null || value === "") return "none";
  // Of those options that can be -1 it means that there is none; the rest is 0 and above
  if (typeof value === "number") return value === -1 ? "none" : formatExactAmount(value, row);
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((one) => typeof one === "string"))
    return value.length === 0 ? "none" : value.join(", ");
  const text = JSON.stringify(value);
  return text === "{}" ? "none" : text;
}
