/**
 * Fuzz target: configuration (cli/config-schema.ts, config-serve-json.ts, config-place.ts, settings.ts, server/options.ts). An
 * input is JSON, as a configuration file would hold it, good or bad.
 *
 * Invariants:
 * - Whatever the value, mistakes are told as CommandError or ServerError ERR_OPTIONS, all at once, and nothing else throws.
 * - Each mistake of a file names the file, and where it names a line the line is one of the file's.
 * - No setting is taken for another: what is taken is known by its name alone.
 * - Nothing of a configuration changes a prototype (prototype pollution).
 */

import { placeFinder } from "../../src/cli/config-place.ts";
import { readConfig, SERVER_SETTINGS } from "../../src/cli/config-schema.ts";
import { readServeJson } from "../../src/cli/config-serve-json.ts";
import { layer } from "../../src/cli/config-layers.ts";
import { CommandError } from "../../src/cli/command-error.ts";
import { readSettings } from "../../src/cli/settings.ts";
import { readUsage, UnknownFlag } from "../../src/cli/usage.ts";
import { ServerError } from "../../src/http/errors.ts";
import { type ServeOptions, resolveOptions } from "../../src/server/options.ts";
import { OPTION_TABLE } from "../../src/server/option-table.ts";
import { orMutated, seedsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const PATHS = OPTION_TABLE.map((row) => row.path).filter((path) => !/^(?:tls|fetch|http|signal|hooks)/.test(path));
const NAMES = [
  "port",
  "host",
  "root",
  "list",
  "cors",
  "headers",
  "single",
  "cleanUrls",
  "cache",
  "limits",
  "timeouts",
  "listen",
  "log",
  "tls",
  "__proto__",
  "constructor",
  "$schema",
  "rewrites",
  "public",
  "directoryListing",
  "trustProxy",
  ...SERVER_SETTINGS,
];
const WORDS = [
  ...NAMES.map((name) => `"${name}":`),
  "true",
  "null",
  "-1",
  "1e999",
  '"10m"',
  '"1kb"',
  "[]",
  "{}",
  '"private"',
  '"/a"',
];
const scalar = fc.oneof(
  fc.boolean(),
  fc.integer(),
  fc.constantFrom<unknown>(
    null,
    "",
    "a",
    "10m",
    "off",
    "auto",
    "8080",
    -1,
    1.5,
    2 ** 53,
    "127.0.0.1:80",
    "unix:/tmp/a",
    "1.2.3.0/24",
    [],
    {},
    ["a", 1],
  ),
);
const value = fc.oneof(
  scalar,
  fc.dictionary(fc.constantFrom(...NAMES, ...PATHS.map((path) => path.split(".").at(-1) ?? path)), scalar, {
    maxKeys: 4,
  }),
  fc.array(scalar, { maxLength: 3 }),
);
const config = fc
  .dictionary(fc.constantFrom(...NAMES, ...PATHS), value, { maxKeys: 6 })
  .map((object) => Buffer.from(JSON.stringify(object, null, 1)).toString("latin1"));

/** The target. */
export const configTarget: FuzzTarget = {
  name: "config",
  about: "every mistake in a configuration is told with its place, and nothing else throws",
  arbitrary: orMutated(config, WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      '{"port":8080,"root":"./a"}',
      '{"limits":{"maxHeadBytes":1}}',
      "[]",
      '{"headers":{"X-A":"b"},"cors":true}',
      '{"prot":1,"__proto__":{"a":1}}',
      '{"public":"a","rewrites":[{"source":"**","destination":"/index.html"}],"headers":[{"source":"a","headers":[]}]}',
      "--port 80 --list=no -p x --",
      '{"listen":["8080","unix:/tmp/x",":::"],"trustProxy":"private"}',
    ),
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    const before = Reflect.ownKeys(Object.prototype).length;
    checkArguments(latin1(input));
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch {
      return;
    }
    checkFile(text, given);
    checkOptions(given);
    same(Reflect.ownKeys(Object.prototype).length, before, "changes no prototype");
  },
};

const isCommandError = (error: unknown): boolean => error instanceof CommandError;

function checkFile(text: string, given: unknown): void {
  const placeOf = attempt(() => placeFinder(text, "fairlead.config.json")).value;
  if (placeOf === null) return;
  const source = { path: "/nowhere/fairlead.config.json", shown: "fairlead.config.json", placeOf };
  const lines = text.split("\n").length;
  for (const read of [readConfig, readServeJson]) {
    const file = attempt(() => read(given, source)).value;
    if (file === null) continue;
    for (const { message } of file.mistakes) {
      hold(message !== "" && !/[\0-\x08\x0b-\x1f]/.test(message), "a mistake is a line of text", () =>
        JSON.stringify(message),
      );
      const line = /fairlead\.config\.json:(\d+)/.exec(message)?.[1];
      hold(line === undefined || Number(line) <= lines, "a mistake is on a line of the file", () => message);
    }
    const layered = attempt(() => layer(new Map(), {}, file), isCommandError).value;
    if (layered !== null) attempt(() => readSettings(layered, false), isCommandError);
  }
}

function checkArguments(text: string): void {
  attempt(
    () => readUsage(text.split(" ").slice(0, 20)),
    (error) => error instanceof CommandError || error instanceof UnknownFlag,
  );
}

function checkOptions(given: unknown): void {
  const isPlain = typeof given === "object" && given !== null && !Array.isArray(given);
  // Certificates are files, which no input may choose
  if (isPlain && ("tls" in given || "healthChecks" in given)) return;
  const options = (isPlain ? { ...given, fetch: () => new Response("") } : given) as ServeOptions;
  const { error } = attempt(
    () => resolveOptions(options),
    (thrown) => thrown instanceof ServerError && thrown.code === "ERR_OPTIONS",
  );
  if (error !== null) hold((error as ServerError).message.length < 20_000, "mistakes are told in bounded words");
}
