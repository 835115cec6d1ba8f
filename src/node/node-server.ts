/**
 * createServer(): what libraries expect of an `http.Server`, over serve().
 *
 * For code that wants a server object and not a handler: Fastify's `serverFactory`, `new WebSocketServer({ server })`, tools
 * that listen for `upgrade`. It emits node:http's events and takes node:http's forms of listen(); sockets, limits, deadlines and
 * the drain at the end are those of serve(). Malformed requests are answered by the wire: there is no `clientError` here,
 * `hooks.onRefusal` tells of them. It must never do anything per request but emit.
 */

import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import type { ConnectionInfo } from "../http/exchange.ts";
import { observerOf } from "../server/join-hooks.ts";
import { resolveOptions, type ServeOptions } from "../server/options.ts";
import { serve, type Server } from "../server/server.ts";
import type { Context } from "../web/context.ts";
import type { Request } from "../web/request.ts";
import { exchangeOf } from "../web/request.ts";
import { knownSocketOf, socketOf } from "./connection-socket.ts";
import { type ListenPlace, readListenArguments } from "./listen-arguments.ts";
import { nodeError } from "./node-errors.ts";
import {
  asksForUpgrade,
  handRequest,
  handUpgrade,
  type RequestListener,
  type UpgradeListener,
} from "./node-handler.ts";

/** Options of {@link createServer}: those of serve(), without what listen() says. */
export type NodeServerOptions = Omit<
  ServeOptions,
  "fetch" | "port" | "hostname" | "unix" | "fd" | "backlog" | "signal"
>;

/**
 * Makes a server with the interface of node:http's. It listens when it is told to.
 *
 * @param options limits, timeouts and hooks as serve() takes them, or the listener
 * @param listener gets requests, as `server.on("request", listener)`
 * @throws ServerError ERR_OPTIONS with all mistakes at once
 */
export function createServer(listener?: RequestListener): NodeServer;
export function createServer(options: NodeServerOptions, listener?: RequestListener): NodeServer;
export function createServer(first?: NodeServerOptions | RequestListener, second?: RequestListener): NodeServer {
  const listener = typeof first === "function" ? first : second;
  const server = new NodeServer(typeof first === "function" ? {} : (first ?? {}));
  if (listener !== undefined) server.on("request", listener);
  return server;
}

const NO_ANSWER = (): undefined => undefined;

/** A server that libraries take for one of node:http. Made by {@link createServer}. */
export class NodeServer extends EventEmitter implements AsyncDisposable {
  /** Milliseconds that a connection may be idle between requests; 0: no limit. As it is when listen() is called. */
  keepAliveTimeout: number | undefined = undefined;
  /** Milliseconds for a head to arrive; 0: no limit. As it is when listen() is called. */
  headersTimeout: number | undefined = undefined;
  /** Not used: content is timed by its rate, see `timeouts.minContentRate`. */
  requestTimeout: number | undefined = undefined;
  /** Milliseconds without progress after which `timeout` is emitted; 0: never. See {@link setTimeout}. */
  timeout = 0;
  /** Requests per connection; 0 or null: no limit. As it is when listen() is called. */
  maxRequestsPerSocket: number | null = null;
  readonly #options: NodeServerOptions;
  #server: Server | null = null;
  /** Between the call of listen() and the end of close(). */
  #isBusy = false;
  /** close() was called before it listens. */
  #isCloseWanted = false;
  #isHolding = true;
  #forgetSignal: () => void = () => {};
  #onClosed: Array<(error?: Error) => void> = [];

  constructor(options: NodeServerOptions) {
    super();
    // Mistakes are told where they are made, not when the server listens
    resolveOptions({ ...options, fetch: NO_ANSWER });
    this.#options = options;
  }

  /** Whether connections are accepted. */
  get listening(): boolean {
    return this.#server !== null && !this.#server.isClosing;
  }

