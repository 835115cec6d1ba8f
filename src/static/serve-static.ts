/**
 * A folder as a handler: the pipeline from a request to a file's response, top to bottom.
 *
 *  1 permit    only GET and HEAD go on; OPTIONS is answered, the rest is 405
 *  2 cached    a path that was looked at within the second is answered now, without promise or disk (file-cache.ts)
 *  3 resolve   request-target -> names below the prefix (resolve.ts, mount.ts), or 404
 *  4 find      names -> a version of a file (file-finder.ts), a folder, a redirect, or nothing
 *  5 select    version -> representation in a coding that the request takes (cached-file.ts), made if need be
 *  6 reply     preconditions, ranges, HEAD (reply.ts); or a rule, a listing, a fallback (otherwise.ts)
 *
 * It must never look at the disk itself, and never throw for what a client can ask for.
 */

import type { FieldSource } from "../http/conditional.ts";
import { HttpError } from "../http/errors.ts";
import { discardContent } from "../http1/content-sender.ts";
import type { Context } from "../web/context.ts";
import type { Response } from "../web/response.ts";
import { takeAnswer } from "../web/response.ts";
import type { CachedFile } from "./cached-file.ts";
import { Acceptances, CODING_NAMES } from "./coding.ts";
import type { Explanation } from "./explain.ts";
import { Trace } from "./explain.ts";
import type { CacheStats } from "./file-cache.ts";
import { FileFinder } from "./file-finder.ts";
import { belowMount } from "./mount.ts";
import type { Asked } from "./otherwise.ts";
import { Otherwise } from "./otherwise.ts";
import type { KeptBack } from "./own-things.ts";
import { answerFile, redirectTo, refuseCoding, refuseMethod, refuseMissing, replyOptions } from "./reply.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { resolveRoute, resolveTarget, spelledTarget } from "./resolve.ts";
import { isRulesFile } from "./rules.ts";
import type { StaticOptions, StaticRoots, StaticSettings } from "./static-options.ts";
import { readStaticOptions } from "./static-options.ts";

export type { StaticOptions, StaticRoots } from "./static-options.ts";

/** Versions that are taken up anew because they were over before they could be answered with. */
const MAX_TRIES = 5;

/** A handler that is also an object with a `fetch`, to be given to `serve()` as it is. */
export interface StaticHandler {
  (request: Request, context?: Context): Response | Promise<Response>;
  readonly fetch: (request: Request, context?: Context) => Response | Promise<Response>;
  /** What would be answered, and why: the true pipeline, with its steps noted. For the operator: it names paths of the disk. */
  readonly explain: (request: Request, context?: Context) => Promise<Explanation>;
  /** Of the paths that it answers, without slash at the end; `""` for none. An app mounts it there and nowhere else. */
  readonly prefix?: string;
  /** How the cache is doing. */
  readonly stats: () => CacheStats;
}

/**
 * Serves the files of a folder, or of several.
 *
 * @param roots paths of existing folders, relative to the working directory, or file: URLs
 * @throws ServerError ERR_OPTIONS that names every mistake: the folder does not exist, the index is no name
 */
export function serveStatic(roots: StaticRoots, options: StaticOptions = {}): StaticHandler {
  return serveKept(roots, options, null);
}

/**
 * The same for a server that keeps back what it uses itself.
 *
 * @param kept null for nothing
 * @throws as {@link serveStatic}
 */
export function serveKept(roots: StaticRoots, options: StaticOptions, kept: KeptBack | null): StaticHandler {
  return handlerOf(readStaticOptions(roots, options, kept));
}

/** The handler of what options come to. */
export function handlerOf(settings: StaticSettings): StaticHandler {
  const folder = new StaticFolder(settings);
  const fetch = (request: Request, context?: Context): Response | Promise<Response> => folder.answer(request, context);
  const handler: StaticHandler = Object.assign(fetch.bind(null), {
    fetch,
    explain: (request: Request, context?: Context) => folder.explain(request, context),
    stats: () => folder.stats,
  });
  // Not to be spread: to serve() it would be an option that there is not
  return Object.defineProperty(handler, "prefix", { value: settings.mount.base });
}

class StaticFolder {
  readonly #settings: StaticSettings;
  readonly #finder: FileFinder;
  readonly #otherwise: Otherwise;
  readonly #acceptances: Acceptances;

