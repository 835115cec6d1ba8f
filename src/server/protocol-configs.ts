/**
 * What the connections of a server are made with, by what they are for: to be served, in plain text or under TLS, or to be sent
 * on to HTTPS.
 *
 * All of it is made once, when the server starts. Every request passes the same counting and observing, whatever answers it.
 */

import { ProtocolError } from "../http/errors.ts";
import type { Exchange, Outcome, WireExchange } from "../http/exchange.ts";
import { createExchangeHandler, nextFaultId } from "../web/handler.ts";
import type { TimeSource } from "./clock.ts";
import { withHealth } from "./health.ts";
import type { GuardedHooks } from "./hooks.ts";
import { createRedirect } from "./https-redirect.ts";
import type { ResolvedOptions } from "./options.ts";
import type { ConnectionUse } from "./preface.ts";
import type { ProtocolConfig } from "./protocol.ts";
import type { TlsEndpoint } from "./tls-endpoint.ts";
import { ForwardingTrust } from "./trust.ts";

/** Of one server. */
export interface ProtocolConfigs {
  /** Served in plain text. */
  readonly plain: ProtocolConfig;
  /** Served under TLS. */
  readonly secured: ProtocolConfig;
  /** Plain text on a port of TLS. */
  readonly insisting: ProtocolConfig;
  /** Plain text on the port that is there to send people on. */
  readonly redirecting: ProtocolConfig;
}

/** What requests need of their server. */
export interface RequestOwner {
  /** One more was given to a handler. */
  countRequest(): void;
  waitUntil(promise: Promise<unknown>): void;
  /** Asked for readiness. */
  readonly isReady: boolean;
  /** Asked for each request where there is a limit. */
  readonly eventLoopDelayMs: number;
  /** Port that HTTPS is spoken on; asked when a request is to be sent there. */
  readonly port: number;
}

type Answer = (exchange: Exchange) => void;

/** Makes them. */
export function createProtocolConfigs(
  options: ResolvedOptions,
  hooks: GuardedHooks,
  time: TimeSource,
  owner: RequestOwner,
): ProtocolConfigs {
  const { limits, timeouts, leniencies, isExplaining, fetch, tls, redirectFrom, transportSecurity } = options;
  const handlerOptions = {
    maxBufferedBytes: limits.maxBufferedBytes,
    onFault: hooks.onFault,
    waitUntil: (promise: Promise<unknown>) => owner.waitUntil(promise),
  };
  const { onResponse, onRefusal } = hooks;
  const events = Object.freeze({
    onRefusal,
    onExchangeEnd: onResponse === null ? null : reportResponse(onResponse, time),
    onContentBegin: onResponse === null ? null : (exchange: Exchange) => (exchange.contentMark = time.monotonicMs()),
    onHandlerTimeout: (exchange: Exchange, error: ProtocolError): string => {
      // It waits for its client
      if (error.code !== "ERR_HANDLER_TIMEOUT") return "";
      const id = nextFaultId();
      hooks.onFault({ id, error, exchange });
      return id;
    },
    onCallbackError: (error: unknown, exchange: Exchange | null) => hooks.onFault({ id: "", error, exchange }),
  });
  const make = (answer: Answer, line: string): ProtocolConfig =>
    Object.freeze({
      limits,
      timeouts,
      leniencies,
      isExplaining,
      events,
      handle: presented(observed(answer, hooks, time, owner), options),
      transportSecurity: line,
    });
  const answer = guarded(createExchangeHandler(fetch, handlerOptions), options, owner);
  const plain = make(answer, "");
  const challengeHandler = redirectFrom === null ? null : redirectFrom.challenge;
  const challenge = challengeHandler === null ? null : createExchangeHandler(challengeHandler, handlerOptions);
  return {
    plain,
    secured: tls === null ? plain : make(directed(answer, tls.endpoint), transportSecurity),
    insisting: make(createRedirect({ port: () => 0, isSafeOnly: true, challenge }), ""),
    redirecting: make(createRedirect({ port: () => redirectTo(options, owner), isSafeOnly: false, challenge }), ""),
  };
}

/** Port of HTTPS as clients see it: what was said, else ours, else the usual one, of whoever does TLS in front of us. */
function redirectTo({ redirectFrom, tls }: ResolvedOptions, owner: RequestOwner): number {
  if (redirectFrom !== null && redirectFrom.toPort > 0) return redirectFrom.toPort;
  return tls === null ? 443 : owner.port;
}

/** Which of them a connection is made with. */
export function configFor(configs: ProtocolConfigs, use: ConnectionUse, isEncrypted: boolean): ProtocolConfig {
  switch (use) {
    case "serve":
      return isEncrypted ? configs.secured : configs.plain;
    case "insist":
      return configs.insisting;
    case "redirect":
      return configs.redirecting;
  }
}

/** Before anybody sees a request: as it was at a proxy's client, where proxies are trusted. */
function presented(answer: Answer, { trust }: ResolvedOptions): (exchange: WireExchange) => void {
  if (trust === null) return answer;
  const forwarding = new ForwardingTrust(trust);
  return (exchange) => {
    forwarding.present(exchange);
    answer(exchange);
  };
}

/** In front of the handler: questions after health, and beyond them no more than can be answered in time. */
function guarded(answer: Answer, { limits, health }: ResolvedOptions, owner: RequestOwner): Answer {
  const { maxEventLoopDelayMs } = limits;
  const shedding: Answer =
    maxEventLoopDelayMs === Infinity
      ? answer
      : (exchange) => {
          if (owner.eventLoopDelayMs <= maxEventLoopDelayMs) answer(exchange);
          else exchange.refuse(new ProtocolError("ERR_OVERLOADED"));
        };
  return health === null ? shedding : withHealth(shedding, health, owner);
}

/** Counts, and tells who wants to know. */
function observed(answer: Answer, hooks: GuardedHooks, time: TimeSource, owner: RequestOwner): Answer {
  const { onRequest, onResponse } = hooks;
  if (onRequest === null && onResponse === null) {
    return (exchange) => {
      owner.countRequest();
      answer(exchange);
    };
  }
  return (exchange) => {
    owner.countRequest();
    exchange.mark = time.monotonicMs();
    onRequest?.(exchange);
    answer(exchange);
  };
}

/**
 * Refuses requests for a host that the connection was not secured for (RFC 9110 §7.4, §15.5.20), where there are several that
 * it could have been. A browser that finds one address behind two names may use one connection for both; it then opens another.
 */
function directed(answer: Answer, endpoint: TlsEndpoint): Answer {
  return (exchange) => {
    if (!endpoint.hasSeveral) return answer(exchange);
    const host = exchange.request.authority.replace(/:[0-9]*$/, "").toLowerCase();
    if (endpoint.isFor(host, exchange.connection.serverName)) answer(exchange);
    else exchange.refuse(new ProtocolError("ERR_MISDIRECTED_NAME"));
  };
}

function reportResponse(onResponse: NonNullable<GuardedHooks["onResponse"]>, time: TimeSource) {
  return (exchange: Exchange, outcome: Outcome): void => {
    const { mark, contentMark, content } = exchange;
    const durationMs = time.monotonicMs() - mark;
    onResponse({
      exchange,
      outcome,
      durationMs,
      firstByteMs: contentMark === 0 ? durationMs : contentMark - mark,
      status: exchange.status,
      requestContentBytes: content.isEmpty ? 0 : (content.received ?? 0),
      contentBytes: exchange.contentBytesSent,
      route: exchange.route,
    });
  };
}
