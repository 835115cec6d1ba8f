/**
 * How late the event loop is: what every request waits besides its own work.
 *
 * A timer measures how much later than asked it is called; a moving mean of that rises within some five turns of a loop that is
 * overloaded and falls as fast when it is not, and one long pause (a collection of garbage) alone changes it little. It runs only
 * where somebody has set a limit.
 */

import type { TimeSource } from "./clock.ts";

const PERIOD_MS = 50;
/** Share of the newest measurement. */
const WEIGHT = 0.3;

/** Measures from {@link start} to {@link stop}. */
export class LoadGauge {
  /** Mean delay of the event loop lately, in milliseconds. */
  delayMs = 0;
  readonly #time: TimeSource;
  #dueMs = 0;
  #stop: (() => void) | null = null;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  start(): void {
    if (this.#stop !== null) return;
    this.#dueMs = this.#time.monotonicMs() + PERIOD_MS;
    this.#stop = this.#time.every(PERIOD_MS, () => this.#measure());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
    this.delayMs = 0;
  }

  #measure(): void {
    const nowMs = this.#time.monotonicMs();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    this.delayMs += (lateMs - this.delayMs) * WEIGHT;
    this.#dueMs = nowMs + PERIOD_MS;
  }
}
