/**
 * Every refusal and failure by its stable code: one table code -> status -> sentence -> source of the rule.
 *
 * The table is the only place that pairs a code with a status. Codes are never reused or renamed. Whose fault it was is
 * told by the class: {@link ProtocolError} the peer's, {@link HandlerError} the handler's, {@link HttpError} a handler's
 * deliberate answer. Texts here go to clients: they must never hold a path of the disk, a stack or an upstream's name.
 */

/** One row: what a code means. */
export interface ErrorRow {
  /** Status of the response; 0 where there is none to send. */
  readonly status: number;
  /** What happened, as a sentence without period, for the peer. */
  readonly sentence: string;
  /** Where the rule stands, e.g. `RFC 9112 §6.3`; `""` where it is ours alone. */
  readonly rule: string;
  /** The option that would allow it, where one does. */
  readonly option?: string;
}

const row = (status: number, sentence: string, rule: string, option?: string): ErrorRow =>
  option === undefined ? { status, sentence, rule } : { status, sentence, rule, option };

/** Codes of what peers can do wrong. */
export type ProtocolErrorCode =
  | "ERR_BARE_CR"
  | "ERR_BARE_LF"
  | "ERR_REQUEST_LINE"
  | "ERR_TLS_ON_PLAIN_PORT"
  | "ERR_PLAIN_ON_TLS_PORT"
  | "ERR_METHOD"
  | "ERR_METHOD_UNKNOWN"
  | "ERR_METHOD_LOWERCASE"
  | "ERR_METHOD_REFUSED"
  | "ERR_TARGET"
  | "ERR_TARGET_CHARACTER"
  | "ERR_TARGET_TOO_LONG"
  | "ERR_HTTP_VERSION"
  | "ERR_HTTP_VERSION_MISSING"
  | "ERR_HTTP_VERSION_UNSUPPORTED"
  | "ERR_SPACE_BEFORE_FIELDS"
  | "ERR_FIELD_COLON_MISSING"
  | "ERR_FIELD_NAME"
  | "ERR_FIELD_SPACE_BEFORE_COLON"
  | "ERR_FIELD_VALUE"
  | "ERR_FIELD_FOLDED"
  | "ERR_HEAD_TOO_LARGE"
  | "ERR_TOO_MANY_FIELDS"
  | "ERR_HOST_MISSING"
  | "ERR_HOST_REPEATED"
  | "ERR_HOST_INVALID"
  | "ERR_MISDIRECTED"
  | "ERR_MISDIRECTED_NAME"
  | "ERR_CONNECTION"
  | "ERR_EXPECTATION"
  | "ERR_CONTENT_LENGTH"
  | "ERR_CONTENT_LENGTH_REPEATED"
  | "ERR_LENGTH_AND_CODING"
  | "ERR_TRANSFER_ENCODING"
  | "ERR_TRANSFER_ENCODING_IN_HTTP10"
  | "ERR_TRANSFER_CODING_UNKNOWN"
  | "ERR_CONTENT_TOO_LARGE"
  | "ERR_CONTENT_INCOMPLETE"
  | "ERR_HEAD_INCOMPLETE"
  | "ERR_CHUNK_SIZE"
  | "ERR_CHUNK_EXTENSION"
  | "ERR_CHUNK_LINE_TOO_LONG"
  | "ERR_CHUNK_OVERHEAD"
  | "ERR_CHUNK_END"
  | "ERR_TRAILERS_TOO_LARGE"
  | "ERR_TRAILER_FIELD"
  | "ERR_HEAD_TIMEOUT"
  | "ERR_CONTENT_TIMEOUT"
  | "ERR_SEND_TIMEOUT"
  | "ERR_HANDLER_TIMEOUT"
  | "ERR_TOO_MANY_CONNECTIONS"
  | "ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS"
  | "ERR_OVERLOADED"
  | "ERR_TLS_HANDSHAKE"
  | "ERR_TLS_HANDSHAKE_TIMEOUT"
  | "ERR_PROXY_HEADER"
  | "ERR_PROXY_UNTRUSTED"
  | "ERR_CLOSED_BY_PEER"
  | "ERR_SHUTDOWN"
  | "ERR_BUFFERED_CONTENT_TOO_LARGE"
  | "ERR_JSON"
  | "ERR_FORM";

