/**
 * Sets of addresses as operators write them: single ones, networks (RFC 4632 §3.1, RFC 4291 §2.3) and a few words.
 *
 * Built once, asked often; the matching is the platform's (net.BlockList). Names are not resolved: who controls a name would
 * control the set. It must never take IPv4 in the clothes of IPv6 for somebody else than the same IPv4 address.
 */

import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { SocketAddress } from "../http/exchange.ts";

/** What the words stand for. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  // RFC 1122 §3.2.1.3, RFC 4291 §2.5.3
  loopback: ["127.0.0.0/8", "::1/128"],
  // RFC 1918 §3, RFC 4193 §3.1
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};
/** Peers on a unix socket, who have no address. */
const UNIX = "unix";

/** What may be written, for messages. */
export const ADDRESSES_ALLOWED: string = `addresses, networks such as 10.0.0.0/8 or fd00::/8, or the words ${[...Object.keys(WORDS), UNIX].join(", ")}`;

/** A set of addresses. */
export class AddressSet {
  readonly #list: BlockList = new BlockList();
  #hasUnix = false;

  /** Adds what an entry stands for. False: it is none. */
  add(entry: string): boolean {
    if (entry === UNIX) {
      this.#hasUnix = true;
      return true;
    }
    const networks = Object.hasOwn(WORDS, entry) ? WORDS[entry] : undefined;
    if (networks !== undefined) return networks.every((network) => this.#addNetwork(network));
    return this.#addNetwork(entry);
  }

  /** Whether an end of a connection belongs to it. */
  has({ address, family }: SocketAddress): boolean {
    return family === "unix" ? this.#hasUnix : this.hasAddress(address);
  }

  /** Whether an IPv4 or IPv6 address belongs to it; false for what is neither. */
  hasAddress(address: string): boolean {
    if (isIPv4(address)) return this.#list.check(address, "ipv4");
    return isIPv6(address) && this.#list.check(address, "ipv6");
  }

  #addNetwork(network: string): boolean {
    const [, address = "", length] = /^([0-9a-f.:]+)(?:\/(0|[1-9]\d{0,2}))?$/i.exec(network) ?? [];
    const isFour = isIPv4(address);
    if (!isFour && !isIPv6(address)) return false;
    const family = isFour ? "ipv4" : "ipv6";
    const bits = isFour ? 32 : 128;
    if (length !== undefined && Number(length) > bits) return false;
    this.#list.addSubnet(address, length === undefined ? bits : Number(length), family);
    return true;
  }
}
