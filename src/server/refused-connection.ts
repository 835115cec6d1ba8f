/**
 * A connection that the server has no room for: it gets one response, a moment to read it, and is closed.
 *
 * Nothing that it sends is interpreted. It lingers (RFC 9112 §9.6), because a close with unread octets resets the connection
 * and the response would be lost with it; but briefly, and within bytes, because a flood of connections must not cost much.
 */

import type { Clock, ProtocolConnection, Transport } from "../http/exchange.ts";

/** Time to read the response. A round trip across the world takes 0.3 s. */
const LINGER_MS = 2_000;
/** Octets that are taken in meanwhile: a request without content. */
const MAX_DROPPED_BYTES = 16 * 1024;

/** The response to it, ready to be written. */
export interface ConnectionRefusal {
  /** All of it, in latin1. */
  readonly text: string;
  /** Octets of its content. */
  readonly contentBytes: number;
}

/** Answers and closes. */
export class RefusedConnection implements ProtocolConnection {
  readonly deadlineMs: number;
  readonly #transport: Transport;
  #droppedBytes = 0;

  /** @param response latin1 text */
  constructor(transport: Transport, clock: Clock, response: string) {
    this.#transport = transport;
    this.deadlineMs = clock.nowMs + LINGER_MS;
    transport.write(response);
    transport.end();
  }

  get isIdle(): boolean {
    return false;
  }

  receive(chunk: Uint8Array): void {
    this.#droppedBytes += chunk.length;
    if (this.#droppedBytes > MAX_DROPPED_BYTES) this.#transport.destroy();
  }

  receiveEnd(): void {}

  flush(): void {}

  writable(): void {}

  closed(): void {}

  expire(): void {
    this.#transport.destroy();
  }

  shutdown(): void {
    this.#transport.destroy();
  }
}
