/**
 * A load at a fixed rate, as a process of its own on the load's core: `open-loop.ts '{"port":…,"rate":…}'`.
 *
 * It sends each request when it is due, on any connection that is free, and counts latency from when it was due, not from
 * when it could be sent (schedule.ts). It spins instead of sleeping, because timers of Node are a millisecond coarse, and
 * tells how late it was itself: a latency below that lateness is the load's and not the server's. calibrate.ts shows what rate
 * it holds. It must not allocate per request more than the write does.
 */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { LatencyHistogram } from "../histogram.ts";
import { AnswerCounter } from "./answer-counter.ts";
import { Schedule } from "./schedule.ts";

/** Its one argument, as JSON. */
export interface OpenLoopSettings {
  readonly port: number;
  /** Requests per second. */
  readonly rate: number;
  readonly connections: number;
  readonly seconds: number;
  /** As it goes over the wire, in latin1. */
  readonly request: string;
}

const READ_BYTES = 16_384;
/** Between the last connection and the first request. */
const LEAD_MS = 20;
/** How long answers may take after the last request. */
const PATIENCE_MS = 10_000;

class Lane {
  readonly #socket: Socket;
  readonly #counter = new AnswerCounter();
  readonly #run: Run;
  #dueMs = 0;

  constructor(run: Run, port: number) {
    this.#run = run;
    const buffer = Buffer.alloc(READ_BYTES);
    const callback = (length: number): boolean => {
      if (this.#counter.take(buffer, length)) run.answered(this, this.#dueMs);
      return true;
    };
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer, callback } });
    this.#socket.on("error", (error) => run.fail(error));
    this.#socket.on("close", () => run.fail(new Error("connection closed")));
  }

  get connected(): Promise<unknown> {
    return once(this.#socket, "connect");
  }

  send(dueMs: number): void {
    this.#dueMs = dueMs;
    this.#socket.write(this.#run.settings.request, "latin1");
  }

  close(): void {
    this.#socket.removeAllListeners("close").destroy();
  }
}

/** One run from the first request to the last answer. */
class Run {
  readonly settings: OpenLoopSettings;
  readonly #latencies = new LatencyHistogram();
  readonly #lateness = new LatencyHistogram();
  readonly #lanes: Lane[];
  /** Free connections, the one that is free for longest first, in a ring. */
  readonly #free: (Lane | null)[];
  #freeAt = 0;
  #freeCount = 0;
  #schedule: Schedule = new Schedule(0, 1, 0);
  #answered = 0;
  /** Requests below this number had to wait for a free connection: their delay is the server's. */
  #blockedBelow = 0;
  #blocked = 0;
  #lastAnswerMs = 0;
  #failure: Error | null = null;

  constructor(settings: OpenLoopSettings) {
    this.settings = settings;
    this.#lanes = Array.from({ length: settings.connections }, () => new Lane(this, settings.port));
    this.#free = this.#lanes.map(() => null);
  }

  async run(): Promise<string> {
    await Promise.all(this.#lanes.map((lane) => lane.connected));
    for (const lane of this.#lanes) this.#release(lane);
    const { rate, seconds } = this.settings;
    const startMs = performance.now() + LEAD_MS;
    this.#schedule = new Schedule(startMs, rate, seconds);
    const deadlineMs = startMs + seconds * 1000 + PATIENCE_MS;
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        const nowMs = performance.now();
        this.#sendDue(nowMs);
        if (this.#failure !== null) reject(this.#failure);
        else if (this.#answered === this.#schedule.total) resolve();
        else if (nowMs > deadlineMs) reject(new Error(`${this.#schedule.total - this.#answered} answers never came`));
        else setImmediate(turn);
      };
      turn();
    });
    for (const lane of this.#lanes) lane.close();
    return this.#report(startMs);
  }

  answered(lane: Lane, dueMs: number): void {
    const nowMs = performance.now();
    this.#latencies.record((nowMs - dueMs) * 1000);
    this.#answered += 1;
    this.#lastAnswerMs = nowMs;
    this.#release(lane);
    this.#sendDue(nowMs);
  }

  fail(error: Error): void {
    this.#failure ??= error;
  }

  #sendDue(nowMs: number): void {
    const schedule = this.#schedule;
    while (this.#freeCount > 0 && schedule.isDue(nowMs)) {
      const number = schedule.sent;
      const dueMs = schedule.take();
      if (number >= this.#blockedBelow) this.#lateness.record((nowMs - dueMs) * 1000);
      else this.#blocked += 1;
      this.#takeFree().send(dueMs);
    }
    if (this.#freeCount === 0) this.#blockedBelow = schedule.sent + schedule.waiting(nowMs);
  }

  #release(lane: Lane): void {
    this.#free[(this.#freeAt + this.#freeCount) % this.#free.length] = lane;
    this.#freeCount += 1;
  }

  #takeFree(): Lane {
    const lane = this.#free[this.#freeAt] ?? null;
    if (lane === null) throw new Error("no connection is free");
    this.#freeAt = (this.#freeAt + 1) % this.#free.length;
    this.#freeCount -= 1;
    return lane;
  }

  #report(startMs: number): string {
    const late = this.#lateness;
    const more = {
      "late p50 us": late.percentile(50),
      "late p99 us": late.percentile(99),
      "waited %": (this.#blocked / this.#schedule.total) * 100,
    };
    const durationUs = (this.#lastAnswerMs - startMs) * 1000;
    const percentiles = this.#latencies.percentiles();
    return `RESULT ${JSON.stringify({ requests: this.#answered, durationUs, errors: 0, wrong: 0, percentiles, more })}`;
  }
}

const [json = "{}"] = process.argv.slice(2);
process.stdout.write(`${await new Run(JSON.parse(json) as OpenLoopSettings).run()}\n`);
process.exit();
