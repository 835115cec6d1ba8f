/**
 * `startTestServer()`: a true server on a free port of the loopback interface, for as long as a test lasts.
 *
 * For what has no meaning without a socket: upgrades, pipelining, clients of other kinds. Faults of handlers are gathered
 * in place of being written to standard error. It must never listen anywhere but on the loopback interface.
 */

import type { Refusal } from "../http/exchange.ts";
import type { Hooks } from "../server/hooks.ts";
import { observerOf } from "../server/join-hooks.ts";
import type { ServeOptions } from "../server/options.ts";
import { serve, type Server } from "../server/server.ts";
import type { TestApp, TestFault } from "./request.ts";

/** Options of `serve()`, without those that say where to listen and what answers. */
export type TestServerOptions = Omit<ServeOptions, "fetch" | "port" | "hostname" | "unix" | "fd" | "backlog">;

/** A server that listens on the loopback interface. */
export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:port/`. */
  readonly url: URL;
  readonly port: number;
  /** The server itself. */
  readonly server: Server;
  /** What handlers did wrong so far. */
  readonly faults: readonly TestFault[];
  /** What the server refused by itself so far. */
  readonly refusals: readonly Refusal[];
  /** The platform's `fetch` with a path of this server. Redirects are not followed unless `init.redirect` asks for it. */
  fetch(path: string | URL, init?: RequestInit): Promise<globalThis.Response>;
  /** Lets what runs finish, then closes. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 *
 * @returns when it listens
 * @throws ServerError ERR_OPTIONS as `serve()` does
 */
export async function startTestServer(app: TestApp, options: TestServerOptions = {}): Promise<TestServer> {
  const faults: TestFault[] = [];
  const refusals: Refusal[] = [];
  const given = observerOf(options.hooks);
  const hooks: Hooks = {
    ...given,
    onFault: (fault) => {
      faults.push({ id: fault.id, error: fault.error });
      return given.onFault?.(fault);
    },
    onRefusal: (refusal) => {
      refusals.push(refusal);
      return given.onRefusal?.(refusal);
    },
  };
  const fetch = typeof app === "function" ? app : app.fetch.bind(app);
  const server = await serve({ ...options, hooks, fetch, port: 0, hostname: "127.0.0.1" });
  const close = async (): Promise<void> => {
    await server.close();
  };
  return {
    url: server.url,
    port: server.port,
    server,
    faults,
    refusals,
    fetch: (path, init = {}) => globalThis.fetch(new URL(path, server.url), { redirect: "manual", ...init }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
