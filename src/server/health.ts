/**
 * Readiness and liveness: what an orchestrator or a load balancer asks, answered in front of everything else.
 *
 * Live means that the process answers at all; it says nothing of anything behind it, or a database that is down would have
 * every process restarted. Ready means that new requests are welcome: the server listens, the application agrees, and nobody
 * has asked it to close. It must never be slowed down or turned away by what the handlers do.
 */

import type { Exchange, FieldLines } from "../http/exchange.ts";
import type { Handler } from "../web/handler.ts";
import { responseOfLines } from "../web/response.ts";

/** Where and how a server tells how it is. */
export interface HealthOptions {
  /** Path that is answered 200 as long as the process answers, default `/healthz`. */
  readonly livePath?: string | undefined;
  /** Path that is answered 200 when requests are welcome and else 503, default `/readyz`. */
  readonly readyPath?: string | undefined;
  /** Whether the application is ready; default: always. A rejected promise, or an error, is a no. */
  readonly check?: (() => boolean | Promise<boolean>) | null | undefined;
}

/** What is asked of a server. */
export interface Readiness {
  /** False from the moment it is asked to close. */
  readonly isReady: boolean;
}

type ResolvedHealth = Required<HealthOptions>;

const DEFAULTS = { livePath: "/healthz", readyPath: "/readyz" } as const;
const FIELDS: FieldLines = Object.freeze(["Content-Type", "text/plain; charset=utf-8", "Cache-Control", "no-store"]);

/** Answers with them where they are asked, and gives all else to `answer`. */
export function withHealth(
  answer: (exchange: Exchange) => void,
  { livePath, readyPath, check }: ResolvedHealth,
  readiness: Readiness,
): (exchange: Exchange) => void {
  return (exchange) => {
    const { target, method } = exchange.request;
    if ((target !== livePath && target !== readyPath) || (method !== "GET" && method !== "HEAD")) {
      return answer(exchange);
    }
    if (target === livePath) return respond(exchange, true);
    const isReady = agree(check, readiness);
    if (typeof isReady === "boolean") return respond(exchange, isReady);
    void isReady.then((agrees) => respond(exchange, agrees));
  };
}

function respond(exchange: Exchange, isWell: boolean): void {
  if (exchange.isAnswered) return;
  void exchange.respond({ status: isWell ? 200 : 503, reason: "", fields: FIELDS }, textOf(isWell));
}

function textOf(isWell: boolean): string {
  return isWell ? "ok\n" : "not ready\n";
}

/**
 * The same for another address than the server's own, e.g. one that only the orchestrator reaches; other paths are answered 404.
 *
 * @param server whose readiness is told; of several, all of them must be ready
 * @throws TypeError if both paths are the same
 */
export function healthHandler(server: Readiness | readonly Readiness[], options: HealthOptions = {}): Handler {
  const servers: readonly Readiness[] = Array.isArray(server) ? server : [server as Readiness];
  const { livePath = DEFAULTS.livePath, readyPath = DEFAULTS.readyPath, check } = options;
  // Nobody would be told that it is not ready, as of serve()
  if (livePath === readyPath) {
    throw new TypeError(
      `healthHandler: readyPath is ${JSON.stringify(readyPath)} as livePath is, another path is allowed`,
    );
  }
  const all: Readiness = {
    get isReady() {
      return servers.every(({ isReady }) => isReady);
    },
  };
  return (request) => {
    const path = new URL(request.url).pathname;
    if (path === livePath) return responseOfLines(200, FIELDS, textOf(true));
    if (path !== readyPath) return responseOfLines(404, FIELDS, "not found\n");
    const isReady = agree(check, all);
    if (typeof isReady !== "boolean") return isReady.then(readinessResponse);
    return readinessResponse(isReady);
  };
}

function readinessResponse(isReady: boolean): globalThis.Response {
  return responseOfLines(isReady ? 200 : 503, FIELDS, textOf(isReady));
}

/** Whether both the server and the application are ready. It never throws or rejects. */
function agree(check: ResolvedHealth["check"], readiness: Readiness): boolean | Promise<boolean> {
  if (!readiness.isReady) return false;
  if (check === null || check === undefined) return true;
  try {
    const agrees = check();
    if (typeof agrees === "boolean") return agrees;
    return agrees.then(
      (later) => later === true && readiness.isReady,
      () => false,
    );
  } catch {
    return false;
  }
}
