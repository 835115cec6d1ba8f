/**
 * Status codes (RFC 9110 §15) with their registered reason phrases, and what a status says about content.
 *
 * The table is the registry's (RFC 9110 §16.2): RFC 9110, 4918, 5842, 3229, 2295, 2774, 6585, 7538 (in 9110), 7725, 8297
 * and 8470. Pure lookups: this file must never decide which status an answer has.
 */

const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  208: "Already Reported",
  226: "IM Used",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  305: "Use Proxy",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  // 306 and 418 are registered as "(Unused)" (RFC 9110 §15.4.7, §15.5.19) and so have no phrase
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  506: "Variant Also Negotiates",
  507: "Insufficient Storage",
  508: "Loop Detected",
  510: "Not Extended",
  511: "Network Authentication Required",
};

/** Phrase of each code from 0 to 599, so that a lookup is one array read. */
const PHRASES: readonly string[] = Array.from({ length: 600 }, (_, status) => REASONS[status] ?? "");

/**
 * The registered reason phrase of `status` (RFC 9110 §15).
 *
 * @returns `""` for a code that is not registered
 */
export function reasonPhrase(status: number): string {
  return PHRASES[status] ?? "";
}

/** The registered codes, ascending. */
export function registeredStatuses(): number[] {
  return Object.keys(REASONS).map(Number);
}

/** Whether `status` may be that of a final response (RFC 9110 §15): an integer from 200 to 599. */
export function isFinalStatus(status: number): boolean {
  return status >= 200 && status <= 599 && Number.isInteger(status);
}

/** Whether a response of `status` ends with its head, whatever its fields say (RFC 9110 §6.4.1, RFC 9112 §6.3): 1xx, 204, 304. */
export function forbidsContent(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/** Whether Content-Length must not be sent (RFC 9110 §8.6): 1xx and 204. A 304 may tell the length that a 200 would have had. */
export function forbidsContentLength(status: number): boolean {
  return status < 200 || status === 204;
}

/**
 * Whether content must be empty, though the message is framed like any other: 205 (RFC 9110 §15.3.6). A server says so
 * with `Content-Length: 0`.
 */
export function requiresEmptyContent(status: number): boolean {
  return status === 205;
}
