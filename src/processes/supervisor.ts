/**
 * The primary process's part: keeps a number of workers alive, replaces them one by one, and brings them to an end.
 *
 *  1 start     one worker first, so that a mistake is told once; then the others together
 *  2 replace   one that has ended by itself, with growing waits; the others go on serving
 *  3 restart   per place: a new worker, and only when it is ready the old one closes; the first that fails ends it
 *  4 ask       all workers for what they say of a topic
 *  5 close     all of them, gracefully or at once
 *
 * It must never run anything of the app, and knows processes only through a {@link Crew}.
 */

import { ServerError } from "../http/errors.ts";
import type { TimeSource } from "../server/clock.ts";
import { backOffMs, HEALTHY_MS, LOOP_FAILURES } from "./back-off.ts";
import type { Crew } from "./crew.ts";
import { EndListeners, type WorkerEnd } from "./end-listeners.ts";
import type { WorkerAnswer } from "./messages.ts";
import { Questions } from "./questions.ts";
import { Worker, type WorkerListener, type WorkerState, type WorkerTalk } from "./worker.ts";

/** What a supervisor is made with. */
export interface SupervisorConfig {
  readonly workers: number;
  readonly startMs: number;
  readonly lastCallMs: number;
  readonly say: (level: "info" | "warning", text: string) => void;
  /** Added to the environment of the worker that is started next. */
  readonly environmentOf: (supervisor: Supervisor) => Readonly<Record<string, string>>;
  /** Why no worker can be started any more, as a sentence; `""` if one can. Asked when one has ended by itself. */
  readonly hopelessness: (supervisor: Supervisor) => string;
  /** Fresh key of TLS session tickets, in base64. */
  readonly makeTicketKeys: () => string;
  /** 0 up to, not including, 1. */
  readonly chance: () => number;
}

/** One of the places that workers fill. */
interface Place {
  readonly number: number;
  /** Null while its next worker is waited for. */
  worker: Worker | null;
  /** Of a restart: ready soon, and then `worker`. */
  successor: Worker | null;
  /** Ends in a row. */
  failures: number;
  /** Processes that were started for it. */
  starts: number;
  /** Of them, those that ended by themselves. */
  crashes: number;
  cancelWait: () => void;
}

/** One worker process, for whoever wants to know. */
export interface WorkerInfo {
  readonly number: number;
  readonly pid: number;
  readonly state: WorkerState;
}

/** One of the places that workers fill, for whoever wants to know. */
export interface WorkerPlace {
  /** From 1. */
  readonly number: number;
  /** Whether somebody in it takes requests. */
  readonly isUp: boolean;
  /** Processes that were started for it since the start. */
  readonly starts: number;
  /** Of them, those that ended without having been asked. */
  readonly crashes: number;
}

/** What closing all workers came to. */
export interface ProcessesSummary {
  readonly durationMs: number;
  /** Connections that were cut off, in all workers that closed since {@link Supervisor.close}. */
  readonly destroyedConnections: number;
  /** Promises given to `waitUntil()` that were not waited for. */
  readonly abandonedPromises: number;
}

/** Asking workers that stand still takes so long. */
const ANSWER_MS = 2_000;
/** A worker that was told to end at once has so long. */
const CUT_OFF_MS = 1_000;
/** nginx and most others renew them daily. */
const TICKET_KEYS_MS = 12 * 3_600_000;

/** Watches over workers. */
export class Supervisor implements WorkerListener {
  /** Resolves when all workers are gone after {@link close}. */
  readonly finished: Promise<ProcessesSummary>;
  /** Workers that ended without having been asked. */
  crashes = 0;
  /** It has closed by itself, because no worker could be started any more. */
  hasGivenUp = false;
  /** Of the first worker, if that could not be started and ended by itself. */
  failedExitCode: number | null = null;
  /** Restarts that came to their end. */
  restarts = 0;
  /** What the worker that was ready last has said, gone or not. */
  lastNote: unknown = null;
  readonly #config: SupervisorConfig;
  readonly #crew: Crew;
  readonly #time: TimeSource;
  readonly #places: readonly Place[];
  readonly #all: Set<Worker> = new Set();
  readonly #questions: Questions;
  readonly #endListeners: EndListeners;
  readonly #stopKeys: () => void;
  #ticketKeys: string;
  #isStarted = false;
  /** Resolves when the first worker is ready, or has failed. */
  readonly #tried: Promise<void>;
  #setTried: () => void = () => {};
  #closingSinceMs = -1;
  #destroyedConnections = 0;
  #abandonedPromises = 0;
  #finish: (summary: ProcessesSummary) => void = () => {};
  #restarting: Promise<void> | null = null;
  #nextRestart: Promise<void> | null = null;

