/**
 * A response with other fields, without touching the one that came.
 *
 * A handler may give the same response to many requests: a field written on it would be another client's answer as well.
 * Content is handed on untouched: a part of a file stays a part of a file, a stream a stream. It must never read content, and
 * never change a status.
 */

import { HandlerError } from "../http/errors.ts";
import type { Content, FieldEdit, FieldLines } from "../http/exchange.ts";
import { indexOfLine } from "./header-lines.ts";
import { claimsToBeResponse, foreignAnswer, isForeignResponse, lackOf, platformAnswer } from "./other-response.ts";
import { platformResponse } from "./platform.ts";
import { type Answer, isFastResponse, Response, responseOfLines, takeAnswer } from "./response.ts";
import type { Payload } from "./response-body.ts";

/** A copy with other fields. A network error, which nobody can send, stays what it is. */
export function editResponse(response: globalThis.Response, edit: FieldEdit): globalThis.Response {
  if (isResponse(response) && response.status === 0) return response;
  const { head, content } = answerOf(response);
  return respond(head.status, head.reason, edit.apply(head.fields), content);
}

/** Whether a handler has returned an answer: ours, the platform's, or that of another implementation. */
export function isResponse(value: unknown): value is globalThis.Response {
  if (typeof value !== "object" || value === null) return false;
  return isFastResponse(value) || value instanceof platformResponse() || isForeignResponse(value);
}

/** What is said of a handler that has returned something else. */
export function missingResponse(returned: unknown): HandlerError {
  return new HandlerError("ERR_RESPONSE_MISSING", `it returned ${describe(returned)}`);
}

/** What is said of a handler that has returned something else behind its answer. */
export function needlessReturn(returned: unknown): HandlerError {
  const what = typeof returned === "object" && returned !== null ? "an object" : describe(returned);
  const hint = "after context.upgrade(), or an answer on context.exchange, return nothing";
  return new HandlerError("ERR_RESPONSE_MISSING", `it had answered, and returned ${what}: ${hint}`);
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return "a string: new Response() makes an answer of it";
  if (typeof value === "object" && claimsToBeResponse(value))
    return `a Response of another implementation that cannot be sent: ${lackOf(value)}`;
  if (typeof value === "object") return "an object that is no Response: Response.json() makes an answer of it";
  return value === undefined ? "undefined" : `a ${typeof value}`;
}

/**
 * Status, fields and content of any response. Content that can be had once is taken.
 *
 * @throws HandlerError ERR_RESPONSE_MISSING for what is none: the types that would have said so are not everybody's
 */
export function answerOf(response: globalThis.Response): Answer {
  if (!isResponse(response)) throw missingResponse(response);
  if (isFastResponse(response)) return takeAnswer(response);
  return response instanceof platformResponse() ? platformAnswer(response) : foreignAnswer(response);
}

/** A response of lines as they stand. */
export function respond(status: number, reason: string, lines: FieldLines, content: Content): Response {
  if (reason === "") return responseOfLines(status, lines, content as Payload);
  const headers: [name: string, value: string][] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) headers.push([lines[i] as string, lines[i + 1] as string]);
  // Text without a type would get one
  const isBare = typeof content === "string" && indexOfLine(lines, "content-type") === -1;
  const body = isBare ? Buffer.from(content) : (content as Payload);
  return new Response(body, { status, statusText: reason, headers });
}
