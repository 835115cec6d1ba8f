/**
 * Listening as a person means it: a port that was asked for or none; else the default one, or the next that is free.
 *
 * Several addresses are several servers with one handler: all of them listen, or none. And where they can then be reached: the
 * addresses of this machine that they listen on.
 */

import { existsSync, fstatSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { ServerError } from "../http/errors.ts";
import type { Hooks } from "../server/hooks.ts";
import type { ServeOptions } from "../server/options.ts";
import { serve } from "../server/server.ts";
import type { Server } from "../server/server.ts";
import type { Handler } from "../web/handler.ts";
import { CommandError } from "./command-error.ts";
import type { Settings } from "./settings.ts";
import { isEveryAddress } from "./targets.ts";
import type { Target } from "./targets.ts";

/** Ports that are tried after the default one. */
const MOST_TRIES = 100;
const HIGHEST_PORT = 65_535;

/** Servers, one per target, the port that they did not get, and where one of them sends plain HTTP on. */
export interface Listening {
  readonly servers: readonly Server[];
  /** 0 if the first choice was free. */
  readonly takenPort: number;
  /** Where plain HTTP is sent on to HTTPS, `""` if nowhere. */
  readonly redirectUrl: string;
}

/**
 * Starts a server for each target.
 *
 * @throws CommandError with exit code 1: a port or an address cannot be had
 */
export async function listen(settings: Settings, fetch: Handler, hooks: Hooks): Promise<Listening> {
  const { targets, isPortFixed, usesSendfile } = settings;
  const [first] = targets;
  const port = first?.kind === "tcp" ? first.port : 0;
  const lastPort = isPortFixed ? port : Math.min(port + MOST_TRIES, HIGHEST_PORT);
  const { redirectFrom, mode = -1, ...options } = settings.server;
  const sendfile = usesSendfile ? (await import("../sendfile/linux-sendfile.ts")).linuxSendfile() : undefined;
  const others = { ...options, sendfile };
  // One of them sends plain HTTP on, for all
  const optionsOf = (number: number): Omit<ServeOptions, "fetch"> =>
    number === 0 && redirectFrom !== undefined ? { ...others, redirectFrom } : others;
  for (let candidate = port; ; candidate++) {
    const servers: Server[] = [];
    try {
      for (const target of targets) {
        const wanted = target.kind === "tcp" && !isPortFixed ? { ...target, port: candidate } : target;
        const [one, other] = inBothFamilies(wanted);
        const server = await serve({ ...optionsOf(servers.length), fetch, hooks, ...placeOf(one, mode) });
        servers.push(server);
        if (other === null) continue;
        // Of port 0 the first got any, and the second shall have the same
        servers.push(
          await serve({
            ...optionsOf(servers.length),
            fetch,
            hooks,
            ...placeOf({ ...other, port: server.port }, mode),
          }),
        );
      }
      const redirectUrl = servers[0]?.redirectUrl?.href ?? "";
      return { servers, takenPort: candidate === port ? 0 : port, redirectUrl };
    } catch (error) {
      await Promise.all(servers.map((server) => server.close({ drainMs: 0 })));
      if (!(error instanceof ServerError)) throw error;
      if (error.code !== "ERR_LISTEN_IN_USE" || candidate === lastPort) throw explain(error, settings, port);
    }
  }
}

/**
 * Whether inherited sockets are some. Of another descriptor, which may be one of Node's own, libuv would take hold, fail, and
 * close it: that ends the process by SIGABRT.
 *
 * @throws CommandError with exit code 1
 */
export function checkDescriptors({ targets }: Settings): void {
  for (const target of targets) {
    if (target.kind !== "fd" || isSocket(target.fd)) continue;
    const what = "this is no open listening socket";
    throw new CommandError(1, `cannot listen on descriptor ${target.fd}: ${what}`, [
      "Check that the parent process passes it on; systemd's are --listen systemd",
    ]);
  }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

/** `localhost` is 127.0.0.1 and ::1 (RFC 6761 §6.3), and which of them a client tries first nobody knows. */
function inBothFamilies(target: Target): readonly [Target, TcpTarget | null] {
  if (target.kind !== "tcp" || target.hostname !== "localhost") return [target, null];
  const hasIpv6 = Object.values(networkInterfaces()).some((one) => one?.some(({ address }) => address === "::1"));
  return [{ ...target, hostname: "127.0.0.1" }, hasIpv6 ? { ...target, hostname: "::1" } : null];
}

type TcpTarget = Extract<Target, { readonly kind: "tcp" }>;

/** The options of serve() for a target. */
function placeOf(
  target: Target,
  mode: number,
): { hostname: string; port: number } | { unix: string; mode: number } | { fd: number } {
  switch (target.kind) {
    case "tcp":
      return { hostname: target.hostname, port: target.port };
    case "unix":
      return { unix: target.path, mode };
    case "fd":
      return { fd: target.fd };
  }
}

function explain(error: ServerError, { isPortFixed, targets }: Settings, port: number): CommandError {
  const isOnePort = targets.every((target) => target.kind === "tcp" && target.port === port);
  if (error.code !== "ERR_LISTEN_IN_USE" || !isOnePort) return new CommandError(1, error.message, [], { cause: error });
  if (isPortFixed) {
    const advice = ["Stop that program, give another --port, or --port 0 for any free one"];
    return new CommandError(1, `port ${port} is taken: another program listens there`, advice, { cause: error });
  }
  const advice = ["Give a --port that is free, or --port 0"];
  return new CommandError(1, `the ports from ${port} to ${port + MOST_TRIES} are all taken`, advice, { cause: error });
}

/** URLs under which others may reach a server; none if it listens on one address of this machine only. */
export function networkUrlsOf(hostname: string, port: number, protocol = "http:"): string[] {
  if (!isEveryAddress(hostname)) return [];
  const urls: string[] = [];
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal, scopeid } of addresses ?? []) {
      // A link-local address would need its zone, which no URL can hold
      if (internal || (family === "IPv6" && (hostname !== "::" || scopeid !== 0))) continue;
      urls.push(`${protocol}//${family === "IPv6" ? `[${address}]` : address}:${port}/`);
    }
  }
  return urls;
}

/** Whether this looks like a container, where the loopback address is reached by nobody. */
export function isContainer(): boolean {
  return existsSync("/.dockerenv") || existsSync("/run/.containerenv");
}
