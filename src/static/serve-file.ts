/**
 * One file as a handler: it answers at `/` and under its own name, and nothing else of its folder can be reached.
 *
 * The pipeline is that of the folder; here stands only the gate before it.
 */

import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Context } from "../web/context.ts";
import type { Response } from "../web/response.ts";
import type { MediaTypes } from "./mime.ts";
import { refuseMissing } from "./reply.ts";
import { resolveTarget } from "./resolve.ts";
import { serveStatic, targetOf } from "./serve-static.ts";
import type { StaticHandler } from "./serve-static.ts";

/** How a file is served. */
export interface FileOptions {
  /** As of a folder: types by lower-case extension, before ours. Default none. */
  readonly mediaTypes?: MediaTypes;
}

/**
 * Serves one file, whatever its name.
 *
 * @param path of the file, relative to the working directory, or a file: URL
 * @throws ServerError ERR_OPTIONS if its folder does not exist; a file that is not there is 404 until it is
 */
export function serveFile(path: string | URL, options: FileOptions = {}): StaticHandler {
  const file = resolve(typeof path === "string" ? path : fileURLToPath(path));
  const name = basename(file);
  const folder = serveStatic(dirname(file), { ...options, index: name, dotFiles: true });
  const fetch = (request: Request, context?: Context): Response | Promise<Response> => {
    if (request.method !== "GET" && request.method !== "HEAD") return folder(request, context);
    const target = resolveTarget(request.method, targetOf(request, context), true);
    const isAsked = target !== null && isName(target.names, target.isFolderPath, name);
    return isAsked ? folder(request, context) : refuseMissing(request);
  };
  return Object.assign(fetch.bind(null), { fetch });
}

/** Whether a path is `/` or `/name`. */
function isName(names: readonly string[], isFolderPath: boolean, name: string): boolean {
  return names.length === 0 || (names.length === 1 && names[0] === name && !isFolderPath);
}