/** Codes of content, and of other values, that a handler asked for and does not take. */
export type ContentErrorCode =
  | "ERR_CONTENT_MISSING"
  | "ERR_CONTENT_TYPE"
  | "ERR_CONTENT_CHARSET"
  | "ERR_CONTENT_CODING"
  | "ERR_CODED_CONTENT"
  | "ERR_DECODED_CONTENT_TOO_LARGE"
  | "ERR_JSON_TOO_DEEP"
  | "ERR_PROTOTYPE_NAME"
  | "ERR_TOO_MANY_PAIRS"
  | "ERR_MULTIPART"
  | "ERR_MULTIPART_BOUNDARY"
  | "ERR_TOO_MANY_PARTS"
  | "ERR_PART_HEAD_TOO_LARGE"
  | "ERR_PART_TOO_LARGE"
  | "ERR_UPLOAD_TOO_LARGE"
  | "ERR_FILE_EXISTS"
  | "ERR_VALIDATION";

/** Codes of what handlers can do wrong. */
export type HandlerErrorCode =
  | "ERR_HANDLER"
  | "ERR_RESPONSE_MISSING"
  | "ERR_RESPONSE_TWICE"
  | "ERR_RESPONSE_STATUS"
  | "ERR_RESPONSE_FIELD"
  | "ERR_RESPONSE_LENGTH"
  | "ERR_RESPONSE_CONTENT"
  | "ERR_RESPONSE_USED"
  | "ERR_FILE_CHANGED";

/** Codes of what operators can do wrong. */
export type ServerErrorCode =
  | "ERR_OPTIONS"
  | "ERR_CERTIFICATE"
  | "ERR_LISTEN_IN_USE"
  | "ERR_LISTEN_PERMISSION"
  | "ERR_LISTEN_ADDRESS"
  | "ERR_LISTEN"
  | "ERR_PROCESSES";

