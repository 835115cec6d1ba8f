/**
 * A source of time that stands still until a test moves it, with the timers that were asked of it.
 */

import type { TimeSource } from "../../../src/server/clock.ts";

interface Timer {
  dueMs: number;
  readonly periodMs: number;
  readonly callback: () => void;
  readonly isHolding: boolean;
}

/** Time as a test wants it, from Sat, 21 Nov 2026 08:00:00 GMT. */
export class ManualTime implements TimeSource {
  /** Settable: people set clocks. */
  wall: number = Date.UTC(2026, 10, 21, 8, 0, 0);
  #monotonic = 1000;
  readonly #timers: Set<Timer> = new Set();

  wallMs(): number {
    return this.wall;
  }

  monotonicMs(): number {
    return this.#monotonic;
  }

  every(periodMs: number, callback: () => void): () => void {
    return this.#add({ dueMs: this.#monotonic + periodMs, periodMs, callback, isHolding: false });
  }

  after(delayMs: number, callback: () => void, isHolding: boolean): () => void {
    return this.#add({ dueMs: this.#monotonic + delayMs, periodMs: 0, callback, isHolding });
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Timers that would keep a process alive. */
  get holdingTimers(): number {
    return [...this.#timers].filter((timer) => timer.isHolding).length;
  }

  /** Moves on, calling every timer at its moment. */
  advance(durationMs: number): void {
    const target = this.#monotonic + durationMs;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.dueMs <= target).toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#move(due.dueMs);
      if (due.periodMs === 0) this.#timers.delete(due);
      else due.dueMs += due.periodMs;
      due.callback();
    }
    this.#move(target);
  }

  /** Moves on while the event loop stands still: timers that fell due are called once, at the end. */
  stall(durationMs: number): void {
    this.#move(this.#monotonic + durationMs);
    for (const timer of [...this.#timers].filter((each) => each.dueMs <= this.#monotonic)) {
      if (timer.periodMs === 0) this.#timers.delete(timer);
      else timer.dueMs = this.#monotonic + timer.periodMs;
      timer.callback();
    }
  }

  #add(timer: Timer): () => void {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  #move(toMs: number): void {
    this.wall += toMs - this.#monotonic;
    this.#monotonic = toMs;
  }
}
