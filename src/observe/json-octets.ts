/**
 * The line of a response as JSON, put down octet by octet where it will be written from.
 *
 * What a connection's requests have in common is kept as octets, times are digits over a pattern, and of the target each
 * character is looked at once: nothing is made for a line that is garbage behind it (docs/decisions/0011-log-lines.md). A target
 * that needs an escape, and whatever is larger or stranger than is worth a way of its own, is left to whoever makes lines of
 * objects (json-line.ts); a test holds the two together.
 */

import type { ConnectionInfo, RequestHead } from "../http/exchange.ts";
import type { ResponseInfo } from "../server/hooks.ts";
import type { TimeSource } from "../web/clock.ts";
import { type AccessLogOptions, remoteOf } from "./access-options.ts";
import { type AccessRecords, spanIdOf, tlsOf, traceIdOf } from "./access-record.ts";
import { escapeJson, isPlainJson } from "./escape.ts";
import { type BatchSource, putInteger, putText, putThousandths } from "./line-batch.ts";
import { isoSecond, renderMs, SECOND_LENGTH } from "./log-time.ts";

const START = '{"time":"';
const TIME_AT = START.length;
const THOUSANDTHS_AT = TIME_AT + SECOND_LENGTH;
/** What stands in their place until they are known. */
const NO_TIME = "0000-00-00T00:00:00.000";

/** Durations below 10 ms, which is most of those of which there are many, are digits over this. */
const TIMES: Buffer = octetsOf(',"durationMs":0.000,"firstByteMs":0.000');
const DURATION_AT = ',"durationMs":'.length;
const FIRST_BYTE_AT = ',"durationMs":0.000,"firstByteMs":'.length;
const TEN_MS_IN_US = 10_000;

/** Octets of a line beside those that are kept, the target and what is rare: numbers of twenty digits, and names. */
const MOST_BETWEEN = 160;
/** Host and user agent up to here are kept for a connection, escaped. */
const MOST_KEPT = 1024;
const START_STEP_BYTES = 128;
/** No response takes so long; what is more is no number of milliseconds. */
const MOST_MS = 1e12;
/** Targets up to here are looked at character by character; for longer ones it pays to ask the engine. */
const SHORT_TARGET = 32;

const QUOTATION_MARK = 0x22;
const QUESTION_MARK = 0x3f;
const AT_SIGN = 0x40;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const TILDE = 0x7e;
const DIGIT_0 = 0x30;
const CLOSING_BRACE = 0x7d;
const LINE_FEED = 0x0a;

/** Something to escape, or where a query or user information may be, of which there may be a secret to leave out. */
const TO_LOOK_AT = /[^\x20\x21\x23-\x3e\x41-\x5b\x5d-\x7e]/;

const NO_OCTETS: Buffer = Buffer.alloc(0);

/** What lines of one connection have in common. */
class PeerOctets {
  readonly remote: string;
  /** All of a line up to the target, for requests like the last one: who asks stands before what is asked. */
  start: Buffer = NO_OCTETS;
  /** Of which second the text of the time in {@link start} is. */
  second = NaN;
  /** Of {@link start}. Used again: clients that alternate shall not cost memory each time. */
  #memory: Buffer = NO_OCTETS;
  #method: string | null = null;
  #version = "";
  #authority = "";
  #userAgent: string | null = null;
  #isFailure = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  /** Whether a line of this request begins like the last one. */
  isLike(request: RequestHead, userAgent: string | null, isFailure: boolean): boolean {
    return (
      request.method === this.#method &&
      userAgent === this.#userAgent &&
      request.authority === this.#authority &&
      request.version === this.#version &&
      isFailure === this.#isFailure
    );
  }

  keep(text: string, request: RequestHead, userAgent: string | null, isFailure: boolean): void {
    const { method, version, authority } = request;
    this.#method = method;
    this.#version = version;
    this.#authority = authority;
    this.#userAgent = userAgent;
    this.#isFailure = isFailure;
    if (text.length > this.#memory.length) {
      this.#memory = Buffer.allocUnsafeSlow(Math.ceil(text.length / START_STEP_BYTES) * START_STEP_BYTES);
    }
    this.#memory.write(text, "latin1");
    this.start = this.#memory.subarray(0, text.length);
    this.second = NaN;
  }
}

function octetsOf(text: string): Buffer {
  // Of its own: what is kept for a connection shall not keep 8 KiB of Node's
  const octets = Buffer.allocUnsafeSlow(text.length);
  octets.write(text, "latin1");
  return octets;
}

