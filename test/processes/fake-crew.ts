/**
 * Processes that a test plays itself, and a time that it moves.
 *
 * Nothing runs: a test says what each process says, and how it ends.
 */

import type { Crew, CrewEvents, CrewProcess } from "../../src/processes/crew.ts";
import type { PrimaryMessage } from "../../src/processes/messages.ts";
import type { TimeSource } from "../../src/server/clock.ts";

/** A process as the test sees it. */
export class FakeProcess implements CrewProcess {
  readonly number: number;
  readonly pid: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly sent: PrimaryMessage[] = [];
  isKilled = false;
  readonly #events: CrewEvents;

  constructor(number: number, pid: number, environment: Readonly<Record<string, string>>, events: CrewEvents) {
    this.number = number;
    this.pid = pid;
    this.environment = environment;
    this.#events = events;
  }

  /** What was said to it, in short. */
  get heard(): string[] {
    return this.sent.map(({ kind }) => kind).filter((kind) => kind !== "ticket-keys" && kind !== "leave");
  }

  send(message: PrimaryMessage): void {
    this.sent.push(message);
  }

  /** As SIGKILL does. */
  kill(): void {
    if (this.isKilled) return;
    this.isKilled = true;
    queueMicrotask(() => this.#events.onEnd({ code: null, signal: "SIGKILL", error: null }));
  }

  /** It listens. */
  ready(port: number = 8080): void {
    const places = [{ url: `http://127.0.0.1:${port}/`, hostname: "127.0.0.1", port }];
    this.#events.onMessage({ kind: "ready", places, note: null });
  }

  say(message: Parameters<CrewEvents["onMessage"]>[0]): void {
    this.#events.onMessage(message);
  }

  /** It has closed in order. */
  finish(destroyedConnections: number = 0, lastAnswers: Readonly<Record<string, unknown>> = {}): void {
    this.#events.onMessage({ kind: "ended", destroyedConnections, abandonedPromises: 0, lastAnswers });
    this.#events.onEnd({ code: 0, signal: null, error: null });
  }

  crash(code: number = 1): void {
    this.#events.onEnd({ code, signal: null, error: null });
  }

  failToStart(): void {
    this.#events.onEnd({ code: null, signal: null, error: new Error("spawn EAGAIN") });
  }
}

/** All processes that were started, in order. */
export class FakeCrew implements Crew {
  readonly processes: FakeProcess[] = [];

  start(number: number, environment: Readonly<Record<string, string>>, events: CrewEvents): CrewProcess {
    const process = new FakeProcess(number, 1000 + this.processes.length, environment, events);
    this.processes.push(process);
    return process;
  }

  /** The one that was started last. */
  get last(): FakeProcess {
    const last = this.processes.at(-1);
    if (last === undefined) throw new Error("no process was started");
    return last;
  }
}

interface Timer {
  atMs: number;
  readonly periodMs: number;
  readonly callback: () => void;
}

/** A time that stands still until it is moved. */
export class FakeTime implements TimeSource {
  #nowMs = 0;
  readonly #timers: Set<Timer> = new Set();

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  every(periodMs: number, callback: () => void): () => void {
    return this.#set({ atMs: this.#nowMs + periodMs, periodMs, callback });
  }

  after(delayMs: number, callback: () => void, _isHolding: boolean): () => void {
    return this.#set({ atMs: this.#nowMs + delayMs, periodMs: 0, callback });
  }

  /** Moves on, and lets promises settle after each timer. */
  async advance(durationMs: number): Promise<void> {
    const end = this.#nowMs + durationMs;
    for (;;) {
      const [due] = [...this.#timers].filter(({ atMs }) => atMs <= end).toSorted((a, b) => a.atMs - b.atMs);
      if (due === undefined) break;
      this.#nowMs = due.atMs;
      if (due.periodMs > 0) due.atMs += due.periodMs;
      else this.#timers.delete(due);
      due.callback();
      await settle();
    }
    this.#nowMs = end;
    await settle();
  }

  #set(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}

/** Lets all promises that can settle do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
