/**
 * Changes the fields of a response on its way out: what every wrapper of this room does.
 *
 * The response that comes in is left as it was, since a handler may give the same one to many requests: a field written on it
 * would be another client's answer as well. Content is handed on untouched: a part of a file stays a part of a file, a stream
 * a stream. It must never read content, and never change a status.
 */

import { HttpError } from "../http/errors.ts";
import type { Content, FieldLines } from "../http/exchange.ts";
import type { Context } from "../web/context.ts";
import type { Handler } from "../web/handler.ts";
import { indexOfLine } from "../web/header-lines.ts";
import type { Request } from "../web/request.ts";
import { isFastResponse, Response, takeAnswer } from "../web/response.ts";

/** Changes flat field lines in place: name, value, name, value. */
export type EditLines = (lines: string[]) => void;

/** What a handler returns. */
type Answered = ReturnType<Handler>;

/**
 * Calls a handler, and changes the fields of what it answers or of the HttpError that it throws. Other errors go their way:
 * they are faults, and answered as such. A result that is there at once is not waited for.
 */
export function editAnswer(next: Handler, request: Request, context: Context, edit: EditLines): Answered {
  try {
    const result = next(request, context);
    if (!(result instanceof Promise)) return editResponse(result, edit);
    return result.then(
      (response) => editResponse(response, edit),
      (error: unknown) => {
        throw editError(error, edit);
      },
    );
  } catch (error) {
    throw editError(error, edit);
  }
}

/** A copy with other fields. Nothing is nothing; a network error, which nobody can send, stays what it is. */
function editResponse(response: globalThis.Response | undefined, edit: EditLines): globalThis.Response | undefined {
  if (response === undefined || response.status === 0) return response;
  if (!isFastResponse(response)) {
    return copyOf(response.status, response.statusText, [...response.headers].flat(), response.body, edit);
  }
  const { head, content } = takeAnswer(response);
  return copyOf(head.status, head.reason, [...head.fields], content, edit);
}

function copyOf(
  status: number,
  statusText: string,
  lines: string[],
  content: Content | ReadableStream,
  edit: EditLines,
): Response {
  // Text without a type would get one
  const isBare = typeof content === "string" && indexOfLine(lines, "content-type") === -1;
  edit(lines);
  const body = isBare ? Buffer.from(content) : content;
  return new Response(body, { status, statusText, headers: pairsOf(lines) });
}

function editError(error: unknown, edit: EditLines): unknown {
  if (!(error instanceof HttpError)) return error;
  const lines = Object.entries(error.headers).flat();
  edit(lines);
  return new HttpError(error.status, error.message, { cause: error, headers: Object.fromEntries(pairsOf(lines)) });
}

/** Flat lines as pairs. */
function pairsOf(lines: FieldLines): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) pairs.push([lines[i] as string, lines[i + 1] as string]);
  return pairs;
}

/** Takes all lines of a name away. */
export function removeLines(lines: string[], lowerName: string): void {
  for (let i = indexOfLine(lines, lowerName); i !== -1; i = indexOfLine(lines, lowerName, i)) lines.splice(i, 2);
}

/** Gives a field one value, in place of all lines of that name. */
export function setLine(lines: string[], lowerName: string, value: string): void {
  removeLines(lines, lowerName);
  lines.push(lowerName, value);
}

/** Adds a member to a list field (RFC 9110 §5.6.1), unless it has it already or stands for all with `*`. */
export function addMember(lines: string[], lowerName: string, member: string): void {
  let index = -1;
  for (let i = indexOfLine(lines, lowerName); i !== -1; i = indexOfLine(lines, lowerName, i + 2)) {
    const members = (lines[i + 1] as string).toLowerCase().split(",");
    if (members.some((one) => one.trim() === member.toLowerCase() || one.trim() === "*")) return;
    index = i;
  }
  if (index === -1) lines.push(lowerName, member);
  else lines[index + 1] = `${lines[index + 1] as string}, ${member}`;
}
