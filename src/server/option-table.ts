/**
 * Every option of serve() as plain data: path, type, unit, default, range, meaning, precedent. Data only.
 *
 * Validation runs from this table, `--limits` prints it and a test compares docs/reference/options.md with it, so that a
 * limit cannot be enforced without being documented. Defaults of the wire come from http1/limits.ts.
 */

import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../http1/limits.ts";
import { LIFE_OPTION_ROWS } from "./life-options.ts";
import { integer, type OptionRow, other } from "./option-row.ts";
import { TLS_OPTION_ROWS } from "./tls-option-rows.ts";

export type { OptionRow } from "./option-row.ts";

/** Limits of the server itself; those of the wire are in http1/limits.ts. */
const SERVER_LIMITS: {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxBufferedBytes: number;
  readonly maxEventLoopDelayMs: number;
} = {
  maxConnections: 10_000,
  maxConnectionsPerAddress: Infinity,
  maxBufferedBytes: 1024 * 1024,
  maxEventLoopDelayMs: Infinity,
};

/** Times of the server itself. */
const SERVER_TIMEOUTS: { readonly drainMs: number; readonly lameDuckMs: number; readonly handshakeMs: number } = {
  drainMs: 30_000,
  lameDuckMs: 0,
  handshakeMs: 10_000,
};

const L = DEFAULT_LIMITS;
const T = DEFAULT_TIMEOUTS;
const MIB = 1024 * 1024;

