/**
 * A second server for those who run the first: metrics, liveness and readiness, on an address that the public does not reach.
 *
 * By default it listens on the loopback interface alone, and there it answers only to names of that interface, so that no web
 * page can read it through the browser of somebody on the machine (DNS rebinding). It takes no content, few connections and no
 * long time, and it never keeps a process alive by itself.
 */

import { healthHandler, type HealthOptions, type Readiness } from "../server/health.ts";
import type { Server } from "../server/server.ts";
import { serve } from "../server/server.ts";
import type { Context } from "../web/context.ts";
import type { Handler } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { Response } from "../web/response.ts";
import { A_FUNCTION, AN_OBJECT, checkOptions, type OptionRules, whole } from "../server/option-rules.ts";
import type { Metrics } from "./metrics.ts";

/** Where it listens, and what it tells. */
export interface AdminServerOptions {
  /** TCP port, 0 for any free one. Default 9180. */
  readonly port?: number | undefined;
  /** Address to listen on. Default 127.0.0.1: this machine alone. Another one should be reached by the monitoring only. */
  readonly hostname?: string | undefined;
  /** Told at `/metrics`: of metrics(), or of joinMetrics(). Default none. */
  readonly metrics?: Pick<Metrics, "handler"> | undefined;
  /** Whose readiness is told at `/readyz`: as a rule the server beside it. Default: always ready. */
  readonly server?: Readiness | readonly Readiness[] | undefined;
  /** Paths of the probes, and what the application says of its readiness. Default `/healthz` and `/readyz`. */
  readonly health?: HealthOptions | undefined;
  /** Answers all other paths. Default 404. */
  readonly fetch?: Handler | undefined;
}

/** Prometheus itself is at 9090. */
export const ADMIN_PORT = 9180;
const DEFAULT_HOSTNAME = "127.0.0.1";
const HIGHEST_PORT = 65_535;
const MAX_CONNECTIONS = 100;
const HANDLER_MS = 10_000;
const METRICS_PATH = "/metrics";

const ADMIN_RULES: OptionRules<AdminServerOptions> = {
  port: whole(0, HIGHEST_PORT, "numbers"),
  hostname: { allowed: "an address", isAllowed: (value) => typeof value === "string" && value !== "" },
  metrics: {
    allowed: "what metrics() or joinMetrics() has made",
    isAllowed: (value) => AN_OBJECT.isAllowed(value) && "handler" in (value as object),
  },
  server: {
    allowed: "a server, or an array of them",
    isAllowed: (value) => (Array.isArray(value) ? value : [value]).every((one) => AN_OBJECT.isAllowed(one)),
  },
  health: AN_OBJECT,
  fetch: A_FUNCTION,
};

/**
 * Starts the server.
 *
 * @returns when it listens; close it when the server beside it is closed
 * @throws TypeError that names every mistake in the options; ServerError as `serve()` does
 */
export async function adminServer(options: AdminServerOptions = {}): Promise<Server> {
  checkOptions("adminServer", options, ADMIN_RULES);
  const { port = ADMIN_PORT, hostname = DEFAULT_HOSTNAME } = options;
  const answer = makeAnswer(options);
  const server = await serve({
    port,
    hostname,
    fetch: isLoopback(hostname) ? onlyForThisMachine(answer) : answer,
    limits: { maxConnections: MAX_CONNECTIONS, maxContentBytes: 0 },
    timeouts: { handlerMs: HANDLER_MS },
  });
  server.unref();
  return server;
}

function makeAnswer({ metrics, server = [], health = {}, fetch }: AdminServerOptions): Handler {
  const probe = healthHandler(server, health);
  const { livePath = "/healthz", readyPath = "/readyz" } = health;
  const handlers = new Map<string, Handler>([
    [livePath, probe],
    [readyPath, probe],
  ]);
  if (metrics !== undefined) handlers.set(METRICS_PATH, metrics.handler);
  const text = `${[...handlers.keys()].join("\n")}\n`;
  return (request, context) => {
    const handler = handlers.get(new URL(request.url).pathname);
    if (handler === undefined)
      return fetch?.(request, context) ?? new Response(`not found; there is\n${text}`, { status: 404 });
    if (request.method === "GET" || request.method === "HEAD") return handler(request, context);
    return new Response("method not allowed\n", { status: 405, headers: { allow: "GET, HEAD" } });
  };
}

/** RFC 9110 §7.4: a request for another authority than those that are served here is misdirected. */
function onlyForThisMachine(answer: Handler): Handler {
  return (request: Request, context: Context) => {
    const { authority } = context.exchange.request;
    const host = authority
      .replace(/:\d*$/, "")
      .replace(/^\[(.*)\]$/, "$1")
      .toLowerCase();
    if (host === "" || isLoopback(host)) return answer(request, context);
    return new Response("this address answers to localhost only\n", { status: 421 });
  };
}

/** RFC 6761 §6.3: localhost and the names below it mean the loopback interface. */
function isLoopback(host: string): boolean {
  if (/^127(?:\.\d{1,3}){3}$/.test(host)) return true;
  return host === "::1" || host === "localhost" || host.endsWith(".localhost");
}
