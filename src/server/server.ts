/**
 * serve(): options become a listening server; Server: what its owner can ask and tell it.
 *
 * Steps of a life: options -> listen -> connections come and go -> close (stop accepting, finish what runs, cut off the rest
 * after a time) -> finished. It ties the rooms together and does nothing per request but count. Signals of the process are
 * not its business.
 */

import type { ProtocolError } from "../http/errors.ts";
import type { Exchange, Outcome, SocketAddress } from "../http/exchange.ts";
import { createExchangeHandler } from "../web/handler.ts";
import { replaceGlobals } from "../web/platform.ts";
import { Request } from "../web/request.ts";
import { Response } from "../web/response.ts";
import { SYSTEM_TIME, type TimeSource } from "./clock.ts";
import { Connections } from "./connections.ts";
import { type CloseSummary, type GuardedHooks, guardHooks } from "./hooks.ts";
import { Listener } from "./listener.ts";
import { type ResolvedOptions, resolveOptions, type ServeOptions } from "./options.ts";
import { OPEN_SERVERS } from "./open-servers.ts";
import { createProtocol, type ProtocolConfig, renderConnectionRefusal } from "./protocol.ts";

/** Counts since the server was started. */
export interface ServerStats {
  /** Connections that are open now. */
  readonly openConnections: number;
  readonly acceptedConnections: number;
  /** Turned away because of a limit. */
  readonly refusedConnections: number;
  /** Not handed over by the system, e.g. for want of descriptors. */
  readonly acceptErrors: number;
  /** Requests that a handler was given. */
  readonly requests: number;
}

/**
 * Starts a server.
 *
 * @returns when it listens
 * @throws ServerError ERR_OPTIONS with all mistakes at once; ERR_LISTEN_IN_USE, ERR_LISTEN_PERMISSION, ERR_LISTEN_ADDRESS or
 *   ERR_LISTEN with what to do about it; the reason of `options.signal` if that has aborted
 */
export function serve(options: ServeOptions): Promise<Server> {
  return startServer(options, SYSTEM_TIME);
}

/** {@link serve} with another source of time, for tests. */
export async function startServer(options: ServeOptions, time: TimeSource): Promise<Server> {
  const resolved = resolveOptions(options);
  resolved.signal?.throwIfAborted();
  if (resolved.replacesGlobals) replaceGlobals(Request as typeof globalThis.Request, Response as typeof globalThis.Response);
  const server = new Server(resolved, time);
  await server.listen();
  return server;
}

/** A server that listens. Made by {@link serve}. */
export class Server implements AsyncDisposable {
  /** Resolves when the server is closed and all connections are gone, however that came about. */
  readonly finished: Promise<CloseSummary>;
  readonly #options: ResolvedOptions;
  readonly #time: TimeSource;
  readonly #hooks: GuardedHooks;
  readonly #connections: Connections;
  readonly #waitingFor: Set<Promise<unknown>> = new Set();
  readonly #onSignal: () => void;
  #listener: Listener | null = null;
  #url: URL | null = null;
  #finish: (summary: CloseSummary) => void = () => {};
  #requests = 0;
  #isHolding = true;
  /** Times are of the monotonic source. */
  #closingSinceMs = -1;
  #drainEndMs = Infinity;
  #cancelDrain: (() => void) | null = null;
  #isCutOff = false;
  #isFinished = false;
  #destroyedConnections = 0;
  #abandonedPromises = 0;

