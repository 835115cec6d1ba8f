/**
 * Fields that every response gets, whatever the handler said of them.
 *
 * Checked once, when the middleware is made. It must never write a field that says where a message ends, or that belongs to one
 * connection: those are the wire's (RFC 9110 §7.6.1, RFC 9112 §6).
 */

import { isFieldValue, isToken } from "../http/fields.ts";
import type { Middleware } from "../web/handler.ts";
import { addMember, editAnswer, LineEdit, removeLines } from "./edit-response.ts";

/** Fields by name, `{ "X-Frame-Options": "DENY" }`, or pairs of name and value; a name may then come twice. */
export type HeadersToSet = Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[];

/**
 * What the wire alone may say, and what describes this one content: one entity tag for all would let caches join parts of
 * two files, or of two versions (RFC 9110 §8.8.3, §13.1.5).
 */
const OF_THE_MESSAGE: ReadonlySet<string> = new Set([
  "content-length",
  "content-encoding",
  "content-range",
  "date",
  "etag",
  "last-modified",
  "te",
  "trailer",
  "upgrade",
]);

/**
 * Lets a page use `SharedArrayBuffer` and precise clocks: it shares no process with pages of other origins and takes no
 * resource that did not agree (HTML, "cross-origin isolation").
 */
export const ISOLATION: Readonly<Record<string, string>> = Object.freeze({
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
});

/**
 * Sets fields on every response, in place of those of that name; what Vary names is added to what answers vary by.
 *
 * @throws TypeError that tells each invalid name and value, and each field of the message's framing; its `cause` is the list
 */
export function responseHeaders(headers: HeadersToSet): Middleware {
  const pairs: readonly (readonly [string, string])[] = isList(headers) ? headers : Object.entries(headers);
  const mistakes = pairs.map(([name, value]) => mistakeInField(name, value)).filter((mistake) => mistake !== "");
  if (mistakes.length > 0) throw new TypeError(mistakes.join("; "), { cause: mistakes });
  const isVary = ([name]: readonly [string, string]): boolean => name.toLowerCase() === "vary";
  const replacing = pairs.filter((pair) => !isVary(pair));
  const names = new Set(replacing.map(([name]) => name.toLowerCase()));
  const flat = replacing.flat();
  // RFC 9110 §12.5.5: what an answer varies by is only ever more, or caches give one client's coding to another
  const varying = pairs.filter(isVary).flatMap(([, value]) => value.split(",").map((member) => member.trim()));
  const edit = new LineEdit((lines) => {
    for (const name of names) removeLines(lines, name);
    lines.push(...flat);
    for (const member of varying) if (member !== "") addMember(lines, "vary", member);
  });
  return (request, context, next) => editAnswer(next, request, context, edit);
}

function isList(headers: HeadersToSet): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}

/** Why a field cannot be set on every response, `""` if it can. */
function mistakeInField(name: string, value: string): string {
  const shown = JSON.stringify(name);
  if (!isToken(name)) return `${shown} is no name of a field`;
  // CR and LF would make a second field of it (response splitting)
  if (!isFieldValue(value)) return `the value of ${name} holds a character that no field may have`;
  const lowerName = name.toLowerCase();
  if (/^(?:connection|keep-alive|proxy-connection|transfer-encoding)$/.test(lowerName)) {
    return `${name} belongs to the connection, the server writes it`;
  }
  return OF_THE_MESSAGE.has(lowerName) ? `${name} belongs to each message, the server writes it` : "";
}
