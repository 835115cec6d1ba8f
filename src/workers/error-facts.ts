/**
 * An error from one thread to another: what an answer is made of stays, all else becomes a fault that the log can show.
 *
 * Structured cloning would keep neither class nor members. An HttpError and what has a status of its own arrive as an HttpError,
 * a rule of the wire as the ProtocolError that it was. It must never put more into an answer than the thread's own would show.
 */

import { ERRORS, HttpError, ProtocolError, type ProtocolErrorCode } from "../http/errors.ts";
import type { FieldEdit, FieldLines } from "../http/exchange.ts";

/** An error as far as it can travel. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** `ERR_…` of our own table, or of the platform; `""` for none. */
  readonly code: string;
  /** Status of an error that is an answer; 0 for a fault. */
  readonly status: number;
  /** Fields of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields that middleware in the thread wants in the answer, whoever gives it; the handler's own among them. */
  readonly wanted: FieldLines;
  /** More members of the problem, as far as JSON can say them. */
  readonly extensions: string;
  /** What a rule of the wire says of the place; `""` for none. */
  readonly detail: string;
}

/** An error of another thread that is no answer: its stack is the one that it had there. */
class ThreadError extends Error {
  readonly code: string;

  constructor(facts: ErrorFacts) {
    super(facts.message);
    this.name = facts.name;
    this.code = facts.code;
    this.stack = facts.stack;
  }
}

/** The thread reads what the options of its handler let it read at once, not those of the server. */
class TooLargeForThread extends ProtocolError {
  override readonly option: string = "maxBufferedBytes of workerHandler()";
}

/**
 * Takes an error, or whatever was thrown, apart.
 *
 * @param edit what middleware in the thread makes of the fields of the answer; default nothing
 */
export function errorFactsOf(thrown: unknown, edit: FieldEdit | null = null): ErrorFacts {
  if (!(thrown instanceof Error)) {
    const message = `${typeof thrown} was thrown: ${String(thrown).slice(0, 1000)}`;
    return { ...NO_FACTS, name: "Error", message, wanted: edit?.apply([]) ?? [] };
  }
  const code: unknown = Reflect.get(thrown, "code");
  const status: unknown = Reflect.get(thrown, "status");
  const isOwn = typeof code === "string" && Object.hasOwn(ERRORS, code);
  const isAnswer =
    thrown instanceof HttpError || (isOwn && typeof status === "number" && status >= 400 && status < 500);
  return {
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack ?? "",
    code: typeof code === "string" ? code : "",
    status: isAnswer ? (status as number) : 0,
    headers: thrown instanceof HttpError ? thrown.headers : {},
    wanted: edit?.apply(thrown instanceof HttpError ? Object.entries(thrown.headers).flat() : []) ?? [],
    extensions: thrown instanceof HttpError ? JSON.stringify(thrown.extensions) : "{}",
    detail: thrown instanceof ProtocolError ? thrown.detail : "",
  };
}

const NO_FACTS: ErrorFacts = {
  name: "",
  message: "",
  stack: "",
  code: "",
  status: 0,
  headers: {},
  wanted: [],
  extensions: "{}",
  detail: "",
};

/** Puts it together again. */
export function errorOf(facts: ErrorFacts): Error {
  if (facts.name === "ProtocolError" && Object.hasOwn(ERRORS, facts.code)) {
    const kind = facts.code === "ERR_BUFFERED_CONTENT_TOO_LARGE" ? TooLargeForThread : ProtocolError;
    return new kind(facts.code as ProtocolErrorCode, facts.detail === "" ? {} : { detail: facts.detail });
  }
  if (facts.status !== 0) {
    const { status, message, code, headers } = facts;
    const extensions = JSON.parse(facts.extensions) as Record<string, unknown>;
    return new HttpError(status, message, { code, headers, extensions });
  }
  return new ThreadError(facts);
}

/** Fields from a thread in place of those of their names; Vary stands beside what varies here. */
export class WantedFields implements FieldEdit {
  readonly #wanted: FieldLines;
  readonly #names: ReadonlySet<string>;

  constructor(wanted: FieldLines) {
    this.#wanted = wanted;
    const names = wanted.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    this.#names = new Set(names.filter((name) => name !== "vary"));
  }

  apply(lines: FieldLines): FieldLines {
    const others = lines.filter((_, i) => !this.#names.has((lines[i - (i % 2)] as string).toLowerCase()));
    return [...others, ...this.#wanted];
  }
}
