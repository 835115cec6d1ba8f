/**
 * One worker process as the supervisor sees it: starting -> ready -> closing -> gone, each step once and only forward.
 *
 * It turns messages and the process's end into two promises. What an end means, and whether another worker takes the place,
 * is the supervisor's to decide.
 */

import type { TimeSource } from "../server/clock.ts";
import type { Crew, CrewProcess, ProcessEnd } from "./crew.ts";
import type { ListeningPlace, PrimaryMessage, WorkerMessage } from "./messages.ts";

/** Where a worker is in its life. */
export type WorkerState = "starting" | "ready" | "closing" | "gone";

/** What a worker tells besides that it is ready. */
export type WorkerTalk = Extract<WorkerMessage, { kind: "ask-all" | "answer" }>;

/** What is heard of a worker. */
export interface WorkerListener {
  onTalk(worker: Worker, message: WorkerTalk): void;
  onReady(worker: Worker): void;
  onGone(worker: Worker): void;
}

/** While closing, it is asked so often whether its event loop still turns; if not, it is killed. */
const PULSE_MS = 10_000;

/** A worker process. */
export class Worker {
  /** From 1; its successor has the same. */
  readonly number: number;
  readonly startedMs: number;
  /** Resolves with `""` once it is ready, or with why it never will be, as a clause. */
  readonly started: Promise<string>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  state: WorkerState = "starting";
  /** Monotonic, -1 before. */
  readyMs = -1;
  places: readonly ListeningPlace[] = [];
  note: unknown = null;
  destroyedConnections = 0;
  abandonedPromises = 0;
  /** What it said of each topic when it had closed; nothing of one that ended otherwise. */
  lastAnswers: Readonly<Record<string, unknown>> = {};
  /** How it ended, as a clause; `""` while it lives. */
  end = "";
  exitCode: number | null = null;
  readonly #process: CrewProcess;
  readonly #time: TimeSource;
  readonly #listener: WorkerListener;
  #resolveStarted: (failure: string) => void = () => {};
  #resolveGone: () => void = () => {};
  #cancel: () => void;
  #hasPulse = true;
  #failure = "";

  constructor(
    number: number,
    crew: Crew,
    environment: Readonly<Record<string, string>>,
    startMs: number,
    time: TimeSource,
    listener: WorkerListener,
  ) {
    this.number = number;
    this.startedMs = time.monotonicMs();
    this.#time = time;
    this.#listener = listener;
    this.started = new Promise((resolve) => (this.#resolveStarted = resolve));
    this.gone = new Promise((resolve) => (this.#resolveGone = resolve));
    this.#process = crew.start(number, environment, {
      onMessage: (message) => this.#receive(message),
      onEnd: (end) => this.#finish(end),
    });
    this.#cancel = startMs === Infinity ? () => {} : time.after(startMs, () => this.#giveUp(startMs), false);
  }

  get pid(): number {
    return this.#process.pid;
  }

  send(message: PrimaryMessage): void {
    if (this.state !== "gone") this.#process.send(message);
  }

  /** Ends it because another one serves in its place. */
  retire(lastCallMs: number): void {
    this.#end({ kind: "retire", lastCallMs });
  }

  /** Ends it in order: what it has under way it finishes within its own bounds. One that closes already hears that all do. */
  close(): void {
    if (this.state === "closing") this.#process.send({ kind: "close" });
    else this.#end({ kind: "close" });
  }

  /** Ends it without waiting for its requests. */
  closeNow(): void {
    if (this.state === "starting") return this.kill();
    if (this.state === "gone") return;
    if (this.state === "ready") this.#feelPulse();
    this.state = "closing";
    this.#process.send({ kind: "close-now" });
  }

  kill(): void {
    if (this.state === "gone") return;
    this.#process.kill();
  }

  /** One that is not ready serves nobody. */
  #end(message: PrimaryMessage): void {
    if (this.state === "starting") return this.kill();
    if (this.state !== "ready") return;
    this.state = "closing";
    this.#process.send(message);
    this.#feelPulse();
  }

  #giveUp(startMs: number): void {
    this.#failure = `it was not ready within ${startMs / 1000} s`;
    this.#process.kill();
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case "ready":
        return this.#becomeReady(message.places, message.note);
      case "ended":
        this.destroyedConnections = message.destroyedConnections;
        this.abandonedPromises = message.abandonedPromises;
        this.lastAnswers = message.lastAnswers;
        this.#process.send({ kind: "leave" });
        // Unasked: somebody has sent it a signal of its own
        if (this.state === "ready") {
          this.state = "closing";
          this.#feelPulse();
        }
        return;
      case "alive":
        this.#hasPulse = true;
        return;
      default:
        this.#listener.onTalk(this, message);
    }
  }

  #becomeReady(places: readonly ListeningPlace[], note: unknown): void {
    if (this.state !== "starting") return;
    this.#cancel();
    this.state = "ready";
    this.readyMs = this.#time.monotonicMs();
    this.places = places;
    this.note = note;
    this.#listener.onReady(this);
    this.#resolveStarted("");
  }

  /** A process that stands still would hold its memory, and the end of the primary, for good. */
  #feelPulse(): void {
    this.#cancel();
    this.#cancel = this.#time.every(PULSE_MS, () => {
      if (!this.#hasPulse) return this.kill();
      this.#hasPulse = false;
      this.#process.send({ kind: "alive?" });
    });
  }

  #finish(end: ProcessEnd): void {
    this.#cancel();
    this.state = "gone";
    this.exitCode = end.code;
    this.end = this.#failure === "" ? describe(end) : this.#failure;
    this.#resolveStarted(this.end);
    this.#resolveGone();
    this.#listener.onGone(this);
  }
}

function describe({ code, signal, error }: ProcessEnd): string {
  if (error !== null) return `it could not be started: ${error.message}`;
  return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
}