/** Puts lines into the batches of a sink. */
export class JsonOctets {
  readonly #time: TimeSource;
  readonly #records: AccessRecords;
  readonly #base: string;
  readonly #user: AccessLogOptions["user"];
  readonly #peers: WeakMap<ConnectionInfo, PeerOctets> = new WeakMap();
  #second = NaN;
  #secondOctets: Buffer = NO_OCTETS;

  /** @param base constant members, rendered, with the comma before them */
  constructor(base: string, records: AccessRecords, time: TimeSource, user: AccessLogOptions["user"]) {
    this.#base = base;
    this.#user = user;
    this.#records = records;
    this.#time = time;
  }

  /**
   * Adds the line of a response to what waits in `sink`.
   *
   * @param code of the refusal that the response was, else `""`
   * @returns false if it has to be made otherwise; then nothing was added
   */
  add(info: ResponseInfo, code: string, sink: BatchSource): boolean {
    return this.#add(info, code, sink, info.exchange.request.target, false);
  }

  /** @param isSafe whether `target` is free of secrets */
  #add(info: ResponseInfo, code: string, sink: BatchSource, target: string, isSafe: boolean): boolean {
    const { exchange, outcome, status } = info;
    const { request, connection } = exchange;
    const isFailure = status >= 500 || outcome === "broken";
    const userAgent = request.fields.get("user-agent");
    if (request.authority.length + (userAgent?.length ?? 0) > MOST_KEPT || !areNumbers(info)) return false;
    const peer = this.#peerOf(connection);
    // Behind a proxy each request is of another peer, of which nothing is worth being kept
    const once = peer === null ? this.#startOf(escapeJson(remoteOf(connection)), info, userAgent, isFailure) : "";
    if (peer !== null && !peer.isLike(request, userAgent, isFailure)) {
      peer.keep(this.#startOf(peer.remote, info, userAgent, isFailure), request, userAgent, isFailure);
    }
    const startLength = peer === null ? once.length : peer.start.length;
    const rare = this.#rareOf(info, code, isFailure);
    const batch = sink.room(startLength + target.length + rare.length + MOST_BETWEEN);
    if (batch === null) return false;
    const { octets, length } = batch;
    if (peer === null) putText(octets, length, once);
    else octets.set(peer.start, length);
    this.#putTime(octets, length, peer);
    let at = putPlain(octets, length + startLength, target, isSafe);
    if (at === NOT_PLAIN) {
      return !isSafe && this.#add(info, code, sink, this.#records.redactor.url(request.target), true);
    }
    const middle = MIDDLES[status] ?? octetsOf(middleOf(status));
    octets.set(middle, at);
    at = putInteger(octets, at + middle.length, info.contentBytes);
    at = putTimes(octets, at, info.durationMs, info.firstByteMs);
    if (rare !== "") at = putText(octets, at, rare);
    octets[at] = CLOSING_BRACE;
    octets[at + 1] = LINE_FEED;
    batch.length = at + 2;
    batch.lines++;
    return true;
  }

