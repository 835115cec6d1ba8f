/**
 * A module's path -> the handler that it exports, or an error that a person can act on.
 *
 * JavaScript is imported as it is. TypeScript too where Node strips types by itself; elsewhere, and for syntax that
 * stripping cannot do (enum, JSX), through jiti, which is loaded only then. It must never run the module twice.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Handler } from "../web/handler.ts";
import { CommandError, codeOf, messageOf } from "./command-error.ts";

type Exports = Readonly<Record<string, unknown>>;

const TYPESCRIPT: ReadonlySet<string> = new Set([".ts", ".mts", ".cts", ".tsx", ".jsx"]);
const JSX: ReadonlySet<string> = new Set([".tsx", ".jsx"]);

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
  throw new CommandError(1, `${path} exports no handler, but ${listNames(exported)}`, [
    "Export one of these, each a function of a Request that returns a Response:",
    "  export function fetch(request) { … }",
    "  export default { fetch(request) { … } }",
    "  export default function (request) { … }",
  ]);
}

async function importModule(path: string): Promise<Exports> {
  const extension = extname(path).toLowerCase();
  if (TYPESCRIPT.has(extension) && (JSX.has(extension) || !stripsTypes())) return importThroughJiti(path);
  try {
    return (await import(pathToFileURL(path).href)) as Exports;
  } catch (error) {
    // Said while reading, before anything of the module ran
    if (codeOf(error) === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return importThroughJiti(path);
    // Said while linking: `./book` and `./book.js` mean book.ts to TypeScript and to jiti, but not to Node. What Node 20 runs,
    // the newer ones run too
    if (TYPESCRIPT.has(extension) && isTypescriptSpecifier(error)) return importThroughJiti(path);
    throw error;
  }
}

/** Whether what an import did not find is there under the name that TypeScript would look for. */
function isTypescriptSpecifier(error: unknown): boolean {
  const url: unknown = error instanceof Error ? Reflect.get(error, "url") : undefined;
  if (codeOf(error) !== "ERR_MODULE_NOT_FOUND" || typeof url !== "string" || !url.startsWith("file:")) return false;
  const missing = fileURLToPath(url);
  const stem = missing.replace(/\.[cm]?js$/, "");
  return [".ts", ".mts", ".cts", ".tsx", "/index.ts"].some((ending) => existsSync(`${stem}${ending}`));
}

/** Node 20 has no such feature and no such member. */
function stripsTypes(): boolean {
  const feature: unknown = Reflect.get(process.features, "typescript");
  return feature === "strip" || feature === "transform";
}

async function importThroughJiti(path: string): Promise<Exports> {
  const { createJiti } = await import("jiti");
  // Without its cache on disk, which lies where other users of the machine may write
  const jiti = createJiti(import.meta.url, { fsCache: false, jsx: JSX.has(extname(path).toLowerCase()) });
  return jiti.import<Exports>(path);
}

/** `fetch`, else `default.fetch`, else a default function. */
function handlerIn(exported: Exports): Handler | null {
  if (isHandler(exported["fetch"])) return exported["fetch"];
  const main = exported["default"];
  if ((typeof main === "object" || typeof main === "function") && main !== null && "fetch" in main) {
    const { fetch } = main;
    // Called as a method: an app may need its `this`
    if (isHandler(fetch)) return (request, context) => Reflect.apply(fetch, main, [request, context]);
  }
  return isHandler(main) ? main : null;
}

function isHandler(value: unknown): value is Handler {
  // A class can be exported by default as well, but not be called
  return typeof value === "function" && !isClass(value);
}

function listNames(exported: Exports): string {
  const names = Object.keys(exported).map((name) => (isClass(exported[name]) ? `${name} (a class, make one)` : name));
  return names.length === 0 ? "nothing at all" : `only ${names.join(", ")}`;
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** What a failed import means to the author of the module. */
function explainFailure(path: string, error: unknown): CommandError {
  const said = messageOf(error).replace(/\s+/g, " ");
  const missing = /Cannot find (?:package|module) '([^']+)'/.exec(said)?.[1];
  if (missing !== undefined) return explainMissing(path, missing, error);
  if (error instanceof SyntaxError || said.startsWith("ParseError")) {
    const place = error instanceof SyntaxError ? placeOfSyntaxError(path, error) : [];
    const isHere = place.some((line) => line.includes(path));
    const where = isHere ? path : `${path}, or a module that it imports,`;
    return new CommandError(1, `${where} cannot be read as a module: ${said}`, place, { cause: error });
  }
  return new CommandError(1, `${path} failed while it was loaded: ${said}`, ownFrames(error), { cause: error });
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

/** The frames of a stack that are not Node's. */
function ownFrames(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const here = fileURLToPath(new URL("..", import.meta.url));
  const isForeign = (line: string): boolean =>
    /node:internal|node_modules\/jiti/.test(line) || line.includes(here) || line.includes(pathToFileURL(here).href);
  return stack.split("\n").filter((line) => /^\s+at /.test(line) && !isForeign(line));
}
