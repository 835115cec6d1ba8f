/**
 * One exchange through the user's handler: request and context in, response or fault out.
 *
 * Steps: OPTIONS of the server as a whole -> call -> answer now, or when a promise settles -> send -> on failure the answer
 * that the failure deserves. Whose fault it was decides: HttpError is an answer, ProtocolError the peer's, all else ours:
 * 500 with an id that the observer gets too. This file must never let an error pass to the wire, nor show one to the peer.
 */

import { type ErrorRow, ERRORS, HandlerError, HttpError, ProtocolError } from "../http/errors.ts";
import type { Exchange, FieldEdit, FieldLines } from "../http/exchange.ts";
import type { Problem } from "../http/problem.ts";
import { renderProblem } from "../http/problem.ts";
import { reasonPhrase } from "../http/status.ts";
import { parseTarget } from "../http/target.ts";
import { FormError } from "./body.ts";
import { Context, type Params } from "./context.ts";
import { isResponse, missingResponse, needlessReturn } from "./edited-response.ts";
import { appendLines, indexOfLine } from "./header-lines.ts";
import { JsonSyntaxError } from "./json.ts";
import { type Request, requestOf } from "./request.ts";
import { isFastResponse, type Response, responseOfLines } from "./response.ts";
import { sendResponse } from "./send.ts";

/**
 * Answers a request. Returns nothing only after `context.upgrade()`, or when it has answered on `context.exchange`. `P` is what
 * the params of its route are known to be.
 */
export type Handler<P extends object = Params> = (
  request: Request,
  context: Context<P>,
) => globalThis.Response | undefined | Promise<globalThis.Response | undefined>;

/**
 * Does something before a handler, to its answer, or instead of it. `next` is the rest of the way; it is called with the
 * request and the context, so that a chain is put together once and no request pays for it.
 */
export type Middleware = (request: Request, context: Context, next: Handler) => ReturnType<Handler>;

/** A failure of the handler, as observers get it. */
export interface HandlerFault {
  /** What the peer was told to ask for; `""` if it was told nothing. */
  readonly id: string;
  readonly error: unknown;
  readonly exchange: Exchange;
}

/**
 * A user's own answer to an error has failed as well. Thrown by whoever calls it: the peer gets what `original` deserves,
 * observers get both errors.
 */
export class ErrorHandlerFailure extends Error {
  override readonly name: string = "ErrorHandlerFailure";
  readonly original: unknown;
  readonly mistake: unknown;

  constructor(original: unknown, mistake: unknown) {
    super("the handler of errors has failed itself");
    this.original = original;
    this.mistake = mistake;
  }
}

/** What {@link createExchangeHandler} needs besides the handler. */
export interface ExchangeHandlerOptions {
  /** The most octets that `request.text()` and its like read at once. */
  readonly maxBufferedBytes: number;
  readonly onFault: (fault: HandlerFault) => void;
  readonly waitUntil: (promise: Promise<unknown>) => void;
}

/** RFC 9110 §9.3.7: what the server as a whole serves. */
const SERVER_OPTIONS: FieldLines = ["allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"];

/** Names this process among the sources of ids: unlikely to repeat, not secret. */
const ID_PREFIX = `${process.pid.toString(36)}${Math.floor(Math.random() * 36 ** 4).toString(36)}`;
let faults = 0;

/** The next name of a failure, for the answer and the log. */
export function nextFaultId(): string {
  faults++;
  return `${ID_PREFIX}-${faults.toString(36)}`;
}

/** Makes the function that a wire calls for each request. It never throws, and answers before it returns if the handler does. */
export function createExchangeHandler(fetch: Handler, options: ExchangeHandlerOptions): (exchange: Exchange) => void {
  return new ExchangeHandler(fetch, options).handle;
}

class ExchangeHandler {
  readonly handle: (exchange: Exchange) => void;
  readonly #fetch: Handler;
  readonly #maxBufferedBytes: number;
  readonly #onFault: (fault: HandlerFault) => void;
  readonly #waitUntil: (promise: Promise<unknown>) => void;
  readonly #onBreak: (exchange: Exchange, error: unknown) => void;
  /** Those whose failure was told when their content broke off. */
  readonly #broken: WeakSet<Exchange> = new WeakSet();

  constructor(fetch: Handler, options: ExchangeHandlerOptions) {
    this.#fetch = fetch;
    this.#maxBufferedBytes = options.maxBufferedBytes;
    this.#onFault = options.onFault;
    this.#waitUntil = options.waitUntil;
    this.#onBreak = (exchange, error) => this.#tellBroken(exchange, error);
    this.handle = (exchange) => this.#handle(exchange);
  }

