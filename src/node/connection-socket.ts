/**
 * `req.socket`: the connection as listeners know it from node:net, without its bytes.
 *
 * One per connection, made when the first request on it is served. It tells addresses and whether there is TLS, ends the
 * exchange under way when it is destroyed, watches for idleness when it is asked to, and closes when the client leaves. It
 * must never carry a byte: HTTP is written by the wire alone, and what is written here is an error. After an upgrade there is
 * another socket, see upgrade-socket.ts.
 */

import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { ConnectionInfo, Exchange } from "../http/exchange.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import { connectionReset } from "./node-errors.ts";

/** Told that nobody waits for a response any more. */
export type Abandon = (response: ServerResponse, reason: Error) => void;

const sockets: WeakMap<ConnectionInfo, ConnectionSocket> = new WeakMap();

/** The socket of a connection: always the same one. */
export function socketOf(connection: ConnectionInfo): ConnectionSocket {
  let socket = sockets.get(connection);
  if (socket === undefined) {
    socket = new ConnectionSocket(connection);
    sockets.set(connection, socket);
  }
  return socket;
}

/** The socket of a connection, if any request has asked for it. */
export function knownSocketOf(connection: ConnectionInfo): ConnectionSocket | undefined {
  return sockets.get(connection);
}

/** A connection seen from a request. Fits where a `net.Socket` is looked at. */
export class ConnectionSocket extends Duplex {
  /** Always there: a connection that is not open has no requests. */
  readonly connecting: boolean = false;
  readonly pending: boolean = false;
  /** True under TLS, as with `tls.TLSSocket`. */
  readonly encrypted: boolean;
  /** Milliseconds without progress that are tolerated; 0: any number. */
  timeout = 0;
  /** The server that accepted the connection, where it is one of createServer(). */
  server: EventEmitter | null = null;
  /** What the connection serves now. */
  #exchange: Exchange | null = null;
  #request: IncomingMessage | null = null;
  #response: ServerResponse | null = null;
  #abandon: Abandon | null = null;
  readonly #connection: ConnectionInfo;
  #lastProgressMs = 0;
  #cancelTimer: (() => void) | null = null;

  constructor(connection: ConnectionInfo) {
    // Both sides stay open until the connection goes
    super({ allowHalfOpen: true, emitClose: true, decodeStrings: false });
    this.#connection = connection;
    this.encrypted = connection.isEncrypted;
    // As node:http does: a connection that breaks is no reason for the process to end
    this.on("error", ignore);
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress.address || undefined;
  }

  get remotePort(): number | undefined {
    return this.#connection.remoteAddress.port || undefined;
  }

  get remoteFamily(): string | undefined {
    return familyOf(this.#connection.remoteAddress.family);
  }

  get localAddress(): string | undefined {
    return this.#connection.localAddress.address || undefined;
  }

  get localPort(): number | undefined {
    return this.#connection.localAddress.port || undefined;
  }

  get localFamily(): string | undefined {
    return familyOf(this.#connection.localAddress.family);
  }

  get alpnProtocol(): string | false {
    return this.encrypted ? this.#connection.alpnProtocol : false;
  }

  get servername(): string | false {
    return this.#connection.serverName ?? false;
  }

  get readyState(): "open" | "closed" {
    return this.destroyed ? "closed" : "open";
  }

  /** Our end, as `net.Socket` says it. */
  address(): { address?: string; family?: string; port?: number } {
    const { address, port, family } = this.#connection.localAddress;
    return address === "" ? {} : { address, family, port };
  }

  /**
   * Emits `timeout` once nothing has moved for `timeoutMs`; 0 stops watching. If nobody listens on request, response, server
   * or here, the connection is destroyed.
   */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.timeout = timeoutMs;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (callback !== undefined) {
      if (timeoutMs > 0) this.once("timeout", callback);
      else this.removeListener("timeout", callback);
    }
    if (timeoutMs > 0) {
      this.#lastProgressMs = SYSTEM_TIME.elapsedMs();
      this.#watch(timeoutMs);
    }
    return this;
  }

  /** Nothing to set: answers leave at once, see the server's flush queue. */
  setNoDelay(): this {
    return this;
  }

  /** Nothing to set: dead peers are found by the server's deadlines. */
  setKeepAlive(): this {
    return this;
  }

  /** Whether the process stays alive is the server's matter. */
  ref(): this {
    return this;
  }

  /** See {@link ref}. */
  unref(): this {
    return this;
  }

  /** Pieces of an answer that wait are joined anyway. */
  override cork(): void {}

  override uncork(): void {}

  destroySoon(): void {
    this.destroy();
  }

  /** Drops the connection at once; the client sees that the answer under way is not whole. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  /** @internal A request is served now. */
  begin(exchange: Exchange, request: IncomingMessage, response: ServerResponse, abandon: Abandon): void {
    this.#exchange = exchange;
    this.#request = request;
    this.#response = response;
    this.#abandon = abandon;
    if (this.timeout > 0) this.progress();
    // Somebody destroyed the connection between two requests, when there was no exchange to tell
    if (this.destroyed) exchange.abort(connectionReset());
  }

  /** @internal That request is answered. */
  finish(exchange: Exchange): void {
    if (this.#exchange !== exchange) return;
    this.#exchange = null;
    this.#request = null;
    this.#response = null;
  }

  /** @internal Something has moved. */
  progress(): void {
    if (this.timeout > 0) this.#lastProgressMs = SYSTEM_TIME.elapsedMs();
  }

  override _read(): void {
    // Content comes through the request
  }

  override _write(_chunk: unknown, _encoding: string, callback: (error: Error) => void): void {
    callback(new TypeError("nothing can be written to the socket of a request, its answer is written by the server"));
  }

  override _final(callback: (error?: Error | null) => void): void {
    callback();
    this.destroy();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const exchange = this.#exchange;
    const response = this.#response;
    this.#exchange = null;
    this.#request = null;
    this.#response = null;
    callback(error);
    if (exchange === null || response === null) return;
    const reason = error ?? connectionReset();
    exchange.abort(reason);
    // An exchange that the wire has answered itself tells nobody
    this.#abandon?.(response, reason);
  }

  #watch(delayMs: number): void {
    this.#cancelTimer = SYSTEM_TIME.after(delayMs, () => {
      const remainingMs = this.timeout - (SYSTEM_TIME.elapsedMs() - this.#lastProgressMs);
      if (remainingMs > 0) {
        this.#watch(Math.ceil(remainingMs));
        return;
      }
      this.#cancelTimer = null;
      // node:http: where nobody wants to hear of it, the connection is idle for nothing
      if (!this.#tellTimeout() && this.#exchange !== null) this.destroy();
    });
  }

  /** Tells all who may want to know. False: there was nobody. */
  #tellTimeout(): boolean {
    const request = this.#request;
    let isHeard = this.emit("timeout");
    if (request !== null && !request.complete && request.emit("timeout", this)) isHeard = true;
    if (this.#response?.emit("timeout", this) === true) isHeard = true;
    if (this.server?.emit("timeout", this) === true) isHeard = true;
    return isHeard;
  }
}

/** `net.Socket` knows no family for unix sockets. */
function familyOf(family: string): string | undefined {
  return family === "unix" ? undefined : family;
}

function ignore(): void {}
