/**
 * serve(): options become a listening server; Server: what its owner can ask and tell it.
 *
 * Steps of a life: options -> listen -> connections come and go -> close (stop accepting, finish what runs, cut off the rest
 * after a time) -> finished. It ties the rooms together and does nothing per request but count. Signals of the process are
 * not its business.
 */

import type { ProtocolError } from "../http/errors.ts";
import type { SocketAddress } from "../http/exchange.ts";
import { replaceGlobals } from "../web/platform.ts";
import { Request } from "../web/request.ts";
import { Response } from "../web/response.ts";
import { SYSTEM_TIME, type TimeSource } from "./clock.ts";
import { Connections } from "./connections.ts";
import { roomFor } from "./descriptors.ts";
import type { Readiness } from "./health.ts";
import { type CloseSummary, type GuardedHooks, guardHooks } from "./hooks.ts";
import { LoadGauge } from "./load-gauge.ts";
import { Listeners } from "./listeners.ts";
import { type ResolvedOptions, resolveOptions, type ServeOptions } from "./options.ts";
import { addOpenServer, type CloseOptions, OPEN_SERVERS } from "./open-servers.ts";
import { createProtocol, renderConnectionRefusal } from "./protocol.ts";
import { configFor, createProtocolConfigs } from "./protocol-configs.ts";
import { TlsKeeper } from "./tls-keeper.ts";
import { TICKET_KEY_BYTES } from "./tls-settings.ts";

/** Counts since the server was started. */
export interface ServerStats {
  /** Connections that are open now. */
  readonly openConnections: number;
  readonly acceptedConnections: number;
  /** Turned away because of a limit. */
  readonly refusedConnections: number;
  /** Not handed over by the system, e.g. for want of descriptors. */
  readonly acceptErrors: number;
  /** Ended before their protocol began: TLS handshakes and PROXY headers that failed. */
  readonly failedHandshakes: number;
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
  if (resolved.replacesGlobals)
    replaceGlobals(Request as typeof globalThis.Request, Response as typeof globalThis.Response);
  const server = new Server(resolved, time);
  await server.listen();
  return server;
}

