/**
 * What would answer, and why: the steps of the pipeline as it took them, then status and fields, each with its origin.
 *
 * The steps come from the handler itself, which runs its true pipeline for them; here they are only written down. Fields that
 * the gate wrote are told by what the gate was asked to write.
 */

import type { FieldLines } from "../http/exchange.ts";
import { reasonPhrase } from "../http/status.ts";
import type { ExplainedField, ExplainedStep, Explanation } from "../static/explain.ts";
import type { StaticHandler } from "../static/serve-static.ts";
import { Context } from "../web/context.ts";
import { requestOf } from "../web/request.ts";
import type { Question } from "./question.ts";
import { LocalExchange } from "../web/local-exchange.ts";
import type { LocalAnswer } from "../web/local-exchange.ts";
import { escapeText } from "../observe/escape.ts";
import type { Painter, Tone } from "./paint.ts";
import type { Settings } from "./settings.ts";
import type { Subject } from "./subject.ts";

/** What is explained. */
export interface Case {
  readonly question: Question;
  readonly answer: LocalAnswer;
  readonly subject: Subject;
  readonly settings: Settings;
  /** Null of a module, which can explain nothing. */
  readonly explanation: Explanation | null;
}

/** Writes an explanation, ending in a newline. */
export function explain(asked: Case, paint: Painter): string {
  const { question, answer, subject, settings } = asked;
  const isShut = answer.head.status === 401 && settings.gate.auth !== "";
  const explanation = isShut ? null : asked.explanation;
  const steps = explanation?.steps ?? [stepOfGate(isShut, subject)];
  const { status, reason, fields } = answer.head;
  const rows = originsOf(fields, explanation?.fields ?? [], settings, subject.kind === "module" ? "the module" : "");
  const request = [
    `${question.method} ${question.target}`,
    ...question.lines.map(([name, value]) => `${name}: ${value}`),
  ];
  return [
    request.map((line) => `${paint("title", escapeText(line))}\n`).join(""),
    table(
      steps.map(({ step, outcome, why }) => [step, outcome, why]),
      paint,
    ),
    `${paint(toneOf(status), `${status} ${reason || reasonPhrase(status)}`)}\n${table(rows, paint)}`,
  ].join("\n");
}

/** Runs the true pipeline of a folder or file, with its steps noted. */
export function explainFiles(files: StaticHandler, question: Question): Promise<Explanation> {
  const exchange = new LocalExchange(question.method, question.target, question.lines);
  return files.explain(requestOf(exchange, 0), new Context(exchange, () => {}));
}

function stepOfGate(isShut: boolean, subject: Subject): ExplainedStep {
  if (isShut)
    return { step: "password", outcome: "refused", why: "--auth asks for name and password, and these are not right" };
  return { step: "module", outcome: "answered", why: `${subject.path} decides itself` };
}

/** Each line with its origin; what the wire adds (Date, framing) is not among them. */
function originsOf(
  lines: FieldLines,
  known: readonly ExplainedField[],
  settings: Settings,
  otherwise: string,
): [string, string, string][] {
  const rows: [string, string, string][] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    const lowerName = name.toLowerCase();
    const named = known.filter((field) => field.name.toLowerCase() === lowerName);
    const same = named.find((field) => field.value === value);
    // The boundary of several ranges is another each time
    const origin = same?.origin ?? (originInGate(lowerName, settings) || named[0]?.origin || otherwise);
    rows.push([`${name}:`, value, origin]);
  }
  return rows;
}

function originInGate(lowerName: string, { gate }: Settings): string {
  if (gate.headers.some(([name]) => name.toLowerCase() === lowerName)) return "--header";
  if (gate.isIsolated && lowerName.startsWith("cross-origin-")) return "--isolated";
  if (gate.corsOrigins !== null && (lowerName.startsWith("access-control-") || lowerName === "vary")) return "--cors";
  return gate.auth !== "" && lowerName === "www-authenticate" ? "--auth" : "";
}

/** Columns under each other; the last one, which says why, is faint. */
function table(rows: readonly (readonly [string, string, string])[], paint: Painter): string {
  const widthOf = (column: 0 | 1): number => Math.min(44, Math.max(0, ...rows.map((row) => row[column].length)));
  const [first, second] = [widthOf(0), widthOf(1)];
  return rows
    .map(([name, value, why]) => {
      const cells = `  ${name.padEnd(first)}  ${printable(value).padEnd(second)}  ${paint("faint", printable(flagsIn(why)))}`;
      return `${cells.trimEnd()}\n`;
    })
    .join("");
}

/** Flags by the option of serveStatic() that they set, and what the command sets itself. */
const FLAG_OF: ReadonlyMap<string, string> = new Map([
  ["cacheControl", "--cache"],
  ["cleanUrls", "--clean-urls"],
  ["compress", "--compress"],
  ["dotFiles", "--dotfiles"],
  ["followLinks", "--follow"],
  ["hide", "it is the command's own"],
  ["listing", "--list"],
  ["precompressed", "--precompressed"],
  ["rules", "--rules"],
  ["spa", "--single"],
]);

/** On the command line an option is known by its flag. */
function flagsIn(why: string): string {
  return why.replace(/\boptions? (\w+)(?: and (\w+))?/g, (all: string, first: string, second: string | undefined) => {
    const flags = [first, second].map((option) => FLAG_OF.get(option ?? ""));
    return flags[0] === undefined ? all : flags.filter((flag) => flag !== undefined).join(" and ");
  });
}

/** Shows what could move the cursor, or reorder text, as an escape; names may be in any script. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escapeText);
}

function toneOf(status: number): Tone {
  if (status >= 400) return "warning";
  return status >= 300 ? "moved" : "good";
}
