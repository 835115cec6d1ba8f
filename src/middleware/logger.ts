/**
 * A line for each answer, to any logger that takes an object and a message, as pino does.
 *
 * It is written when the answer is made, before its content is sent; how sending went is known to the server alone
 * (`hooks.onResponse`). What comes from the client is made harmless: controls and marks that reorder text are escaped (log
 * injection), and long values are cut. The query is left out unless the option says otherwise, since secrets travel in it. A
 * logger that throws must never change an answer.
 */

import { A_FUNCTION, A_TIME_SOURCE, checkOptions, type OptionRules, YES_OR_NO } from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import type { Context } from "../web/context.ts";
import { isResponse, missingResponse } from "../web/edited-response.ts";
import { type Middleware, statusToError } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { isPromise } from "./edit-response.ts";
import { REQUEST_ID } from "./request-id.ts";

/** What lines are given to: pino, and what has its methods. */
export interface LogTarget {
  info(record: object, message: string): void;
  warn(record: object, message: string): void;
  error(record: object, message: string): void;
}

/** What is written, and where. */
export interface LoggerOptions {
  /** An object with `info`, `warn` and `error`, as pino makes it. Required. */
  readonly logger: LogTarget;
  /** Whether the query is part of the path. Default false. */
  readonly query?: boolean | undefined;
  /** What a record has besides. Default nothing. */
  readonly fields?: ((request: Request, context: Context) => Readonly<Record<string, unknown>>) | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

/** @internal */
export const LOGGER_RULES: OptionRules<LoggerOptions> = {
  logger: {
    allowed: "an object with the methods info, warn and error",
    isAllowed: (value) =>
      typeof value === "object" &&
      value !== null &&
      ["info", "warn", "error"].every((level) => typeof (value as Record<string, unknown>)[level] === "function"),
  },
  query: YES_OR_NO,
  fields: A_FUNCTION,
  time: A_TIME_SOURCE,
};

/** Longer ones are cut, in characters. */
const MAX_LENGTH = 2048;
/** Controls, separators of lines, marks that reorder or hide text, halves of characters, and the backslash of the escape itself. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu;

/** Answers of the client's own doing are worth a look, ours a bell. */
const CLIENT_ERROR = 400;
const SERVER_ERROR = 500;

/**
 * Logs each answer: `info` below 400, `warn` below 500, `error` from 500 on.
 *
 * @throws TypeError that names every mistake in the options
 */
export function logger(options: LoggerOptions): Middleware {
  checkOptions("logger", options, LOGGER_RULES);
  if ((options.logger as LogTarget | undefined) === undefined) throw new TypeError("logger: logger is required");
  const log = new AnswerLog(options);
  return (request, context, next) => {
    const startedMs = log.elapsedMs();
    try {
      const result = next(request, context);
      if (!isPromise(result)) {
        log.answered(request, context, result, startedMs);
        return result;
      }
      return result.then(
        (response) => {
          log.answered(request, context, response, startedMs);
          return response;
        },
        (error: unknown) => {
          log.failed(request, context, error, startedMs);
          throw error;
        },
      );
    } catch (error) {
      log.failed(request, context, error, startedMs);
      throw error;
    }
  };
}

class AnswerLog {
  readonly #target: LogTarget;
  readonly #hasQuery: boolean;
  readonly #fields: LoggerOptions["fields"];
  readonly #time: TimeSource;

  constructor({ logger: target, query = false, fields, time = SYSTEM_TIME }: LoggerOptions) {
    this.#target = target;
    this.#hasQuery = query;
    this.#fields = fields;
    this.#time = time;
  }

  elapsedMs(): number {
    return this.#time.elapsedMs();
  }

  answered(request: Request, context: Context, response: globalThis.Response | undefined, startedMs: number): void {
    const { isAnswered } = context.exchange;
    // What the server will say of it
    if (!isResponse(response) && !isAnswered)
      return this.failed(request, context, missingResponse(response), startedMs);
    // After an upgrade, or an answer on the exchange itself
    const status = isResponse(response) ? response.status : context.exchange.status;
    this.#write(request, context, status, startedMs, null);
  }

  failed(request: Request, context: Context, error: unknown, startedMs: number): void {
    // 0: the client has left, and nobody answers
    const status = statusToError(error) || SERVER_ERROR;
    this.#write(request, context, status, startedMs, status >= SERVER_ERROR ? error : null);
  }

  #write(request: Request, context: Context, status: number, startedMs: number, error: unknown): void {
    try {
      const durationMs = Math.round((this.#time.elapsedMs() - startedMs) * 1000) / 1000;
      const method = harmless(request.method);
      const path = harmless(this.#pathOf(context.exchange.request.target));
      const id = context.get(REQUEST_ID);
      const record = {
        method,
        path,
        status,
        durationMs,
        remoteAddress: context.remoteAddress.address,
        ...(id === "" ? {} : { requestId: id }),
        ...(error === null ? {} : { err: error }),
        ...this.#fields?.(request, context),
      };
      const message = `${method} ${path} ${status} ${durationMs} ms`;
      if (status >= SERVER_ERROR) this.#target.error(record, message);
      else if (status >= CLIENT_ERROR) this.#target.warn(record, message);
      else this.#target.info(record, message);
    } catch {
      // The answer does not depend on whether it could be written down
    }
  }

  #pathOf(target: string): string {
    const query = this.#hasQuery ? -1 : target.indexOf("?");
    return query === -1 ? target : target.slice(0, query);
  }
}

/** Fit to be shown anywhere, without a way to take it for another line. */
function harmless(text: string): string {
  const bounded = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return bounded.replace(UNSAFE, (one) => `\\u{${(one.codePointAt(0) as number).toString(16)}}`);
}
