/**
 * Lines of JSON (RFC 8259), an object per line: time, level, message, then what it is about. ASCII alone.
 *
 * The line of a response is put together by hand, piece by piece: with an object and a serialiser for each it took four times as
 * long (docs/decisions/0011-log-lines.md). Where members or serialisers of the user's are asked for, the object is made after
 * all.
 */

import type { ConnectionInfo, Exchange, Refusal, RequestHead } from "../http/exchange.ts";
import type { Fault, ResponseInfo } from "../server/hooks.ts";
import type { TimeSource } from "../web/clock.ts";
import { type AccessLogOptions, type LineSource, type LogMembers, remoteOf } from "./access-options.ts";
import { type AccessRecords, levelOf, spanIdOf, tlsOf, traceIdOf } from "./access-record.ts";
import { textOf } from "./describe-error.ts";
import { asciiJson, escapeJson } from "./escape.ts";
import { IsoTime, renderMs } from "./log-time.ts";

/** What lines of one connection have in common, rendered. */
class PeerText {
  /** From behind the time to the method, by whether the answer is our fault. */
  readonly infoStart: string;
  readonly errorStart: string;
  /** What {@link head} was made of. */
  start = "";
  method = "";
  /** From behind the time to the target, for requests like the last one. */
  head = "";
  /** What {@link end} was made of. */
  version = "";
  authority = "";
  userAgent: string | null = null;
  /** From the protocol to the end, for requests like the last one. */
  end = "";

  constructor(base: string, remote: string) {
    const rest = `,"msg":"request"${base},"remote":"${escapeJson(remote)}","method":"`;
    this.infoStart = `Z","level":"info"${rest}`;
    this.errorStart = `Z","level":"error"${rest}`;
  }
}

/** The same text in one piece, which is copied faster than what V8 has put together of many. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Makes lines of JSON. */
export class JsonLines implements LineSource {
  readonly #time: TimeSource;
  readonly #isoTime: IsoTime = new IsoTime('{"time":"');
  readonly #records: AccessRecords;
  /** Constant members, rendered once, with the comma before them. */
  readonly #base: string;
  readonly #isByHand: boolean;
  readonly #peers: WeakMap<ConnectionInfo, PeerText> = new WeakMap();

  constructor(options: AccessLogOptions, records: AccessRecords, time: TimeSource) {
    const { base = {}, members, serializers, redact, fields = [], user } = options;
    this.#time = time;
    this.#records = records;
    const rendered = asciiJson(JSON.stringify(base)).slice(1, -1);
    this.#base = rendered === "" ? "" : `,${rendered}`;
    this.#isByHand =
      members === undefined &&
      serializers === undefined &&
      user === undefined &&
      fields.length === 0 &&
      (redact?.fields ?? []).length === 0 &&
      (redact?.members ?? []).length === 0;
  }

  response(info: ResponseInfo, code: string): string {
    if (!this.#isByHand) return this.line(levelOf(info), "request", this.#records.response(info, code));
    const { exchange, outcome, status } = info;
    const { request, connection } = exchange;
    const peer = this.#peerOf(connection);
    const time = this.#isoTime.text(this.#time.nowMs());
    const isFailure = status >= 500 || outcome === "broken";
    const start = isFailure ? peer.errorStart : peer.infoStart;
    const target = escapeJson(this.#records.redactor.url(request.target));
    const rare = isFailure ? this.#rareOf(info, code) + this.#faultIdOf(exchange) : this.#rareOf(info, code);
    // Few pieces, and those as large as can be: each that is put to a text costs more than what is in it
    const line = time + headOf(peer, start, request.method) + target + afterTarget(status) + info.contentBytes;
    const times = renderTimes(info.durationMs, info.firstByteMs);
    return rare === "" ? line + times + endOf(peer, request) : line + times + rare + endOf(peer, request);
  }

  #peerOf(connection: ConnectionInfo): PeerText {
    let peer = this.#peers.get(connection);
    if (peer === undefined) {
      peer = new PeerText(this.#base, remoteOf(connection));
      this.#peers.set(connection, peer);
    }
    return peer;
  }

  /** What most lines do not have. */
  #rareOf({ exchange, outcome, requestContentBytes, route }: ResponseInfo, code: string): string {
    const { request, connection, requestId, traceParent } = exchange;
    let text = "";
    if (requestContentBytes > 0) text += `,"requestBytes":${requestContentBytes}`;
    if (connection.isEncrypted) text += `,"tls":${JSON.stringify(tlsOf(connection))}`;
    if (route !== "") text += `,"route":"${escapeJson(route)}"`;
    if (outcome !== "complete") text += `,"outcome":"${outcome}"`;
    if (code !== "") text += `,"code":"${code}"`;
    if (requestId !== "") text += `,"requestId":"${escapeJson(requestId)}"`;
    if (traceParent !== "") text += `,"traceId":"${traceIdOf(traceParent)}","spanId":"${spanIdOf(traceParent)}"`;
    const at = request.fields.indexOf("referer");
    if (at !== -1) {
      const referer = request.fields.valueAt(at);
      text += `,"referer":"${escapeJson(this.#records.redactor.url(referer))}"`;
    }
    return text;
  }

  #faultIdOf(exchange: Exchange): string {
    const id = this.#records.faultIdOf(exchange);
    return id === "" ? "" : `,"faultId":"${escapeJson(id)}"`;
  }

