/**
 * A folder as a handler: the pipeline from a request to a file's response, top to bottom.
 *
 *  1 permit   only GET and HEAD go on; OPTIONS is answered, the rest is 405
 *  2 resolve  request-target -> names below the root (resolve.ts), or 404
 *  3 find     names -> verified open file (contain.ts); a folder means its index, or a redirect to its slash
 *  4 reply    file -> Response (reply.ts)
 *
 * It must never look at the disk itself, and never throw for what a client can ask for.
 */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ServerError } from "../http/errors.ts";
import { isFieldValue } from "../http/fields.ts";
import type { Context } from "../web/context.ts";
import type { Response } from "../web/response.ts";
import { Root, isNotThere } from "./contain.ts";
import type { FoundFile } from "./contain.ts";
import { mediaTypeOf } from "./mime.ts";
import type { MediaTypes } from "./mime.ts";
import { redirectToFolder, refuseMethod, refuseMissing, replyFile, replyOptions } from "./reply.ts";
import { resolveTarget } from "./resolve.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** How a folder is served. */
export interface StaticOptions {
  /** File that stands for its folder; `""`: none, folders are 404. Default `index.html`, as everywhere. */
  readonly index?: string;
  /**
   * Serve names with a leading dot. Default false: `.env` and `.git` are on many disks and meant for nobody;
   * `/.well-known/` is served all the same (RFC 8615).
   */
  readonly dotFiles?: boolean;
  /** Types by lower-case extension without the dot, before ours: `{ "gltf": "model/gltf+json" }`. Default none. */
  readonly mediaTypes?: MediaTypes;
}

/** A handler that is also an object with a `fetch`, to be given to `serve()` as it is. */
export interface StaticHandler {
  (request: Request, context?: Context): Response | Promise<Response>;
  readonly fetch: (request: Request, context?: Context) => Response | Promise<Response>;
}

/**
 * Serves the files of a folder.
 *
 * @param root path of an existing folder, relative to the working directory, or a file: URL
 * @throws ServerError ERR_OPTIONS that names every mistake: the folder does not exist, the index is no name
 */
export function serveStatic(root: string | URL, options: StaticOptions = {}): StaticHandler {
  const folder = new StaticFolder(root, options);
  const fetch = (request: Request, context?: Context): Response | Promise<Response> => folder.answer(request, context);
  return Object.assign(fetch.bind(null), { fetch });
}

class StaticFolder {
  readonly #root: Root;
  readonly #index: string;
  readonly #showsDotFiles: boolean;
  readonly #mediaTypes: MediaTypes;

  constructor(root: string | URL, options: StaticOptions) {
    this.#index = options.index ?? "index.html";
    this.#showsDotFiles = options.dotFiles ?? false;
    this.#mediaTypes = { ...options.mediaTypes };
    const mistakes = findMistakes(this.#index, this.#mediaTypes);
    const path = resolve(typeof root === "string" ? root : fileURLToPath(root));
    const opened = openRoot(path);
    if (typeof opened === "string") mistakes.push(opened);
    if (typeof opened === "string" || mistakes.length > 0) throw new ServerError("ERR_OPTIONS", mistakes.join("; "));
    this.#root = opened;
  }

  /** The pipeline. */
  answer(request: Request, context: Context | undefined): Response | Promise<Response> {
    const method = request.method;
    if (method === "OPTIONS") return replyOptions();
    if (method !== "GET" && method !== "HEAD") return refuseMethod(request);
    const target = resolveTarget(method, targetOf(request, context), this.#showsDotFiles);
    if (target === null) return refuseMissing(request);
    return this.#answerTarget(request, target);
  }

  async #answerTarget(request: Request, target: ResolvedTarget): Promise<Response> {
    const found = await this.#find(target);
    if (found === null) return refuseMissing(request);
    if (found === "redirect") return redirectToFolder(target);
    return replyFile(request.method, found, mediaTypeOf(found.name, this.#mediaTypes));
  }

  /** A file, the wish to be asked with a slash, or nothing. */
  async #find(target: ResolvedTarget): Promise<FoundFile | "redirect" | null> {
    if (target.isFolderPath && this.#index === "") return null;
    const names = target.isFolderPath ? [...target.names, this.#index] : target.names;
    const found = await this.#root.find(names);
    if (found === null || found.kind === "file") return found;
    // An index that is itself a folder stands for nothing
    return target.isFolderPath ? null : "redirect";
  }
}

/**
 * The request-target as it came, where the carrier can tell; a URL object has had its dot segments removed and cannot
 * say any more what was asked for.
 */
export function targetOf(request: Request, context: Context | undefined): string {
  return context === undefined ? request.url : context.exchange.request.target;
}

/** What is wrong with the options, in words. */
function findMistakes(index: string, mediaTypes: MediaTypes): string[] {
  const mistakes: string[] = [];
  if (/[/\\\0]|^\.\.?$/.test(index)) mistakes.push(`index must be the name of a file, not ${JSON.stringify(index)}`);
  for (const [extension, type] of Object.entries(mediaTypes)) {
    if (!/^[^./\\]+$/.test(extension) || extension !== extension.toLowerCase()) {
      mistakes.push(
        `mediaTypes must have extensions in lower case and without a dot, not ${JSON.stringify(extension)}`,
      );
    }
    if (!isFieldValue(type)) mistakes.push(`mediaTypes.${extension} is no value of a field`);
  }
  return mistakes;
}

/** The root, or what is wrong with it. */
function openRoot(path: string): Root | string {
  try {
    return statSync(path).isDirectory() ? new Root(path) : `${path} is not a folder`;
  } catch (error) {
    return isNotThere(error) ? `the folder ${path} does not exist or must not be read` : `${path}: ${String(error)}`;
  }
}
