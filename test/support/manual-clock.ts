/**
 * A clock that stands still until a test moves it.
 *
 * It starts at a fixed moment, so that Date fields of responses compare literally, and it does what the server's sweep
 * does: while it moves it stops at each deadline that falls due and calls `expire()` of the connection that set it.
 * It must never read the real time.
 */

import type { Clock, ProtocolConnection } from "../../src/http/exchange.ts";

/** Where every manual clock starts: Sat, 21 Nov 2026 08:00:00 GMT. */
export const START_MS: number = Date.UTC(2026, 10, 21, 8, 0, 0);

/** More deadlines than this without time passing means that a connection does not move its deadline. */
const MAX_EXPIRIES_AT_ONE_MOMENT = 16;

/** Time as a test wants it. */
export class ManualClock implements Clock {
  nowMs: number = START_MS;
  readonly #connections: Set<ProtocolConnection> = new Set();

  /** IMF-fixdate of now (RFC 9110 §5.6.7). */
  get dateText(): string {
    return new Date(this.nowMs).toUTCString();
  }

  /** Sweeps the deadlines of `connection` from now on. */
  watch(connection: ProtocolConnection): void {
    this.#connections.add(connection);
  }

  /**
   * Moves on by `durationMs`, stopping at each deadline on the way.
   *
   * @param afterExpiry called after each `expire()`, e.g. to let a transport deliver what followed from it
   * @throws Error if a connection keeps a deadline that has passed
   */
  advance(durationMs: number, afterExpiry: () => void = () => {}): void {
    const target = this.nowMs + durationMs;
    let expiries = 0;
    for (;;) {
      const due = this.#earliest();
      if (due === null || due.deadlineMs > target) break;
      if (due.deadlineMs > this.nowMs) {
        this.nowMs = due.deadlineMs;
        expiries = 0;
      }
      if (++expiries > MAX_EXPIRIES_AT_ONE_MOMENT) throw new Error("expire() leaves a deadline that has passed");
      due.expire();
      afterExpiry();
    }
    this.nowMs = target;
  }

  #earliest(): ProtocolConnection | null {
    let earliest: ProtocolConnection | null = null;
    for (const connection of this.#connections) {
      const deadlineMs = connection.deadlineMs;
      if (Number.isNaN(deadlineMs)) throw new Error("deadlineMs is NaN");
      if (deadlineMs !== Infinity && (earliest === null || deadlineMs < earliest.deadlineMs)) earliest = connection;
    }
    return earliest;
  }
}
