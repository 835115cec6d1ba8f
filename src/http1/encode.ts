/**
 * Response heads and chunks -> text: the only writer of Content-Length, Transfer-Encoding and Connection
 * (RFC 9112 §4, §6, §7.1, §9.6; RFC 9110 §6.4.1, §6.6.1, §8.6).
 *
 * A handler's fields pass through a check of names and values, the last defence against response splitting; what a handler
 * says about framing is compared with the content that it gave and then written anew. No I/O, no clock: the date comes in.
 */

import { HandlerError } from "../http/errors.ts";
import type { FieldLines, ResponseHead } from "../http/exchange.ts";
import { isFieldValue, isToken, trimWhiteSpace } from "../http/fields.ts";
import { forbidsContent, reasonPhrase } from "../http/status.ts";
import { listOf } from "./framing.ts";

/** How the content of a response is delimited. */
export const NO_CONTENT = 0;
export const FIXED = 1;
export const CHUNKS = 2;
export const UNTIL_CLOSE = 3;

/** Length of content that only its source knows. */
export const UNKNOWN = -1;

const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;
const statusLines: string[] = [];

function statusLine(status: number, reason: string): string {
  if (reason !== "") {
    if (!REASON.test(reason))
      throw new HandlerError("ERR_RESPONSE_STATUS", "the reason phrase has a control character");
    return `HTTP/1.1 ${status} ${reason}\r\n`;
  }
  // RFC 9112 §4: the SP before an absent reason phrase stays
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`);
}

/**
 * The beginning of a head with frozen fields, which many responses share (a media type and nothing else): rendered and
 * checked once a second instead of once a response. And the last whole head that it became, which the next one often is too.
 */
interface Memory {
  readonly status: number;
  readonly reason: string;
  readonly dateText: string;
  readonly prefix: string;
  /** Content-Length among the fields, to be held against each content anew. */
  readonly declared: number;
  readonly hasTransportSecurity: boolean;
  /** The whole head, `""` before there is one; for what, and what it came to. */
  text: string;
  length: number;
  isHead: boolean;
  minor: number;
  mayPersist: boolean;
  transportSecurity: string;
  delimiting: number;
  delimitedLength: number;
  isPersistent: boolean;
}

/** Names whose last line is kept; a server that makes up names gains nothing and costs no more than this. */
const MAX_LAST_LINES = 64;

// What becomes of a handler's field line: sent as it is, sent and noted, or rewritten by us
const SENT = 0;
const NOTED = 1;
const TAKEN_OVER = 2;
/** Content-Length: rewritten, and nothing of it need be decided anew for the next response with the same fields. */
const DECLARED = 3;

/** The rendering of one response at a time; whoever encodes takes what it needs before the next. */
export class ResponseEncoder {
  /** Status line, fields and empty line. */
  text = "";
  /** {@link NO_CONTENT}, {@link FIXED}, {@link CHUNKS} or {@link UNTIL_CLOSE}. */
  delimiting: number = NO_CONTENT;
  /** Octets that the content must have, {@link UNKNOWN} if nobody said. */
  length: number = 0;
  /** Whether the connection goes on behind this response. */
  isPersistent = true;
  /** IMF-fixdate of now, as the last response was given it. */
  dateText = "";
  #declared = UNKNOWN;
  #hasDate = false;
  #hasTransportSecurity = false;
  #options = "";
  readonly #memories: WeakMap<FieldLines, Memory> = new WeakMap();
  /** The last line of each name, checked already: most servers say the same again and again. */
  readonly #lastLines: Map<string, { readonly value: string; readonly line: string }> = new Map();

  /**
   * Renders a final response.
   *
   * @param head the handler's status and fields
   * @param length octets of the content given, {@link UNKNOWN} for a stream
   * @param isHead the request was HEAD
   * @param minor minor version of the request
   * @param isPersistent whether the connection could go on
   * @param dateText IMF-fixdate of now
   * @param transportSecurity Strict-Transport-Security as a line with its CRLF, for where the handler says none; `""` for none
   * @throws HandlerError if status, fields or declared length break a rule
   */
  encode(
    head: ResponseHead,
    length: number,
    isHead: boolean,
    minor: number,
    isPersistent: boolean,
    dateText: string,
    transportSecurity = "",
  ): void {
    this.dateText = dateText;
    const memory = this.#remembered(head, dateText);
    if (
      memory !== null &&
      memory.length === length &&
      memory.text !== "" &&
      memory.mayPersist === isPersistent &&
      memory.minor === minor &&
      memory.isHead === isHead &&
      memory.transportSecurity === transportSecurity
    ) {
      this.text = memory.text;
      this.delimiting = memory.delimiting;
      this.length = memory.delimitedLength;
      this.isPersistent = memory.isPersistent;
      return;
    }
    this.#declared = UNKNOWN;
    this.#options = "";
    this.isPersistent = isPersistent;
    if (memory !== null) {
      this.#declared = memory.declared;
      this.#hasTransportSecurity = memory.hasTransportSecurity;
    }
    const prefix = memory === null ? this.#renderPrefix(head, dateText) : memory.prefix;
    const end = transportSecurity === "" || this.#hasTransportSecurity ? "\r\n" : `${transportSecurity}\r\n`;
    this.text = `${prefix}${this.#delimit(head.status, length, isHead, minor)}${this.#connection(minor)}${end}`;
    if (memory === null) return;
    memory.text = this.text;
    memory.length = length;
    memory.isHead = isHead;
    memory.minor = minor;
    memory.mayPersist = isPersistent;
    memory.transportSecurity = transportSecurity;
    memory.delimiting = this.delimiting;
    memory.delimitedLength = this.length;
    memory.isPersistent = this.isPersistent;
  }

  /** What {@link #renderPrefix} said of the same shared fields within this second, or null. */
  #remembered(head: ResponseHead, dateText: string): Memory | null {
    const memory = this.#memories.get(head.fields);
    if (memory === undefined || memory.dateText !== dateText) return null;
    return memory.status === head.status && memory.reason === head.reason ? memory : null;
  }

  /** Status line and fields, without those that frame. */
  #renderPrefix(head: ResponseHead, dateText: string): string {
    const { fields, status, reason } = head;
    // RFC 9110 §15: 1xx are interim; an upgrade goes by its own way
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new HandlerError("ERR_RESPONSE_STATUS", `${status}`);
    this.#hasDate = false;
    this.#hasTransportSecurity = false;
    let text = statusLine(status, reason);
    let isPlain = Object.isFrozen(fields);
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      const last = this.#lastLines.get(name);
      if (last !== undefined && last.value === value) {
        text += last.line;
        continue;
      }
      if (!isToken(name) || !isFieldValue(value)) throw new HandlerError("ERR_RESPONSE_FIELD", JSON.stringify(name));
      const treatment = this.#treat(name, value);
      if (treatment >= TAKEN_OVER) {
        if (treatment === TAKEN_OVER) isPlain = false;
        continue;
      }
      const line = `${name}: ${value}\r\n`;
      text += line;
      if (treatment === SENT && (last !== undefined || this.#lastLines.size < MAX_LAST_LINES)) {
        this.#lastLines.set(name, { value, line });
      }
    }
    // RFC 9110 §6.6.1: an origin server with a clock MUST send Date in 2xx, 3xx, 4xx
    if (!this.#hasDate) text += `Date: ${dateText}\r\n`;
    if (isPlain && this.#options === "") {
      const hasTransportSecurity = this.#hasTransportSecurity;
      const declared = this.#declared;
      this.#memories.set(fields, {
        status,
        reason,
        dateText,
        prefix: text,
        declared,
        hasTransportSecurity,
        text: "",
        length: 0,
        isHead: false,
        minor: 0,
        mayPersist: false,
        transportSecurity: "",
        delimiting: NO_CONTENT,
        delimitedLength: 0,
        isPersistent: false,
      });
    }
    return text;
  }

  /** Renders an interim response (RFC 9110 §15.2). */
  static interim(status: number, fields: readonly string[]): string {
    let text = statusLine(status, "");
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (!isToken(name) || !isFieldValue(value)) throw new HandlerError("ERR_RESPONSE_FIELD", JSON.stringify(name));
      const folded = name.toLowerCase();
      // RFC 9110 §8.6: no Content-Length in 1xx; framing and connection fields would be lies here
      if (folded === "content-length" || folded === "transfer-encoding" || folded === "connection") continue;
      text += `${name}: ${value}\r\n`;
    }
    return text + "\r\n";
  }

  /**
   * Renders 101 (Switching Protocols; RFC 9110 §15.2.2).
   *
   * @param offered what the request would switch to; the first is taken where `fields` name none
   * @throws HandlerError ERR_RESPONSE_FIELD if `fields` name a protocol that was not offered
   */
  static switching(offered: readonly string[], fields: readonly string[], dateText: string): string {
    const text = ResponseEncoder.interim(101, fields);
    const named = fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === "upgrade");
    for (const protocol of named
      .flatMap((value) => value.split(","))
      .map((part) => trimWhiteSpace(part).toLowerCase())) {
      // RFC 9110 §7.8: MUST NOT switch to a protocol that the client did not indicate
      if (!offered.some((one) => one.toLowerCase() === protocol)) {
        throw new HandlerError(
          "ERR_RESPONSE_FIELD",
          `upgrade to ${JSON.stringify(protocol)}, which the request did not name`,
        );
      }
    }
    // RFC 9110 §7.8: Upgrade MUST be sent, and its connection option with it
    const upgrade = named.length > 0 ? "" : `Upgrade: ${offered[0] ?? ""}\r\n`;
    return `${text.slice(0, -2)}${upgrade}Connection: upgrade\r\nDate: ${dateText}\r\n\r\n`;
  }

  /** Notes what a handler says about date, framing and connection. */
  #treat(name: string, value: string): number {
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== "date") return SENT;
        this.#hasDate = true;
        return NOTED;
      case 7:
        if (name.toLowerCase() !== "upgrade") return SENT;
        // RFC 9110 §7.8: a sender of Upgrade MUST also send the connection option
        this.#options = "upgrade";
        return NOTED;
      case 10: {
        const folded = name.toLowerCase();
        if (folded === "connection" && listOf([value])?.includes("close") === true) this.isPersistent = false;
        // Keep-Alive: a hop-by-hop field of an upstream's response, copied by a handler that forwards it (RFC 9110 §7.6.1)
        return folded === "connection" || folded === "keep-alive" ? TAKEN_OVER : SENT;
      }
      case 14:
        if (name.toLowerCase() !== "content-length") return SENT;
        this.#declare(value);
        return DECLARED;
      case 16:
        return name.toLowerCase() === "proxy-connection" ? TAKEN_OVER : SENT;
      case 17:
        // The transfer coding is ours to choose, whatever an upstream used
        return name.toLowerCase() === "transfer-encoding" ? TAKEN_OVER : SENT;
      case 25:
        if (name.toLowerCase() !== "strict-transport-security") return SENT;
        // RFC 6797 §7.1: no more than one in a response; the handler knows better
        this.#hasTransportSecurity = true;
        return NOTED;
      default:
        return SENT;
    }
  }

  #declare(value: string): void {
    const length = /^[0-9]+$/.test(value) ? Number(value) : NaN;
    if (!Number.isSafeInteger(length) || (this.#declared !== UNKNOWN && this.#declared !== length)) {
      throw new HandlerError("ERR_RESPONSE_LENGTH", `Content-Length: ${JSON.stringify(value)}`);
    }
    this.#declared = length;
  }

  /** Chooses the delimiting and returns its field line (RFC 9112 §6.3 seen from the sender; RFC 9110 §8.6). */
  #delimit(status: number, length: number, isHead: boolean, minor: number): string {
    const declared = this.#declared;
    this.length = 0;
    this.delimiting = NO_CONTENT;
    if (status === 304) return declared === UNKNOWN ? "" : `Content-Length: ${declared}\r\n`;
    // RFC 9110 §8.6: MUST NOT send Content-Length in 204
    if (forbidsContent(status)) return "";
    // RFC 9110 §15.3.6: 205 has none; the length says so
    if (status === 205) return "Content-Length: 0\r\n";
    if (isHead) return headLength(declared, length);
    if (length !== UNKNOWN) {
      if (declared !== UNKNOWN && declared !== length) {
        throw new HandlerError("ERR_RESPONSE_LENGTH", `declared ${declared}, given ${length} octets`);
      }
      this.delimiting = FIXED;
      this.length = length;
      return `Content-Length: ${length}\r\n`;
    }
    this.length = declared;
    if (declared !== UNKNOWN) {
      this.delimiting = FIXED;
      return `Content-Length: ${declared}\r\n`;
    }
    // RFC 9112 §6.1: MUST NOT send Transfer-Encoding unless the request is HTTP/1.1
    if (minor === 0) {
      this.delimiting = UNTIL_CLOSE;
      this.isPersistent = false;
      return "";
    }
    this.delimiting = CHUNKS;
    return "Transfer-Encoding: chunked\r\n";
  }

  #connection(minor: number): string {
    const options = this.#options;
    // RFC 9112 §9.6: SHOULD send close when it will close; §9.3: 1.0 goes on only where both sides say so
    if (!this.isPersistent) return options === "" ? "Connection: close\r\n" : `Connection: close, ${options}\r\n`;
    if (minor === 0) return options === "" ? "Connection: keep-alive\r\n" : `Connection: keep-alive, ${options}\r\n`;
    return options === "" ? "" : `Connection: ${options}\r\n`;
  }
}

