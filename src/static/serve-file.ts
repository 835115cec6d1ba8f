/**
 * One file as a handler: it answers at `/` and under its own name, and nothing else of its folder can be reached.
 *
 * The pipeline is that of the folder; here stands only the gate before it.
 */

import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Context } from "../web/context.ts";
import type { Response } from "../web/response.ts";
import { takeAnswer } from "../web/response.ts";
import type { Explanation } from "./explain.ts";
import { Trace } from "./explain.ts";
import type { KeptBack } from "./own-things.ts";
import { refuseMissing } from "./reply.ts";
import { resolveTarget } from "./resolve.ts";
import { dressRefusal } from "./rules-headers.ts";
import { handlerOf, targetOf } from "./serve-static.ts";
import type { StaticHandler, StaticOptions } from "./serve-static.ts";
import { readStaticOptions } from "./static-options.ts";

/** How a file is served: as in a folder, as far as it makes sense for one. */
export type FileOptions = Omit<
  StaticOptions,
  "index" | "listing" | "dotFiles" | "hide" | "cleanUrls" | "spa" | "notFound" | "prefix" | "rules"
>;

/**
 * Serves one file, whatever its name.
 *
 * @param path of the file, relative to the working directory, or a file: URL
 * @throws ServerError ERR_OPTIONS if its folder does not exist; a file that is not there is 404 until it is
 */
export function serveFile(path: string | URL, options: FileOptions = {}): StaticHandler {
  return serveKeptFile(path, options, null);
}

/**
 * The same for a server that keeps back what it uses itself.
 *
 * @param kept of the file's folder; null for nothing
 * @throws as {@link serveFile}
 */
export function serveKeptFile(path: string | URL, options: FileOptions, kept: KeptBack | null): StaticHandler {
  const file = resolve(typeof path === "string" ? path : fileURLToPath(path));
  const name = basename(file);
  const all: StaticOptions = {
    ...options,
    index: name,
    listing: false,
    dotFiles: true,
    cleanUrls: false,
    spa: false,
    notFound: false,
    rules: false,
  };
  const settings = readStaticOptions(dirname(file), all, kept);
  const folder = handlerOf(settings);
  // As all answers of the folder have them
  const refuse = (request: Request, trace: Trace | null): Response =>
    refuseMissing(request.headers, trace, (lines) => dressRefusal(lines, settings.headers));
  const isAsked = (request: Request, context?: Context): boolean => {
    if (request.method !== "GET" && request.method !== "HEAD") return true;
    const target = resolveTarget(request.method, targetOf(request, context), true);
    return target !== null && isName(target.names, target.isFolderPath, name);
  };
  const fetch = (request: Request, context?: Context): Response | Promise<Response> =>
    isAsked(request, context) ? folder(request, context) : refuse(request, null);
  const explain = async (request: Request, context?: Context): Promise<Explanation> => {
    if (isAsked(request, context)) return folder.explain(request, context);
    const trace = new Trace();
    trace.note("resolve", "refused", "only the one file is served, at / and under its name");
    const { head } = takeAnswer(refuse(request, trace));
    if (settings.headers !== null) trace.attribute(settings.headers.lines, "option headers");
    return trace.explain(request.method, targetOf(request, context), head.status, head.fields);
  };
  return Object.assign(fetch.bind(null), { fetch, explain, stats: folder.stats });
}

/** Whether a path is `/` or `/name`. */
function isName(names: readonly string[], isFolderPath: boolean, name: string): boolean {
  return names.length === 0 || (names.length === 1 && names[0] === name && !isFolderPath);
}
