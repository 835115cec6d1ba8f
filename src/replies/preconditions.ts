/**
 * `checkPreconditions()`: what a request's conditions make of it before its method is performed (RFC 9110 §13), for handlers
 * that keep what they serve by themselves. Against lost updates above all: two clients read the same, both write, and the
 * second one overwrites what it has never seen.
 *
 * Steps: what there is now -> is a condition asked for, and none made? 428 (RFC 6585 §3) -> preconditions in the order of RFC
 * 9110 §13.2.2 -> 304, 412, or nothing to answer. It must never change anything, nor read the request's content.
 */

import { evaluatePreconditions, NOT_MODIFIED, PROCEED, type Validators } from "../http/conditional.ts";
import { formatHttpDate, parseHttpDate } from "../http/date.ts";
import { parseEntityTag } from "../http/etag.ts";
import { isSafeMethod } from "../http/method.ts";
import { renderProblem } from "../http/problem.ts";
import {
  A_TIME_SOURCE,
  findMistakes,
  HEADERS,
  type OptionRule,
  type OptionRules,
  throwMistakes,
  YES_OR_NO,
} from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { appendLines, type HeadersInput, indexOfLine } from "../web/header-lines.ts";
import { Response, responseOfLines } from "../web/response.ts";

/** What clients can know a version of something by. */
export interface CurrentVersion {
  /**
   * Entity tag with its quotation marks, `"7"`: a number that each change raises, or a digest. Default none. A weak one, `W/"7"`,
   * serves GET alone: If-Match never equals it (RFC 9110 §13.1.1).
   */
  readonly etag?: string | undefined;
  /** When it was changed last: a Date, or milliseconds since 1970. Told in whole seconds. Default not known. */
  readonly lastModified?: Date | number | undefined;
}

