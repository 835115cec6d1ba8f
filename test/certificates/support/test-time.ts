/** Time that stands still until a test moves it, for what looks again after hours. */

import type { TimeSource } from "../../../src/web/clock.ts";

/** Time as a test wants it. */
export class TestTime implements TimeSource {
  /** Settable. */
  now: number;
  readonly #timers: Set<{ dueMs: number; callback: () => void }> = new Set();

  constructor(nowMs: number = Date.UTC(2026, 10, 21, 8)) {
    this.now = nowMs;
  }

  nowMs(): number {
    return this.now;
  }

  elapsedMs(): number {
    return this.now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueMs: this.now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How long until the next timer; Infinity for none. */
  get nextMs(): number {
    return Math.min(Infinity, ...[...this.#timers].map(({ dueMs }) => dueMs - this.now));
  }

  /** Moves to the next timer and calls it. */
  jump(): void {
    const [next] = [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs);
    if (next === undefined) throw new Error("nothing waits");
    this.#timers.delete(next);
    this.now = Math.max(this.now, next.dueMs);
    next.callback();
  }
}
