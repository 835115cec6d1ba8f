/**
 * Lines for programs: JSON, an object per line, and the "combined" form of Apache and nginx, which every log analyser reads.
 *
 * JSON has the time of the line, a level, a message, and then what the message is about, so that it can be filtered without
 * knowing us. What came from the peer is escaped by JSON itself, and in "combined" as Apache does.
 */

import type { ConnectionInfo, Refusal } from "../http/exchange.ts";
import type { ResponseInfo } from "../server/hooks.ts";
import type { LogLines } from "./log-line.ts";

/** Where the time of a line comes from: milliseconds since 1970. */
export type WallTime = () => number;

/** Members of a JSON line besides time, level and message. */
export type LogMembers = Readonly<Record<string, unknown>>;

/** One JSON line, without newline. */
export function jsonLine(wallMs: number, level: "info" | "warn", message: string, members: LogMembers): string {
  return JSON.stringify({ time: new Date(wallMs).toISOString(), level, msg: message, ...members });
}

/** JSON lines. */
export function jsonLines(wallTime: WallTime, isVerbose: boolean): LogLines {
  return {
    response: ({ exchange, outcome, status, contentBytes, durationMs }) => {
      const { method, target, version, authority, fields } = exchange.request;
      const more = isVerbose
        ? { version, host: authority, referer: fields.get("referer"), userAgent: fields.get("user-agent") }
        : {};
      return jsonLine(wallTime(), "info", "request", {
        remote: remoteOf(exchange.connection),
        method,
        target,
        status,
        bytes: contentBytes,
        durationMs: Math.round(durationMs * 10) / 10,
        ...(outcome === "complete" ? {} : { outcome }),
        ...more,
      });
    },
    refusal: ({ error, connection, method, target }) =>
      jsonLine(wallTime(), "warn", "refused", {
        remote: remoteOf(connection),
        ...(method === "" ? {} : { method, target }),
        status: error.status,
        code: error.code,
        ...(error.rule === "" ? {} : { rule: error.rule }),
        reason: error.message,
      }),
  };
}

/** Lines of the combined log format: host, user, time, request line, status, octets, Referer, User-Agent. */
export function combinedLines(wallTime: WallTime): LogLines {
  return {
    response: ({ exchange, status, contentBytes }: ResponseInfo) => {
      const { method, target, version, fields } = exchange.request;
      const request = quote(`${method} ${target} HTTP/${version}`);
      const start = `${remoteOf(exchange.connection)} - - [${clfTime(wallTime())}]`;
      const size = contentBytes === 0 ? "-" : String(contentBytes);
      return `${start} ${request} ${status} ${size} ${quote(fields.get("referer"))} ${quote(fields.get("user-agent"))}`;
    },
    refusal: ({ error, connection, method, target }: Refusal) => {
      const request = quote(method === "" ? null : `${method} ${target}`);
      return `${remoteOf(connection)} - - [${clfTime(wallTime())}] ${request} ${error.status} - "-" "-"`;
    },
  };
}

/** Of a unix socket nothing is known but that it is one. */
function remoteOf(connection: ConnectionInfo): string {
  const { family, address } = connection.remoteAddress;
  return family === "unix" ? "unix:" : address;
}

function quote(text: string | null): string {
  return text === null ? `"-"` : `"${text.replace(/["\\]|[^\x20-\x7e]/gu, escapeOctet)}"`;
}

/** Text of the wire is latin1: every character is an octet. */
function escapeOctet(character: string): string {
  if (character === `"` || character === "\\") return `\\${character}`;
  return `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`;
}

const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `10/Oct/2000:13:55:36 +0000`, in UTC. */
function clfTime(wallMs: number): string {
  const iso = new Date(wallMs).toISOString();
  const month = MONTHS[Number(iso.slice(5, 7)) - 1] ?? "";
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