/** How conditions are taken. */
export interface PreconditionOptions {
  /**
   * Whether a request that may change something has to say which version it is about; 428 for one that does not. Default false,
   * since RFC 9110 leaves it to the client; true where a lost update costs more than a client that has to ask first.
   */
  readonly required?: boolean | undefined;
  /** More fields of 304: those that 200 would have to steer caches (Cache-Control, Vary). Default none. */
  readonly headers?: HeadersInput | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

/** @internal Rules of validators, wherever handlers give them. */
export const AN_ENTITY_TAG: OptionRule = {
  allowed: "an entity tag with quotation marks, like '\"v1\"'",
  isAllowed: (value) => typeof value === "string" && parseEntityTag(value) !== null,
};

/** @internal */
export const A_DATE: OptionRule = {
  allowed: "a Date or milliseconds since 1970",
  isAllowed: (value) =>
    !Number.isNaN(value instanceof Date ? value.getTime() : value) &&
    (value instanceof Date || typeof value === "number"),
};

const VERSION_RULES: OptionRules<CurrentVersion> = { etag: AN_ENTITY_TAG, lastModified: A_DATE };
const RULES: OptionRules<PreconditionOptions> = { required: YES_OR_NO, headers: HEADERS, time: A_TIME_SOURCE };

/** RFC 9110 §15.4.5: what a 304 tells of what a 200 would. */
const OF_NOT_MODIFIED: ReadonlySet<string> = new Set([
  "cache-control",
  "content-location",
  "expires",
  "set-cookie",
  "vary",
]);

/**
 * Finds out whether a request wants its method performed on what there is now. To be asked when the handler would otherwise go
 * ahead (RFC 9110 §13.2.1), with nothing between it and the change that could let another request in.
 *
 * @param current the version that there is now; `null` or `undefined` if there is none, so that `If-None-Match: *` may create
 *   one and If-Match is never met
 * @returns the answer in place of the method's own: 304 for GET and HEAD, 412 with the current ETag, 428 where `required`;
 *   `null`: go ahead
 * @throws TypeError that tells every mistake in version and options
 */
export function checkPreconditions(
  request: globalThis.Request,
  current: CurrentVersion | null | undefined,
  options: PreconditionOptions = {},
): Response | null {
  const { etag, lastModified } = current ?? {};
  throwMistakes("checkPreconditions", [
    // Whatever else a handler's own object has is its own
    ...findMistakes({ etag, lastModified }, VERSION_RULES),
    ...findMistakes(options, RULES),
  ]);
  const nowMs = (options.time ?? SYSTEM_TIME).nowMs();
  const { method, headers } = request;
  const validators: Validators = { etag: etag ?? "", lastModifiedMs: Number(lastModified ?? NaN) };
  if (options.required === true && !isSafeMethod(method) && !hasCondition(headers, validators, nowMs)) {
    return refuseUnconditional(headers, validators);
  }
  const verdict = evaluatePreconditions(method, headers, hasNone(current) ? null : validators, nowMs);
  if (verdict === PROCEED) return null;
  if (verdict !== NOT_MODIFIED) return refuseUnmet(headers, hasNone(current) ? null : validators);
  const lines: string[] = [];
  if (options.headers !== undefined) appendLines(lines, options.headers);
  appendLines(lines, validatorPairs(validators, nowMs));
  return answerNotModified(lines);
}

function hasNone(current: CurrentVersion | null | undefined): current is null | undefined {
  return current === null || current === undefined;
}

/** Whether the request names a version by something that counts: RFC 9110 §13.1.4, a date may have to be ignored. */
function hasCondition(headers: globalThis.Headers, { lastModifiedMs }: Validators, nowMs: number): boolean {
  if (headers.has("if-match") || headers.has("if-none-match")) return true;
  const date = headers.get("if-unmodified-since");
  return date !== null && !Number.isNaN(lastModifiedMs) && parseHttpDate(date, nowMs) !== null;
}

/** @internal ETag and Last-Modified, as far as known. */
export function validatorPairs({ etag, lastModifiedMs }: Validators, nowMs: number): [string, string][] {
  const pairs: [string, string][] = [];
  if (etag !== "") pairs.push(["etag", etag]);
  // RFC 9110 §8.8.2.1: MUST NOT be later than Date
  if (!Number.isNaN(lastModifiedMs)) pairs.push(["last-modified", formatHttpDate(Math.min(lastModifiedMs, nowMs))]);
  return pairs;
}

/** @internal 304 with those of a 200's fields that it has; RFC 9110 §15.4.5: Last-Modified only where there is no entity tag. */
export function answerNotModified(lines: readonly string[]): Response {
  const hasTag = indexOfLine(lines, "etag") !== -1;
  const kept = lines.filter((_, i) => {
    const name = (lines[i - (i % 2)] as string).toLowerCase();
    return name === "etag" || OF_NOT_MODIFIED.has(name) || (name === "last-modified" && !hasTag);
  });
  return responseOfLines(304, kept, null);
}

/** @internal 412, which tells what there is now; null: nothing. */
export function refuseUnmet(headers: globalThis.Headers, validators: Validators | null): Response {
  const detail =
    validators === null
      ? "there is nothing here that the request could be about"
      : "what is here is not, or no longer, what the request is about";
  const problem = { status: 412, title: "Precondition Failed", detail, rule: "RFC 9110 §13.1" };
  return refuse(headers, problem, tagPairs(validators));
}

/** RFC 6585 §3: SHOULD explain how to submit it again; MUST NOT be stored. */
function refuseUnconditional(headers: globalThis.Headers, validators: Validators): Response {
  const detail = "say which version this is about: If-Match with its ETag, or If-None-Match: * to make a first one";
  const problem = { status: 428, title: "Precondition Required", detail, rule: "RFC 6585 §3" };
  return refuse(headers, problem, [["cache-control", "no-store"], ...tagPairs(validators)]);
}

function tagPairs(validators: Validators | null): [string, string][] {
  return validators === null || validators.etag === "" ? [] : [["etag", validators.etag]];
}

/** @internal */
export function refuse(
  headers: globalThis.Headers,
  problem: Parameters<typeof renderProblem>[0],
  pairs: readonly [string, string][],
): Response {
  const { contentType, text } = renderProblem(problem, headers.get("accept"));
  return new Response(text, {
    status: problem.status,
    headers: [["content-type", contentType], ["x-content-type-options", "nosniff"], ["vary", "accept"], ...pairs],
  });
}
