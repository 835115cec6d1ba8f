/**
 * What would answer, and why: the steps of the pipeline as it took them, then status and fields, each with its origin.
 *
 * The steps come from the handler itself, which runs its true pipeline for them; here they are only written down. Fields that
 * the gate wrote are told by what the gate was asked to write.
 */

import type { FieldLines } from "../http/exchange.ts";
import { reasonPhrase } from "../http/status.ts";
import type { StaticHandler } from "../static/serve-static.ts";
import { Context } from "../web/context.ts";
import { requestOf } from "../web/request.ts";
import type { Question } from "./question.ts";
import { LocalExchange } from "./local-exchange.ts";
import type { LocalAnswer } from "./local-exchange.ts";
import { escapeText } from "./log-line.ts";
import type { Painter, Tone } from "./paint.ts";
import type { Settings } from "./settings.ts";
import type { Subject } from "./subject.ts";

/** One step of the pipeline. */
export interface Step {
  readonly step: string;
  readonly outcome: string;
  readonly why: string;
}

/** A field of the answer, and what it comes from. */
export interface ExplainedField {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
}

/** What a handler says of its own answer. */
export interface Explanation {
  readonly steps: readonly Step[];
  readonly fields: readonly ExplainedField[];
}

/** What is explained. */
export interface Case {
  readonly question: Question;
  readonly answer: LocalAnswer;
  readonly subject: Subject;
  readonly settings: Settings;
  /** Null for a module, which can explain nothing. */
  readonly files: StaticHandler | null;
}

/** Writes an explanation, ending in a newline. */
export async function explain(asked: Case, paint: Painter): Promise<string> {
  const { question, answer, subject, settings, files } = asked;
  const isShut = answer.head.status === 401 && settings.gate.auth !== "";
  const explanation = files === null || isShut ? null : await explainFiles(files, question);
  const steps = explanation?.steps ?? [stepOfGate(isShut, subject)];
  const { status, reason, fields } = answer.head;
  const rows = originsOf(fields, explanation?.fields ?? [], settings, files === null ? "the module" : "");
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

async function explainFiles(files: StaticHandler, question: Question): Promise<Explanation | null> {
  const exchange = new LocalExchange(question.method, question.target, question.lines);
  const explainer: unknown = Reflect.get(files, "explain");
  if (typeof explainer !== "function") return null;
  const context = new Context(exchange, () => {});
  return (await Reflect.apply(explainer, files, [requestOf(exchange, 0), context])) as Explanation;
}

function stepOfGate(isShut: boolean, subject: Subject): Step {
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
    const same = known.find((field) => field.name.toLowerCase() === lowerName && field.value === value);
    rows.push([`${name}:`, value, same?.origin ?? (originInGate(lowerName, settings) || otherwise)]);
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
      const cells = `  ${name.padEnd(first)}  ${escapeText(value).padEnd(second)}  ${paint("faint", escapeText(why))}`;
      return `${cells.trimEnd()}\n`;
    })
    .join("");
}

function toneOf(status: number): Tone {
  if (status >= 400) return "warning";
  return status >= 300 ? "moved" : "good";
}