/** Content-Length of a response to HEAD: what GET would say, if that is known (RFC 9110 §8.6, §9.3.2). */
function headLength(declared: number, length: number): string {
  // null content on HEAD says nothing about GET's, so 0 is not claimed
  const given = length > 0 ? length : UNKNOWN;
  const known = declared === UNKNOWN ? given : declared;
  return known === UNKNOWN ? "" : `Content-Length: ${known}\r\n`;
}

/** The line before a chunk of `length` octets (RFC 9112 §7.1). */
export function chunkHead(length: number): string {
  return `${length.toString(16)}\r\n`;
}

/** Behind every chunk. */
export const CHUNK_END = "\r\n";

/** The last chunk and the trailer section, which ends the message (RFC 9112 §7.1.2). */
export function lastChunk(trailers: readonly string[]): string {
  let text = "0\r\n";
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    const value = trailers[i + 1] as string;
    if (!isToken(name) || !isFieldValue(value)) throw new HandlerError("ERR_RESPONSE_FIELD", JSON.stringify(name));
    // RFC 9110 §6.5.1: framing must not be in trailers
    if (/^(?:content-length|transfer-encoding|connection|host|trailer)$/i.test(name)) continue;
    text += `${name}: ${value}\r\n`;
  }
  return text + "\r\n";
}
