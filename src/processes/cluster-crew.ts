/**
 * Worker processes through node:cluster, which share the primary's listening sockets.
 *
 * How connections reach them is Node's setting (NODE_CLUSTER_SCHED_POLICY), by default round robin: the primary accepts and hands
 * over. It costs more per connection than accepting in the workers (160 to 240 us against 95 to 137, two cores, Node 20 to 26) and
 * spreads them: 64 persistent ones that came at once lay 33/31 to 48/16, against 32/32 to 0/64 in every third round. A socket
 * of its own for each worker (reusePort) resets what waits there when it closes. docs/decisions/ has the numbers. This must hold
 * no policy: when to start and end whom is the supervisor's.
 */

import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { sinceForWorkers } from "../server/stale-socket.ts";
import type { Crew, CrewEvents, CrewProcess, ProcessEnd } from "./crew.ts";
import { PrefixedLines } from "./line-prefix.ts";
import { enclose, fromWorker, type PrimaryMessage } from "./messages.ts";

/** How workers are run. */
export interface ClusterCrewConfig {
  /** File that each worker runs. */
  readonly file: string;
  readonly args: readonly string[];
  /** Name of this process in the list of processes, `""` to leave it as it is. */
  readonly title: string;
  /** What stands before the lines of a worker's standard error. */
  readonly prefixOf: (number: number) => string;
  readonly writeError: (text: string) => void;
}

/** Starts workers. There can be one of them in a process: node:cluster has one way to run workers. */
export class ClusterCrew implements Crew {
  readonly #config: ClusterCrewConfig;
  /** Once: the clock may be set later, and the times of files are those that it showed. */
  readonly #since = sinceForWorkers();

  constructor(config: ClusterCrewConfig) {
    this.#config = config;
    if (config.title !== "") process.title = config.title;
    cluster.setupPrimary({
      exec: config.file,
      args: [...config.args],
      // Lines of the log go out directly: through the primary each would cost twice
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
  }

  start(number: number, environment: Readonly<Record<string, string>>, events: CrewEvents): CrewProcess {
    const worker = cluster.fork({ ...environment, ...this.#since, FAIRLEAD_WORKER: String(number) });
    return new ClusterProcess(worker, number, this.#config, events);
  }
}

class ClusterProcess implements CrewProcess {
  readonly pid: number;
  readonly #worker: ClusterWorker;
  readonly #events: CrewEvents;
  #isOver = false;

  constructor(worker: ClusterWorker, number: number, config: ClusterCrewConfig, events: CrewEvents) {
    this.#worker = worker;
    this.#events = events;
    this.pid = worker.process.pid ?? 0;
    const lines = new PrefixedLines(() => config.prefixOf(number), config.writeError);
    worker.process.stderr?.on("data", (chunk: Buffer) => lines.add(chunk));
    worker.process.stderr?.once("close", () => lines.end());
    worker.on("message", (envelope: unknown) => {
      const message = fromWorker(envelope);
      if (message !== null) events.onMessage(message);
    });
    worker.once("exit", (code: number | null, signal: string | null) => this.#end({ code, signal, error: null }));
    // Also when a message cannot be sent because the process is gone; 'exit' tells of that
    worker.on("error", (error: Error) => {
      if (this.pid === 0) this.#end({ code: null, signal: null, error });
    });
  }

  send(message: PrimaryMessage): void {
    if (this.#worker.isConnected()) this.#worker.send(enclose(message), () => {});
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }

  #end(end: ProcessEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onEnd(end);
  }
}
