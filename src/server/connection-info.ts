/**
 * What a handler and an observer may know of the peer and the connection.
 *
 * Asking the kernel for addresses costs a system call each, so it is done when somebody wants to know, or at once where an
 * observer may ask after the socket has gone. It must never show more of a proxy's chain than the socket itself says.
 */

import type { Socket } from "node:net";
import type { ConnectionInfo, SocketAddress } from "../http/exchange.ts";

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

let serial = 0;

/** Of one socket. */
export class SocketInfo implements ConnectionInfo {
  readonly id: number;
  readonly isEncrypted: boolean = false;
  readonly alpnProtocol: string = "http/1.1";
  readonly serverName: string | null = null;
  readonly #socket: Socket;
  readonly #unixPath: string | null;
  #remote: SocketAddress | null = null;
  #local: SocketAddress | null = null;

  /** @param unixPath of the listener, null for TCP */
  constructor(socket: Socket, unixPath: string | null) {
    this.id = ++serial;
    this.#socket = socket;
    this.#unixPath = unixPath;
  }

  /** The peer's end; on a unix socket, where peers have no name, the listener's path. Empty if first asked when it was gone. */
  get remoteAddress(): SocketAddress {
    return (this.#remote ??=
      this.#unixAddress() ??
      socketAddress(this.#socket.remoteAddress, this.#socket.remotePort, this.#socket.remoteFamily));
  }

  /** Our end. */
  get localAddress(): SocketAddress {
    return (this.#local ??=
      this.#unixAddress() ??
      socketAddress(this.#socket.localAddress, this.#socket.localPort, this.#socket.localFamily));
  }

  /** Asks the kernel now. */
  resolve(): void {
    void this.remoteAddress;
    void this.localAddress;
  }

  #unixAddress(): SocketAddress | null {
    return this.#unixPath === null ? null : Object.freeze({ address: this.#unixPath, port: 0, family: "unix" });
  }
}