/** All of them, in the order of the reference. */
export const OPTION_TABLE: readonly OptionRow[] = [
  other("fetch", "function", null, "answers requests: (request, context) => Response, or a promise of one; required"),
  integer("port", "", 8080, 0, 65_535, "TCP port; 0 lets the system choose a free one", "Jetty, http-server 8080"),
  other(
    "hostname",
    "text",
    "127.0.0.1",
    "address or name to listen on; 0.0.0.0 or :: for all interfaces",
    "Hugo, Jekyll 127.0.0.1",
  ),
  other("unix", "text", null, "path of a unix socket to listen on in place of port and hostname", "nginx listen unix:"),
  integer(
    "fd",
    "",
    -1,
    -1,
    0x7fff_ffff,
    "descriptor of an inherited listening socket in place of an address; -1 for none",
    "systemd: 3",
  ),
  integer(
    "backlog",
    "",
    511,
    1,
    65_535,
    "connections that the system holds until they are accepted; it may set its own bound",
    "nginx, Node 511",
  ),
  other("signal", "signal", null, "an AbortSignal that closes the server gracefully when it aborts", "Deno.serve"),
  integer(
    "limits.maxHeadBytes",
    "B",
    L.maxHeadBytes,
    128,
    16 * MIB,
    "request line, field lines and empty line of a request",
    "Node, h11 16 KiB",
  ),
  integer(
    "limits.maxFields",
    "",
    L.maxFields,
    1,
    10_000,
    "field lines of a request, and of a trailer section",
    "Apache 100",
  ),
  integer(
    "limits.maxTargetBytes",
    "B",
    L.maxTargetBytes,
    16,
    16 * MIB,
    "request-target; a smaller maxHeadBytes bounds it too",
    "nginx 8 KiB, Apache 8190",
  ),
  integer(
    "limits.maxContentBytes",
    "B",
    L.maxContentBytes,
    0,
    Infinity,
    "content of a request after transfer decoding; 0 allows none",
    "nginx 1 MiB, Kestrel 30 MB",
  ),
  integer(
    "limits.maxChunkLineBytes",
    "B",
    L.maxChunkLineBytes,
    16,
    64 * 1024,
    "a chunk-size line with its extensions",
    "Go 4 KiB, hyper 16 KiB",
  ),
  integer(
    "limits.maxTrailerBytes",
    "B",
    L.maxTrailerBytes,
    0,
    16 * MIB,
    "trailer section of a request; 0 allows none",
    "Node 16 KiB",
  ),
  integer(
    "limits.maxRequestsPerConnection",
    "",
    L.maxRequestsPerConnection,
    1,
    Infinity,
    "requests on one connection; the last answer closes it",
    "nginx 1000, Node no limit",
  ),
  integer(
    "limits.maxDrainBytes",
    "B",
    L.maxDrainBytes,
    0,
    Infinity,
    "unread content that is still taken in after the answer, to keep the connection; 0 closes at once",
    "Node all of it",
  ),
  integer(
    "limits.maxConnections",
    "",
    SERVER_LIMITS.maxConnections,
    1,
    Infinity,
    "open connections; one more is answered 503 and closed",
    "nginx 512, Apache 150",
  ),
  integer(
    "limits.maxConnectionsPerAddress",
    "",
    SERVER_LIMITS.maxConnectionsPerAddress,
    1,
    Infinity,
    "open connections of one remote address; behind a proxy all have the proxy's",
    "nginx limit_conn: off",
  ),
  integer(
    "limits.maxBufferedBytes",
    "B",
    SERVER_LIMITS.maxBufferedBytes,
    0,
    Infinity,
    "content that text(), json(), bytes(), blob() and formData() read at once",
    "Fastify 1 MiB, Express 100 KiB",
  ),
  integer(
    "limits.maxEventLoopDelayMs",
    "ms",
    SERVER_LIMITS.maxEventLoopDelayMs,
    10,
    Infinity,
    "mean delay of the event loop above which requests are answered 503 and their connections closed",
    "@fastify/under-pressure: off",
  ),
  integer(
    "timeouts.headMs",
    "ms",
    T.headMs,
    0,
    Infinity,
    "from a head's first octet, or the opening of a connection, to the head's end; 0 or Infinity: no limit",
    "nginx, Node 60 s",
  ),
  integer(
    "timeouts.handshakeMs",
    "ms",
    SERVER_TIMEOUTS.handshakeMs,
    0,
    Infinity,
    "from the opening of a connection to the end of its TLS handshake, or of its PROXY header; 0 or Infinity: no limit",
    "Kestrel 10 s, nginx 60 s",
  ),
  integer(
    "timeouts.keepAliveMs",
    "ms",
    T.keepAliveMs,
    0,
    Infinity,
    "between an answer and the next request; longer than a load balancer's idle time; 0 or Infinity: no limit",
    "nginx 75 s",
  ),
  integer(
    "timeouts.minContentRate",
    "B/s",
    T.minContentRate,
    0,
    1024 * MIB,
    "least progress of a peer that is waited for, both directions; 0: none is asked for",
    "Kestrel 240 B/s",
  ),
  integer(
    "timeouts.contentGraceMs",
    "ms",
    T.contentGraceMs,
    100,
    Infinity,
    "time before minContentRate is asked for; content that came fast may pause for twelve of it (a minute), and a response is judged in windows of twelve: who stalls is cut off after one to two minutes, see ERR_SEND_TIMEOUT",
    "Kestrel 5 s",
  ),
  integer(
    "timeouts.handlerMs",
    "ms",
    T.handlerMs,
    0,
    Infinity,
    "for a handler to return its Response; 0 or Infinity: no limit",
    "Node, Fastify none",
  ),
  integer(
    "timeouts.lingerMs",
    "ms",
    T.lingerMs,
    0,
    600_000,
    "how long a peer that still sends is listened to after a refusal, so that it can read it; 0: not at all",
    "nginx 5 s",
  ),
  integer(
    "timeouts.lameDuckMs",
    "ms",
    SERVER_TIMEOUTS.lameDuckMs,
    0,
    600_000,
    "from close() to the end of accepting, while health.readyPath says 503; for load balancers that take time to notice",
    "Kubernetes preStop sleep",
  ),
  integer(
    "timeouts.drainMs",
    "ms",
    SERVER_TIMEOUTS.drainMs,
    0,
    Infinity,
    "for close() to let requests finish, then they are cut off; 0: at once, Infinity: no limit",
    "Kubernetes 30 s",
  ),
  other(
    "allowBareLf",
    "boolean",
    DEFAULT_LENIENCIES.allowBareLf,
    "lines may end in LF alone, for netcat and telnet; behind a proxy it invites request smuggling",
  ),
  other(
    "allowLowercaseMethods",
    "boolean",
    DEFAULT_LENIENCIES.allowLowercaseMethods,
    "get counts as GET, against RFC 9110 §9.1",
  ),
  other(
    "additionalMethods",
    "tokens",
    DEFAULT_LENIENCIES.additionalMethods,
    "methods served besides the registered ones; all others are answered 501",
  ),
  other(
    "explainRefusals",
    "boolean",
    true,
    "responses to bad requests name the rule that was broken; false: status and code only",
  ),
  other(
    "replaceGlobals",
    "boolean",
    false,
    "the global Request and Response become Fairlead's, for the whole process and for good",
  ),
  other(
    "sendfile",
    "function",
    null,
    "sends large files within the kernel: linuxSendfile() of fairlead/sendfile; without it they are read and written",
    "nginx sendfile off",
  ),
  ...LIFE_OPTION_ROWS,
  ...TLS_OPTION_ROWS,
  other("hooks.onListen", "function", null, "the server listens"),
  other("hooks.onConnection", "function", null, "a connection was accepted"),
  other("hooks.onConnectionClose", "function", null, "a connection is gone"),
  other("hooks.onRequest", "function", null, "a request was accepted, before the handler sees it"),
  other("hooks.onResponse", "function", null, "a response is over, whole or not"),
  other("hooks.onRefusal", "function", null, "a request or a connection was refused by the server itself"),
  other(
    "hooks.onFault",
    "function",
    null,
    "a handler failed, or something it gave to waitUntil(); without it the failure goes to standard error",
  ),
  other("hooks.onClose", "function", null, "the server is closed"),
];
