/**
 * A failure of a handler as text for people: when, at which request, under which id, and what it was.
 *
 * It goes to standard error where the log's form has no place for it. The id is the one that the client was told, so that who
 * complains and what is written are found together. What follows the first line is indented, and nothing in it can command a
 * terminal or pass for another line: errors speak of what a client has sent (log injection). The query stays out: who knows
 * what is secret in it?
 */

import { inspect } from "node:util";
import { HandlerError } from "../http/errors.ts";
import { describeError, textOf } from "../observe/describe-error.ts";
import { escapeLine } from "../observe/escape.ts";
import { Redactor, SECRET_PARAMETERS } from "../observe/redact.ts";
import { shortenStacks } from "../observe/shorten-stacks.ts";
import type { Fault } from "../server/hooks.ts";

/** Longest text of a failure; a message may be a whole content. */
const MAX_TEXT = 262_144;

const REDACTOR = new Redactor(SECRET_PARAMETERS, []);

/** @returns lines, the last with its end */
export function faultText({ id, error, exchange }: Fault, wallMs: number): string {
  const request = exchange === null ? "" : ` at ${exchange.request.method} ${withoutQuery(exchange.request.target)}`;
  const start = `fairlead: ${new Date(wallMs).toISOString()}`;
  const ours = ourWordOf(error);
  // Nobody's mistake, and nothing to look for
  if (ours?.code === "ERR_FILE_CHANGED") {
    return `${start} ${escapeLine(`broken off${request}: ${ours.message}`)}\n`;
  }
  const known = id === "" ? "" : ` (${id})`;
  // What we say of a handler has frames of our own alone, in which there is nothing to find
  const lines = shortenStacks(inspected(error), ours === null).split("\n");
  return `${start} ${escapeLine(`a handler failed${request}${known}`)}\n${lines.map((line) => `  ${escapeLine(line)}\n`).join("")}`;
}

/** A proxy may throw at the question. */
function ourWordOf(error: unknown): HandlerError | null {
  try {
    return error instanceof HandlerError ? error : null;
  } catch {
    return null;
  }
}

/** What cannot be inspected, since a getter throws, or makes too much text is described as in the other forms. */
function inspected(error: unknown): string {
  try {
    const text = inspect(error);
    if (text.length <= MAX_TEXT) return text;
  } catch {
    // Goes on below
  }
  const { type, message, stack } = describeError(error, REDACTOR);
  return typeof stack === "string" && stack.includes("\n    at ") ? stack : `${textOf(type)}: ${textOf(message)}`;
}

function withoutQuery(target: string): string {
  return target.replace(/\?.*/s, "?…");
}