/** A server that listens. Made by {@link serve}. */
export class Server implements AsyncDisposable, Readiness {
  /** Resolves when the server is closed and all connections are gone, however that came about. */
  readonly finished: Promise<CloseSummary>;
  readonly #options: ResolvedOptions;
  readonly #time: TimeSource;
  readonly #hooks: GuardedHooks;
  readonly #connections: Connections;
  readonly #waitingFor: Set<Promise<unknown>> = new Set();
  readonly #onSignal: () => void;
  readonly #tlsKeeper: TlsKeeper | null;
  readonly #gauge: LoadGauge;
  readonly #listeners: Listeners;
  #finish: (summary: CloseSummary) => void = () => {};
  #requests = 0;
  #isHolding = true;
  /** Times are of the monotonic source. */
  #closingSinceMs = -1;
  #acceptEndMs = Infinity;
  #cancelAcceptEnd: (() => void) | null = null;
  #isAccepting = false;
  #lastCallMs = 0;
  #isReplaced = false;
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
    // One that closes only to make place for another may still have to end for good
    this.#onSignal = () => void ((!this.isClosing || this.#isReplaced) && this.close());
    const { tls, proxyTrust, timeouts } = options;
    this.#tlsKeeper = tls === null ? null : new TlsKeeper(tls, time);
    this.#gauge = new LoadGauge(time);
    this.#listeners = new Listeners({ ...options, isEncrypted: tls !== null });
    const configs = createProtocolConfigs(options, this.#hooks, time, this);
    const hasPreface = tls !== null || proxyTrust !== null;
    this.#connections = new Connections(
      {
        ...roomFor(options.limits.maxConnections),
        maxConnectionsPerAddress: options.limits.maxConnectionsPerAddress,
        hooks: this.#hooks,
        sendfile: options.sendfile,
        preface: hasPreface
          ? Object.freeze({
              tls: tls === null ? null : tls.endpoint,
              proxy: proxyTrust,
              handshakeMs: timeouts.handshakeMs === 0 ? Infinity : timeouts.handshakeMs,
              plainUse: tls === null || tls.allowPlain ? "serve" : "insist",
            })
          : null,
        createProtocol: (transport, clock, use) =>
          createProtocol(transport, clock, configFor(configs, use, transport.info.isEncrypted)),
        renderRefusal: (error: ProtocolError, dateText) =>
          renderConnectionRefusal(error, dateText, options.isExplaining),
        onEmpty: () => this.#checkFinished(),
      },
      time,
    );
  }

  /** @internal */
  async listen(): Promise<void> {
    const { signal, limits } = this.#options;
    try {
      await this.#listeners.open(this.#connections);
    } catch (error) {
      // Who has come in by one of several places meanwhile
      this.#connections.destroyAll();
      throw error;
    }
    this.#isAccepting = true;
    if (limits.maxEventLoopDelayMs !== Infinity) this.#gauge.start();
    this.#tlsKeeper?.start();
    if (signal?.aborted === true) {
      await this.close({ drainMs: 0, lameDuckMs: 0 });
      signal.throwIfAborted();
    }
    signal?.addEventListener("abort", this.#onSignal, { once: true });
    addOpenServer(this);
    this.#hooks.onListen?.(this);
  }

  /**
   * Where a browser on this machine finds it, e.g. `http://127.0.0.1:8080/`; `localhost` if it listens on all interfaces,
   * `unix:/path` for a unix socket. A new object each time.
   */
  get url(): URL {
    return this.urls[0] ?? new URL("about:blank");
  }

  /** {@link url} of every place that it listens at, in the order of `listen`. */
  get urls(): URL[] {
    return this.#listeners.urls;
  }

  /** All places that it listens at, as the system says. */
  get addresses(): readonly SocketAddress[] {
    return this.#listeners.addresses;
  }

  /** Where it listens, as the system says; of several places the first. */
  get address(): SocketAddress {
    return this.#listeners.addresses[0] ?? { address: "", port: 0, family: "IPv4" };
  }

  /** TCP port that it listens on, 0 for a unix socket. */
  get port(): number {
    return this.address.port;
  }

  /** As it was asked for, or the address where nothing was; `""` for a unix socket. */
  get hostname(): string {
    const [target] = this.#options.targets;
    if (target?.kind === "tcp") return target.hostname;
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

  /** Whether requests are welcome: nobody has asked it to close, or another takes them here. What `health.readyPath` tells. */
  get isReady(): boolean {
    return this.#isReplaced || (this.#isAccepting && !this.isClosing);
  }

  /** Mean delay of the event loop lately, in milliseconds; 0 unless `limits.maxEventLoopDelayMs` is set. */
  get eventLoopDelayMs(): number {
    return this.#gauge.delayMs;
  }

  /** Counts since the start. */
  get stats(): ServerStats {
    const { open, accepted, refused, acceptErrors, failedPrefaces } = this.#connections;
    return {
      openConnections: open,
      acceptedConnections: accepted,
      refusedConnections: refused,
      acceptErrors,
      failedHandshakes: failedPrefaces,
      requests: this.#requests,
    };
  }

  /**
   * Closes gracefully: says that it is not ready, serves on for `lameDuckMs`, then stops accepting, closes idle connections, lets
   * requests finish and what was given to `waitUntil()` settle, and cuts off what is left after `drainMs` more. Called again, it
   * can only bring these moments nearer.
   *
   * @param options.drainMs milliseconds, 0 or more, default `timeouts.drainMs`; Infinity: no limit
   * @param options.lameDuckMs milliseconds, 0 or more, default `timeouts.lameDuckMs`
   * @param options.lastCallMs milliseconds that an idle connection stays open for one more request, which is answered with
   *   `Connection: close`; default 0. Where another server takes over at once, nobody then meets a connection that closes under
   *   a request (nginx keepalive_min_timeout). Only the first call counts
   * @param options.isReplaced another server takes requests at this address already: a load balancer that asks this one, on a
   *   connection that it has kept, is told that requests are welcome. Default false; the last call counts
   * @returns when all is over, with what had to be cut off; rejects with RangeError if one of them is no such number
   */
  close(options: CloseOptions = {}): Promise<CloseSummary> {
    const { timeouts } = this.#options;
    const { drainMs = timeouts.drainMs, lameDuckMs = timeouts.lameDuckMs, lastCallMs = 0 } = options;
    for (const [name, value] of Object.entries({ drainMs, lameDuckMs, lastCallMs })) {
      if (typeof value === "number" && value >= 0) continue;
      return Promise.reject(new RangeError(`${name} is 0 or more milliseconds, not ${String(value)}`));
    }
    this.#isReplaced = options.isReplaced === true;
    this.#beginClosing(lastCallMs);
    this.#boundAccepting(lameDuckMs);
    if (!this.#isFinished && !this.#isCutOff) this.#bound(lameDuckMs + drainMs);
    return this.finished;
  }

  /** Closes without waiting for anybody: requests under way are cut off. {@link finished} tells when it is done. */
  closeNow(): void {
    this.#isReplaced = false;
    this.#beginClosing(0);
    this.#stopAccepting();
    this.#cutOff();
  }

  /** TCP port of `redirectFrom`, 0 if there is none. */
  get redirectPort(): number {
    return this.#listeners.redirectPort;
  }

  /** Where `redirectFrom` listens, for a browser on this machine; null if there is none. A new object. */
  get redirectUrl(): URL | null {
    return this.#listeners.redirectUrl;
  }

  /**
   * Loads certificates and keys from their files again, as is done unasked when they change. Connections stay as they are,
   * and handshakes from now on show the new ones.
   *
   * @throws ServerError ERR_CERTIFICATE with all that is wrong; then the certificates from before stay in use
   */
  reloadCertificates(): void {
    this.#tlsKeeper?.reload();
  }

  /**
   * Locks the tickets of TLS sessions with this key from now on: the same in every process that shares the port, so that a
   * session can be resumed in any of them. Renew it at least daily. Sessions from before are not resumed any more.
   *
   * @param keys 48 octets that nobody can guess
   * @throws RangeError if it has another length
   */
  setTicketKeys(keys: Uint8Array): void {
    if (keys.length !== TICKET_KEY_BYTES) {
      throw new RangeError(`the key of session tickets has ${TICKET_KEY_BYTES} octets, not ${keys.length}`);
    }
    this.#tlsKeeper?.setTicketKeys(keys);
  }

  /** @internal {@link setTicketKeys} by who runs this process among others; keys of the app's own go before. */
  offerTicketKeys(keys: Uint8Array): void {
    this.#tlsKeeper?.offerTicketKeys(keys);
  }

  /** Keeps the process alive as long as the server listens; so from the start. */
  ref(): void {
    this.#isHolding = true;
    this.#listeners.ref();
  }

  /** Lets the process end although the server listens. Connections that are open keep it alive all the same. */
  unref(): void {
    this.#isHolding = false;
    this.#listeners.unref();
  }

  /** `await using server = await serve(…)` closes it gracefully at the end of the block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #beginClosing(lastCallMs: number): void {
    if (this.isClosing) return;
    this.#closingSinceMs = this.#time.monotonicMs();
    this.#lastCallMs = lastCallMs;
  }

  /** Sets the moment when no more connections are taken in, if it is sooner than what was set. */
  #boundAccepting(lameDuckMs: number): void {
    if (!this.#isAccepting) return;
    const endMs = this.#time.monotonicMs() + lameDuckMs;
    if (endMs >= this.#acceptEndMs) return;
    this.#acceptEndMs = endMs;
    this.#cancelAcceptEnd?.();
    if (lameDuckMs === 0) this.#stopAccepting();
    else this.#cancelAcceptEnd = this.#time.after(lameDuckMs, () => this.#stopAccepting(), this.#isHolding);
  }

  #stopAccepting(): void {
    if (!this.#isAccepting) return;
    this.#isAccepting = false;
    this.#cancelAcceptEnd?.();
    this.#listeners.close();
    this.#tlsKeeper?.stop();
    this.#connections.shutdown(this.#lastCallMs);
    this.#checkFinished();
  }

  /** Sets the moment of the end, if it is sooner than what was set. */
  #bound(delayMs: number): void {
    const endMs = this.#time.monotonicMs() + delayMs;
    if (endMs >= this.#drainEndMs) return;
    this.#drainEndMs = endMs;
    this.#cancelDrain?.();
    this.#cancelDrain = null;
    if (delayMs === 0) this.#cutOff();
    // Holding the process: a promise given to waitUntil() may be all that is left, and would be dropped without a word
    else this.#cancelDrain = this.#time.after(delayMs, () => this.#cutOff(), this.#isHolding);
  }

  #cutOff(): void {
    if (this.#isFinished || this.#isCutOff) return;
    this.#isCutOff = true;
    this.#abandonedPromises = this.#waitingFor.size;
    this.#destroyedConnections = this.#connections.destroyAll();
    this.#checkFinished();
  }

  #checkFinished(): void {
    if (!this.isClosing || this.#isAccepting || this.#isFinished || !this.#connections.isEmpty) return;
    if (this.#waitingFor.size > 0 && !this.#isCutOff) return;
    this.#isFinished = true;
    this.#options.signal?.removeEventListener("abort", this.#onSignal);
    OPEN_SERVERS.delete(this);
    this.#cancelDrain?.();
    this.#gauge.stop();
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

  /** @internal One more request was given to a handler. */
  countRequest(): void {
    this.#requests++;
  }

  /** @internal Holds the end of close() back until `promise` has settled. */
  waitUntil(promise: Promise<unknown>): void {
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
