/**
 * Changes the fields of a response on its way out: what every wrapper of this room does.
 *
 * The response that comes in is left as it was, since a handler may give the same one to many requests: a field written on it
 * would be another client's answer as well. Content is handed on untouched: a part of a file stays a part of a file, a stream
 * a stream. Lines that many responses share are changed once, and the result is shared as well, so that the wire goes on
 * rendering it once. It must never read content, and never change a status.
 */

import { HttpError } from "../http/errors.ts";
import type { Content, FieldLines } from "../http/exchange.ts";
import type { Context } from "../web/context.ts";
import type { Handler } from "../web/handler.ts";
import { indexOfLine } from "../web/header-lines.ts";
import type { Request } from "../web/request.ts";
import { isFastResponse, Response, responseOfLines, takeAnswer } from "../web/response.ts";
import type { Answer } from "../web/response.ts";
import type { Payload } from "../web/response-body.ts";

/** Changes flat field lines in place: name, value, name, value. */
export type EditLines = (lines: string[]) => void;

/** What a handler returns. */
export type Answered = ReturnType<Handler>;

/** What becomes of the lines of an answer. The lines that come in are not to be changed. */
export interface FieldEdit {
  apply(lines: FieldLines): FieldLines;
}

/** A change that depends on nothing but the lines, made once for those that are shared. */
export class LineEdit implements FieldEdit {
  readonly #edit: EditLines;
  /** What became of lines that are shared: frozen ones. */
  readonly #known: WeakMap<FieldLines, FieldLines>;

  constructor(edit: EditLines) {
    this.#edit = edit;
    this.#known = new WeakMap();
  }

  /** Other lines; the same frozen ones for the same frozen ones. */
  apply(lines: FieldLines): FieldLines {
    if (!Object.isFrozen(lines)) return this.#changed(lines);
    let changed = this.#known.get(lines);
    if (changed === undefined) {
      changed = Object.freeze(this.#changed(lines));
      this.#known.set(lines, changed);
    }
    return changed;
  }

  #changed(lines: FieldLines): string[] {
    const changed = [...lines];
    this.#edit(changed);
    return changed;
  }
}

/** Whether an answer has to be waited for. */
export function isPromise<T>(result: T | Promise<T>): result is Promise<T> {
  if (typeof result !== "object" || result === null || isFastResponse(result)) return false;
  return typeof (result as { then?: unknown }).then === "function";
}

/**
 * Calls a handler, and changes the fields of what it answers or of the HttpError that it throws. Other errors go their way:
 * they are faults, and answered as such. A result that is there at once is not waited for.
 */
export function editAnswer(next: Handler, request: Request, context: Context, edit: FieldEdit): Answered {
  try {
    const result = next(request, context);
    if (!isPromise(result)) return editResponse(result, edit);
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
export function editResponse(
  response: globalThis.Response | undefined,
  edit: FieldEdit,
): globalThis.Response | undefined {
  if (response === undefined || response.status === 0) return response;
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
  // Text without a type would get one
  const isBare = typeof content === "string" && indexOfLine(lines, "content-type") === -1;
  const body = isBare ? Buffer.from(content) : (content as Payload);
  return new Response(body, { status, statusText: reason, headers: pairsOf(lines) });
}

/** Lets go of the content of a response that nobody will send. */
export function discardResponse(response: globalThis.Response | undefined): void {
  if (response === undefined || response.status === 0) return;
  try {
    const { content } = answerOf(response);
    if (content === null || typeof content === "string" || content instanceof Uint8Array) return;
    if ("release" in content) content.release();
    else if (content instanceof ReadableStream) content.cancel().catch(ignore);
    else content[Symbol.asyncIterator]().return?.().catch(ignore);
  } catch {
    // It was read by somebody: nothing is left to let go of
  }
}

function ignore(): void {}

/**
 * An HttpError with other fields; all else is given back as it is. It is a copy, because a handler may throw the same one for
 * many requests, and of the same class with the same members and stack, because whoever catches it may ask.
 */
function editError(error: unknown, edit: FieldEdit): unknown {
  if (!(error instanceof HttpError)) return error;
  const lines = edit.apply(Object.entries(error.headers).flat());
  const headers: PropertyDescriptor = {
    ...Object.getOwnPropertyDescriptor(error, "headers"),
    value: Object.fromEntries(pairsOf(lines)),
  };
  const members = { ...Object.getOwnPropertyDescriptors(error), headers };
  return Object.create(Object.getPrototypeOf(error) as object, members) as HttpError;
}

/** Flat lines as pairs. */
function pairsOf(lines: FieldLines): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) pairs.push([lines[i] as string, lines[i + 1] as string]);
  return pairs;
}

/** The value of the first line of a name, null if there is none. */
export function lineValue(lines: FieldLines, lowerName: string): string | null {
  const index = indexOfLine(lines, lowerName);
  return index === -1 ? null : (lines[index + 1] as string);
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

/** Whether a list field (RFC 9110 §5.6.1) has a member, in lower case, or stands for all with `*`. */
export function hasMember(lines: FieldLines, lowerName: string, lowerMember: string): boolean {
  for (let i = indexOfLine(lines, lowerName); i !== -1; i = indexOfLine(lines, lowerName, i + 2)) {
    const members = (lines[i + 1] as string).toLowerCase().split(",");
    if (members.some((one) => one.trim() === lowerMember || one.trim() === "*")) return true;
  }
  return false;
}

/** Adds a member to a list field (RFC 9110 §5.6.1), unless it has it already or stands for all with `*`. */
export function addMember(lines: string[], lowerName: string, member: string): void {
  if (hasMember(lines, lowerName, member.toLowerCase())) return;
  const index = indexOfLine(lines, lowerName);
  if (index === -1) lines.push(lowerName, member);
  else lines[index + 1] = `${lines[index + 1] as string}, ${member}`;
}
