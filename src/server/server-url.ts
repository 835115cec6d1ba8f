/**
 * Where a server is found, as a URL that a browser on the same machine can open.
 *
 * What it listens on need not be where it can be reached: all interfaces have no address of their own. It must never resolve a
 * name, nor look at the interfaces.
 */

import type { SocketAddress } from "../http/exchange.ts";

/**
 * @param hostname as it was asked for, `""` where nothing was
 */
export function urlOf(address: SocketAddress, hostname: string, isEncrypted: boolean): URL {
  if (address.family === "unix")
    return new URL(`unix:${encodeURI(address.address).replace(/[?#]/g, encodeURIComponent)}`);
  let host = hostname === "" ? address.address : hostname;
  // RFC 1122 §3.2.1.3: "this host on this network" is no destination
  if (host === "0.0.0.0" || host === "::") host = "localhost";
  // RFC 3986 §3.2.2 has brackets for IPv6 and no place for a zone (fe80::1%eth0)
  if (host.includes(":")) host = `[${host.replace(/%.*$/, "")}]`;
  return new URL(`${isEncrypted ? "https" : "http"}://${host}:${address.port}/`);
}
