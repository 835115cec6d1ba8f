/**
 * Where to listen, as people write it: --port and --host, or --listen with tcp://, unix: and fd: URIs, or the word systemd; and
 * --admin.
 *
 * It must never listen, nor resolve a name.
 */

import { networkInterfaces } from "node:os";
import { inheritedSockets } from "../server/inherited-sockets.ts";
import { CommandError } from "./command-error.ts";

/** One place to listen at. */
export type Target =
  | { readonly kind: "tcp"; readonly hostname: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "fd"; readonly fd: number };

/** Where metrics and health are told. */
export interface AdminPlace {
  readonly hostname: string;
  /** -1: the usual one. */
  readonly port: number;
  /** Where that was given, as people know it. */
  readonly origin: string;
}

const HIGHEST_PORT = 65_535;
const DEFAULT_ADMIN_HOST = "127.0.0.1";
/** That of observe/admin-server.ts, which is loaded only where it is wanted. */
export const USUAL_ADMIN_PORT = 9180;
const LOOPBACKS: readonly string[] = ["127.0.0.1", "::1"];
const FORMS = "tcp://127.0.0.1:8080, tcp://[::1]:8080, unix:/run/site.sock, fd:3 or systemd for an inherited socket";

/**
 * Reads one URI of --listen.
 *
 * @param defaultPort for tcp:// without one
 * @param origin where it was given
 * @throws CommandError with exit code 2 that shows the forms
 */
export function parseListenUri(text: string, defaultPort: number, origin = "--listen"): Target {
  const fd = /^fd:(?:\/\/)?(\d{1,6})$/i.exec(text)?.[1];
  if (fd !== undefined) return { kind: "fd", fd: Number(fd) };
  const systemd = /^systemd(?::(.*))?$/i.exec(text);
  if (systemd !== null) return { kind: "fd", fd: socketOfSystemd(systemd[1] ?? "", origin) };
  const path = /^unix:(?:\/\/(?=\/))?(.+)$/i.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  const tcp = /^tcp:\/\/(\[[^\]/]+\]|[^[\]/:]*)(?::([^/]*))?\/?$/i.exec(text);
  if (tcp === null)
    throw new CommandError(2, `${origin} is ${JSON.stringify(text)}, which is no address`, adviceFor(text));
  const [, host = "", port = ""] = tcp;
  return {
    kind: "tcp",
    hostname: parseHostname(host === "" || host === "*" ? true : host, origin),
    port: port === "" ? defaultPort : parsePort(port, `the port of ${origin}`),
  };
}

/** The one socket that systemd has passed on, or the one of a name. */
function socketOfSystemd(name: string, origin: string): number {
  const found = inheritedSockets(process.env, process, name === "" ? null : name);
  if (typeof found === "string")
    throw new CommandError(2, `${origin} ${name === "" ? "systemd" : `systemd:${name}`}: ${found}`);
  if (found.length === 1) return found[0] as number;
  throw new CommandError(2, `${origin} systemd: there are ${found.length} sockets`, [
    "Name each with FileDescriptorName= in its .socket unit and give --listen systemd:NAME for each, or fd:3, fd:4 …",
  ]);
}

/**
 * Reads the address of --admin: `9180`, `127.0.0.1:9180`, `[::1]:9180`, `localhost`. One that is left out is this machine alone;
 * a colon with nothing before it, which means every address elsewhere, is nobody's wish to be guessed.
 *
 * @throws CommandError with exit code 2
 */
export function parseAdminAddress(value: string | true, origin: string): AdminPlace {
  if (value === true) return { hostname: DEFAULT_ADMIN_HOST, port: -1, origin };
  const text = /^\d+$/.test(value) ? `${DEFAULT_ADMIN_HOST}:${value}` : value;
  const match = /^(\[[^\]/\s]+\]|[^[\]/:\s]+)(?::(\d+))?$/.exec(text);
  const host = match?.[1];
  if (host === undefined) {
    throw new CommandError(2, `${origin} is ${JSON.stringify(value)}, which is no address`, [
      "Give a port, or an address with it: 9180, 127.0.0.1:9180, [::1]:9180; for all addresses 0.0.0.0:9180",
    ]);
  }
  const port = match?.[2];
  return {
    hostname: parseHostname(host, origin),
    port: port === undefined ? -1 : parsePort(port, `the port of ${origin}`),
    origin,
  };
}

