/**
 * From a parsed head to the request that handlers see: method, target, authority (RFC 9112 §3, RFC 9110 §7.1, §7.2, §9.1).
 *
 * The whole head becomes one latin1 string here, the only crossing into native code per request. What is refused here has a
 * well-formed head; the rules broken are those of single fields and of the request line's words.
 */

import { ProtocolError } from "../http/errors.ts";
import { Fields } from "../http/fields.ts";
import { isRegisteredMethod } from "../http/method.ts";
import { isValidAuthority, parseTarget } from "../http/target.ts";
import { Http1RequestHead } from "./exchange.ts";
import type { HeadParser } from "./head.ts";
import type { Leniencies } from "./limits.ts";

const SLASH = 0x2f;

/** The last authority found valid: clients of one server nearly always send the same. */
let lastAuthority = "";
/** The same as octets: compared with those that came, which is cheaper than text with text. */
let lastAuthorityOctets: Uint8Array = new Uint8Array(0);

/**
 * @param base index of the head's first octet in `bytes`
 * @param length octets of the head
 */
export function readRequestHead(
  parser: HeadParser,
  bytes: Buffer,
  base: number,
  length: number,
  scheme: string,
  leniencies: Leniencies,
): Http1RequestHead | ProtocolError {
  const text = bytes.toString("latin1", base, base + length);
  const fields = new Fields(text, parser.offsets.slice(0, parser.offsetCount));
  const host = readHost(parser, fields, bytes, base);
  if (host instanceof ProtocolError) return host;
  const method =
    commonMethod(bytes, base + parser.methodStart, parser.methodEnd - parser.methodStart) ??
    readMethod(text.slice(parser.methodStart, parser.methodEnd), parser, leniencies);
  if (method instanceof ProtocolError) return method;
  const target = text.slice(parser.targetStart, parser.targetEnd);
  const version = parser.minor === 0 ? "1.0" : "1.1";
  if (bytes[base + parser.targetStart] === SLASH)
    return new Http1RequestHead(method, target, version, scheme, host, fields);
  const parsed = parseTarget(method, target);
  if (parsed === null) return new ProtocolError("ERR_TARGET", { offset: parser.targetStart });
  // RFC 9110 §7.4: an https resource MUST be rejected unless the connection is secured for it
  if (parsed.scheme === "https" && scheme !== "https") {
    return new ProtocolError("ERR_MISDIRECTED", { offset: parser.targetStart });
  }
  // RFC 9112 §3.2.2: with absolute-form, Host MUST be ignored and replaced by the target's authority
  return new Http1RequestHead(
    method,
    target,
    version,
    scheme,
    parsed.authority === "" ? host : parsed.authority,
    fields,
  );
}

// RFC 9112 §3.2: a missing, repeated or invalid Host MUST be answered 400; routing and caches depend on it
function readHost(parser: HeadParser, fields: Fields, bytes: Uint8Array, base: number): string | ProtocolError {
  const { index, count } = parser.known.host;
  if (count === 0) {
    return parser.minor === 0 ? "" : new ProtocolError("ERR_HOST_MISSING", { field: "Host" });
  }
  const offset = fields.valueOffsetAt(index);
  if (count > 1)
    return new ProtocolError("ERR_HOST_REPEATED", {
      field: "Host",
      offset: fields.valueOffsetAt(fields.indexOf("host", index + 1)),
    });
  // Compared in place: neither a new string nor a call into the engine for what is the same as a moment ago
  const length = (parser.offsets[index * 4 + 3] as number) - offset;
  if (length > 0 && length === lastAuthorityOctets.length && isAt(bytes, base + offset, lastAuthorityOctets)) {
    return lastAuthority;
  }
  const host = fields.valueAt(index);
  // RFC 9110 §7.2 allows an empty Host where the target URI has no authority; http URIs always have one (§4.2.1)
  if (!isValidAuthority(host)) return new ProtocolError("ERR_HOST_INVALID", { field: "Host", offset });
  lastAuthority = host;
  lastAuthorityOctets = Buffer.from(host, "latin1");
  return host;
}

function isAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) {
    if (bytes[at + i] !== part[i]) return false;
  }
  return true;
}

/** The methods that nearly all requests have, as constants: comparing with them later costs nothing. */
function commonMethod(bytes: Uint8Array, at: number, length: number): string | null {
  if (length === 3 && bytes[at] === 0x47 && bytes[at + 1] === 0x45 && bytes[at + 2] === 0x54) return "GET";
  if (length !== 4) return null;
  if (bytes[at] === 0x50 && bytes[at + 1] === 0x4f && bytes[at + 2] === 0x53 && bytes[at + 3] === 0x54) return "POST";
  if (bytes[at] === 0x48 && bytes[at + 1] === 0x45 && bytes[at + 2] === 0x41 && bytes[at + 3] === 0x44) return "HEAD";
  return null;
}

function readMethod(method: string, parser: HeadParser, leniencies: Leniencies): string | ProtocolError {
  const offset = parser.methodStart;
  const upper = method.toUpperCase();
  const isKnown = isRegisteredMethod(upper);
  if (
    upper !== method &&
    isKnown &&
    !leniencies.allowLowercaseMethods &&
    !leniencies.additionalMethods.includes(method)
  ) {
    return new ProtocolError("ERR_METHOD_LOWERCASE", { offset });
  }
  const meant = isKnown && leniencies.allowLowercaseMethods ? upper : method;
  // RFC 9110 §9.3.6, §9.3.8: a tunnel and an echo of credentials, neither is an origin server's business
  if (meant === "CONNECT" || meant === "TRACE") return new ProtocolError("ERR_METHOD_REFUSED", { offset });
  if (isRegisteredMethod(meant) || leniencies.additionalMethods.includes(meant)) return meant;
  return new ProtocolError("ERR_METHOD_UNKNOWN", { offset });
}