  #peerOf(connection: ConnectionInfo): PeerOctets | null {
    let peer = this.#peers.get(connection);
    if (peer === undefined) {
      if (connection.forwardedBy !== undefined && connection.forwardedBy !== null) return null;
      peer = new PeerOctets(escapeJson(remoteOf(connection)));
      this.#peers.set(connection, peer);
    }
    return peer;
  }

  /** A method is a token (RFC 9110 §9.1): nothing in it to escape. */
  #startOf(remote: string, { exchange }: ResponseInfo, userAgent: string | null, isFailure: boolean): string {
    const { connection, request } = exchange;
    const level = `"level":"${isFailure ? "error" : "info"}","msg":"request"${this.#base}`;
    const tls = connection.isEncrypted ? tlsMember(tlsOf(connection)) : "";
    const agent = userAgent === null ? "" : `,"userAgent":"${escapeJson(userAgent)}"`;
    const who = `,"remote":"${remote}"${tls}${agent}`;
    const what = `,"version":"${request.version}","host":"${escapeJson(request.authority)}","method":"${request.method}"`;
    return `${START}${NO_TIME}Z",${level}${who}${what},"target":"`;
  }

  #putTime(octets: Buffer, start: number, peer: PeerOctets | null): void {
    const wallMs = Math.floor(this.#time.nowMs());
    const second = Math.floor(wallMs / 1000);
    if (peer === null || second !== peer.second) {
      if (second !== this.#second) {
        this.#secondOctets = octetsOf(isoSecond(second));
        this.#second = second;
      }
      octets.set(this.#secondOctets, start + TIME_AT);
      if (peer !== null) {
        peer.start.set(this.#secondOctets, TIME_AT);
        peer.second = second;
      }
    }
    putThousandths(octets, start + THOUSANDTHS_AT, wallMs - second * 1000);
  }

  /** What most lines do not have. */
  #rareOf(info: ResponseInfo, code: string, isFailure: boolean): string {
    const { exchange, outcome, requestContentBytes, route } = info;
    const { request, requestId, traceParent } = exchange;
    let text = "";
    if (requestContentBytes > 0) text += `,"requestBytes":${requestContentBytes}`;
    if (route !== "") text += `,"route":"${escapeJson(route)}"`;
    if (outcome !== "complete") text += `,"outcome":"${outcome}"`;
    if (code !== "") text += `,"code":"${code}"`;
    if (isFailure) {
      const id = this.#records.faultIdOf(exchange);
      if (id !== "") text += `,"faultId":"${escapeJson(id)}"`;
    }
    const user = this.#user?.(exchange) ?? "";
    if (user !== "") text += `,"user":"${escapeJson(user)}"`;
    if (requestId !== "") text += `,"requestId":"${escapeJson(requestId)}"`;
    if (traceParent !== "") text += traceMembers(traceParent);
    const referer = this.#records.refererOf(request.fields);
    if (referer !== null) text += `,"referer":"${escapeJson(referer)}"`;
    return text;
  }
}

function tlsMember(tls: string | true): string {
  return tls === true ? ',"tls":true' : `,"tls":"${escapeJson(tls)}"`;
}

/** Middleware may have said something else than a `traceparent`. */
function traceMembers(traceParent: string): string {
  return `,"traceId":"${escapeJson(traceIdOf(traceParent))}","spanId":"${escapeJson(spanIdOf(traceParent))}"`;
}

/** Whether the numbers of a line can be put down as digits. */
function areNumbers({ contentBytes, durationMs, firstByteMs }: ResponseInfo): boolean {
  return contentBytes >= 0 && Number.isSafeInteger(contentBytes) && durationMs < MOST_MS && firstByteMs < MOST_MS;
}

const HIGHEST_STATUS = 599;
/** From the target to the number of octets, by status. */
const MIDDLES: readonly Buffer[] = Array.from({ length: HIGHEST_STATUS + 1 }, (_, status) =>
  octetsOf(middleOf(status)),
);

function middleOf(status: number): string {
  return `","status":${status},"bytes":`;
}

const NOT_PLAIN = -1;

/**
 * Puts down a target in which nothing is to be escaped, and nothing to be left out unless `isSafe` says that this was done.
 *
 * @returns where it ends, or {@link NOT_PLAIN}
 */
function putPlain(octets: Buffer, start: number, text: string, isSafe: boolean): number {
  if (text.length > SHORT_TARGET) {
    const isPlain = isSafe ? isPlainJson(text) : !TO_LOOK_AT.test(text);
    return isPlain ? putText(octets, start, text) : NOT_PLAIN;
  }
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < SPACE || code > TILDE || code === QUOTATION_MARK || code === BACKSLASH) return NOT_PLAIN;
    if (!isSafe && (code === QUESTION_MARK || code === AT_SIGN)) return NOT_PLAIN;
    octets[start + i] = code;
  }
  return start + text.length;
}

/** Both durations. Most responses go out at once, so that they are the same. */
function putTimes(octets: Buffer, at: number, durationMs: number, firstByteMs: number): number {
  const durationUs = durationMs > 0 ? Math.round(durationMs * 1000) : 0;
  const firstByteUs = firstByteMs > 0 ? Math.round(firstByteMs * 1000) : 0;
  if (!(durationUs < TEN_MS_IN_US && firstByteUs < TEN_MS_IN_US)) {
    return putText(octets, at, `,"durationMs":${renderMs(durationMs)},"firstByteMs":${renderMs(firstByteMs)}`);
  }
  octets.set(TIMES, at);
  putMs(octets, at + DURATION_AT, durationUs);
  putMs(octets, at + FIRST_BYTE_AT, firstByteUs);
  return at + TIMES.length;
}

/** `0.000` to `9.999`. */
function putMs(octets: Buffer, at: number, us: number): void {
  const ms = Math.floor(us / 1000);
  octets[at] = DIGIT_0 + ms;
  putThousandths(octets, at + ".0".length, us - ms * 1000);
}
