/**
 * The arguments of node:http's listen(), in all their forms, to where serve() is to listen.
 *
 * Forms: port and what follows it, path, object, nothing at all; a callback last. What is not understood is an error at the
 * caller. It must never open anything.
 */

import { nodeError } from "./node-errors.ts";

/** Where to listen, as serve() takes it. */
export interface ListenPlace {
  readonly port?: number;
  readonly hostname?: string;
  readonly unix?: string;
  readonly fd?: number;
  readonly backlog?: number;
}

/** What listen() was told. */
export interface ListenArguments {
  /** To be tried one after the other. */
  readonly places: readonly ListenPlace[];
  readonly signal: AbortSignal | undefined;
  readonly callback: (() => void) | null;
}

/** All interfaces, as node:http: IPv6, which takes IPv4 with it where the system has it, else IPv4 alone. */
const EVERYWHERE = ["::", "0.0.0.0"];

/**
 * Reads arguments.
 *
 * @throws TypeError ERR_INVALID_ARG_VALUE for a place that is none
 */
export function readListenArguments(args: readonly unknown[]): ListenArguments {
  const last = args.at(-1);
  const callback = typeof last === "function" ? (last as () => void) : null;
  const given = (callback === null ? args : args.slice(0, -1)).filter((value) => value !== undefined && value !== null);
  const first = given[0];
  if (typeof first === "object" && first !== null) return { ...readObject(first), callback };
  if (isPort(first) || first === undefined) {
    const host = typeof given[1] === "string" ? given[1] : undefined;
    const backlog = given.slice(1).find((value) => typeof value === "number");
    return { places: tcp(Number(first ?? 0), host, backlog), signal: undefined, callback };
  }
  if (typeof first !== "string" || first === "") throw nodeError("ERR_INVALID_ARG_VALUE", "port");
  return { places: [{ unix: first, ...withBacklog(given[1]) }], signal: undefined, callback };
}

function readObject(options: object): Omit<ListenArguments, "callback"> {
  const { port, host, path, fd, backlog, signal } = options as Readonly<Record<string, unknown>>;
  const abort = signal instanceof AbortSignal ? signal : undefined;
  if (typeof fd === "number" && fd >= 0) return { places: [{ fd, ...withBacklog(backlog) }], signal: abort };
  if (typeof path === "string" && (port === undefined || port === null)) {
    return { places: [{ unix: path, ...withBacklog(backlog) }], signal: abort };
  }
  if (port !== undefined && port !== null && !isPort(port)) throw nodeError("ERR_INVALID_ARG_VALUE", "options.port");
  return { places: tcp(Number(port ?? 0), typeof host === "string" ? host : undefined, backlog), signal: abort };
}

function tcp(port: number, host: string | undefined, backlog: unknown): ListenPlace[] {
  const hosts = host === undefined || host === "" ? EVERYWHERE : [host];
  return hosts.map((hostname) => ({ port, hostname, ...withBacklog(backlog) }));
}

function withBacklog(backlog: unknown): { backlog?: number } {
  return typeof backlog === "number" && backlog > 0 ? { backlog } : {};
}

/** A number, or text that is one: an environment variable. */
function isPort(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 && value <= 65535;
  return typeof value === "string" && /^[0-9]{1,5}$/.test(value) && Number(value) <= 65535;
}
