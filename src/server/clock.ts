/**
 * The one coarse timer: time for deadlines, the text of Date, and the sweep that calls what has expired.
 *
 * It ticks every half second while there are connections and not at all when there are none; the tick never keeps a process
 * alive. Time for deadlines stands still while the event loop does not turn: a peer must not be called slow because a handler
 * computed for a minute and nobody read what had arrived. Below floor 3 the real time is read here and in web/clock.ts, of
 * which the durations are, and nowhere else.
 * Implements the clock of an origin server (RFC 9110 §6.6.1).
 */

import { formatHttpDate } from "../http/date.ts";
import type { Clock } from "../http/exchange.ts";
import { SYSTEM_TIME as ELAPSED } from "../web/clock.ts";

/** Between two ticks; a deadline is called at most this much late. nginx rounds its timers to 0.5 s on many systems. */
export const TICK_MS = 500;

/** More than this between two looks at the time means that the loop stood still; the rest of the gap is nobody's fault. */
const MAX_STEP_MS = 2 * TICK_MS;

/** Where time comes from: the system, or a test that moves it. */
export interface TimeSource {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  wallMs(): number;
  /** Milliseconds that never go back, with a fraction; for durations. */
  monotonicMs(): number;
  /** Calls back every `periodMs` without keeping the process alive. Returns what stops it. */
  every(periodMs: number, callback: () => void): () => void;
  /** Calls back once after `delayMs`, keeping the process alive until then if `isHolding`. Returns what cancels it. */
  after(delayMs: number, callback: () => void, isHolding: boolean): () => void;
}

/** Longest delay that a Node timer takes; beyond it fires at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The system's time. */
export const SYSTEM_TIME: TimeSource = {
  wallMs: () => Date.now(),
  monotonicMs: () => ELAPSED.elapsedMs(),
  every(periodMs, callback) {
    const timer = setInterval(callback, periodMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(delayMs, callback, isHolding) {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
    if (!isHolding) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Something with a deadline. */
export interface Expirable {
  /** In milliseconds of {@link CoarseClock.nowMs}, `Infinity` for never. */
  readonly deadlineMs: number;
  expire(): void;
}

/** Whose deadlines are swept. */
export interface Swept {
  readonly size: number;
  each(callback: (member: Expirable) => void): void;
}

/** Clock and sweep of one server. */
export class CoarseClock implements Clock {
  readonly #source: TimeSource;
  readonly #members: Swept;
  readonly #onIdle: () => void;
  #nowMs: number;
  #wallMs: number;
  #second: number;
  #dateText: string;
  #stop: (() => void) | null = null;

  /**
   * @param members whose deadlines are swept; the clock ticks until it finds nobody there
   * @param onIdle called when it stops ticking for that reason
   */
  constructor(source: TimeSource, members: Swept, onIdle: () => void) {
    this.#source = source;
    this.#members = members;
    this.#onIdle = onIdle;
    this.#wallMs = source.wallMs();
    this.#nowMs = this.#wallMs;
    this.#second = Math.floor(this.#wallMs / 1000);
    this.#dateText = formatHttpDate(this.#wallMs);
  }

  /** Milliseconds for deadlines: never goes back, does not advance while the loop stands still, is no time of day. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** IMF-fixdate (RFC 9110 §5.6.7), exact to the second as of the last {@link touch}. */
  get dateText(): string {
    return this.#dateText;
  }

  /** Whether the timer runs. */
  get isTicking(): boolean {
    return this.#stop !== null;
  }

  /** Looks at the real time. Called by whoever brings an event from outside, before anybody acts on it. */
  touch(): void {
    const wallMs = this.#source.wallMs();
    const elapsedMs = wallMs - this.#wallMs;
    if (elapsedMs === 0) return;
    this.#wallMs = wallMs;
    // The time of day may be set back or forward under us; deadlines must not notice
    if (elapsedMs > 0) this.#nowMs += elapsedMs > MAX_STEP_MS ? MAX_STEP_MS : elapsedMs;
    const second = Math.floor(wallMs / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.#dateText = formatHttpDate(wallMs);
  }

  /** Begins to tick, if it does not. Called when a member appears. */
  start(): void {
    if (this.#stop !== null) return;
    this.touch();
    this.#stop = this.#source.every(TICK_MS, () => this.#tick());
  }

  /** Ends ticking at once. */
  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  #tick(): void {
    this.touch();
    const nowMs = this.#nowMs;
    this.#members.each((member) => {
      if (member.deadlineMs <= nowMs) member.expire();
    });
    // Not at the moment the last one leaves: connections that come one by one would set a timer each
    if (this.#members.size > 0) return;
    this.stop();
    this.#onIdle();
  }
}