  constructor(config: SupervisorConfig, crew: Crew, time: TimeSource) {
    this.#config = config;
    this.#crew = crew;
    this.#time = time;
    this.#questions = new Questions(time);
    this.#endListeners = new EndListeners((text) => config.say("warning", text));
    this.#ticketKeys = config.makeTicketKeys();
    this.#stopKeys = time.every(TICKET_KEYS_MS, () => this.#renewTicketKeys());
    this.finished = new Promise((resolve) => (this.#finish = resolve));
    this.#tried = new Promise((resolve) => (this.#setTried = resolve));
    this.#places = Array.from({ length: config.workers }, (_, index) => ({
      number: index + 1,
      worker: null,
      successor: null,
      failures: 0,
      starts: 0,
      crashes: 0,
      cancelWait: () => {},
    }));
  }

  /** Whether {@link start} has come to its end: from then on several workers speak. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  get isClosing(): boolean {
    return this.#closingSinceMs >= 0;
  }

  /** All processes, those that close included, by number and age. */
  get workers(): readonly WorkerInfo[] {
    return [...this.#all]
      .toSorted((a, b) => a.number - b.number || a.startedMs - b.startedMs)
      .map(({ number, pid, state }) => ({ number, pid, state }));
  }

  /** All places, filled or not. */
  get places(): readonly WorkerPlace[] {
    return this.#places.map(({ number, worker, starts, crashes }) => ({
      number,
      isUp: worker?.state === "ready",
      starts,
      crashes,
    }));
  }

  /** Whether requests are welcome: all have been started, one of them at least takes requests, and nobody wants an end. */
  get isReady(): boolean {
    return this.#isStarted && !this.isClosing && this.ready.length > 0;
  }

  /** Workers that take requests. */
  get ready(): readonly Worker[] {
    return [...this.#all].filter(({ state }) => state === "ready");
  }

  /** The worker that was ready last, null if none is. */
  get newest(): Worker | null {
    return this.ready.at(-1) ?? null;
  }

  /**
   * Starts all workers. Resolves when each of them is ready, or has failed once and is tried again.
   *
   * @throws ServerError ERR_PROCESSES if the first one does not start; then there is none
   */
  async start(): Promise<void> {
    const [first, ...others] = this.#places;
    if (first === undefined) return;
    const worker = this.#launch(first);
    first.worker = worker;
    const failure = await worker.started;
    if (failure !== "") {
      await worker.gone;
      // Somebody did not want to wait for it
      if (this.isClosing) return this.#setTried();
      this.failedExitCode = worker.exitCode;
      void this.close();
      this.#setTried();
      throw new ServerError("ERR_PROCESSES", `no worker could be started: ${failure}`);
    }
    this.#isStarted = true;
    this.#setTried();
    if (this.isClosing) return;
    const launched = others.map((place) => (place.worker = this.#launch(place)));
    await Promise.all(launched.map(({ started }) => started));
  }

  /**
   * Replaces all workers one by one without refusing anybody. Called while one runs, it is done once more after that.
   *
   * @throws ServerError ERR_PROCESSES with what went wrong; then the workers that were not replaced yet go on as before
   */
  restart(): Promise<void> {
    if (this.isClosing) return Promise.resolve();
    if (this.#restarting === null) {
      const restarting = this.#restartAll().finally(() => {
        if (this.#restarting === restarting) this.#restarting = null;
      });
      return (this.#restarting = restarting);
    }
    const again = async (): Promise<void> => {
      this.#nextRestart = null;
      // Somebody who waited for the same may have been first
      return this.#restarting ?? this.restart();
    };
    return (this.#nextRestart ??= this.#restarting.then(again, again));
  }

  /** Asks all workers that serve, those that close included; whoever does not answer within `timeoutMs` is left out. */
  ask(topic: string, timeoutMs: number = ANSWER_MS): Promise<readonly WorkerAnswer[]> {
    const serving = [...this.#all].filter(({ state }) => state === "ready" || state === "closing");
    return this.#questions.ask(serving, topic, timeoutMs);
  }

  /** Tells of each process that is gone, however it ended. @returns what ends that */
  onWorkerEnd(listener: (end: WorkerEnd) => void): () => void {
    return this.#endListeners.add(listener);
  }

  /** Passes on that log files have been moved. */
  reopenLogs(): void {
    for (const worker of this.#all) worker.send({ kind: "reopen-logs" });
  }

  /** Closes all workers gracefully. */
  close(): Promise<ProcessesSummary> {
    if (this.isClosing) return this.finished;
    this.#beginClosing();
    for (const worker of this.#all) worker.close();
    this.#checkFinished();
    return this.finished;
  }

  /** Closes all workers without waiting for requests. */
  closeNow(): void {
    this.#beginClosing();
    for (const worker of this.#all) worker.closeNow();
    const kill = (): void => {
      for (const worker of this.#all) worker.kill();
    };
    this.#time.after(CUT_OFF_MS, kill, true);
    this.#checkFinished();
  }

  onReady(worker: Worker): void {
    this.lastNote = worker.note;
    worker.send({ kind: "ticket-keys", keys: this.#ticketKeys });
  }

  onTalk(worker: Worker, message: WorkerTalk): void {
    if (message.kind === "answer") {
      this.#questions.answer(worker, message.id, message.hasAnswer, message.answer);
      return;
    }
    const { id, topic } = message;
    void this.ask(topic).then((answers) => worker.send({ kind: "answers", id, answers }));
  }

  onGone(worker: Worker): void {
    this.#all.delete(worker);
    this.#questions.forget(worker);
    this.#settle(worker);
    // Last: the place is filled again, whatever they do
    const { number, pid, lastAnswers } = worker;
    this.#endListeners.tell({ number, pid, lastAnswers });
  }

  /** What becomes of the place of one that is gone. */
  #settle(worker: Worker): void {
    if (this.isClosing) {
      this.#destroyedConnections += worker.destroyedConnections;
      this.#abandonedPromises += worker.abandonedPromises;
      this.#checkFinished();
      return;
    }
    const place = this.#places.find((one) => one.worker === worker);
    // One that a restart has replaced, or could not start: said there
    if (place === undefined || !this.#isStarted) return;
    place.worker = null;
    place.crashes++;
    this.crashes++;
    if (place.successor === null) this.#replace(place, worker);
    else this.#config.say("warning", `worker ${worker.number} is gone: ${worker.end}; its successor is being started`);
  }

  #launch(place: Place): Worker {
    const { startMs, environmentOf } = this.#config;
    place.starts++;
    const worker = new Worker(place.number, this.#crew, environmentOf(this), startMs, this.#time, this);
    this.#all.add(worker);
    return worker;
  }

  /** The place of `last` is empty, and nobody has asked for it. */
  #replace(place: Place, last: Worker): void {
    const { say, chance, hopelessness } = this.#config;
    const why = hopelessness(this);
    if (why !== "") {
      say("warning", `worker ${place.number} is gone: ${last.end}. ${why}`);
      this.hasGivenUp = true;
      void this.close();
      return;
    }
    const wasHealthy = last.readyMs >= 0 && this.#time.monotonicMs() - last.readyMs >= HEALTHY_MS;
    place.failures = wasHealthy ? 1 : place.failures + 1;
    const waitMs = backOffMs(place.failures, chance());
    const when = waitMs === 0 ? "at once" : `in ${(waitMs / 1000).toFixed(1)} s`;
    const isLoop = place.failures >= LOOP_FAILURES;
    const times = isLoop ? ` That was the ${place.failures}th time in a row.` : "";
    say("warning", `worker ${place.number} is gone: ${last.end}; another one is started ${when}.${times}`);
    const launch = (): void => {
      place.cancelWait = () => {};
      place.worker = this.#launch(place);
    };
    if (waitMs === 0) return launch();
    // Holding the process: where all workers are gone this is all that is left of it
    place.cancelWait = this.#time.after(waitMs, launch, true);
  }

  async #restartAll(): Promise<void> {
    // What the first worker is about to find out must not be cut short by its successor
    await this.#tried;
    if (this.isClosing) return;
    for (const place of this.#places) {
      // Of a place that waits for its next worker this is the next
      place.cancelWait();
      place.cancelWait = () => {};
      const successor = this.#launch(place);
      place.successor = successor;
      const failure = await successor.started;
      place.successor = null;
      if (this.isClosing) return;
      if (failure !== "") {
        this.#keep(place, successor);
        throw new ServerError("ERR_PROCESSES", describeFailure(place.number, failure));
      }
      const old = place.worker;
      place.failures = 0;
      place.worker = successor;
      old?.retire(this.#config.lastCallMs);
    }
    this.restarts++;
  }

  /** The restart has failed: who served here goes on, and is replaced as usual if it has ended meanwhile. */
  #keep(place: Place, failed: Worker): void {
    if (place.worker === null) this.#replace(place, failed);
  }

  #renewTicketKeys(): void {
    this.#ticketKeys = this.#config.makeTicketKeys();
    for (const worker of this.ready) worker.send({ kind: "ticket-keys", keys: this.#ticketKeys });
  }

  #beginClosing(): void {
    if (this.isClosing) return;
    this.#closingSinceMs = this.#time.monotonicMs();
    this.#stopKeys();
    for (const place of this.#places) place.cancelWait();
  }

  #checkFinished(): void {
    if (!this.isClosing || this.#all.size > 0) return;
    this.#finish({
      durationMs: this.#time.monotonicMs() - this.#closingSinceMs,
      destroyedConnections: this.#destroyedConnections,
      abandonedPromises: this.#abandonedPromises,
    });
  }
}

function describeFailure(number: number, failure: string): string {
  if (number === 1) return `a new worker could not be started: ${failure}; nothing has changed`;
  return `worker ${number} could not be replaced: ${failure}; it and those after it are the old ones`;
}