  refusal(refusal: Refusal): string {
    return this.line("warn", "refused", this.#records.refusal(refusal));
  }

  fault(fault: Fault): string {
    return this.line("error", "fault", this.#records.fault(fault));
  }

  /** A line about anything. */
  line(level: "info" | "warn" | "error", message: string, members: LogMembers): string {
    const time = this.#isoTime.text(this.#time.nowMs());
    const rest = asciiJson(stringify(members)).slice(1, -1);
    return `${time}Z","level":"${level}","msg":"${escapeJson(message)}"${this.#base}${rest === "" ? "" : ","}${rest}}\n`;
  }
}

/** A method is a token (RFC 9110 §9.1): nothing in it to escape. */
function headOf(peer: PeerText, start: string, method: string): string {
  if (method === peer.method && start === peer.start) return peer.head;
  peer.method = method;
  peer.start = start;
  peer.head = flat(`${start}${method}","target":"`);
  return peer.head;
}

const HIGHEST_STATUS = 599;
/** From the target to the number of octets, by status. */
const AFTER_TARGET: readonly string[] = Array.from({ length: HIGHEST_STATUS + 1 }, (_, status) =>
  flat(`","status":${status},"bytes":`),
);

function afterTarget(status: number): string {
  return AFTER_TARGET[status] ?? `","status":${status},"bytes":`;
}

/** Durations in microseconds whose text is kept: most of those of which there are many. */
const KEPT_TIMES = 2000;
const SAME_TIMES: string[] = Array.from({ length: KEPT_TIMES }, () => "");

/** Most responses go out at once, so that both times are the same. */
function renderTimes(durationMs: number, firstByteMs: number): string {
  const us = Math.round(durationMs * 1000);
  if (durationMs !== firstByteMs || !(us >= 0 && us < KEPT_TIMES)) {
    return `,"durationMs":${renderMs(durationMs)},"firstByteMs":${renderMs(firstByteMs)}`;
  }
  const kept = SAME_TIMES[us] as string;
  if (kept !== "") return kept;
  const text = renderMs(durationMs);
  return (SAME_TIMES[us] = flat(`,"durationMs":${text},"firstByteMs":${text}`));
}

/** Members that a client sends with every request of a connection, most often the same. */
function endOf(peer: PeerText, { version, authority, fields }: RequestHead): string {
  const at = fields.indexOf("user-agent");
  const userAgent = at === -1 ? null : fields.valueAt(at);
  if (userAgent === peer.userAgent && authority === peer.authority && version === peer.version) return peer.end;
  const agent = userAgent === null ? "" : `,"userAgent":"${escapeJson(userAgent)}"`;
  peer.version = version;
  peer.authority = authority;
  peer.userAgent = userAgent;
  peer.end = flat(`,"version":"${version}","host":"${escapeJson(authority)}"${agent}}\n`);
  return peer.end;
}

/** By which the rest is found. */
const IDS: ReadonlySet<string> = new Set(["id", "requestId"]);

/** A record that cannot be JSON, e.g. for a cycle that somebody's member has, must not cost the line. */
function stringify(members: LogMembers): string {
  try {
    return JSON.stringify(members, bigintAsText);
  } catch (error) {
    // Texts, unless a serialiser has made something of them
    const ids = Object.entries(members).filter(([name, value]) => IDS.has(name) && typeof value === "string");
    const { status } = members;
    const known = { ...Object.fromEntries(ids), ...(typeof status === "number" ? { status } : {}) };
    return JSON.stringify({ ...known, unwritable: textOf(error) });
  }
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
