/** Time that a test moves. */
import type { TimeSource } from "../../../src/web/clock.ts";

interface Alarm {
  readonly atMs: number;
  readonly callback: () => void;
}

export class ManualTime implements TimeSource {
  #nowMs = 1_000_000;
  readonly #alarms: Set<Alarm> = new Set();
  readonly #whenWaiting: (() => void)[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const alarm = { atMs: this.#nowMs + delayMs, callback };
    this.#alarms.add(alarm);
    for (const tell of this.#whenWaiting.splice(0)) tell();
    return () => this.#alarms.delete(alarm);
  }

  /** Alarms that are set. */
  get size(): number {
    return this.#alarms.size;
  }

  /** Fulfilled as soon as somebody waits for time to pass. */
  async waiting(): Promise<void> {
    if (this.#alarms.size === 0) await new Promise<void>((resolve) => this.#whenWaiting.push(resolve));
  }

  move(byMs: number): void {
    this.#nowMs += byMs;
    for (const alarm of this.#alarms) {
      if (alarm.atMs > this.#nowMs) continue;
      this.#alarms.delete(alarm);
      alarm.callback();
    }
  }
}
