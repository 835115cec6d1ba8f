/** Exchanges that are over, as observers get them, without a server. */

import type { Exchange, Outcome, Refusal, SocketAddress } from "../../../src/http/exchange.ts";
import { ProtocolError, type ProtocolErrorCode } from "../../../src/http/errors.ts";
import { Fields } from "../../../src/http/fields.ts";
import type { ResponseInfo } from "../../../src/server/hooks.ts";
import type { TimeSource } from "../../../src/web/clock.ts";

/** 2000-10-10T13:55:36.000Z */
const MOMENT_MS: number = Date.UTC(2000, 9, 10, 13, 55, 36);

/** What may differ from `GET / HTTP/1.1` answered 200 with 13 octets after 1.5 ms. */
export interface ExchangeFacts {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  readonly authority?: string;
  readonly fields?: ReadonlyArray<readonly [string, string]>;
  readonly address?: string;
  readonly family?: SocketAddress["family"];
  readonly isEncrypted?: boolean;
  readonly requestId?: string;
  readonly traceParent?: string;
  readonly status?: number;
  readonly outcome?: Outcome;
  readonly contentBytes?: number;
  readonly requestContentBytes?: number;
  readonly durationMs?: number;
  readonly firstByteMs?: number;
  readonly route?: string;
}

export function exchangeOf(facts: ExchangeFacts = {}): Exchange {
  const { method = "GET", target = "/", version = "1.1", authority = "a.example", fields = [] } = facts;
  const { address = "192.0.2.7", family = "IPv4", isEncrypted = false } = facts;
  return {
    request: { method, target, version, authority, scheme: "http", fields: Fields.from(fields) },
    connection: {
      id: 1,
      remoteAddress: { address, port: 1, family },
      localAddress: { address: "192.0.2.1", port: 8080, family },
      isEncrypted,
      alpnProtocol: "http/1.1",
      serverName: null,
    },
    requestId: facts.requestId ?? "",
    traceParent: facts.traceParent ?? "",
  } as unknown as Exchange;
}

export function responseOf(facts: ExchangeFacts = {}): ResponseInfo {
  const durationMs = facts.durationMs ?? 1.5;
  return {
    exchange: exchangeOf(facts),
    outcome: facts.outcome ?? "complete",
    durationMs,
    firstByteMs: facts.firstByteMs ?? durationMs,
    status: facts.status ?? 200,
    contentBytes: facts.contentBytes ?? 13,
    requestContentBytes: facts.requestContentBytes ?? 0,
    route: facts.route ?? "",
  };
}

/** @param exchange the one that is under way; default none */
export function refusalOf(
  code: ProtocolErrorCode,
  facts: ExchangeFacts = {},
  exchange: Exchange | null = null,
): Refusal {
  const { connection } = exchangeOf(facts);
  const { method = "", target = "" } = facts;
  return { error: new ProtocolError(code), connection, method, target, exchange };
}

/** Time that a test moves; what waits is called when it is passed. */
export class HandTime implements TimeSource {
  wallMs: number = MOMENT_MS;
  passedMs = 0;
  #waiting: Array<{ readonly atMs: number; readonly callback: () => void }> = [];

  nowMs(): number {
    return this.wallMs;
  }

  elapsedMs(): number {
    return this.passedMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.passedMs + delayMs, callback };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== entry);
    };
  }

  advance(ms: number): void {
    this.wallMs += ms;
    this.passedMs += ms;
    const due = this.#waiting.filter((one) => one.atMs <= this.passedMs);
    this.#waiting = this.#waiting.filter((one) => one.atMs > this.passedMs);
    for (const { callback } of due) callback();
  }
}
