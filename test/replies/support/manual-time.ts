/** Time that stands still until a test moves it. Timers fire in order while it moves. */
import type { TimeSource } from "../../../src/web/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Begins on 21 November 2026 at 08:00:00 UTC. */
export class ManualTime implements TimeSource {
  #nowMs: number = Date.UTC(2026, 10, 21, 8);
  readonly #timers: Set<Timer> = new Set();

  get timerCount(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  advance(durationMs: number): void {
    const targetMs = this.#nowMs + durationMs;
    for (;;) {
      const [next] = [...this.#timers].filter(({ atMs }) => atMs <= targetMs).toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = targetMs;
  }
}
