/**
 * One of `/about` and `/about/` is the address, and the other leads there: 308, which keeps the method (RFC 9110 §15.4.9).
 *
 * Only what is not there is redirected, unless the option says always; so nothing that answers is hidden, and nothing is led
 * around in a circle with a handler that has an opinion of its own, as a folder of files has. The new address is always a path
 * of this very server: one that begins with two slashes would be another host (open redirect).
 */

import { HttpError } from "../http/errors.ts";
import { checkOptions, oneOf, type OptionRules } from "../server/option-rules.ts";
import type { Middleware } from "../web/handler.ts";
import { Response } from "../web/response.ts";
import { discardResponse, isPromise } from "./edit-response.ts";

/** Which of the two. */
export interface TrailingSlashOptions {
  /** `"remove"`: `/about/` leads to `/about`; `"add"`: `/about` to `/about/`, except names with a point. Default `"remove"`. */
  readonly mode?: "add" | "remove" | undefined;
  /** `"missing"`: where the answer would be 404; `"always"`: before the handler is asked. Default `"missing"`. */
  readonly when?: "missing" | "always" | undefined;
}

/** @internal */
export const TRAILING_SLASH_RULES: OptionRules<TrailingSlashOptions> = {
  mode: oneOf("add", "remove"),
  when: oneOf("missing", "always"),
};

/**
 * Redirects GET and HEAD from one form of a path to the other.
 *
 * @throws TypeError that names every mistake in the options
 */
export function trailingSlash(options: TrailingSlashOptions = {}): Middleware {
  checkOptions("trailingSlash", options, TRAILING_SLASH_RULES);
  const rewrite = (options.mode ?? "remove") === "add" ? withSlash : withoutSlash;
  const isAlways = options.when === "always";
  return (request, context, next) => {
    const { method } = request;
    // What a form sends, or a program, is not to be sent again by a browser without asking
    const location =
      method === "GET" || method === "HEAD" ? locationOf(context.exchange.request.target, rewrite) : null;
    if (location === null) return next(request, context);
    if (isAlways) return redirect(location);
    try {
      const result = next(request, context);
      if (!isPromise(result)) return instead(result, location);
      return result.then(
        (response) => instead(response, location),
        (error: unknown) => {
          if (isMissing(error)) return redirect(location);
          throw error;
        },
      );
    } catch (error) {
      if (isMissing(error)) return redirect(location);
      throw error;
    }
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof HttpError && error.status === 404;
}

function instead(response: globalThis.Response | undefined, location: string): globalThis.Response | undefined {
  if (response?.status !== 404) return response;
  discardResponse(response);
  return redirect(location);
}

function redirect(location: string): Response {
  return new Response(null, { status: 308, headers: { location } });
}

/** The other form of a target in origin-form, query included; null if there is none. */
function locationOf(target: string, rewrite: (path: string) => string | null): string | null {
  if (!target.startsWith("/")) return null;
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const other = rewrite(path);
  // Two slashes or backslashes in front name a host to browsers (open redirect)
  if (other === null || /^[/\\]{2}/.test(other)) return null;
  return query === -1 ? other : other + target.slice(query);
}

function withoutSlash(path: string): string | null {
  if (!path.endsWith("/")) return null;
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f) end--;
  return end === 0 ? null : path.slice(0, end);
}

function withSlash(path: string): string | null {
  if (path.endsWith("/")) return null;
  // `/app.js` is a file
  return path.slice(path.lastIndexOf("/")).includes(".") ? null : `${path}/`;
}
