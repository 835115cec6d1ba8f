/**
 * What the command says of itself to programs: JSON, an object per line, with the time, a level and a message before the rest.
 *
 * The lines per request are those of `fairlead/observe`, which begin with the same members. ASCII alone: nothing in a line can
 * end it or command a terminal.
 */

import { asciiJson } from "../observe/escape.ts";

/** Members of a JSON line besides time, level and message. */
export type LogMembers = Readonly<Record<string, unknown>>;

/** One JSON line, without newline. */
export function jsonLine(wallMs: number, level: "info" | "warn", message: string, members: LogMembers): string {
  return asciiJson(JSON.stringify({ time: new Date(wallMs).toISOString(), level, msg: message, ...members }));
}