  constructor(settings: StaticSettings) {
    this.#settings = settings;
    this.#finder = new FileFinder(settings);
    this.#otherwise = new Otherwise(settings, this.#finder, {
      answerTarget: (asked) => this.#answerTarget(asked),
      answerVersion: (asked, file) => this.#answerVersion(asked, file, 0),
    });
    this.#acceptances = new Acceptances();
  }

  get stats(): CacheStats {
    return this.#finder.stats;
  }

  /** The pipeline. */
  answer(request: Request, context: Context | undefined): Response | Promise<Response> {
    const method = request.method;
    if (method !== "GET" && method !== "HEAD") {
      const target = context === undefined ? request.url : context.exchange.request.target;
      return this.#refuse(method, target, fieldsOf(request, context), null);
    }
    if (context === undefined) return this.#answerRequest(method, request.url, request.headers, null);
    const { target, fields } = context.exchange.request;
    const nowMs = this.#settings.time.nowMs();
    const file = this.#finder.cached(target, nowMs);
    if (file !== null) {
      const response = this.#answerNow(file, method, fields, nowMs, null);
      if (response !== null) return response;
    }
    return this.#answerRequest(method, target, fields, null);
  }

  /** The pipeline, talking. */
  async explain(request: Request, context: Context | undefined): Promise<Explanation> {
    const trace = new Trace();
    const method = request.method;
    const fields = fieldsOf(request, context);
    const target = context === undefined ? request.url : context.exchange.request.target;
    const isPermitted = method === "GET" || method === "HEAD";
    const why =
      method === "OPTIONS" ? "tells what files answer (RFC 9110 §9.3.7)" : "files answer GET and HEAD (RFC 9110 §9.3)";
    trace.note("permit", isPermitted || method === "OPTIONS" ? method : "refused", why);
    const response = await (isPermitted
      ? this.#answerRequest(method, target, fields, trace)
      : this.#refuse(method, target, fields, trace));
    const { head, content } = takeAnswer(response);
    discardContent(content, new Error("the answer is only explained"));
    return trace.explain(method, target, head.status, head.fields);
  }

  /** With the fields of the path: those of `_headers` let a preflight of another site pass. */
  #refuse(method: string, target: string, fields: FieldSource, trace: Trace | null): Response {
    const { mount, hasRules } = this.#settings;
    const spelled = hasRules ? spelledTarget(method, target) : null;
    const origin = spelled === null ? null : belowMount(spelled, mount);
    if (hasRules) this.#finder.refreshRules();
    const response = method === "OPTIONS" ? replyOptions() : refuseMethod(fields, trace);
    const asked = origin === null ? null : { method, fields, target: origin, origin, trace, isRewritten: false };
    return this.#otherwise.dress(asked, response);
  }

  /** Without a look at the disk; null where that, or a coding, has to be waited for. */
  #answerNow(
    file: CachedFile,
    method: string,
    fields: FieldSource,
    nowMs: number,
    trace: Trace | null,
  ): Response | null {
    // Its files were closed meanwhile
    if (!file.isOpen) return null;
    if (!file.isNegotiated) return answerFile(file.identity, method, fields, nowMs, trace);
    const selected = file.select(this.#acceptances.of(fields.get("accept-encoding")));
    if (typeof selected === "number") return null;
    if (selected === null) {
      trace?.note("variant", "none", "Accept-Encoding forbids identity and takes no coding that there is");
      return refuseCoding(fields, trace, file.description.finishRefusal);
    }
    if (trace !== null) {
      const asked = fields.get("accept-encoding");
      trace.note(
        "variant",
        CODING_NAMES[selected.coding] as string,
        asked === null ? "no Accept-Encoding" : `Accept-Encoding: ${asked}`,
      );
    }
    return answerFile(selected, method, fields, nowMs, trace);
  }

  #answerRequest(
    method: string,
    target: string,
    fields: FieldSource,
    trace: Trace | null,
  ): Response | Promise<Response> {
    const { showsDotFiles, mount, hasRules } = this.#settings;
    const resolved = resolveTarget(method, target, showsDotFiles);
    const below = resolved === null ? null : belowMount(resolved, mount);
    if (resolved === null || below === null) {
      trace?.note("resolve", "refused", this.#reasonOfRefusal(method, target, resolved));
      return this.#answerRefused(method, target, fields, trace);
    }
    trace?.note("resolve", below.isFolderPath ? "folder" : "file", JSON.stringify(below.names.join("/")));
    const asked: Asked = { method, fields, target: below, origin: below, trace, isRewritten: false };
    if (hasRules) {
      this.#finder.refreshRules();
      const isHidden = isRulesFile(below.names);
      if (isHidden) trace?.note("rules", "hidden", "option rules: _redirects and _headers are not served themselves");
      const forced = isHidden ? null : this.#otherwise.forced(asked);
      if (forced !== null) return forced;
      if (isHidden) return this.#otherwise.fallBack(asked);
    }
    return this.#answerTarget(asked);
  }

  /** What no file can be asked for by: the pages and fields of the folder are those of whatever is missing. */
  #answerRefused(
    method: string,
    target: string,
    fields: FieldSource,
    trace: Trace | null,
  ): Response | Promise<Response> {
    const { showsDotFiles, mount, hasRules } = this.#settings;
    const route = resolveRoute(method, target, showsDotFiles);
    const spelled = route ?? spelledTarget(method, target);
    const below = spelled === null ? null : belowMount(spelled, mount);
    if (below === null) return this.#otherwise.dress(null, refuseMissing(fields, trace));
    if (hasRules) this.#finder.refreshRules();
    const asked: Asked = { method, fields, target: below, origin: below, trace, isRewritten: false };
    return route === null ? this.#otherwise.refuse(asked) : this.#otherwise.fallBack(asked);
  }

  /** For the operator alone: to the client all of it is 404, alike. */
  #reasonOfRefusal(method: string, target: string, resolved: ResolvedTarget | null): string {
    if (resolved !== null) return `not below ${this.#settings.mount.base} (option prefix)`;
    if (resolveTarget(method, target, true) !== null) return "a name with a leading dot is hidden (option dotFiles)";
    return "names must be UTF-8 without separators and NUL, and none of them may be ..";
  }

  /** Files and folders; what is not there is for the fallbacks. */
  #answerTarget(asked: Asked): Response | Promise<Response> {
    const { method, fields, trace } = asked;
    const nowMs = this.#settings.time.nowMs();
    const key = this.#finder.keyOf(asked.target, asked.origin);
    const file = trace === null ? this.#finder.fresh(key, nowMs) : null;
    if (file !== null) {
      const response = this.#answerNow(file, method, fields, nowMs, null);
      if (response !== null) return response;
    }
    return this.#answerFound(asked, key, 0);
  }

  async #answerFound(asked: Asked, key: string, tries: number): Promise<Response> {
    const { names, isFolderPath, search } = asked.target;
    const wanted = { key, names, isFolderPath, isExact: false, fieldsFor: asked.origin };
    const found = await this.#finder.find(wanted, asked.trace);
    if (found === null) return this.#otherwise.missing(asked);
    switch (found.kind) {
      case "redirect":
        return this.#otherwise.dress(asked, redirectTo(found.location + search, 301));
      case "folder":
        return this.#otherwise.folder(asked, found);
      case "file":
        return this.#answerVersion(asked, found.file, tries);
    }
  }

  /** A version, in a coding that may have to be made first. */
  async #answerVersion(asked: Asked, file: CachedFile, tries: number): Promise<Response> {
    const { method, fields, trace } = asked;
    file.hold();
    try {
      while (file.isUsable) {
        const response = this.#answerNow(file, method, fields, this.#settings.time.nowMs(), trace);
        if (response !== null) return response;
        await this.#finder.code(file, this.#acceptances.of(fields.get("accept-encoding")));
      }
    } finally {
      this.#finder.done(file);
    }
    // Written to, or crowded out by other files, before it could be answered with
    if (tries < MAX_TRIES) return this.#answerFound(asked, file.wanted.key, tries + 1);
    throw new HttpError(503, "the file is being written to", { headers: { "retry-after": "1" } });
  }
}

function fieldsOf(request: Request, context: Context | undefined): FieldSource {
  return context === undefined ? request.headers : context.exchange.request.fields;
}

/**
 * The request-target as it came, where the carrier can tell; a URL object has had its dot segments removed and cannot
 * say any more what was asked for.
 */
export function targetOf(request: Request, context: Context | undefined): string {
  return context === undefined ? request.url : context.exchange.request.target;
}
