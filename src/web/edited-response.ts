/**
 * A response with other fields, without touching the one that came.
 *
 * A handler may give the same response to many requests: a field written on it would be another client's answer as well.
 * Content is handed on untouched: a part of a file stays a part of a file, a stream a stream. It must never read content, and
 * never change a status.
 */

import type { Content, FieldEdit, FieldLines } from "../http/exchange.ts";
import { indexOfLine } from "./header-lines.ts";
import { type Answer, isFastResponse, Response, responseOfLines, takeAnswer } from "./response.ts";
import type { Payload } from "./response-body.ts";

/** A copy with other fields. A network error, which nobody can send, stays what it is. */
export function editResponse(response: globalThis.Response, edit: FieldEdit): globalThis.Response {
  if (response.status === 0) return response;
  const { head, content } = answerOf(response);
  return respond(head.status, head.reason, edit.apply(head.fields), content);
}

/** Status, fields and content of any response. Content that can be had once is taken. */
export function answerOf(response: globalThis.Response): Answer {
  if (isFastResponse(response)) return takeAnswer(response);
  const fields = [...response.headers].flat();
  return {
    head: { status: response.status, reason: response.statusText, fields },
    content: response.body as Content,
  };
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