  #handle(exchange: Exchange): void {
    if (isForWholeServer(exchange)) {
      void exchange.respond({ status: 204, reason: "", fields: SERVER_OPTIONS }, null);
      return;
    }
    const context = new Context(exchange, this.#waitUntil);
    let result: unknown;
    try {
      const fetch = this.#fetch;
      result = fetch(requestOf(exchange, this.#maxBufferedBytes), context);
      if (isThenable(result)) return this.#answerLater(context, result);
    } catch (error) {
      return this.#fail(context, error);
    }
    this.#answer(context, result);
  }

  #answerLater(context: Context, result: PromiseLike<unknown>): void {
    result.then(
      (response) => this.#answer(context, response),
      (error: unknown) => this.#fail(context, error),
    );
  }

  #answer(context: Context, response: unknown): void {
    try {
      this.#send(context, response);
    } catch (error) {
      this.#failSending(context, error);
    }
  }

  #send(context: Context, response: unknown): void {
    const { exchange } = context;
    if (!isResponse(response)) {
      // After an upgrade, or an answer on the exchange itself, there is nothing left to say
      if (response === undefined && exchange.isAnswered) return;
      throw exchange.isAnswered ? needlessReturn(response) : missingResponse(response);
    }
    const sent = sendResponse(exchange, response, this.#onBreak);
    if (sent instanceof Promise) sent.then(undefined, (error: unknown) => this.#failSending(context, error));
  }

  #failSending(context: Context, thrown: unknown): void {
    this.#fail(context, thrown, context.notedEdits);
  }

  /**
   * Answers what the handler did not, if that is still possible, and tells the observer of what is the handler's fault.
   *
   * @param edit what middleware wants of the fields
   */
  #fail(context: Context, thrown: unknown, edit = context.failureEdit(thrown)): void {
    try {
      this.#answerFailure(context, thrown, edit);
    } catch (mistake) {
      // It cannot be sent as it wanted, e.g. for an invalid field, or not even be looked at: a fault like any other
      this.#failAnswering(context.exchange, mistake);
    }
  }

  #answerFailure(context: Context, thrown: unknown, edit: FieldEdit | null): void {
    const { exchange } = context;
    const hasMistake = thrown instanceof ErrorHandlerFailure;
    const error = hasMistake ? thrown.original : thrown;
    const reported = hasMistake ? new AggregateError([error, thrown.mistake], thrown.message) : nameThrown(thrown);
    if (isPeersDoing(exchange, error)) return exchange.abort(error as Error);
    if (exchange.isAnswered) {
      if (!this.#broken.has(exchange)) this.#reportUntold(exchange, reported);
      // A broken message must look broken: never a short one that could be taken for whole
      exchange.abort(toError(error));
      return;
    }
    // In the wire's own words, and to its observers
    if (error instanceof ProtocolError) {
      // That it took too long, e.g. in a thread, is no doing of the peer
      const id = hasMistake || error.code === "ERR_HANDLER_TIMEOUT" ? nextFaultId() : "";
      if (id !== "") this.#report({ id, error: reported, exchange });
      exchange.refuse(error, edit, id);
      return;
    }
    const problem = problemOf(error);
    const isFault = problem === null || hasMistake || (error instanceof HttpError && problem.status >= 500);
    const id = isFault ? nextFaultId() : "";
    const known = problem ?? UNKNOWN_PROBLEM;
    if (isFault) this.#report({ id, error: reported, exchange });
    respondProblem(exchange, isFault ? { ...known, id } : known, fieldsOf(error), edit);
  }

  /** The exchange ends by this, and observers of its end want to know by what. {@link #fail} hears of it when it is over. */
  #tellBroken(exchange: Exchange, error: unknown): void {
    try {
      // The peer is still there: of what follows from its doing only the content that it sends can have failed
      if (error instanceof ProtocolError) return;
    } catch {
      // It cannot even be looked at, which is told when all is over
      return;
    }
    this.#broken.add(exchange);
    this.#reportUntold(exchange, error);
  }

  /** The peer was told nothing, but the log has a name for it. */
  #reportUntold(exchange: Exchange, error: unknown): void {
    this.#report({ id: nextFaultId(), error, exchange });
  }

  #failAnswering(exchange: Exchange, mistake: unknown): void {
    const id = nextFaultId();
    this.#report({ id, error: mistake, exchange });
    try {
      respondProblem(exchange, { ...UNKNOWN_PROBLEM, id }, [], null);
    } catch (error) {
      exchange.abort(toError(error));
    }
  }

  /** Before the answer, at whose end observers want to know what it was. */
  #report(fault: HandlerFault): void {
    try {
      this.#onFault(fault);
    } catch {
      // An observer that throws must not stop the server
    }
  }
}

/** RFC 9112 §3.2.4: OPTIONS of `*`, or of an absolute-form target without path, means no resource but the server. */
function isForWholeServer(exchange: Exchange): boolean {
  const { method, target } = exchange.request;
  return method === "OPTIONS" && !target.startsWith("/") && parseTarget(method, target)?.path === "*";
}

/** Whether something has to be waited for: a promise, of this realm or of another, or what behaves as one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== "object" || value === null || isFastResponse(value)) return false;
  return typeof (value as { then?: unknown }).then === "function";
}

/** What is no answer unless it is returned, by its name; all else as it is. */
function nameThrown(thrown: unknown): unknown {
  // Errors first: nobody's answer is one, and to ask for the platform's class loads all of its fetch
  if (thrown instanceof Error || !isResponse(thrown)) return thrown;
  return new HandlerError("ERR_HANDLER", `a Response with status ${thrown.status}: return it to have it sent`);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new HandlerError("ERR_HANDLER", "", { cause: error });
}

