/**
 * What is answered where nothing was found: the page of a single-page app, or an error page of the folder's own.
 *
 * The order, each only if the one before gave nothing: file, clean URL or index; redirect rule; listing; single page; the
 * nearest `404.html`; the built-in answer. A fallback depends on Accept, so it and its alternatives must say `Vary: accept`,
 * else a cache keeps HTML for a script. Pure: it must never look at the disk. RFC 9110 §12.5.1 (Accept), §12.5.5 (Vary).
 */

import { mediaTypeQuality, parseAccept } from "../http/negotiate.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** Deeper folders are not looked into for an error page: each costs a look at the disk, and the client chooses how many. */
const MAX_LEVELS = 8;

const HTML = { type: "text", subtype: "html", parameters: [] } as const;
const JSON_TYPES = [
  { type: "application", subtype: "problem+json", parameters: [] },
  { type: "application", subtype: "json", parameters: [] },
] as const;

/**
 * Whether a request that found nothing is a person going to a page of a single-page app: GET or HEAD, Accept names
 * `text/html` itself (a wildcard does not count: scripts, pictures and `fetch()` send one), and the last name has no
 * extension. A missing `app.js` stays 404 whatever the client accepts.
 *
 * @param accept the Accept field, null if there was none
 */
export function isPageNavigation(method: string, target: ResolvedTarget, accept: string | null): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  if (accept === null || hasExtension(target.names.at(-1) ?? "")) return false;
  return namesHtml(accept);
}

/** Whether Accept names `text/html` itself, with a quality above 0. */
export function namesHtml(accept: string | null): boolean {
  if (accept === null) return false;
  return parseAccept(accept).some((range) => range.type === "text" && range.subtype === "html" && range.quality > 0);
}

/** Whether a name has an extension: a dot that is neither its first nor its last character. */
function hasExtension(name: string): boolean {
  const dot = name.lastIndexOf(".");
  return dot > 0 && dot < name.length - 1;
}

/**
 * Whether a folder's own error page may answer: unless the request prefers JSON, for which there are problem details
 * (RFC 9457), or takes no HTML at all. No Accept, and the wildcards of curl, `fetch()` and pictures, get it, as everywhere.
 *
 * @param accept the Accept field, null if there was none
 */
export function wantsErrorPage(accept: string | null): boolean {
  if (accept === null) return true;
  const ranges = parseAccept(accept);
  if (ranges.length === 0) return true;
  const ofHtml = mediaTypeQuality(ranges, HTML);
  const isJsonPreferred = JSON_TYPES.some((type) => {
    const ofJson = mediaTypeQuality(ranges, type);
    // Of equal quality what is named goes before what a wildcard covers
    const isNamed = ranges.some((range) => range.type === type.type && range.subtype === type.subtype);
    return ofJson > ofHtml || (ofJson === ofHtml && isNamed && !namesHtml(accept));
  });
  return ofHtml > 0 && !isJsonPreferred;
}

/**
 * Where the error page for a status may be, the nearest first: `/docs/a/b` may be answered with `/docs/a/404.html`,
 * `/docs/404.html` or `/404.html`, as Cloudflare Pages has it; the root's alone would be GitHub's and Netlify's way.
 *
 * @param status of the answer; the page is called by it, `404.html`
 * @param target what was asked for; null looks in the root only
 */
export function errorPageCandidates(status: number, target: ResolvedTarget | null): string[][] {
  const name = `${status}.html`;
  const names = target?.names ?? [];
  const depth = Math.min(target?.isFolderPath === true ? names.length : Math.max(names.length - 1, 0), MAX_LEVELS);
  const candidates: string[][] = [];
  for (let level = depth; level >= 0; level--) candidates.push([...names.slice(0, level), name]);
  return candidates;
}
