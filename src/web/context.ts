/**
 * Context: what a handler gets beside its request, close to `ServerContext` of the WinterTC Fetch Server API draft.
 *
 * One small object over the exchange; everything is looked up when asked. It must never hold state of the wire.
 */

import { HttpError } from "../http/errors.ts";
import type { Exchange, SocketAddress } from "../http/exchange.ts";
import { appendLines, type HeadersInput, indexOfLine } from "./header-lines.ts";
import { type Tunnel, tunnelOf } from "./tunnel.ts";

/** What a pattern of the path matched. */
export type Params = Readonly<Record<string, string>>;

const NO_PARAMS: Params = Object.freeze({});

/** The server's side of one request. */
export class Context {
  /** Filled by a router; empty otherwise. */
  params: Params;
  readonly #exchange: Exchange;
  readonly #waitUntil: (promise: Promise<unknown>) => void;

  constructor(exchange: Exchange, waitUntil: (promise: Promise<unknown>) => void) {
    this.params = NO_PARAMS;
    this.#exchange = exchange;
    this.#waitUntil = waitUntil;
  }

  /** The peer's end of the connection: its client, or the proxy before us. */
  get remoteAddress(): SocketAddress {
    return this.#exchange.connection.remoteAddress;
  }

  /** Our end of the connection. */
  get localAddress(): SocketAddress {
    return this.#exchange.connection.localAddress;
  }

  /** `"http/1.1"`, also where nothing was negotiated. */
  get alpnProtocol(): string {
    return this.#exchange.connection.alpnProtocol;
  }

  /** Whether the connection is under TLS. */
  get encrypted(): boolean {
    return this.#exchange.connection.isEncrypted;
  }

  /** The server name that the client asked for (SNI), null without TLS. */
  get serverName(): string | null {
    return this.#exchange.connection.serverName;
  }

  /** The exchange itself, for what the web's objects cannot say: the raw target, content of a GET, the state of the answer. */
  get exchange(): Exchange {
    return this.#exchange;
  }

  /**
   * Sends an interim response now (RFC 9110 §15.2), usually 103 (Early Hints). Nothing is sent to a client of HTTP/1.0.
   *
   * @param status 100 to 199 without 101, which is {@link upgrade}'s
   * @throws RangeError for another status, TypeError for an invalid header, HandlerError after the final response
   */
  sendInformational(status: number, headers?: HeadersInput): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new RangeError(`an interim status is 100 or 102 to 199, not ${status}`);
    }
    const lines: string[] = [];
    if (headers !== undefined) appendLines(lines, headers);
    this.#exchange.inform(status, lines);
  }

  /** Keeps a graceful shutdown waiting for `promise`, e.g. for work that goes on after the answer. */
  waitUntil(promise: Promise<unknown>): void {
    this.#waitUntil(promise);
  }

  /**
   * Switches protocols (RFC 9110 §7.8): sends 101 and hands the connection over. The handler returns nothing afterwards.
   *
   * @param init fields of the 101; `upgrade` defaults to the first protocol that the client names
   * @throws HttpError 426 or 400 if the request asks for no upgrade, TypeError for an invalid header
   */
  upgrade(init: { readonly headers?: HeadersInput } = {}): Tunnel {
    const lines: string[] = [];
    if (init.headers !== undefined) appendLines(lines, init.headers);
    const offered = this.#exchange.request.fields.get("upgrade")?.split(",")[0]?.trim() ?? "";
    // RFC 9110 §7.8: a 101 names the protocol that is switched to
    if (offered !== "" && indexOfLine(lines, "upgrade") === -1) lines.push("upgrade", offered);
    const stream = this.#exchange.upgrade(lines);
    if (stream === null && offered !== "" && !this.#exchange.content.isEmpty) {
      // RFC 9110 §7.8: a server cannot switch before it has read the request whole
      throw new TypeError("read the content of the request before upgrade()");
    }
    if (stream === null) throw upgradeRequired(lines);
    return tunnelOf(stream);
  }
}

/** RFC 9110 §15.5.22: a 426 must name the protocol; where the handler did not either, the request is merely wrong. */
function upgradeRequired(lines: readonly string[]): HttpError {
  const index = indexOfLine(lines, "upgrade");
  if (index === -1) return new HttpError(400, "the request asks for no upgrade");
  const headers = { upgrade: lines[index + 1] as string, connection: "upgrade" };
  return new HttpError(426, "the request asks for no upgrade", { headers });
}
