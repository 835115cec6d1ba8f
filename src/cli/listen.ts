/**
 * Listening as a person means it: a port that was asked for or none; else the default one, or the next that is free.
 *
 * And where the server can then be reached: the addresses of this machine that it listens on.
 */

import { existsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { ServerError } from "../http/errors.ts";
import type { Hooks } from "../server/hooks.ts";
import { serve } from "../server/server.ts";
import type { Server } from "../server/server.ts";
import type { Handler } from "../web/handler.ts";
import { CommandError } from "./command-error.ts";
import type { Settings } from "./settings.ts";

/** Ports that are tried after the default one. */
const MOST_TRIES = 100;

/** A server, and the port that it did not get. */
export interface Listening {
  readonly server: Server;
  /** 0 if the first choice was free. */
  readonly takenPort: number;
}

/**
 * Starts the server.
 *
 * @throws CommandError with exit code 1: the port or the address cannot be had
 */
export async function listen(settings: Settings, fetch: Handler, hooks: Hooks): Promise<Listening> {
  const { hostname, port, isPortFixed } = settings;
  const lastPort = isPortFixed ? port : Math.min(port + MOST_TRIES, 65_535);
  for (let candidate = port; ; candidate++) {
    try {
      const server = await serve({ fetch, hostname, port: candidate, hooks });
      return { server, takenPort: candidate === port ? 0 : port };
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      if (error.code !== "ERR_LISTEN_IN_USE" || candidate === lastPort) throw explain(error, settings);
    }
  }
}

function explain(error: ServerError, { isPortFixed, port }: Settings): CommandError {
  const isTaken = error.code === "ERR_LISTEN_IN_USE";
  if (isTaken && isPortFixed) {
    return new CommandError(
      1,
      `port ${port} is taken: another program listens there`,
      ["Stop that program, give another --port, or --port 0 for any free one"],
      { cause: error },
    );
  }
  if (isTaken) {
    return new CommandError(
      1,
      `the ports from ${port} to ${port + MOST_TRIES} are all taken`,
      ["Give a --port that is free, or --port 0"],
      {
        cause: error,
      },
    );
  }
  return new CommandError(1, error.message, [], { cause: error });
}

/** URLs under which others may reach a server; none if it listens on one address of this machine only. */
export function networkUrlsOf(hostname: string, port: number): string[] {
  if (hostname !== "0.0.0.0" && hostname !== "::") return [];
  const urls: string[] = [];
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal, scopeid } of addresses ?? []) {
      // A link-local address would need its zone, which no URL can hold
      if (internal || (family === "IPv6" && (hostname !== "::" || scopeid !== 0))) continue;
      urls.push(`http://${family === "IPv6" ? `[${address}]` : address}:${port}/`);
    }
  }
  return urls;
}

/** Whether this looks like a container, where the loopback address is reached by nobody. */
export function isContainer(): boolean {
  return existsSync("/.dockerenv") || existsSync("/run/.containerenv");
}

/** Whether an address is one of the loopback's. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || hostname === "[::1]" || hostname.startsWith("127.");
}
