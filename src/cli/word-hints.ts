/**
 * What else a word on the command line may have been meant for, when it cannot be what is served.
 *
 * Words that stand alone are folders, files or modules. People bring others: a port as Python has it, a verb of another tool,
 * the value of a flag whose value may be left out. It must never look at the disk.
 */

import { editDistance } from "../server/option-check.ts";
import { SETTABLE } from "./config-layers.ts";
import type { Flags } from "./flags.ts";

/** What other tools call serving. */
const SERVING = ["dev", "preview", "run", "serve", "server", "start"];
const HELPING: ReadonlySet<string> = new Set(["help", "version"]);
/** What other tools tell a server that runs; ours are told by signals. */
const TELLING: ReadonlyMap<string, string> = new Map([
  ["reload", "A server that runs reads everything again at SIGHUP, as in kill -HUP PID; one on a terminal ends"],
  ["restart", "A server that runs reads everything again at SIGHUP, as in kill -HUP PID; one on a terminal ends"],
  ["stop", "A server that runs ends at SIGTERM, as in kill PID, when the requests under way are done"],
  ["validate", "Did you mean fairlead check?"],
]);
const VERBS = ["check", "explain", "fetch", "trust", "hash-password"];

/**
 * Hints for one word, a line each.
 *
 * @param typed flags as they were typed
 */
export function hintsFor(word: string, typed: Flags): string[] {
  const isNumber = /^\d{1,5}$/.test(word);
  const bare = SETTABLE.filter(({ name, value }) => value.startsWith("[") && typed.get(name)?.at(-1) === true);
  const meant = isNumber ? bare.filter(({ name }) => name === "admin") : bare;
  if (meant.length > 0) return meant.map(({ name }) => `If ${word} is the value of --${name}, write --${name}=${word}`);
  // As many tools have it, Python's first of all
  if (isNumber) return typed.has("port") ? [] : [`A port is --port ${word}`];
  if (HELPING.has(word)) return [`That is --${word}`];
  if (/^https?:\/\//i.test(word)) return ["A URL cannot be served: fairlead passes nothing on to other servers"];
  const told = TELLING.get(word);
  if (told !== undefined) return [told];
  const isNear = (verb: string): boolean => word.length > 3 && editDistance(verb, word) <= (word.length > 4 ? 2 : 1);
  const verb = VERBS.find(isNear);
  if (verb !== undefined) return [`Did you mean fairlead ${verb}?`];
  return SERVING.includes(word) || SERVING.some(isNear) ? ["What is served stands alone, as in fairlead ./site"] : [];
}
