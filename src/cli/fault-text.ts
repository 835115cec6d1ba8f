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
import { escapeLine } from "../observe/escape.ts";
import { shortenStacks } from "../observe/shorten-stacks.ts";
import type { Fault } from "../server/hooks.ts";

/** @returns lines, the last with its end */
export function faultText({ id, error, exchange }: Fault, wallMs: number): string {
  const request = exchange === null ? "" : ` at ${exchange.request.method} ${withoutQuery(exchange.request.target)}`;
  const start = `fairlead: ${new Date(wallMs).toISOString()}`;
  const isOurWord = error instanceof HandlerError;
  // Nobody's mistake, and nothing to look for
  if (isOurWord && error.code === "ERR_FILE_CHANGED") {
    return `${start} ${escapeLine(`broken off${request}: ${error.message}`)}\n`;
  }
  const known = id === "" ? "" : ` (${id})`;
  // What we say of a handler has frames of our own alone, in which there is nothing to find
  const lines = shortenStacks(inspect(error), !isOurWord).split("\n");
  return `${start} ${escapeLine(`a handler failed${request}${known}`)}\n${lines.map((line) => `  ${escapeLine(line)}\n`).join("")}`;
}

function withoutQuery(target: string): string {
  return target.replace(/\?.*/s, "?…");
}
