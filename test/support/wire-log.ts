/**
 * The lines of a wire case's log; which there are and in what order is told in wire-run.ts.
 *
 * Long parts are cut and their length told, so that a case with 16 KiB of field value stays readable.
 */

import type { Exchange, Outcome, Refusal } from "../../src/http/exchange.ts";
import type { Fields } from "../../src/http/fields.ts";
import { escape, showBytes } from "./wire-bytes.ts";
import { membersOf, type WireResponse } from "./wire-responses.ts";

/** What the handler saw of one exchange. */
export interface Seen {
  readonly exchange: Exchange;
  readonly content: Uint8Array[];
  trailers: Fields | null;
  /** Code of the reason why the content failed. */
  failure: string;
  outcome: Outcome | "";
  hasAnswered: boolean;
  wantsAnswer: boolean;
  /** Code of what was wrong with the handler's answer. */
  rejection: string;
  tunnel: Uint8Array[] | null;
  abortReason: string;
}

/** The stable code of an error, else its message. */
export function codeOf(reason: Error): string {
  return "code" in reason && typeof reason.code === "string" ? reason.code : reason.message;
}

/** What was understood of a request, and what the handler got of its content. */
export function requestLines(seen: Seen, interim: readonly WireResponse[]): string[] {
  const { request, content } = seen.exchange;
  const host = request.fields.get("host") ?? "";
  const bytes = Buffer.concat(seen.content);
  const lines = [`request ${request.method} ${shorten(request.target)} HTTP/${request.version}`];
  if (request.authority !== host) lines.push(`authority ${request.authority}`);
  if (request.scheme !== "http") lines.push(`scheme ${request.scheme}`);
  for (const [name, value] of request.fields) lines.push(`field ${shorten(name)}: ${shorten(value)}`.trimEnd());
  for (const response of interim) lines.push(`interim ${response.status}`);
  if (bytes.length > 0) lines.push(`content ${bytes.length} ${showBytes(bytes)}`);
  for (const [name, value] of seen.trailers ?? []) lines.push(`trailer ${name}: ${shorten(value)}`.trimEnd());
  if (seen.trailers !== null) lines.push("end");
  if (!content.isStarted && !content.isEmpty) lines.push("unread");
  if (seen.failure !== "") lines.push(`failed ${seen.failure}`);
  if (seen.rejection !== "") lines.push(`rejected ${seen.rejection}`);
  if (seen.tunnel !== null) {
    const tunnel = Buffer.concat(seen.tunnel);
    lines.push(`tunnel ${tunnel.length} ${showBytes(tunnel)}`);
  }
  return lines;
}

/** Above this many characters a part of a line is cut and its length told. */
const MAX_SHOWN_CHARACTERS = 100;

function shorten(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${escape(text.slice(0, 16))}... (${text.length})` : escape(text);
}

/** One final response. */
export function responseLine(response: WireResponse): string {
  const persistence = membersOf(response, "connection").includes("close") ? "close" : "keep-alive";
  return `response ${response.status} ${persistence}${response.isWhole ? "" : " cut"}`;
}

/** One refusal, as observers see it. */
export function refusalLine(refusal: Refusal): string {
  const { status, code, offset, field, rule } = refusal.error;
  const place = `${offset < 0 ? "" : ` offset=${offset}`}${field === "" ? "" : ` field=${escape(field)}`}`;
  return `refused ${status} ${code}${place} ${rule}`.trimEnd();
}
