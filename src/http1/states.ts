/**
 * What an HTTP/1 connection is made with, and the names of the states that it can be in.
 *
 * The states are integers, changed in connection.ts alone. The pairs that make sense: head+idle, content|blocked+pending,
 * content|blocked+streaming, content+done (draining), discard+pending|streaming (content refused), discard+closed (lingering),
 * tunnel+closed, closed+closed.
 */

import type { WireEvents, WireExchange } from "../http/exchange.ts";
import type { Leniencies, WireLimits, WireTimeouts } from "./limits.ts";

/** What a connection is made with; one frozen object for all connections of a server. */
export interface Http1Config {
  readonly limits: WireLimits;
  readonly timeouts: WireTimeouts;
  readonly leniencies: Leniencies;
  /** Called once per accepted request. Must not throw; may answer before it returns. */
  readonly handle: (exchange: WireExchange) => void;
  readonly events: WireEvents;
  /** False: refusals say status and code, not which rule was broken where. */
  readonly isExplaining: boolean;
  /** Strict-Transport-Security (RFC 6797 §6.1) as a line with its CRLF, on a connection under TLS; `""` or absent: none. */
  readonly transportSecurity?: string;
}

/** What the bytes that arrive are taken for. */
export const READING = {
  /** A request head, or nothing yet. */
  head: 0,
  /** Content of the current request. */
  content: 1,
  /** The current request is whole; bytes wait for its answer. */
  blocked: 2,
  /** Nothing is believed any more; bytes are dropped until the peer ends (lingering close, RFC 9112 §9.6). */
  discard: 3,
  /** Another protocol's. */
  tunnel: 4,
  closed: 5,
} as const;

/** Where the answer is. */
export const WRITING = {
  /** There is no request to answer. */
  idle: 0,
  /** The handler has the request. */
  pending: 1,
  /** Head out, content under way. */
  streaming: 2,
  /** The response is handed over; the request's content is still coming. */
  done: 3,
  closed: 4,
} as const;
