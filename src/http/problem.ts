/**
 * The content of refusals: what happened, which rule says so and where, as text for a person or as problem details for a
 * program (RFC 9457).
 *
 * Values may come from the peer, so both forms are made safe here: no control characters, nothing that reorders text on a
 * screen, bounded. It must never be given a path of the disk, a stack or an upstream's name.
 */

import { type MediaType, parseMediaType } from "./media-type.ts";
import { type MediaRange, mediaTypeQuality, parseAccept } from "./negotiate.ts";

/** What there is to say. Empty and absent members are not shown. */
export interface Problem {
  readonly status: number;
  /** The reason phrase. */
  readonly title: string;
  /** Stable code, `ERR_…`. */
  readonly code?: string;
  /** What happened, as a sentence without period. */
  readonly detail?: string;
  /** Where the rule stands that was broken, e.g. `RFC 9112 §6.3`. */
  readonly rule?: string;
  /** Name of the field concerned. */
  readonly field?: string;
  /** Octets from the start of the request or of its content; -1 for nowhere in particular. */
  readonly offset?: number;
  /** The option of the server that would allow it. */
  readonly option?: string;
  /** What the server's log calls this event. */
  readonly id?: string;
  /**
   * More members (RFC 9457 §3.2), values of JSON. They replace `type` and `title`, and no other member above. Text shows the
   * scalars among them, and of a list the members `path` and `message` of each.
   */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A problem ready to be sent. */
export interface RenderedProblem {
  readonly contentType: string;
  /** To be encoded as UTF-8. */
  readonly text: string;
}

const TEXT_TYPE = "text/plain;charset=utf-8";
/** RFC 9457 §6.1; JSON is UTF-8 by definition. */
const JSON_TYPE = "application/problem+json";

const TEXT = mustParse("text/plain;charset=utf-8");
const JSON_TYPES = [mustParse("application/problem+json"), mustParse("application/json")];

const MAX_LENGTH = 400;
/** Controls, separators of lines, marks that reorder or hide text (U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F), halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Renders a problem in the form that the peer prefers: text, unless Accept prefers `application/problem+json` or
 * `application/json` to it. Wildcards (a browser's, curl's) get text.
 *
 * @param accept the Accept field, null if there was none
 */
export function renderProblem(problem: Problem, accept: string | null): RenderedProblem {
  if (accept !== null && prefersJson(parseAccept(accept))) return { contentType: JSON_TYPE, text: renderJson(problem) };
  return { contentType: TEXT_TYPE, text: renderText(problem) };
}

/** Of equal quality, what is named goes before what a wildcard covers, then the order of the list decides. */
function prefersJson(ranges: readonly MediaRange[]): boolean {
  const ofText = mediaTypeQuality(ranges, TEXT);
  const ofJson = Math.max(...JSON_TYPES.map((type) => mediaTypeQuality(ranges, type)));
  if (ofJson !== ofText) return ofJson > ofText;
  const json = ranges.findIndex((range) => range.quality === ofJson && JSON_TYPES.some((type) => isNamed(range, type)));
  const text = ranges.findIndex((range) => isNamed(range, TEXT));
  return ofJson > 0 && json !== -1 && (text === -1 || json < text);
}

function isNamed(range: MediaRange, mediaType: MediaType): boolean {
  return range.type === mediaType.type && range.subtype === mediaType.subtype;
}

function renderText(problem: Problem): string {
  const rows: [label: string, value: string][] = [
    ["rule", safe(problem.rule)],
    ["field", safe(problem.field)],
    ["where", hasOffset(problem) ? `byte ${problem.offset}` : ""],
    ["option", problem.option ? `${safe(problem.option)} would allow it` : ""],
    ["code", safe(problem.code)],
    ["id", safe(problem.id)],
  ];
  const lists: string[] = [];
  for (const [name, value] of Object.entries(problem.extensions ?? {})) {
    if (Array.isArray(value)) lists.push(renderList(value));
    else if (isScalar(value)) rows.push([safe(name), safe(String(value))]);
  }
  let text = `${problem.status} ${safe(problem.title)}`.trimEnd();
  const detail = safe(problem.detail);
  if (detail !== "") text += `\n\n${asSentence(detail)}`;
  const table = rows.filter(([, value]) => value !== "").map(([label, value]) => `\n  ${label.padEnd(8)}${value}`);
  if (table.length > 0) text += `\n${table.join("")}`;
  for (const list of lists) if (list !== "") text += `\n${list}`;
  return `${text}\n`;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/** The mistakes of a value, each with its place. */
function renderList(list: readonly unknown[]): string {
  let text = "";
  for (const item of list) {
    if (typeof item !== "object" || item === null) continue;
    const { path, message } = item as { readonly path?: unknown; readonly message?: unknown };
    if (typeof message !== "string") continue;
    text += typeof path === "string" && path !== "" ? `\n  ${safe(path)}: ${safe(message)}` : `\n  ${safe(message)}`;
  }
  return text;
}

/** Upper case at the start, unless it is the name of something, and a period at the end. */
function asSentence(detail: string): string {
  const first = /^[a-z]+(?=[ ,;:.]|$)/.test(detail) ? detail.charAt(0).toUpperCase() : detail.charAt(0);
  return first + detail.slice(1) + (/[.!?…]$/.test(detail) ? "" : ".");
}

function renderJson(problem: Problem): string {
  // RFC 9457 §4.2.1: about:blank says that the problem is that of the status code; `code` says more
  const members: Record<string, unknown> = { type: "about:blank", title: safe(problem.title) };
  members["status"] = problem.status;
  addMember(members, "detail", problem.detail);
  addMember(members, "code", problem.code);
  addMember(members, "rule", problem.rule);
  addMember(members, "field", problem.field);
  if (hasOffset(problem)) members["offset"] = problem.offset;
  addMember(members, "option", problem.option);
  addMember(members, "id", problem.id);
  for (const [name, value] of Object.entries(problem.extensions ?? {})) {
    if (!Object.hasOwn(members, name) || REPLACEABLE.has(name)) setMember(members, name, value);
  }
  return `${JSON.stringify(members, withoutUnsafe)}\n`;
}

const REPLACEABLE: ReadonlySet<string> = new Set(["type", "title"]);

/** Whatever the name is, `__proto__` too. */
function setMember(members: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(members, name, { configurable: true, enumerable: true, writable: true, value });
}

/** For JSON.stringify: members of others may hold what the peer sent. */
function withoutUnsafe(_name: string, value: unknown): unknown {
  return typeof value === "string" ? value.replace(UNSAFE, "\uFFFD") : value;
}

function addMember(members: Record<string, unknown>, name: string, value: string | undefined): void {
  const text = safe(value);
  if (text !== "") members[name] = text;
}

function hasOffset(problem: Problem): problem is Problem & { offset: number } {
  return problem.offset !== undefined && problem.offset >= 0;
}

/** Fit to be shown anywhere. */
function safe(value: string | undefined): string {
  if (value === undefined) return "";
  const bounded = value.length > MAX_LENGTH ? `${value.slice(0, MAX_LENGTH)}…` : value;
  return bounded.replace(UNSAFE, "\uFFFD");
}

function mustParse(text: string): MediaType {
  const mediaType = parseMediaType(text);
  if (mediaType === null) throw new Error(`no media type: ${text}`);
  return mediaType;
}
