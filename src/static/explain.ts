/**
 * Why an answer is what it is: the steps of the pipeline as they were taken, and where each field comes from.
 *
 * The pipeline itself notes what it does while it answers, if somebody asks; without that it costs a comparison with null. It
 * may show paths of the disk, because only the operator asks; it must never be part of an answer.
 */

import type { FieldLines } from "../http/exchange.ts";

/** A step, in the order in which they were taken. */
export interface ExplainedStep {
  /** permit, resolve, rules, cache, find, contain, variant, precondition, range, fallback, reply */
  readonly step: string;
  /** In a word or two: `file`, `redirect`, `br`, `304`. */
  readonly outcome: string;
  readonly why: string;
}

/** A field of the answer. */
export interface ExplainedField {
  readonly name: string;
  readonly value: string;
  /** The option, the rule of a file, or the section that it comes from. */
  readonly origin: string;
}

/** How a request would be answered, and why. */
export interface Explanation {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly steps: readonly ExplainedStep[];
  readonly fields: readonly ExplainedField[];
}

/** Where our own fields come from. */
const ORIGINS: ReadonlyMap<string, string> = new Map([
  ["accept-ranges", "RFC 9110 §14.3"],
  ["allow", "RFC 9110 §10.2.1"],
  ["cache-control", "option cacheControl"],
  ["content-encoding", "options compress and precompressed"],
  ["content-length", "the file's size"],
  ["content-range", "RFC 9110 §14.4"],
  ["content-security-policy", "option listing"],
  ["content-type", "the name's extension, option mediaTypes"],
  ["etag", "the file's time and size, and its content where they do not tell"],
  ["last-modified", "the file's time"],
  ["location", "where the thing is to be asked for"],
  ["vary", "RFC 9110 §12.5.5"],
  ["x-content-type-options", "always"],
]);

/** Notes of one request. */
export class Trace {
  readonly steps: ExplainedStep[];
  readonly #origins: Map<string, string>;

  constructor() {
    this.steps = [];
    this.#origins = new Map();
  }

  note(step: string, outcome: string, why: string): void {
    this.steps.push({ step, outcome, why });
  }

  /** The fields of these names come from elsewhere than usual. */
  attribute(lines: FieldLines, origin: string): void {
    for (let i = 0; i < lines.length; i += 2) this.#origins.set((lines[i] as string).toLowerCase(), origin);
  }

  /** The same, each by its name in lower case. */
  attributeEach(origins: ReadonlyMap<string, string>): void {
    for (const [name, origin] of origins) this.#origins.set(name, origin);
  }

  /** What was noted, with the answer that it led to. */
  explain(method: string, target: string, status: number, lines: FieldLines): Explanation {
    const fields: ExplainedField[] = [];
    for (let i = 0; i < lines.length; i += 2) {
      const name = lines[i] as string;
      const lower = name.toLowerCase();
      const origin = this.#origins.get(lower) ?? ORIGINS.get(lower) ?? "";
      fields.push({ name, value: lines[i + 1] as string, origin });
    }
    return { method, target, status, steps: this.steps, fields };
  }
}
