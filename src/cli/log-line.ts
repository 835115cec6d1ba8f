/**
 * One line per request, and per refusal of what was none: aligned and coloured for a terminal, plain for a pipe.
 *
 * A terminal gets status, method, size, time, target, so that columns stand under each other; a pipe gets method, target,
 * status, octets, milliseconds, separated by single spaces. What came from the peer is escaped: it could hold
 * sequences that move the cursor or forge a line (log injection). What its name says is secret stays out, as in every other form.
 */

import type { ProtocolError } from "../http/errors.ts";
import type { Exchange, Refusal } from "../http/exchange.ts";
import { escapeText, escapeWord } from "../observe/escape.ts";
import { Redactor, SECRET_PARAMETERS } from "../observe/redact.ts";
import type { ResponseInfo } from "../server/hooks.ts";
import { userOf } from "./asked-by.ts";
import type { Painter, Tone } from "./paint.ts";

/** Longest target on a terminal; a pipe gets all of it. */
const MAX_SHOWN = 160;

/** The same as the access log's by default. */
const REDACTOR = new Redactor(SECRET_PARAMETERS, []);

/** Makes the lines for one kind of reader. */
export interface LogLines {
  /** @param refused why the server has answered in place of the handler, null if it has not */
  response(response: ResponseInfo, refused: ProtocolError | null): string;
  refusal(refusal: Refusal): string;
}

/**
 * Lines for a person who watches.
 *
 * @param isVerbose also who asked, with what, from which page
 */
export function terminalLines(paint: Painter, isVerbose = false): LogLines {
  return {
    response: ({ exchange, outcome, status, contentBytes, durationMs }, refused) => {
      const { method, target } = exchange.request;
      const reason = refused === null ? "" : `  ${paint("warning", "refused")}  ${whatOf(refused)}`;
      const cut = outcome === "complete" || outcome === "upgraded" ? "" : `  ${paint("bad", outcome)}`;
      const numbers = formatBytes(contentBytes).padStart(10) + formatDuration(durationMs).padStart(10);
      const cells = [statusCell(paint, status), escapeText(method).padEnd(7) + paint("faint", numbers)];
      const more = isVerbose ? `  ${paint("faint", shorten(escapeText(askedBy(exchange))))}` : "";
      return `${cells.join("  ")}  ${shorten(escapeText(REDACTOR.url(target)))}${cut}${reason}${more}`;
    },
    refusal: ({ error, method, target }) => {
      const request = method === "" ? "" : `  ${shorten(escapeText(`${method} ${REDACTOR.url(target)}`))}`;
      const what = `${paint("warning", "refused")}  ${whatOf(error)}`;
      return `${statusCell(paint, error.status)}  ${what}${paint("faint", request)}`;
    },
  };
}

/** Lines for a program, or a file. */
export const plainLines: LogLines = {
  response: ({ exchange, outcome, status, contentBytes, durationMs }, refused) => {
    const { method, target } = exchange.request;
    const request = `${escapeWord(method)} ${escapeWord(REDACTOR.url(target))}`;
    const line = `${request} ${status} ${contentBytes} ${durationMs.toFixed(1)}ms`;
    const ended = outcome === "complete" ? line : `${line} ${outcome}`;
    return refused === null ? ended : `${ended} ${plainReason(refused)}`;
  },
  refusal: ({ error, method, target }) => {
    const request = `${escapeWord(method) || "-"} ${escapeWord(REDACTOR.url(target)) || "-"}`;
    return `${request} ${error.status} ${plainReason(error)}`;
  },
};

function plainReason({ code, rule }: ProtocolError): string {
  return rule === "" ? `refused ${code}` : `refused ${code} (${rule})`;
}

function whatOf({ code, rule, message }: ProtocolError): string {
  return `${code}${rule === "" ? "" : `  ${rule}`}  ${escapeText(message)}`;
}

/** Who asked, from which page, with what. */
function askedBy(exchange: Exchange): string {
  const { request, connection } = exchange;
  const { address } = connection.remoteAddress;
  const pages = request.fields.all("referer").map((one) => REDACTOR.url(one));
  const parts = [
    userOf(exchange),
    address === "" ? "unix" : address,
    pages.length === 0 ? "" : `from ${pages.join(", ")}`,
  ];
  return [...parts, request.fields.get("user-agent") ?? ""].filter((part) => part !== "").join(", ");
}

/** No response has no status, e.g. when the peer left before. */
function statusCell(paint: Painter, status: number): string {
  return status === 0 ? paint("bad", "---") : paint(toneOf(status), String(status));
}

function toneOf(status: number): Tone {
  if (status >= 500) return "bad";
  if (status >= 400) return "warning";
  return status >= 300 ? "moved" : "good";
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text;
}

/** Octets as people say them: `0 B`, `3.6 KiB`, `120 MiB`. */
export function formatBytes(count: number): string {
  if (count < 1024) return `${count} B`;
  let value = count;
  let unit = "";
  for (unit of ["KiB", "MiB", "GiB", "TiB"]) {
    value /= 1024;
    if (value < 1023.5) break;
  }
  return `${value < 99.95 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} ${unit}`;
}

/** Milliseconds as people say them: `0.4 ms`, `37 ms`, `1.5 s`, `2 min`. */
export function formatDuration(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, "")} s`;
  return `${(ms / 60_000).toFixed(1).replace(/\.0$/, "")} min`;
}
