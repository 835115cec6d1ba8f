/**
 * A module's path to what it exports, and what it exports to the handler in it.
 *
 * JavaScript is imported as it is. TypeScript too where Node strips types by itself; elsewhere, for syntax that
 * stripping cannot do (enum, JSX), and for modules in a package of scripts, through jiti, which is loaded only then. It must
 * never run a module twice.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Handler } from "../web/handler.ts";
import { foreignAppIn, isForeignApp } from "./foreign-app.ts";

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

const TYPESCRIPT: ReadonlySet<string> = new Set([".ts", ".mts", ".cts", ".tsx", ".jsx"]);
const JSX: ReadonlySet<string> = new Set([".tsx", ".jsx"]);

/** Whether this Node imports a file of that name only with help. Node 20 has no such feature and no such member. */
export function needsLoader(path: string): boolean {
  const feature: unknown = Reflect.get(process.features, "typescript");
  return TYPESCRIPT.has(extname(path).toLowerCase()) && feature !== "strip" && feature !== "transform";
}

/**
 * Imports a module.
 *
 * @param path absolute
 * @param isAnew it has been imported before and may have changed: it is run again. What it imports itself is not, but where
 *   jiti has loaded it. The one that was is never given back, so that this is for few times
 * @throws whatever the module throws, or what is said of one that cannot be found or read
 */
export async function importModule(path: string, isAnew = false): Promise<Exports> {
  const extension = extname(path).toLowerCase();
  if (JSX.has(extension) || needsLoader(path) || isModuleAmongScripts(path)) return importThroughJiti(path, isAnew);
  try {
    return (await import(urlOf(path, isAnew))) as Exports;
  } catch (error) {
    // Said while reading, before anything of the module ran
    if (codeOf(error) === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") return importThroughJiti(path, isAnew);
    // Said while linking: `./book` and `./book.js` mean book.ts to TypeScript and to jiti, but not to Node. What Node 20 runs,
    // the newer ones run too
    if (TYPESCRIPT.has(extension) && isTypescriptSpecifier(error)) return importThroughJiti(path, isAnew);
    throw error;
  }
}

/** `fetch`, else `default.fetch`, else a default function; null where there is none of them. */
export function handlerIn(exported: Exports): Handler | null {
  if (isHandler(exported["fetch"])) return exported["fetch"];
  const main = exported["default"];
  if ((typeof main === "object" || typeof main === "function") && main !== null && "fetch" in main) {
    const { fetch } = main;
    // Called as a method: an app may need its `this`
    if (isHandler(fetch)) return (request, context) => Reflect.apply(fetch, main, [request, context]);
  }
  return isHandler(main) ? main : null;
}

/** Whether there is nothing in it at all, as in a module that runs for what it does. */
export function isEmpty(exported: Exports): boolean {
  return Object.keys(exported).every((name) => isLeftEmpty(name, exported[name]));
}

/** What is there instead of a handler, for a message. */
export function listNames(exported: Exports): string {
  const foreign = foreignAppIn(exported);
  if (foreign !== null) return foreign.what;
  const names = Object.keys(exported).filter((name) => !isLeftEmpty(name, exported[name]));
  if (names.length === 0) return "nothing at all";
  return `only ${names.map((name) => (isClass(exported[name]) ? `${name} (a class, make one)` : name)).join(", ")}`;
}

/** Whether an export is one that nobody wrote: Node gives the empty `module.exports` of a script these names. */
function isLeftEmpty(name: string, value: unknown): boolean {
  if (name !== "default" && name !== "module.exports") return false;
  if (value === undefined || value === null) return true;
  return Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === 0;
}

function isHandler(value: unknown): value is Handler {
  // A class can be exported by default as well, but not be called; Express's app can, but not with a Request
  return typeof value === "function" && !isClass(value) && !isForeignApp(value);
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Whether what an import did not find is there under the name that TypeScript would look for. */
function isTypescriptSpecifier(error: unknown): boolean {
  const url: unknown = error instanceof Error ? Reflect.get(error, "url") : undefined;
  if (codeOf(error) !== "ERR_MODULE_NOT_FOUND" || typeof url !== "string" || !url.startsWith("file:")) return false;
  const missing = fileURLToPath(url);
  const stem = missing.replace(/\.[cm]?js$/, "");
  return [".ts", ".mts", ".cts", ".tsx", "/index.ts"].some((ending) => existsSync(`${stem}${ending}`));
}

/** The begin of a line that only a module has; a handler has to be exported. In a comment or a text it does no harm. */
const MODULE_SYNTAX = /^(?:import|export)\b[ \t]?["'{*\w]/m;

/**
 * Whether a file is a module that Node would read as a script: its package says `"type": "commonjs"`, as `npm init` writes it
 * of itself. Where nothing is said Node looks at the syntax.
 */
function isModuleAmongScripts(path: string): boolean {
  const extension = extname(path).toLowerCase();
  if (extension !== ".js" && extension !== ".ts") return false;
  try {
    return packageTypeOf(dirname(path)) === "commonjs" && MODULE_SYNTAX.test(readFileSync(path, "utf8"));
  } catch {
    // Who imports it says better what is wrong with it
    return false;
  }
}

/** `type` of the nearest package.json; undefined for none. */
function packageTypeOf(folder: string): unknown {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, "package.json");
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { type?: unknown }).type;
    if (dirname(at) === at) return undefined;
  }
}

let imports = 0;

/** Node knows a module by its URL, with the query. */
function urlOf(path: string, isAnew: boolean): string {
  const { href } = pathToFileURL(path);
  return isAnew ? `${href}?again=${++imports}` : href;
}

async function importThroughJiti(path: string, isAnew: boolean): Promise<Exports> {
  const { createJiti } = await import("jiti");
  // Without its cache on disk, which lies where other users of the machine may write
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: !isAnew,
    jsx: JSX.has(extname(path).toLowerCase()),
  });
  return jiti.import<Exports>(path);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, "code") : undefined;
}
