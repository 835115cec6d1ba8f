/**
 * Changes the fields of a response on its way out: what every wrapper of this room does.
 *
 * The response that comes in is left as it was (web/edited-response.ts), and so is an error: who answers that in the end hears
 * what was wanted of its fields (web/failure-fields.ts). Lines that many responses share are changed once, and the result is
 * shared as well, so that the wire goes on rendering it once. It must never read content, and never change a status.
 */

import type { FieldEdit, FieldLines } from "../http/exchange.ts";
import { discardContent } from "../http1/content-sender.ts";
import type { Context } from "../web/context.ts";
import { answerOf, editResponse } from "../web/edited-response.ts";
import type { Handler } from "../web/handler.ts";
import { indexOfLine } from "../web/header-lines.ts";
import type { Request } from "../web/request.ts";
import { isFastResponse } from "../web/response.ts";

/** Changes flat field lines in place: name, value, name, value. */
export type EditLines = (lines: string[]) => void;

/** What a handler returns. */
export type Answered = ReturnType<Handler>;

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
 * Calls a handler, and changes the fields of what it answers. An error goes its way as it is, and whoever answers it is told of
 * the change, so that a script of another origin may read a 500 too; so is who answers in place of what cannot be sent. A result
 * that is there at once is not waited for.
 */
export function editAnswer(next: Handler, request: Request, context: Context, edit: FieldEdit): Answered {
  let result: Answered;
  try {
    result = next(request, context);
  } catch (error) {
    context.editFailure(error, edit);
    throw error;
  }
  if (!isPromise(result)) return editNoted(result, context, edit);
  return result.then(
    (response) => editNoted(response, context, edit),
    (error: unknown) => {
      context.editFailure(error, edit);
      throw error;
    },
  );
}

function editNoted(
  response: globalThis.Response | undefined,
  context: Context,
  edit: FieldEdit,
): globalThis.Response | undefined {
  context.noteEdit(edit);
  try {
    return editIfAny(response, edit);
  } catch (error) {
    // It is none, or its content was used
    context.editFailure(error, edit);
    throw error;
  }
}

/** A response with other fields where there is one: nothing stays nothing. */
export function editIfAny(response: globalThis.Response | undefined, edit: FieldEdit): globalThis.Response | undefined {
  return response === undefined ? undefined : editResponse(response, edit);
}

/** Lets go of the content of a response that nobody will send. */
export function discardResponse(response: globalThis.Response | undefined): void {
  if (response === undefined || response.status === 0) return;
  try {
    discardContent(answerOf(response).content, new Error("the response is not sent"));
  } catch {
    // It was read by somebody: nothing is left to let go of
  }
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