/**
 * Both at one place would have the second fail as if a stranger were there.
 *
 * @param origin where the server's was given
 * @throws CommandError with exit code 2
 */
export function refuseSharedPlace(admin: AdminPlace | null, targets: readonly Target[], origin: string): void {
  const port = sharedPort(admin, targets);
  if (admin === null || port === 0) return;
  throw new CommandError(2, `${admin.origin} and ${origin} are the same port, ${port}`, [
    "Metrics and health need one of their own, as in --admin 127.0.0.1:9181",
  ]);
}

/** The same for who wants any port: the one behind that of --admin. */
export function nextToAdmin(
  admin: AdminPlace | null,
  targets: readonly Target[],
): { readonly targets: readonly Target[]; readonly notes: readonly string[] } {
  const port = sharedPort(admin, targets);
  if (admin === null || port === 0) return { targets, notes: [] };
  const next = targets.map((target) => (target.kind === "tcp" ? { ...target, port: target.port + 1 } : target));
  return { targets: next, notes: [`port ${port} is that of ${admin.origin}, so the server's is ${port + 1} or later`] };
}

/** The port that both would have, 0 for none. */
function sharedPort(admin: AdminPlace | null, targets: readonly Target[]): number {
  if (admin === null || admin.port === 0) return 0;
  const port = admin.port === -1 ? USUAL_ADMIN_PORT : admin.port;
  const isShared = targets.some(
    (target) => target.kind === "tcp" && target.port === port && isOverlapping(target.hostname, admin.hostname),
  );
  return isShared ? port : 0;
}

/** Whether two addresses have one in common; of names only `localhost` is known. */
function isOverlapping(one: string, other: string): boolean {
  if (one === "localhost") return LOOPBACKS.some((address) => isOverlapping(address, other));
  if (other === "localhost") return isOverlapping(other, one);
  // A socket on `::` takes IPv4 as well
  if (one === other || one === "::" || other === "::") return true;
  return one.includes(":") === other.includes(":") && (isEveryAddress(one) || isEveryAddress(other));
}

function adviceFor(text: string): string[] {
  const port = /^\d+$/.test(text) ? [`The port alone is --port ${text}`] : [];
  const hostAndPort = /^[\w.-]+:\d+$/.test(text) ? [`Perhaps --listen tcp://${text}`] : [];
  return [...port, ...hostAndPort, `Give ${FORMS}`];
}

/**
 * An address to listen on. `true`, from a bare --host, is every address that there is.
 *
 * @throws CommandError with exit code 2 if it is empty
 */
export function parseHostname(value: string | boolean, origin: string): string {
  if (typeof value === "boolean" || value === "*") return everyAddress();
  if (value === "") {
    throw new CommandError(2, `${origin} is empty`, ["Give an address, as in --host 127.0.0.1, or 0.0.0.0 for all"]);
  }
  const bare = value.startsWith("[") && value.endsWith("]") ? value.slice(1, -1) : value;
  if (/[\s/\\]|:\/\//.test(bare)) {
    throw new CommandError(2, `${origin} is ${JSON.stringify(value)}, which is no address`, [
      "Give an address or a name of this machine; a whole URI goes to --listen",
    ]);
  }
  return bare;
}

/** Of both families, where this machine has both: a socket on `::` takes IPv4 as well. */
function everyAddress(): string {
  const hasIpv6 = Object.values(networkInterfaces()).some((one) => one?.some(({ family }) => family === "IPv6"));
  return hasIpv6 ? "::" : "0.0.0.0";
}

/** @throws CommandError with exit code 2 that names where the port was given */
export function parsePort(text: string, origin: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > HIGHEST_PORT) {
    throw new CommandError(2, `${origin} is ${JSON.stringify(text)}, which is no port`, [
      `Give a number from 1 to ${HIGHEST_PORT}, or 0 for any free one`,
    ]);
  }
  return port;
}

/** Whether nobody but this machine can reach it. Who opened an inherited socket, and where, is not known. */
export function isLocal(target: Target): boolean {
  if (target.kind === "unix") return true;
  return target.kind === "tcp" && isLoopback(target.hostname);
}

/** Whether an address is one of the loopback's. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127(?:\.\d+){3}$/.test(hostname);
}

/** Whether an address stands for all that there are. */
export function isEveryAddress(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
