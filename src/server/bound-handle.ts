/**
 * A socket bound to an IPv4 address without asking what the address means.
 *
 * `listen()` looks every host up, and Node 22 and newer then hold the answer against their pattern of IPv6 addresses: 3.4 to
 * 4.7 ms of a start of 70. What it does behind that is a function of node:net that node:cluster uses as well, and that is not
 * documented. Where it is not there, or says no, `listen()` does all of it. It must not be used in workers of a cluster, whose
 * sockets are their primary's.
 */

/** What a net.Server listens on: documented as `handle` of `server.listen()`. */
export type BoundHandle = object;

/** Address, port, family, descriptor, flags. A number is an error of the system. */
type CreateHandle = (hostname: string, port: number, family: 4, fd: -1, flags: 0) => BoundHandle | number;

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/**
 * Binds, and does not listen yet.
 *
 * @param isForked by another process of Node, as a worker of a cluster is
 * @returns null: left to `listen()`, which also says what is wrong
 */
export function bindIpv4(
  hostname: string,
  port: number,
  isForked: boolean = process.channel !== undefined,
): BoundHandle | null {
  const create = Reflect.get(process.getBuiltinModule("node:net"), "_createServerHandle") as CreateHandle | undefined;
  if (typeof create !== "function" || isForked || !IPV4.test(hostname)) return null;
  const handle = create(hostname, port, 4, -1, 0);
  return typeof handle === "number" ? null : handle;
}
