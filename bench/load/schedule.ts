/**
 * The schedule of a load at a fixed rate: which request is due when, and which may be sent, without any clock or socket.
 *
 * Request number n is due at start + n / rate, whatever became of those before it. A server that stalls finds all requests
 * of that time waiting, and each one's latency counts from when it was due: leaving that out is what is called coordinated
 * omission. Requests wait in order and need no list, because the next one's number tells when it was due.
 */

/** When requests are due, in milliseconds of a clock that the caller reads. */
export class Schedule {
  readonly #startMs: number;
  readonly #intervalMs: number;
  /** How many requests there are. */
  readonly total: number;
  #sent = 0;

  /**
   * @param startMs when the first is due
   * @param perSecond requests per second
   * @param seconds for how long
   */
  constructor(startMs: number, perSecond: number, seconds: number) {
    this.#startMs = startMs;
    this.#intervalMs = 1000 / perSecond;
    this.total = Math.round(perSecond * seconds);
  }

  /** How many were taken. */
  get sent(): number {
    return this.#sent;
  }

  /** @returns true if one is due that was not taken */
  isDue(nowMs: number): boolean {
    return this.#sent < this.total && this.#startMs + this.#sent * this.#intervalMs <= nowMs;
  }

  /** Takes the next one. @returns when it was due */
  take(): number {
    const dueMs = this.#startMs + this.#sent * this.#intervalMs;
    this.#sent += 1;
    return dueMs;
  }

  /** @returns how many are due and not taken */
  waiting(nowMs: number): number {
    const due = Math.floor((nowMs - this.#startMs) / this.#intervalMs) + 1;
    return Math.max(0, Math.min(this.total, due) - this.#sent);
  }
}
