/**
 * `--admin`: metrics, liveness and readiness on an address of their own, of this process or of all workers together.
 *
 *  alone     counts by its hooks, and tells that
 *  worker    counts by its hooks, and says it to the primary when that asks
 *  primary   tells what all workers have counted, and whether one of them takes requests
 *
 * Loaded only where it is wanted. It opens no other address than the one that was given, and says so plainly if other machines
 * can reach that: it has no password.
 */

import { ADMIN_PORT, adminServer } from "../observe/admin-server.ts";
import { joinMetrics } from "../observe/joined-metrics.ts";
import { metrics, type Metrics } from "../observe/metrics.ts";
import { ServerError } from "../http/errors.ts";
import { answerWith } from "../processes/ask-workers.ts";
import type { Supervisor } from "../processes/supervisor.ts";
import type { HealthOptions, Readiness } from "../server/health.ts";
import type { Hooks } from "../server/hooks.ts";
import { joinHooks } from "../server/join-hooks.ts";
import { CommandError } from "./command-error.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";
import { isLoopback } from "./targets.ts";
import type { AdminPlace } from "./targets.ts";

/** What counts, and tells what was counted. */
export interface Admin {
  /** For the servers, with those of the log; none of the primary's. */
  readonly hooks: Hooks;
  /** Where it is, for the first lines; `""` of a worker. */
  readonly note: string;
  /** Ready means from now on that these are. */
  watch(servers: readonly Readiness[]): void;
  close(): Promise<void>;
}

/** What it needs of the world. */
export interface AdminWorld {
  readonly writeError: (text: string) => void;
}

/** Topics between primary and workers; an app may have its own. */
const METRICS_TOPIC = "fairlead.metrics";
const READY_TOPIC = "fairlead.ready";

/**
 * Counts, and tells it.
 *
 * @throws CommandError with exit code 1 if the address cannot be had
 */
export async function openAdmin(place: AdminPlace, settings: Settings, log: Log, world: AdminWorld): Promise<Admin> {
  const counts = count(log);
  let servers: readonly Readiness[] = [];
  const readiness: Readiness = {
    get isReady() {
      return servers.length > 0 && servers.every(({ isReady }) => isReady);
    },
  };
  const opened = await open(place, counts, readiness, settings.server.health ?? {}, world);
  return {
    ...opened,
    hooks: joinHooks(counts.hooks, log.hooks),
    watch: (others) => {
      servers = others;
    },
  };
}

/** Counts, and says it when the primary asks. */
export function countAsWorker(settings: Settings, log: Log): Admin {
  const counts = count(log);
  answerWith(METRICS_TOPIC, () => counts.snapshot());
  const { check } = settings.server.health ?? {};
  if (typeof check === "function") answerWith(READY_TOPIC, async () => (await check()) === true);
  return { hooks: joinHooks(counts.hooks, log.hooks), note: "", watch: () => {}, close: async () => {} };
}

/**
 * Tells what all workers have counted.
 *
 * @throws CommandError with exit code 1 if the address cannot be had
 */
export async function openAdminOfWorkers(
  place: AdminPlace,
  settings: Settings,
  supervisor: Supervisor,
  world: AdminWorld,
): Promise<Admin> {
  const { check, ...paths } = settings.server.health ?? {};
  // The app's own word is the workers' to give: this process runs nothing of it
  const isAnyReady = async (): Promise<boolean> =>
    (await supervisor.ask(READY_TOPIC)).some(({ answer }) => answer === true);
  const health = typeof check === "function" ? { ...paths, check: isAnyReady } : paths;
  const joined = joinMetrics(supervisor, { topic: METRICS_TOPIC });
  const opened = await open(place, joined, supervisor, health, world);
  return { ...opened, hooks: {}, watch: () => {} };
}

function count(log: Log): Metrics {
  const counts = metrics();
  counts.watchLog(log);
  return counts;
}

async function open(
  { hostname, port, origin }: AdminPlace,
  told: Pick<Metrics, "handler">,
  readiness: Readiness,
  health: HealthOptions,
  world: AdminWorld,
): Promise<Pick<Admin, "note" | "close">> {
  const number = port === -1 ? ADMIN_PORT : port;
  try {
    const server = await adminServer({ hostname, port: number, metrics: told, server: readiness, health });
    if (!isLoopback(hostname)) {
      world.writeError(
        `fairlead: ${origin}: ${server.url.href} can be reached by other machines, and asks nobody for a password\n`,
      );
    }
    return {
      note: `metrics and health at ${server.url.href}: /metrics, ${health.livePath ?? "/healthz"}, ${health.readyPath ?? "/readyz"}`,
      close: async () => void (await server.close({ drainMs: 0 })),
    };
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    if (error.code !== "ERR_LISTEN_IN_USE")
      throw new CommandError(1, `${origin}: ${error.message}`, [], { cause: error });
    throw new CommandError(
      1,
      `${origin}: port ${number} is taken: another program listens there`,
      ["Stop that program, or give another address, as in --admin 127.0.0.1:9181"],
      { cause: error },
    );
  }
}