/** What peers can do wrong. */
const PROTOCOL: Readonly<Record<ProtocolErrorCode, ErrorRow>> = {
  // Request line
  ERR_BARE_CR: row(400, "a CR stands without LF", "RFC 9112 §2.2"),
  ERR_BARE_LF: row(400, "a line ends in LF without CR", "RFC 9112 §2.2", "allowBareLf"),
  ERR_REQUEST_LINE: row(400, "the request line is not method SP request-target SP HTTP-version", "RFC 9112 §3"),
  ERR_TLS_ON_PLAIN_PORT: row(400, "this port speaks plain HTTP, the bytes are a TLS handshake", "RFC 9110 §4.2.1"),
  ERR_PLAIN_ON_TLS_PORT: row(400, "this port speaks HTTPS, not plain HTTP", "RFC 9110 §4.2.2", "tls.allowPlain"),
  ERR_METHOD: row(400, "the method is not a token", "RFC 9110 §9.1"),
  ERR_METHOD_UNKNOWN: row(501, "the method is not one this server knows", "RFC 9110 §9.1", "additionalMethods"),
  ERR_METHOD_LOWERCASE: row(
    501,
    "methods are case-sensitive, this one is written in lower case",
    "RFC 9110 §9.1",
    "allowLowercaseMethods",
  ),
  ERR_METHOD_REFUSED: row(501, "this server does not serve CONNECT or TRACE", "RFC 9110 §9.1"),
  ERR_TARGET: row(400, "the request-target has none of the four forms", "RFC 9112 §3.2"),
  ERR_TARGET_CHARACTER: row(400, "the request-target holds a character that must be percent-encoded", "RFC 3986 §2"),
  ERR_TARGET_TOO_LONG: row(414, "the request-target is too long", "RFC 9110 §15.5.15", "limits.maxTargetBytes"),
  ERR_HTTP_VERSION: row(400, "the HTTP-version is malformed", "RFC 9112 §2.3"),
  ERR_HTTP_VERSION_MISSING: row(400, "the request line has no HTTP-version, HTTP/0.9 is not served", "RFC 9112 §3"),
  ERR_HTTP_VERSION_UNSUPPORTED: row(505, "only HTTP/1.0 and HTTP/1.1 are served here", "RFC 9110 §15.6.6"),
  // Field section
  ERR_SPACE_BEFORE_FIELDS: row(
    400,
    "white space stands between the request line and the first field line",
    "RFC 9112 §2.2",
  ),
  ERR_FIELD_COLON_MISSING: row(400, "a field line has no colon", "RFC 9112 §5"),
  ERR_FIELD_NAME: row(400, "a field name is empty or holds a character that is none of a token", "RFC 9110 §5.1"),
  ERR_FIELD_SPACE_BEFORE_COLON: row(400, "white space stands between a field name and its colon", "RFC 9112 §5.1"),
  ERR_FIELD_VALUE: row(400, "a field value holds a control character", "RFC 9110 §5.5"),
  ERR_FIELD_FOLDED: row(400, "a field line is folded over several lines", "RFC 9112 §5.2"),
  ERR_HEAD_TOO_LARGE: row(
    431,
    "the request line and field lines are too large together",
    "RFC 6585 §5",
    "limits.maxHeadBytes",
  ),
  ERR_TOO_MANY_FIELDS: row(431, "the request has too many field lines", "RFC 6585 §5", "limits.maxFields"),
  ERR_HOST_MISSING: row(400, "an HTTP/1.1 request must have a Host field", "RFC 9112 §3.2"),
  ERR_HOST_REPEATED: row(400, "the request has more than one Host field line", "RFC 9112 §3.2"),
  ERR_HOST_INVALID: row(
    400,
    'the Host field or the authority of the target is not uri-host [ ":" port ]',
    "RFC 9112 §3.2",
  ),
  ERR_MISDIRECTED: row(421, "the target is an https URI, but this connection is not secured", "RFC 9110 §7.4"),
  ERR_MISDIRECTED_NAME: row(
    421,
    "the certificate of this connection is not for the host that the request names",
    "RFC 9110 §15.5.20",
  ),
  ERR_CONNECTION: row(400, "the Connection field is not a list of tokens", "RFC 9110 §7.6.1"),
  ERR_EXPECTATION: row(417, "the only expectation served is 100-continue", "RFC 9110 §10.1.1"),
  // Framing
  ERR_CONTENT_LENGTH: row(400, "Content-Length is not a decimal number", "RFC 9112 §6.3"),
  ERR_CONTENT_LENGTH_REPEATED: row(400, "Content-Length has several values", "RFC 9112 §6.3"),
  ERR_LENGTH_AND_CODING: row(
    400,
    "Content-Length and Transfer-Encoding stand in one request (request smuggling)",
    "RFC 9112 §6.3",
  ),
  ERR_TRANSFER_ENCODING: row(400, "Transfer-Encoding does not end in exactly one chunked", "RFC 9112 §6.3"),
  ERR_TRANSFER_ENCODING_IN_HTTP10: row(400, "an HTTP/1.0 request has Transfer-Encoding", "RFC 9112 §6.1"),
  ERR_TRANSFER_CODING_UNKNOWN: row(501, "the only transfer coding served is chunked", "RFC 9112 §6.1"),
  // Content
  ERR_CONTENT_TOO_LARGE: row(413, "the content is too large", "RFC 9110 §15.5.14", "limits.maxContentBytes"),
  ERR_CONTENT_INCOMPLETE: row(400, "the connection ended before the content did", "RFC 9112 §8"),
  ERR_HEAD_INCOMPLETE: row(400, "the connection ended before the head did", "RFC 9112 §8"),
  ERR_CHUNK_SIZE: row(400, "a chunk size is not a hexadecimal number", "RFC 9112 §7.1"),
  ERR_CHUNK_EXTENSION: row(400, "a chunk extension is malformed", "RFC 9112 §7.1.1"),
  ERR_CHUNK_LINE_TOO_LONG: row(
    400,
    "a chunk size with its extensions is too long",
    "RFC 9112 §7.1.1",
    "limits.maxChunkLineBytes",
  ),
  ERR_CHUNK_OVERHEAD: row(400, "the chunks carry far more extensions than content", "RFC 9112 §7.1.1"),
  ERR_CHUNK_END: row(400, "chunk data does not end in CRLF where its size says", "RFC 9112 §7.1"),
  ERR_TRAILERS_TOO_LARGE: row(431, "the trailer section is too large", "RFC 6585 §5", "limits.maxTrailerBytes"),
  ERR_TRAILER_FIELD: row(400, "a field of this name must not be in a trailer section", "RFC 9110 §6.5.1"),
  // Time and number
  ERR_HEAD_TIMEOUT: row(408, "the head did not arrive in time", "RFC 9110 §15.5.9", "timeouts.headMs"),
  ERR_CONTENT_TIMEOUT: row(408, "the content arrives too slowly", "RFC 9110 §15.5.9", "timeouts.minContentRate"),
  ERR_SEND_TIMEOUT: row(0, "the response is read too slowly", "", "timeouts.minContentRate"),
  ERR_HANDLER_TIMEOUT: row(503, "the answer took too long to make", "RFC 9110 §15.6.4", "timeouts.handlerMs"),
  ERR_TOO_MANY_CONNECTIONS: row(503, "too many connections are open", "RFC 9110 §15.6.4", "limits.maxConnections"),
  ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS: row(
    503,
    "too many connections are open from one address",
    "RFC 9110 §15.6.4",
    "limits.maxConnectionsPerAddress",
  ),
  ERR_OVERLOADED: row(503, "the server has too much to do", "RFC 9110 §15.6.4", "limits.maxEventLoopDelayMs"),
  ERR_TLS_HANDSHAKE: row(0, "the TLS handshake failed", "RFC 8446 §6.2"),
  ERR_TLS_HANDSHAKE_TIMEOUT: row(0, "the TLS handshake was not done in time", "", "timeouts.handshakeMs"),
  ERR_PROXY_HEADER: row(0, "the connection does not begin with a PROXY header", "", "proxyProtocol"),
  ERR_PROXY_UNTRUSTED: row(0, "the connection comes from no trusted proxy", "", "proxyProtocol.from"),
  ERR_CLOSED_BY_PEER: row(0, "the peer closed the connection", "RFC 9112 §9.5"),
  ERR_SHUTDOWN: row(0, "the server was closed before the exchange ended", "RFC 9112 §9.6", "timeouts.drainMs"),
  // Content as a handler reads it
  ERR_BUFFERED_CONTENT_TOO_LARGE: row(
    413,
    "the content is too large to be read at once",
    "RFC 9110 §15.5.14",
    "limits.maxBufferedBytes",
  ),
  ERR_JSON: row(400, "the content is not valid JSON", "RFC 8259 §2"),
  ERR_FORM: row(400, "the content is not a valid form", "RFC 7578 §4"),
};

