/**
 * Status, reason phrase and fields as `res.writeHead()` takes them, to what the exchange takes.
 *
 * The fields set one by one stay in Node's own store, whose rules they follow; here they are read out, and what writeHead() is
 * given in one of its three forms is checked by Node's rules. It must never interpret a field: the wire does that.
 */

import { type ServerResponse, STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { FieldLines } from "../http/exchange.ts";
import { reasonPhrase } from "../http/status.ts";
import { nodeError } from "./node-errors.ts";

/** Fields as writeHead() takes them: by name, as pairs, or flat. */
export type HeadFields =
  | Readonly<Record<string, unknown>>
  | ReadonlyArray<readonly [string, unknown]>
  | readonly unknown[]
  | null
  | undefined;

/** What the types of this Node do not know yet. */
interface NamedStore {
  /** Names as they were given, in order. */
  getRawHeaderNames(): string[];
}

/**
 * A status that can be sent.
 *
 * @throws RangeError ERR_HTTP_INVALID_STATUS_CODE below 200 and above 599: interim answers have methods of their own, and no
 *   other class of status exists (RFC 9110 §15)
 */
export function checkStatus(status: unknown): number {
  const code = Math.trunc(Number(status));
  if (!(code >= 200 && code <= 599)) throw nodeError("ERR_HTTP_INVALID_STATUS_CODE", String(status));
  return code;
}

/** What Node says for `status` where nobody said anything else. */
export function defaultReason(status: number): string {
  return STATUS_CODES[status] ?? "unknown";
}

/** The phrase for the wire, `""` where it is the registered one. */
export function reasonToSend(status: number, statusMessage: string): string {
  return statusMessage === reasonPhrase(status) ? "" : statusMessage;
}

/** All fields set so far. */
function linesOfStore(response: ServerResponse): string[] {
  const lines: string[] = [];
  for (const name of (response as unknown as NamedStore).getRawHeaderNames())
    appendLine(lines, name, response.getHeader(name));
  return lines;
}

/**
 * Joins what writeHead() was given with what was set before, which it replaces name by name.
 *
 * @throws TypeError with Node's codes for an invalid name, value or list
 */
export function linesOfHead(response: ServerResponse, fields: HeadFields): FieldLines {
  if (fields === null || fields === undefined) return linesOfStore(response);
  const pairs = pairsOf(fields);
  if (response.getHeaderNames().length === 0) {
    const lines: string[] = [];
    for (const [name, value] of pairs) {
      validateHeaderName(name);
      validateHeaderValue(name, value as string);
      appendLine(lines, name, value);
    }
    return lines;
  }
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value as string);
  return linesOfStore(response);
}

/** One line, or one for each value of a list. */
function appendLine(lines: string[], name: string, value: unknown): void {
  if (typeof value === "string") lines.push(name, value);
  else if (Array.isArray(value)) for (const one of value) lines.push(name, String(one));
  else lines.push(name, String(value));
}

function pairsOf(fields: NonNullable<HeadFields>): Array<readonly [string, unknown]> {
  if (!Array.isArray(fields)) return Object.entries(fields).filter(([name]) => name !== "");
  const list: readonly unknown[] = fields;
  if (Array.isArray(list[0])) return list.map((pair) => [String((pair as unknown[])[0]), (pair as unknown[])[1]]);
  if (list.length % 2 !== 0) throw nodeError("ERR_INVALID_ARG_VALUE", "headers");
  const pairs: Array<readonly [string, unknown]> = [];
  for (let i = 0; i < list.length; i += 2) pairs.push([String(list[i]), list[i + 1]]);
  return pairs;
}

/**
 * Trailer lines as `res.addTrailers()` takes them.
 *
 * @throws TypeError ERR_INVALID_HTTP_TOKEN or ERR_INVALID_CHAR
 */
export function linesOfTrailers(trailers: NonNullable<HeadFields>): FieldLines {
  const lines: string[] = [];
  for (const [name, value] of pairsOf(trailers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    appendLine(lines, name, value);
  }
  return lines;
}

/**
 * Lines of an interim response 103 (RFC 8297) as `res.writeEarlyHints()` takes them; null if there is nothing to say.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE or Node's codes for an invalid line
 */
export function linesOfHints(hints: unknown): FieldLines | null {
  if (typeof hints !== "object" || hints === null) throw nodeError("ERR_INVALID_ARG_TYPE", "hints");
  const { link, ...others } = hints as Readonly<Record<string, unknown>>;
  if (link === undefined || link === null || (Array.isArray(link) && link.length === 0)) return null;
  const value: unknown = Array.isArray(link) ? link.join(", ") : link;
  // RFC 8288 §3: link-value = "<" URI-Reference ">" *( OWS ";" OWS link-param )
  if (typeof value !== "string" || !/^\s*<[^>]*>/.test(value)) throw nodeError("ERR_INVALID_ARG_VALUE", "hints");
  return linesOfTrailers({ Link: value, ...others });
}

/** Value of the first line named `name` (lower case). */
export function valueOfLine(lines: FieldLines, name: string): string | undefined {
  for (let i = 0; i < lines.length; i += 2) if (lines[i]?.toLowerCase() === name) return lines[i + 1];
  return undefined;
}