  /**
   * Listens, in the forms of node:http: `(port, hostname, backlog, callback)`, `(path, callback)`, `({ port, host, path, fd, backlog,
   * signal }, callback)`. Without a hostname on all interfaces, as node:http, while serve() has this machine only. Emits
   * `listening`, or `error` with the system's error.
   *
   * @throws Error ERR_SERVER_ALREADY_LISTEN if it listens, TypeError ERR_INVALID_ARG_VALUE for a place that is none
   */
  listen(...args: unknown[]): this {
    if (this.#isBusy) throw nodeError("ERR_SERVER_ALREADY_LISTEN");
    const { places, signal, callback } = readListenArguments(args);
    if (callback !== null) this.once("listening", callback);
    this.#isBusy = true;
    void this.#listen(places, signal);
    return this;
  }

  /** Where it listens: an address, the path of a unix socket, or null before. */
  address(): AddressInfo | string | null {
    if (!this.listening || this.#server === null) return null;
    const { address, port, family } = this.#server.address;
    return family === "unix" ? address : { address, port, family };
  }

  /**
   * Stops accepting, closes idle connections, lets requests finish, and cuts off what is left after `timeouts.drainMs`. Emits
   * `close` when all are gone. Before `listening`, it never comes to that.
   *
   * @param callback called then, with an error ERR_SERVER_NOT_RUNNING if it did not listen
   */
  close(callback?: (error?: Error) => void): this {
    const server = this.#server;
    if (!this.#isBusy) {
      if (callback !== undefined) process.nextTick(callback, nodeError("ERR_SERVER_NOT_RUNNING"));
      return this;
    }
    if (callback !== undefined) {
      // Among the listeners of the event, as node:http has it; kept besides for when it never comes to that
      this.once("close", callback);
      this.#onClosed.push(callback);
    }
    if (server === null) this.#isCloseWanted = true;
    else if (!server.isClosing) void server.close();
    return this;
  }

  /** Once {@link close} was called: cuts off all connections. Before, idle ones are left to the server's deadlines. */
  closeAllConnections(): void {
    if (this.#server?.isClosing === true) this.#server.closeNow();
  }

  /** Nothing to do: close() closes idle connections, and before it they may be needed again. */
  closeIdleConnections(): void {}

  /** Tells how many connections are open. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#server?.connections ?? 0);
    return this;
  }

  /** Emits `timeout` with the socket of a request under way on which nothing has moved for so long; 0: never. */
  setTimeout(timeoutMs = 0, callback?: (socket: unknown) => void): this {
    this.timeout = timeoutMs;
    if (callback !== undefined) this.on("timeout", callback);
    return this;
  }

  ref(): this {
    this.#isHolding = true;
    this.#server?.ref();
    return this;
  }

  unref(): this {
    this.#isHolding = false;
    this.#server?.unref();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isBusy) return;
    await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  async #listen(places: readonly ListenPlace[], signal: AbortSignal | undefined): Promise<void> {
    let failure: unknown;
    for (const place of places) {
      try {
        const server = await serve(this.#serveOptions(place));
        this.#begin(server, signal);
        return;
      } catch (error) {
        failure = error;
      }
    }
    for (const callback of this.#becomeFree()) {
      this.off("close", callback);
      process.nextTick(callback, nodeError("ERR_SERVER_NOT_RUNNING"));
    }
    this.emit("error", systemErrorOf(failure));
  }

  #begin(server: Server, signal: AbortSignal | undefined): void {
    this.#server = server;
    if (!this.#isHolding) server.unref();
    void server.finished.then(() => this.#end());
    if (this.#isCloseWanted || signal?.aborted === true) void server.close({ lameDuckMs: 0 });
    else if (signal !== undefined) this.#obey(signal);
    // What listeners of events throw is their own: it must not look like a failure to listen
    process.nextTick(() => {
      if (!server.isClosing) this.emit("listening");
    });
  }

  #obey(signal: AbortSignal): void {
    const close = (): void => void this.close();
    signal.addEventListener("abort", close, { once: true });
    this.#forgetSignal = () => signal.removeEventListener("abort", close);
  }

  /** It may listen anew. Gives who waits for the end. */
  #becomeFree(): ReadonlyArray<(error?: Error) => void> {
    const callbacks = this.#onClosed;
    this.#onClosed = [];
    this.#server = null;
    this.#isBusy = false;
    this.#isCloseWanted = false;
    this.#forgetSignal();
    return callbacks;
  }

  #end(): void {
    this.#becomeFree();
    process.nextTick(() => this.emit("close"));
  }

  #serveOptions(place: ListenPlace): ServeOptions {
    const { hooks, timeouts, limits, ...others } = this.#options;
    const observer = observerOf(hooks);
    return {
      ...others,
      ...place,
      timeouts: {
        ...timeouts,
        ...(this.keepAliveTimeout === undefined ? {} : { keepAliveMs: endless(this.keepAliveTimeout) }),
        ...(this.headersTimeout === undefined ? {} : { headMs: endless(this.headersTimeout) }),
      },
      limits: {
        ...limits,
        ...(this.maxRequestsPerSocket ? { maxRequestsPerConnection: this.maxRequestsPerSocket } : {}),
      },
      hooks: {
        ...observer,
        onConnection: (connection) => {
          this.#connected(connection);
          return observer.onConnection?.(connection);
        },
        onConnectionClose: (connection, error) => {
          knownSocketOf(connection)?.destroy();
          return observer.onConnectionClose?.(connection, error);
        },
      },
      fetch: (request, context) => this.#handle(request, context),
    };
  }

  #connected(connection: ConnectionInfo): void {
    if (this.listenerCount("connection") === 0) return;
    const socket = socketOf(connection);
    socket.server = this;
    this.emit("connection", socket);
  }

  #handle(request: Request, context: Context): Promise<undefined> | undefined {
    const exchange = exchangeOf(request) ?? context.exchange;
    if (this.listenerCount("upgrade") > 0 && asksForUpgrade(exchange)) return handUpgrade(exchange, this.#upgrade);
    if (this.timeout > 0) {
      const socket = socketOf(exchange.connection);
      socket.server = this;
      if (socket.timeout === 0) socket.setTimeout(this.timeout);
    }
    return handRequest(exchange, context, this.#request);
  }

  readonly #request: RequestListener = (request, response) => {
    if (request.headers.expect !== undefined && this.listenerCount("checkContinue") > 0) {
      this.emit("checkContinue", request, response);
    } else this.emit("request", request, response);
  };

  readonly #upgrade: UpgradeListener = (request, socket, head) => {
    this.emit("upgrade", request, socket, head);
  };
}

/** node:http's 0 is our Infinity. */
function endless(timeoutMs: number): number {
  return timeoutMs > 0 ? timeoutMs : Infinity;
}

/** Libraries look for the system's code (`EADDRINUSE`); ours has the words, and the system's as its cause. */
function systemErrorOf(failure: unknown): unknown {
  if (!(failure instanceof Error)) return failure;
  const { cause } = failure;
  if (!(cause instanceof Error) || !("syscall" in cause)) return failure;
  cause.message = `${cause.message}: ${failure.message}`;
  return cause;
}