/** What a handler asked for and does not take. An answer like any other: the connection lives, observers count no refusal. */
const CONTENT: Readonly<Record<ContentErrorCode, ErrorRow>> = {
  ERR_CONTENT_MISSING: row(400, "the request has no content", "RFC 9110 §15.5.1"),
  ERR_CONTENT_TYPE: row(415, "content of this media type is not taken here", "RFC 9110 §15.5.16"),
  ERR_CONTENT_CHARSET: row(415, "the content is not in UTF-8", "RFC 9110 §15.5.16"),
  ERR_CONTENT_CODING: row(415, "content in this coding is not taken here", "RFC 9110 §12.5.3", "decompress"),
  ERR_CODED_CONTENT: row(400, "the content cannot be decoded from its content coding", "RFC 9110 §8.4.1"),
  ERR_DECODED_CONTENT_TOO_LARGE: row(413, "the content is too large once decoded", "RFC 9110 §15.5.14", "maxBytes"),
  ERR_JSON_TOO_DEEP: row(400, "the JSON is nested too deeply", "RFC 8259 §9", "maxDepth"),
  ERR_PROTOTYPE_NAME: row(400, "a name would change the prototype of objects (prototype pollution)", ""),
  ERR_TOO_MANY_PAIRS: row(400, "there are too many names and values", "", "maxFields"),
  ERR_MULTIPART: row(400, "the content is not valid multipart/form-data", "RFC 7578 §4"),
  ERR_MULTIPART_BOUNDARY: row(400, "the media type has no valid boundary", "RFC 2046 §5.1.1"),
  ERR_TOO_MANY_PARTS: row(413, "the form has too many parts", "RFC 9110 §15.5.14", "maxParts"),
  ERR_PART_HEAD_TOO_LARGE: row(413, "the header of a part is too large", "RFC 9110 §15.5.14", "maxPartHeadBytes"),
  ERR_PART_TOO_LARGE: row(413, "a part of the form is too large", "RFC 9110 §15.5.14", "maxPartBytes"),
  ERR_UPLOAD_TOO_LARGE: row(413, "the upload is too large", "RFC 9110 §15.5.14", "maxBytes"),
  ERR_FILE_EXISTS: row(409, "a file of this name is there already", "RFC 9110 §15.5.10"),
  ERR_VALIDATION: row(422, "what was sent is not valid", "RFC 9110 §15.5.21"),
};

/** What handlers can do wrong; the peer sees 500 or a broken connection, the log sees this. */
const HANDLER: Readonly<Record<HandlerErrorCode, ErrorRow>> = {
  ERR_HANDLER: row(500, "the handler threw", ""),
  ERR_RESPONSE_MISSING: row(500, "the handler returned no Response", ""),
  ERR_RESPONSE_TWICE: row(500, "a second final response for one request", "RFC 9110 §3.4"),
  ERR_RESPONSE_STATUS: row(500, "the status is no final status code", "RFC 9110 §15"),
  ERR_RESPONSE_FIELD: row(500, "a response field has an invalid name or value (response splitting)", "RFC 9110 §5.5"),
  ERR_RESPONSE_LENGTH: row(500, "the content does not have its declared Content-Length", "RFC 9110 §8.6"),
  ERR_RESPONSE_CONTENT: row(500, "the content of the response cannot be sent", ""),
  ERR_RESPONSE_USED: row(500, "the content of the response has been read already", ""),
  ERR_FILE_CHANGED: row(
    500,
    "the file changed while it was sent and may be of two versions, so the message was broken off",
    "RFC 9112 §8",
  ),
};

