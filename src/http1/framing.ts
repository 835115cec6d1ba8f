/**
 * What a request head says about its message's length and its connection's life: the only reader of Content-Length,
 * Transfer-Encoding and Connection (RFC 9112 §6.1–6.3, §9.3, §9.6; RFC 9110 §7.6.1, §7.8, §8.6, §10.1.1).
 *
 * Two recipients that disagree on a length are what request smuggling needs, so of two readings the refusing one is taken,
 * everywhere and without an option.
 */

import type { ProtocolErrorCode } from "../http/errors.ts";
import { ProtocolError } from "../http/errors.ts";
import type { Fields } from "../http/fields.ts";
import { isToken, trimWhiteSpace } from "../http/fields.ts";
import type { HeadParser } from "./head.ts";

/** The length of a message whose end only its last chunk tells. */
export const CHUNKED = -1;

const NOTHING: readonly string[] = [];
const DIGITS = /^[0-9]+$/;

/** What the wire needs to know; one object per connection, filled anew for every request. */
export class Framing {
  /** Octets of content, 0 for none, {@link CHUNKED}. */
  length = 0;
  /** Whether the connection may go on after the response (RFC 9112 §9.3). */
  isPersistent = true;
  /** The peer waits for 100 (Continue) before it sends content. */
  expectsContinue = false;
  /** Protocols the peer would switch to, in its order of preference; empty for none. */
  upgradeTo: readonly string[] = NOTHING;

  /**
   * The client sends nothing behind this head, and has said so: then a connection need not be closed in stages (RFC 9112 §9.6).
   * Not so behind content: old clients send CRLF there (§2.2).
   */
  get endsWithHead(): boolean {
    return this.length === 0 && !this.isPersistent;
  }

  /** Reads the head that `parser` has just finished. Returns the refusal, or null. */
  read(parser: HeadParser, fields: Fields): ProtocolError | null {
    this.length = 0;
    this.isPersistent = parser.minor !== 0;
    this.expectsContinue = false;
    this.upgradeTo = NOTHING;
    return this.#readLength(parser, fields) ?? this.#readConnection(parser, fields) ?? this.#readExpect(parser, fields);
  }

  // RFC 9112 §6.3, the steps that concern requests
  #readLength(parser: HeadParser, fields: Fields): ProtocolError | null {
    const { contentLength, transferEncoding } = parser.known;
    if (transferEncoding.count > 0) {
      // Step 3: both present is an attempt at request smuggling or response splitting; "ought to be handled as an error"
      if (contentLength.count > 0) return refuse("ERR_LENGTH_AND_CODING", fields, contentLength.index);
      // RFC 9112 §6.1: MUST treat the message as if the framing is faulty
      if (parser.minor === 0) return refuse("ERR_TRANSFER_ENCODING_IN_HTTP10", fields, transferEncoding.index);
      const code = refuseCodings(fields.all("transfer-encoding"));
      if (code !== null) return refuse(code, fields, transferEncoding.index);
      this.length = CHUNKED;
      return null;
    }
    if (contentLength.count === 0) return null;
    const value = fields.valueAt(contentLength.index);
    // Step 5 would allow a list of equal values; a neighbour may take the first, the last or none, so we refuse all
    if (contentLength.count > 1 || value.includes(",")) {
      return refuse("ERR_CONTENT_LENGTH_REPEATED", fields, contentLength.index);
    }
    if (!DIGITS.test(value)) return refuse("ERR_CONTENT_LENGTH", fields, contentLength.index);
    const length = Number(value);
    // RFC 9110 §8.6: recipients MUST anticipate large numbers; above 2^53 nobody could count, whatever the limit
    if (!Number.isSafeInteger(length)) return refuse("ERR_CONTENT_TOO_LARGE", fields, contentLength.index);
    this.length = length;
    return null;
  }

  #readConnection(parser: HeadParser, fields: Fields): ProtocolError | null {
    const { connection } = parser.known;
    if (connection.count === 0) return null;
    const options = listOf(fields.all("connection"));
    if (options === null) return refuse("ERR_CONNECTION", fields, connection.index);
    // RFC 9112 §9.3: close wins over everything; HTTP/1.0 goes on only when asked
    if (options.includes("close")) this.isPersistent = false;
    else if (options.includes("keep-alive")) this.isPersistent = true;
    // RFC 9110 §7.8: an Upgrade without its connection option, or in HTTP/1.0, is ignored
    if (parser.minor !== 0 && parser.known.upgrade.count > 0 && options.includes("upgrade")) {
      this.upgradeTo = fields
        .all("upgrade")
        .flatMap((line) => line.split(","))
        .map((protocol) => trimWhiteSpace(protocol))
        // protocol-name ["/" protocol-version]; what is neither is nothing that could be switched to
        .filter((protocol) => protocol.split("/").length <= 2 && protocol.split("/").every((part) => isToken(part)));
    }
    return null;
  }

  #readExpect(parser: HeadParser, fields: Fields): ProtocolError | null {
    // RFC 9110 §10.1.1: an expectation in HTTP/1.0 MUST be ignored
    if (parser.known.expect.count === 0 || parser.minor === 0) return null;
    for (const member of fields.all("expect").flatMap((line) => line.split(","))) {
      const expectation = trimWhiteSpace(member).toLowerCase();
      // Expect is a list (RFC 9110 §5.6.1): empty members mean nothing
      if (expectation === "100-continue") this.expectsContinue = true;
      else if (expectation !== "") return refuse("ERR_EXPECTATION", fields, parser.known.expect.index);
    }
    return null;
  }
}

function refuse(code: ProtocolErrorCode, fields: Fields, index: number): ProtocolError {
  return new ProtocolError(code, { field: fields.nameAt(index), offset: fields.valueOffsetAt(index) });
}

/** Lower-case members of a list of tokens (RFC 9110 §5.6.1), empty members skipped; null if one is no token. */
export function listOf(lines: readonly string[]): string[] | null {
  const members: string[] = [];
  for (const line of lines) {
    // The only value seen in practice, nearly always
    if (line === "keep-alive" || line === "close") {
      members.push(line);
      continue;
    }
    for (const part of line.split(",")) {
      const member = trimWhiteSpace(part);
      if (member === "") continue;
      if (!isToken(member)) return null;
      members.push(member.toLowerCase());
    }
  }
  return members;
}

/** Whether the peer keeps trailers, so that sending them makes sense (RFC 9110 §6.5.1, §10.1.4). */
export function asksForTrailers(fields: Fields): boolean {
  return fields.all("te").some((value) => /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value));
}

/** Why this list of transfer codings is refused, or null for exactly `chunked`. */
function refuseCodings(lines: readonly string[]): ProtocolErrorCode | null {
  const codings = lines.flatMap((line) => line.split(",")).map((coding) => trimWhiteSpace(coding).toLowerCase());
  // Empty members are legal in a list, but two parsers may count them differently: none is accepted here. Nor are parameters,
  // chunked has none (RFC 9112 §7.1)
  if (!codings.every((coding) => isToken(coding))) return "ERR_TRANSFER_ENCODING";
  // §6.3 step 4: chunked not last in a request: the length cannot be determined reliably
  if (codings.at(-1) !== "chunked") return "ERR_TRANSFER_ENCODING";
  // §6.1: chunked MUST NOT be applied twice
  if (codings.indexOf("chunked") !== codings.length - 1) return "ERR_TRANSFER_ENCODING";
  return codings.length > 1 ? "ERR_TRANSFER_CODING_UNKNOWN" : null;
}