/** Whether the failure is only that the peer is gone: nobody to answer, nothing to report. */
function isPeersDoing(exchange: Exchange, error: unknown): boolean {
  if (error instanceof ProtocolError) return error.status === 0 || exchange.isAnswered;
  if (!isFollowUp(error)) return false;
  let isGone = false;
  // Calls back at once if the peer has left, and otherwise too late to matter
  exchange.onAbort(() => {
    isGone = true;
  });
  return isGone;
}

/** Whether it may only be that somebody was told to stop, or answered for nobody. */
function isFollowUp(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "AbortError" || (error instanceof HandlerError && error.code === "ERR_RESPONSE_TWICE");
}

const UNKNOWN_PROBLEM: Problem = {
  status: 500,
  title: reasonPhrase(500),
  detail: "the server failed to answer this request, its log says more under the id",
};

/** What there is to say about an error that is an answer; null for one that is a fault. */
function problemOf(error: unknown): Problem | null {
  if (error instanceof HttpError) return problemOfHttpError(error);
  if (error instanceof JsonSyntaxError) {
    const { code, status, byteOffset: offset, line, column } = error;
    const rule = ERRORS.ERR_JSON.rule;
    const title = reasonPhrase(status);
    return { status, title, detail: error.message, code, rule, offset, extensions: { line, column } };
  }
  if (error instanceof FormError) {
    const { code, status, message: detail, rule } = error;
    return { status, title: reasonPhrase(status), detail, code, rule };
  }
  return null;
}

/**
 * The status of the answer that an error comes to where nobody answers it otherwise: its own if it is one of ours, else 500, and
 * that of the first where an app's error handler failed. 0 where the peer is gone.
 */
export function statusToError(thrown: unknown): number {
  const error = thrown instanceof ErrorHandlerFailure ? thrown.original : thrown;
  if (error instanceof ProtocolError) return error.status;
  return problemOf(error)?.status ?? UNKNOWN_PROBLEM.status;
}

/** Codes of ours have a rule and an option in the table; users have their own codes. */
function problemOfHttpError(error: HttpError): Problem {
  const { status, message: detail, code, extensions } = error;
  const title = reasonPhrase(status);
  if (code === "") return { status, title, detail, extensions };
  const row = (ERRORS as Readonly<Record<string, ErrorRow | undefined>>)[code];
  return { status, title, detail, code, rule: row?.rule ?? "", option: row?.option ?? "", extensions };
}

function fieldsOf(error: unknown): FieldLines {
  return error instanceof HttpError ? Object.entries(error.headers).flat() : [];
}

function respondProblem(exchange: Exchange, problem: Problem, fields: FieldLines, edit: FieldEdit | null): void {
  const { lines, text } = renderAnswer(problem, exchange.request.fields.get("accept"), fields);
  const edited = edit === null ? lines : edit.apply(lines);
  void exchange.respond({ status: problem.status, reason: "", fields: edited }, text);
}

/**
 * The answer that an error stands for, with what middleware on its way wanted of the fields.
 *
 * @returns null for a fault, which says nothing of itself
 */
export function responseToError(request: Request, context: Context, error: unknown): Response | null {
  const problem = problemOf(error);
  if (problem === null) return null;
  const { lines, text } = renderAnswer(problem, request.headers.get("accept"), fieldsOf(error));
  const edit = context.failureEdit(error);
  return responseOfLines(problem.status, edit === null ? lines : edit.apply(lines), text);
}

/**
 * The answer that a thrown HttpError would get, for those who give it without throwing: text, or problem details (RFC 9457)
 * where Accept prefers them.
 *
 * @param detail what happened, as a sentence without period; shown to the peer
 * @param fields lines besides those of the content
 */
export function problemResponse(request: Request, status: number, detail: string, fields: FieldLines = []): Response {
  const problem: Problem = { status, title: reasonPhrase(status), detail };
  const { lines, text } = renderAnswer(problem, request.headers.get("accept"), fields);
  return responseOfLines(status, lines, text);
}

function renderAnswer(
  problem: Problem,
  accept: string | null,
  fields: FieldLines,
): { readonly lines: FieldLines; readonly text: string } {
  const { contentType, text } = renderProblem(problem, accept);
  const lines: string[] = [];
  for (let i = 0; i < fields.length; i += 2) appendLines(lines, [[fields[i], fields[i + 1]]]);
  if (indexOfLine(lines, "content-type") === -1) lines.push("content-type", contentType);
  // RFC 9110 §12.5.5: a cache that keeps it, as it may 404 and 410, must not give JSON to who wants text (cache poisoning)
  const at = indexOfLine(lines, "vary");
  if (at === -1) lines.push("vary", "accept");
  else if (!/(?:^|[ \t,])(?:accept|\*)(?:[ \t,]|$)/i.test(lines[at + 1] as string)) lines[at + 1] += ", accept";
  lines.push("x-content-type-options", "nosniff");
  return { lines, text };
}
