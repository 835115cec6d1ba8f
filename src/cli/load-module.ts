/**
 * A module's path -> the handler that it exports, or an error that a person can act on.
 *
 * How a module is imported and where its handler is, the threads' loader knows; here is what is said when that fails: what is
 * wrong, where, and what to do about it. It must never run the module twice.
 */

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { escapeLine } from "../observe/escape.ts";
import type { Handler } from "../web/handler.ts";
import { type ForeignApp, foreignAppIn } from "../workers/foreign-app.ts";
import { type Exports, handlerIn, importModule, isEmpty, listNames, needsLoader } from "../workers/handler-module.ts";
import { CommandError, messageOf } from "./command-error.ts";

/**
 * Loads a module and takes the handler out of it.
 *
 * @param path absolute
 * @throws CommandError with exit code 1: what is wrong with the module
 */
export async function loadModule(path: string): Promise<Handler> {
  let exported: Exports;
  try {
    exported = await importModule(path);
  } catch (error) {
    throw explainFailure(path, error);
  }
  const handler = handlerIn(exported);
  if (handler !== null) return handler;
  throw new CommandError(1, `${path} exports no handler, but ${listNames(exported)}`, whatToExport(path, exported));
}

/** What makes a module with these exports one that can be run. */
function whatToExport(path: string, exported: Exports): string[] {
  const foreign = foreignAppIn(exported);
  if (foreign !== null) {
    const what = foreign.isServer ? "the listener that createServer() was given" : "it";
    return [`Make a handler of ${what}:`, ...handlerOf(foreign, isScript(path))];
  }
  const starts = [
    "A module that starts a server of its own is run without this command:",
    `  ${needsLoader(path) ? "npx jiti" : "node"} ${path}`,
  ];
  const [first, what] = isEmpty(exported)
    ? [starts, "Or export one of these in its place"]
    : [[], "Export one of these"];
  return [
    ...first,
    `${what}, each a function of a Request that returns a Response:`,
    "  export function fetch(request) { … }",
    "  export default { fetch(request) { … } }",
    "  export default function (request) { … }",
  ];
}

/** The lines to write, as docs/guides/node-frameworks.md has them. */
function handlerOf({ name, listener, isMadeReady, isServer }: ForeignApp, ofScript: boolean): string[] {
  const app = /^(?:default|module\.exports)$/.test(name) ? "app" : name;
  const listening = isServer ? "(req, res) => { … }" : `${app}${listener}`;
  if (!ofScript) {
    const ready = isMadeReady ? [`  await ${app}.ready();`] : [];
    return ['  import { nodeHandler } from "fairlead/node";', ...ready, `  export default nodeHandler(${listening});`];
  }
  const first = '  const { nodeHandler } = require("fairlead/node");';
  if (!isMadeReady) return [first, `  module.exports = nodeHandler(${listening});`];
  // A script cannot wait where it stands
  return [
    first,
    "  module.exports = nodeHandler(async (req, res) => {",
    `    await ${app}.ready();`,
    `    ${listening}(req, res);`,
    "  });",
  ];
}

/** Whether Node has run it as CommonJS. */
function isScript(path: string): boolean {
  return path in createRequire(path).cache;
}

/** What a failed import means to the author of the module. */
export function explainFailure(path: string, error: unknown): CommandError {
  const said = saidBy(error);
  const frames = ownFrames(error);
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(said)?.[1];
  if (missing !== undefined) return explainMissing(path, missing, error);
  // One with frames was thrown by what runs, as by JSON.parse()
  if ((error instanceof SyntaxError && frames.length === 0) || said.startsWith("ParseError")) {
    const place = error instanceof SyntaxError ? placeOfSyntaxError(path, error) : [];
    const isHere = place.some((line) => line.includes(path));
    const where = isHere ? path : `${path}, or a module that it imports,`;
    return new CommandError(1, `${where} cannot be read as a module: ${said}`, place, { cause: error });
  }
  return new CommandError(1, `${path} failed while it was loaded: ${said}`, frames, { cause: error });
}

/** What was thrown says, on one line. */
export function saidBy(error: unknown): string {
  const said = messageOf(error).replace(/\s+/g, " ").trim();
  if (said !== "") return escapeLine(said);
  return error instanceof Error ? `${error.name} without a message` : "nothing";
}

function explainMissing(path: string, name: string, cause: unknown): CommandError {
  const isFile = /^(?:\.{0,2}\/|file:|[a-z]:\\)/i.test(name);
  const advice = isFile
    ? ["Check the path; a relative import needs its extension, as in ./book.js"]
    : [
        `Install it where the module lies: npm install ${name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/")}`,
      ];
  return new CommandError(1, `${path} imports ${name}, which cannot be found`, advice, { cause });
}

/**
 * The line that is wrong, as Node shows it. An error of type stripping still knows it when caught; one of JavaScript does
 * not, and Node's own check of the file is asked.
 */
function placeOfSyntaxError(path: string, error: SyntaxError): string[] {
  const known = placeAbove(error.stack ?? "");
  if (known.length > 0) return known;
  return placeAbove(spawnSync(process.execPath, ["--check", path], { encoding: "utf8", timeout: 10_000 }).stderr);
}

/** The lines above the error itself: path and line number, then the source. */
function placeAbove(text: string): string[] {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => line.trim() === "");
  return /^(?:file:|\/|[A-Z]:\\).*:\d+$/.test(lines[0] ?? "") ? lines.slice(0, end) : [];
}

/** The frames of a stack that are neither Node's nor ours; those of packages only if there are no others. */
export function ownFrames(error: unknown): string[] {
  const stack: unknown = error instanceof Error ? error.stack : "";
  if (typeof stack !== "string") return [];
  const here = fileURLToPath(new URL("..", import.meta.url));
  const isOurs = (line: string): boolean => line.includes(here) || line.includes(pathToFileURL(here).href);
  const lines = stack.split("\n").filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line) && !line.includes("node:"));
  // Ours are on top where it has called us, and below where we have called it; what is below those is no more its business
  const top = lines.findIndex((line) => !isOurs(line));
  const end = lines.findIndex((line, at) => at > top && isOurs(line));
  const frames = top === -1 ? [] : lines.slice(top, end === -1 ? lines.length : end);
  const packages = frames.filter((line) => /node_modules[/\\]/.test(line));
  const own = frames.filter((line) => !packages.includes(line));
  const shown = own.length > 0 ? own : packages.filter((line) => !/node_modules[/\\]jiti/.test(line));
  return shown.map((line) => escapeLine(line));
}
