/**
 * Whom to believe about clients: `trustProxy`, and what it makes of an exchange.
 *
 * Off, which is the default, forwarding fields are data like all others. On, those of one kind are read, and only on
 * connections whose peer is one of the named proxies; both kinds are never mixed, because who writes one lets the other pass
 * (address spoofing). The connection itself stays what it is: each exchange gets a view of its own.
 */

import type { ConnectionInfo, SocketAddress, TlsFacts, WireExchange } from "../http/exchange.ts";
import {
  findClient,
  type ForwardedNode,
  type ForwardingHop,
  readForwarded,
  readXForwarded,
} from "../http/forwarding.ts";
import type { AddressSet } from "./address-set.ts";

/** Which fields are believed, and from whom. */
export interface TrustProxyOptions {
  /**
   * Addresses and networks of your proxies, e.g. `10.0.0.0/8`; `loopback`, `private` (RFC 1918, RFC 4193) and `unix`, all peers
   * of a unix socket. Required. Whoever has one of them can claim any address.
   */
  readonly from: readonly string[];
  /** Which fields they write: `x-forwarded` (default) or `forwarded` (RFC 7239). The others are data like all fields. */
  readonly header?: "x-forwarded" | "forwarded" | undefined;
  /**
   * Whether X-Forwarded-Host is believed, default false: many proxies pass on what their client has sent (nginx does). The
   * `host` of Forwarded stands next to the address and is believed with it.
   */
  readonly host?: boolean | undefined;
}

/** After validation. */
export interface ResolvedTrust {
  readonly from: AddressSet;
  readonly header: "x-forwarded" | "forwarded";
  readonly host: boolean;
}

const NONE: readonly string[] = [];

/** Shows exchanges as they were at the client. One per server. */
export class ForwardingTrust {
  readonly #from: AddressSet;
  readonly #isStandard: boolean;
  readonly #hasHost: boolean;
  readonly #isTrustedAddress: (address: string) => boolean;
  /** A connection from a proxy carries many requests. */
  readonly #peers: WeakMap<ConnectionInfo, boolean> = new WeakMap();

  constructor({ from, header, host }: ResolvedTrust) {
    this.#from = from;
    this.#isStandard = header === "forwarded";
    this.#hasHost = host;
    this.#isTrustedAddress = (address) => from.hasAddress(address);
  }

  /** Presents an exchange as it was at the client, if the peer may say so and does. */
  present(exchange: WireExchange): void {
    const { connection, request } = exchange;
    if (!this.#isTrustedPeer(connection)) return;
    const hops = this.#hopsOf(exchange);
    if (hops.length === 0) return;
    const { node, hop } = findClient(hops, this.#isTrustedAddress);
    const scheme = hop.scheme === "" ? request.scheme : hop.scheme;
    exchange.present(
      new ForwardedConnection(connection, addressOf(node) ?? connection.remoteAddress, scheme === "https"),
      scheme,
      hop.authority === "" ? request.authority : hop.authority,
    );
  }

  #isTrustedPeer(connection: ConnectionInfo): boolean {
    let isTrusted = this.#peers.get(connection);
    if (isTrusted === undefined) {
      isTrusted = this.#from.has(connection.remoteAddress);
      this.#peers.set(connection, isTrusted);
    }
    return isTrusted;
  }

  #hopsOf({ request: { fields } }: WireExchange): readonly ForwardingHop[] {
    if (this.#isStandard) return readForwarded(fields.all("forwarded"));
    return readXForwarded(
      fields.all("x-forwarded-for"),
      fields.all("x-forwarded-proto"),
      this.#hasHost ? fields.all("x-forwarded-host") : NONE,
    );
  }
}

function addressOf(node: ForwardedNode | null): SocketAddress | null {
  if (node === null) return null;
  const { address, port } = node;
  return Object.freeze({ address, port, family: address.includes(":") ? "IPv6" : "IPv4" });
}

/** The connection as an exchange shows it: the client's address and scheme, the rest as it is. */
class ForwardedConnection implements ConnectionInfo {
  readonly remoteAddress: SocketAddress;
  readonly isEncrypted: boolean;
  readonly #connection: ConnectionInfo;

  constructor(connection: ConnectionInfo, remoteAddress: SocketAddress, isEncrypted: boolean) {
    this.#connection = connection;
    this.remoteAddress = remoteAddress;
    this.isEncrypted = isEncrypted;
  }

  get id(): number {
    return this.#connection.id;
  }

  get localAddress(): SocketAddress {
    return this.#connection.localAddress;
  }

  get alpnProtocol(): string {
    return this.#connection.alpnProtocol;
  }

  get serverName(): string | null {
    return this.#connection.serverName;
  }

  get tls(): TlsFacts | null {
    return this.#connection.tls ?? null;
  }

  get proxy(): SocketAddress | null {
    return this.#connection.proxy ?? null;
  }

  get forwardedBy(): SocketAddress {
    return this.#connection.remoteAddress;
  }
}
