/**
 * The words behind `explain` and `fetch`: [folder | file | module] [METHOD] /path, with -H for the request's fields.
 *
 * It must never look at the disk.
 */

import { isFieldValue, isToken } from "../http/fields.ts";
import { isRegisteredMethod } from "../http/method.ts";
import { CommandError } from "./command-error.ts";
import type { Flags } from "./flags.ts";
import { splitField } from "./settings.ts";

/** A question, understood. */
export interface Question {
  readonly subjectWord: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly lines: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads what stands behind the verb.
 *
 * @throws CommandError with exit code 2 if there is no path, or too much
 */
export function readQuestion(verb: string, words: readonly string[], flags: Flags): Question {
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const method = before.findLast((word) => /^[A-Z]+$/.test(word));
  const others = before.filter((word) => word !== method);
  if (!last.startsWith("/") || others.length > 1) {
    throw new CommandError(2, `${verb} needs a path, and takes little else: fairlead ${verb} [folder] [METHOD] /path`, [
      `As in fairlead ${verb} ./site GET /about -H 'Accept-Encoding: br'`,
    ]);
  }
  const lines = (flags.get("header") ?? []).map((line) => splitField(String(line)));
  for (const [name, value] of lines) {
    if (!isToken(name) || !isFieldValue(value))
      throw new CommandError(2, `${JSON.stringify(name)} is no field of a request`);
  }
  if (method !== undefined && !isRegisteredMethod(method)) {
    throw new CommandError(2, `${method} is no method, and no server would get as far as asking for ${last}`);
  }
  // What no target can hold, so that names can be given as they are; a % stays what it is
  const target = last.replace(/#.*$/, "").replace(/[^!$-;=?-[\]-~]+/gu, encodeURIComponent);
  return { subjectWord: others[0], method: method ?? "GET", target, lines };
}
