/**
 * How long answers may be reused (RFC 9111 §5.2.2), for those that do not say it themselves.
 *
 * The words are those of the file server. A time is given only to answers that are good for a while: what a safe request got
 * and what is neither an error nor a 204 by accident; `off` is said of everything. It must never say `public`, which would let
 * shared caches keep answers to requests with Authorization (RFC 9111 §3.5).
 */

import { type CacheSetting, cacheControlFor, parseCacheSetting } from "../http/cache-control.ts";
import { checkOptions, type OptionRules, YES_OR_NO } from "../server/option-rules.ts";
import type { Middleware } from "../web/handler.ts";
import { indexOfLine } from "../web/header-lines.ts";
import { editAnswer, editIfAny, isPromise, LineEdit } from "./edit-response.ts";

/** How long. */
export interface CacheControlOptions {
  /**
   * `"auto"` (paths with a hash of the content for a year, all else only after asking), `"off"` (never stored), a time in words,
   * `"10 minutes"`, or seconds. Default `"auto"`.
   */
  readonly reuse?: string | number | undefined;
  /** Whether only the client itself may keep it, no cache in between: for what is different for each user. Default false. */
  readonly isPrivate?: boolean | undefined;
}

/** @internal */
export const CACHE_CONTROL_RULES: OptionRules<CacheControlOptions> = {
  reuse: {
    allowed: '"auto", "off", a time like "10 minutes", or whole seconds from 0',
    isAllowed: (value) => settingOf(value) !== null,
  },
  isPrivate: YES_OR_NO,
};

/** RFC 9110 §15.1: what caches may keep by themselves, without errors, and 304, which renews it. */
const REUSABLE: ReadonlySet<number> = new Set([200, 203, 206, 300, 301, 304, 308]);
/** Never the name of a file with a hash. */
const NO_HASH = "";
const HASHED_EXAMPLE = "app.3f2a9c1b.js";

/**
 * Says how long answers may be reused that do not say it themselves.
 *
 * @throws TypeError that names every mistake in the options
 */
export function cacheControl(options: CacheControlOptions = {}): Middleware {
  checkOptions("cacheControl", options, CACHE_CONTROL_RULES);
  const setting = settingOf(options.reuse ?? "auto") as CacheSetting;
  const isPrivate = options.isPrivate ?? false;
  const usual = editFor(cacheControlFor(setting, NO_HASH), isPrivate);
  if (setting === "off") return (request, context, next) => editAnswer(next, request, context, usual);
  const hashed = editFor(cacheControlFor(setting, HASHED_EXAMPLE), isPrivate);
  return (request, context, next) => {
    const result = next(request, context);
    if (request.method !== "GET" && request.method !== "HEAD") return result;
    const isHashed = setting === "auto" && isHashedTarget(context.exchange.request.target);
    const edit = isHashed ? hashed : usual;
    if (isPromise(result)) return result.then((response) => editReusable(response, edit));
    return editReusable(result, edit);
  };
}

function settingOf(value: unknown): CacheSetting | null {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : null;
  return typeof value === "string" ? parseCacheSetting(value) : null;
}

function editFor(value: string, isPrivate: boolean): LineEdit {
  // RFC 9111 §5.2.2.5: what nobody stores needs no word about who may
  const whole = isPrivate && value !== "no-store" ? `private, ${value}` : value;
  return new LineEdit((lines) => {
    if (indexOfLine(lines, "cache-control") === -1) lines.push("cache-control", whole);
  });
}

function editReusable(response: globalThis.Response | undefined, edit: LineEdit): globalThis.Response | undefined {
  return response !== undefined && REUSABLE.has(response.status) ? editIfAny(response, edit) : response;
}

function isHashedTarget(target: string): boolean {
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  return cacheControlFor("auto", path.slice(path.lastIndexOf("/") + 1)) === cacheControlFor("auto", HASHED_EXAMPLE);
}
