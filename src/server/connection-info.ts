/**
 * What a handler and an observer may know of the peer and the connection.
 *
 * Asking the kernel for addresses costs a system call each, so it is done when somebody wants to know, or at once where an
 * observer may ask after the socket has gone. What a proxy says of its client (PROXY protocol) and what TLS has agreed on is
 * added before anybody sees the object. It must never show more of a proxy's chain than the socket and its header say.
 */

import type { Socket } from "node:net";
import type { ConnectionInfo, SocketAddress, TlsFacts } from "../http/exchange.ts";

const MAPPED = "::ffff:";
const NOWHERE: SocketAddress = Object.freeze({ address: "", port: 0, family: "IPv4" });

/**
 * An address as people write it: what a dual-stack socket calls `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2) is IPv4, or one peer
 * would have two names in logs and limits.
 */
export function socketAddress(
  address: string | undefined,
  port: number | undefined,
  family: string | undefined,
): SocketAddress {
  if (address === undefined || address === "") return NOWHERE;
  if (address.startsWith(MAPPED) && address.includes(".")) {
    return Object.freeze({ address: address.slice(MAPPED.length), port: port ?? 0, family: "IPv4" });
  }
  return Object.freeze({ address, port: port ?? 0, family: family === "IPv6" ? "IPv6" : "IPv4" });
}

/** What TLS has agreed on, as facts that can be looked up while the socket lives. */
export interface SecuredBy extends TlsFacts {
  readonly serverName: string | null;
  /** Looks everything up now. */
  resolve(): void;
}

let serial = 0;

/** Of one socket. */
export class SocketInfo implements ConnectionInfo {
  readonly id: number;
  readonly #socket: Socket;
  readonly #unixPath: string | null;
  #remote: SocketAddress | null = null;
  #local: SocketAddress | null = null;
  #proxy: SocketAddress | null = null;
  #tls: SecuredBy | null = null;

  /** @param unixPath of the listener, null for TCP */
  constructor(socket: Socket, unixPath: string | null) {
    this.id = ++serial;
    this.#socket = socket;
    this.#unixPath = unixPath;
  }

  /** Whether it came in by a unix socket. */
  get isUnix(): boolean {
    return this.#unixPath !== null;
  }

  get isEncrypted(): boolean {
    return this.#tls !== null;
  }

  get alpnProtocol(): string {
    return "http/1.1";
  }

  get serverName(): string | null {
    return this.#tls === null ? null : this.#tls.serverName;
  }

  get tls(): TlsFacts | null {
    return this.#tls;
  }

  get proxy(): SocketAddress | null {
    return this.#proxy;
  }

  /**
   * The client's end; on a unix socket, where peers have no name, the listener's path. Empty if first asked when it was gone.
   */
  get remoteAddress(): SocketAddress {
    return (this.#remote ??=
      this.#unixAddress() ??
      socketAddress(this.#socket.remoteAddress, this.#socket.remotePort, this.#socket.remoteFamily));
  }

  /** Our end; the proxy's, where the client speaks to one that has said so. */
  get localAddress(): SocketAddress {
    return (this.#local ??=
      this.#unixAddress() ??
      socketAddress(this.#socket.localAddress, this.#socket.localPort, this.#socket.localFamily));
  }

  /** Asks the kernel now. */
  resolve(): void {
    void this.remoteAddress;
    void this.localAddress;
    this.#tls?.resolve();
  }

  /** The peer is a proxy, and these are the ends of its client's connection. */
  proxied(source: SocketAddress, destination: SocketAddress): void {
    this.#proxy = this.remoteAddress;
    this.#remote = source;
    this.#local = destination;
  }

  /** The connection is under TLS from now on. */
  secured(tls: SecuredBy): void {
    this.#tls = tls;
  }

  #unixAddress(): SocketAddress | null {
    return this.#unixPath === null ? null : Object.freeze({ address: this.#unixPath, port: 0, family: "unix" });
  }
}
