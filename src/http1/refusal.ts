/**
 * Responses of the wire itself: a refusal in the words of the table, with the rule that was broken (RFC 9110 §15.5).
 *
 * Nothing of the request is echoed but a field name, and that only as a token. A refusal always closes the connection:
 * what comes behind a message that was not understood cannot be trusted (RFC 9112 §11.2).
 */

import { ERRORS, type ProtocolError } from "../http/errors.ts";
import type { FieldLines } from "../http/exchange.ts";
import { renderProblem } from "../http/problem.ts";
import { reasonPhrase } from "../http/status.ts";
import type { HeadParser } from "./head.ts";
import type { Input } from "./input.ts";

/** What we would serve in place of CONNECT and TRACE (RFC 9110 §10.2.1: Allow MUST be in 405). */
export const GENERAL_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** A refusal ready to be encoded. */
export interface RefusalResponse {
  readonly fields: FieldLines;
  readonly text: string;
}

/**
 * @param accept the request's Accept field as far as it was understood
 * @param isExplaining false: status and code only
 */
export function renderRefusal(error: ProtocolError, accept: string | null, isExplaining: boolean): RefusalResponse {
  const known = ERRORS[error.code];
  const problem = isExplaining
    ? {
        status: error.status,
        title: reasonPhrase(error.status),
        code: error.code,
        detail: error.message,
        rule: error.rule,
        field: error.field,
        offset: error.offset,
        option: known.option ?? "",
      }
    : { status: error.status, title: reasonPhrase(error.status), code: error.code };
  const { contentType, text } = renderProblem(problem, accept);
  const fields = ["Content-Type", contentType, "X-Content-Type-Options", "nosniff", "Cache-Control", "no-store"];
  if (error.status === 405) fields.push("Allow", GENERAL_METHODS);
  if (error.status === 503) fields.push("Retry-After", "10");
  return { fields, text };
}

const ACCEPT_LINE = /\naccept:[ \t]*([\x20-\x7e\t]*)\r?\n/i;

/** What was understood of a head before it was refused. */
export interface UnderstoodHead {
  /** `""` if that is where it broke. */
  readonly method: string;
  readonly target: string;
  readonly accept: string | null;
}

/** Reads what stands before the place where the head was refused; the same however the octets were split. */
export function understoodOf(error: ProtocolError, parser: HeadParser, input: Input): UnderstoodHead {
  const { methodStart, methodEnd, targetStart, targetEnd } = parser;
  const seen = error.offset < 0 ? parser.position : Math.max(error.offset, methodEnd);
  const text = input.buffer.toString("latin1", input.start, Math.min(input.end, input.start + seen));
  return {
    method: methodEnd > 0 ? text.slice(methodStart, methodEnd) : "",
    target: targetEnd > 0 ? text.slice(targetStart, targetEnd) : "",
    accept: ACCEPT_LINE.exec(text)?.[1] ?? null,
  };
}