/** What operators can do wrong: `serve()` rejects with it. */
const SERVER: Readonly<Record<ServerErrorCode, ErrorRow>> = {
  ERR_OPTIONS: row(0, "one or more options are invalid", ""),
  ERR_CERTIFICATE: row(0, "a certificate or its key cannot be used", ""),
  ERR_LISTEN_IN_USE: row(0, "the address is in use", ""),
  ERR_LISTEN_PERMISSION: row(0, "listening on the address is not permitted", ""),
  ERR_LISTEN_ADDRESS: row(0, "the address does not exist on this machine", ""),
  ERR_LISTEN: row(0, "listening failed", ""),
  ERR_PROCESSES: row(0, "worker processes could not be started or replaced", ""),
};

export type ErrorCode = ProtocolErrorCode | ContentErrorCode | HandlerErrorCode | ServerErrorCode;

/** The table. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorRow>> = { ...PROTOCOL, ...CONTENT, ...HANDLER, ...SERVER };

/** Where in the request a rule was broken. */
export interface ErrorPlace {
  /** Octets from the start of the request (for content: from the start of the content), -1 if nowhere in particular. */
  readonly offset?: number;
  /** Name of the field concerned. */
  readonly field?: string;
  /** A number or word that helps, e.g. the limit in force. Must be safe to show to the peer. */
  readonly detail?: string;
}

/** The peer broke a rule (RFC 9110 §2.4). Counted, answered if it can be, never logged as an error of ours. */
export class ProtocolError extends Error {
  override readonly name: string = "ProtocolError";
  readonly code: ProtocolErrorCode;
  readonly status: number;
  readonly rule: string;
  readonly option: string;
  readonly offset: number;
  readonly field: string;
  readonly detail: string;

  constructor(code: ProtocolErrorCode, place: ErrorPlace = {}) {
    const known = ERRORS[code];
    // A stack of our own parser tells nobody anything and costs microseconds under attack
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(place.detail === undefined ? known.sentence : `${known.sentence} (${place.detail})`);
    Error.stackTraceLimit = limit;
    this.code = code;
    this.status = known.status;
    this.rule = known.rule;
    this.option = known.option ?? "";
    this.offset = place.offset ?? -1;
    this.field = place.field ?? "";
    this.detail = place.detail ?? "";
  }
}

/** The handler broke a rule of the response, or threw. The peer sees only the status and an id. */
export class HandlerError extends Error {
  override readonly name: string = "HandlerError";
  readonly code: HandlerErrorCode;
  readonly status: number;

  constructor(code: HandlerErrorCode, detail = "", options?: ErrorOptions) {
    super(detail === "" ? ERRORS[code].sentence : `${ERRORS[code].sentence}: ${detail}`, options);
    this.code = code;
    this.status = ERRORS[code].status;
  }
}

/** The server cannot be started as asked. */
export class ServerError extends Error {
  override readonly name: string = "ServerError";
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What an {@link HttpError} may have besides status and message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Extra fields of the response, e.g. `{ "retry-after": "10" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stable code for programs, shown as `code`. Default `""`: none. */
  readonly code?: string;
  /**
   * More members of the problem details (RFC 9457 §3.2). `type`, `title` and `instance` replace what stands there otherwise;
   * other members of our own are not replaced. They must be values of JSON. In text, scalars and `errors` are shown.
   */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

const NO_MEMBERS: Readonly<Record<string, never>> = Object.freeze({});

/**
 * A deliberate answer thrown by a handler: `throw new HttpError(403, "not yours")`. The message is shown to the peer.
 *
 * @throws RangeError if `status` is not an integer from 400 to 599
 */
export class HttpError extends Error {
  override readonly name: string = "HttpError";
  readonly status: number;
  /** Extra fields of the response, e.g. `{ "retry-after": "10" }`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Stable code, `""` for none. Those of Fairlead begin with `ERR_`. */
  readonly code: string;
  /** More members of the problem details. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(status: number, message = "", options: HttpErrorOptions = {}) {
    super(message, options);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`status of an HttpError is 400 to 599, not ${status}`);
    }
    this.status = status;
    this.headers = options.headers ?? NO_MEMBERS;
    this.code = options.code ?? "";
    this.extensions = options.extensions ?? NO_MEMBERS;
  }
}