  /** @internal */
  constructor(options: ResolvedOptions, time: TimeSource) {
    this.#options = options;
    this.#time = time;
    this.#hooks = guardHooks(options.hooks);
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#onSignal = () => void this.close();
    const config = this.#protocolConfig();
    this.#connections = new Connections(
      {
        maxConnections: options.limits.maxConnections,
        maxConnectionsPerAddress: options.limits.maxConnectionsPerAddress,
        unixPath: options.target.kind === "unix" ? options.target.path : null,
        hooks: this.#hooks,
        createProtocol: (transport, clock) => createProtocol(transport, clock, config),
        renderRefusal: (error: ProtocolError, dateText) =>
          renderConnectionRefusal(error, dateText, options.isExplaining),
        onEmpty: () => this.#checkFinished(),
      },
      time,
    );
  }

  /** @internal */
  async listen(): Promise<void> {
    const { target, signal } = this.#options;
    this.#listener = await Listener.open(target, this.#connections);
    this.#url = urlOf(this.#listener.address, target.kind === "tcp" ? target.hostname : "");
    if (signal?.aborted === true) {
      await this.close({ drainMs: 0 });
      signal.throwIfAborted();
    }
    signal?.addEventListener("abort", this.#onSignal, { once: true });
    OPEN_SERVERS.add(this);
    this.#hooks.onListen?.(this);
  }

  /**
   * Where a browser on this machine finds it, e.g. `http://127.0.0.1:8080/`; `localhost` if it listens on all interfaces,
   * `unix:/path` for a unix socket. A new object each time.
   */
  get url(): URL {
    return new URL(this.#url ?? "about:blank");
  }

  /** Where it listens, as the system says. */
  get address(): SocketAddress {
    return this.#listener?.address ?? { address: "", port: 0, family: "IPv4" };
  }

  /** TCP port that it listens on, 0 for a unix socket. */
  get port(): number {
    return this.address.port;
  }

  /** As it was asked for, or the address where nothing was; `""` for a unix socket. */
  get hostname(): string {
    const target = this.#options.target;
    if (target.kind === "tcp") return target.hostname;
    return this.address.family === "unix" ? "" : this.address.address;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#connections.open;
  }

  /** Whether {@link close} or {@link closeNow} was called. */
  get isClosing(): boolean {
    return this.#closingSinceMs >= 0;
  }

  /** Counts since the start. */
  get stats(): ServerStats {
    const { open, accepted, refused, acceptErrors } = this.#connections;
    return {
      openConnections: open,
      acceptedConnections: accepted,
      refusedConnections: refused,
      acceptErrors,
      requests: this.#requests,
    };
  }

  /**
   * Closes gracefully: stops accepting, closes idle connections, lets requests finish and what was given to `waitUntil()`
   * settle, and cuts off what is left after `drainMs`. Called again, it can only bring that moment nearer.
   *
   * @param options.drainMs milliseconds, 0 or more, default `timeouts.drainMs`; Infinity: no limit
   * @param options.lastCallMs milliseconds that an idle connection stays open for one more request, which is answered with
   *   `Connection: close`; default 0. Where another server takes over at once, nobody then meets a connection that closes under
   *   a request (nginx keepalive_min_timeout). Only the first call counts
   * @returns when all is over, with what had to be cut off; rejects with RangeError if one of them is no such number
   */
  close(
    options: { readonly drainMs?: number | undefined; readonly lastCallMs?: number | undefined } = {},
  ): Promise<CloseSummary> {
    const { drainMs = this.#options.timeouts.drainMs, lastCallMs = 0 } = options;
    for (const [name, value] of Object.entries({ drainMs, lastCallMs })) {
      if (typeof value === "number" && value >= 0) continue;
      return Promise.reject(new RangeError(`${name} is 0 or more milliseconds, not ${String(value)}`));
    }
    this.#beginClosing(lastCallMs);
    if (!this.#isFinished && !this.#isCutOff) this.#bound(drainMs);
    return this.finished;
  }

  /** Closes without waiting for anybody: requests under way are cut off. {@link finished} tells when it is done. */
  closeNow(): void {
    this.#beginClosing(0);
    this.#cutOff();
  }

  /** Keeps the process alive as long as the server listens; so from the start. */
  ref(): void {
    this.#isHolding = true;
    this.#listener?.ref();
  }

  /** Lets the process end although the server listens. Connections that are open keep it alive all the same. */
  unref(): void {
    this.#isHolding = false;
    this.#listener?.unref();
  }

  /** `await using server = await serve(…)` closes it gracefully at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #beginClosing(lastCallMs: number): void {
    if (this.isClosing) return;
    this.#closingSinceMs = this.#time.monotonicMs();
    this.#options.signal?.removeEventListener("abort", this.#onSignal);
    this.#listener?.close();
    this.#connections.shutdown(lastCallMs);
    this.#checkFinished();
  }

  /** Sets the moment of the end, if it is sooner than what was set. */
  #bound(drainMs: number): void {
    const endMs = this.#time.monotonicMs() + drainMs;
    if (endMs >= this.#drainEndMs) return;
    this.#drainEndMs = endMs;
    this.#cancelDrain?.();
    this.#cancelDrain = null;
    if (drainMs === 0) this.#cutOff();
    // Holding the process: a promise given to waitUntil() may be all that is left, and would be dropped without a word
    else this.#cancelDrain = this.#time.after(drainMs, () => this.#cutOff(), this.#isHolding);
  }

  #cutOff(): void {
    if (this.#isFinished || this.#isCutOff) return;
    this.#isCutOff = true;
    this.#abandonedPromises = this.#waitingFor.size;
    this.#destroyedConnections = this.#connections.destroyAll();
    this.#checkFinished();
  }

  #checkFinished(): void {
    if (!this.isClosing || this.#isFinished || !this.#connections.isEmpty) return;
    if (this.#waitingFor.size > 0 && !this.#isCutOff) return;
    this.#isFinished = true;
    OPEN_SERVERS.delete(this);
    this.#cancelDrain?.();
    this.#connections.clock.stop();
    this.#connections.buffers.clear();
    const summary: CloseSummary = Object.freeze({
      durationMs: this.#time.monotonicMs() - this.#closingSinceMs,
      destroyedConnections: this.#destroyedConnections,
      abandonedPromises: this.#abandonedPromises,
    });
    this.#hooks.onClose?.(summary);
    this.#finish(summary);
  }

  #protocolConfig(): ProtocolConfig {
    const { limits, timeouts, leniencies, isExplaining, fetch } = this.#options;
    const hooks = this.#hooks;
    const answer = createExchangeHandler(fetch, {
      maxBufferedBytes: limits.maxBufferedBytes,
      onFault: hooks.onFault,
      waitUntil: (promise) => this.#waitUntil(promise),
    });
    const { onRequest, onResponse, onRefusal } = hooks;
    const time = this.#time;
    const isObserved = onRequest !== null || onResponse !== null;
    return Object.freeze({
      limits,
      timeouts,
      leniencies,
      isExplaining,
      events: Object.freeze({
        onRefusal,
        onExchangeEnd: onResponse === null ? null : reportResponse(onResponse, time),
        onContentBegin:
          onResponse === null ? null : (exchange: Exchange) => (exchange.contentMark = time.monotonicMs()),
        onCallbackError: (error: unknown, exchange: Exchange | null) => hooks.onFault({ id: "", error, exchange }),
      }),
      handle: isObserved
        ? (exchange: Exchange): void => {
            this.#requests++;
            exchange.mark = time.monotonicMs();
            onRequest?.(exchange);
            answer(exchange);
          }
        : (exchange: Exchange): void => {
            this.#requests++;
            answer(exchange);
          },
    });
  }

  /** Holds the end of close() back until `promise` has settled. */
  #waitUntil(promise: Promise<unknown>): void {
    this.#waitingFor.add(promise);
    const settled = (): void => {
      this.#waitingFor.delete(promise);
      this.#checkFinished();
    };
    promise.then(settled, (error: unknown) => {
      this.#hooks.onFault({ id: "", error, exchange: null });
      settled();
    });
  }
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

function urlOf(address: SocketAddress, hostname: string): URL {
  if (address.family === "unix")
    return new URL(`unix:${encodeURI(address.address).replace(/[?#]/g, encodeURIComponent)}`);
  let host = hostname === "" ? address.address : hostname;
  // RFC 1122 §3.2.1.3: "this host on this network" is no destination
  if (host === "0.0.0.0" || host === "::") host = "localhost";
  // RFC 3986 §3.2.2 has brackets for IPv6 and no place for a zone (fe80::1%eth0)
  if (host.includes(":")) host = `[${host.replace(/%.*$/, "")}]`;
  return new URL(`http://${host}:${address.port}/`);
}
