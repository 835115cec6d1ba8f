/**
 * When a peer has made us wait too long. Only the peer's progress is timed, never the handler's thinking, but for the
 * handler's own deadline where an operator sets one.
 *
 * Plain numbers that a coarse sweep compares; nothing is scheduled. `Infinity` means not waiting. The rate of content
 * (octets per second) is held as credit: every octet that arrives moves the deadline on by its share of a second, up to a
 * window, so a peer may be slow but not silent.
 */

import type { Clock, Transport } from "../http/exchange.ts";
import type { WireTimeouts } from "./limits.ts";

/** The window is so many times the grace (60 s of 5 s: nginx client_body_timeout, send_timeout 60 s). */
const WINDOW_GRACES = 12;
/** A lingering close takes at most so many times lingerMs in all (nginx lingering_time 30 s of lingering_timeout 5 s). */
const LINGER_TIMES = 6;
/** At most so often a connection that lingers on is looked at, whatever lingerMs is. */
const LINGER_ON_MS = 1_000;
/**
 * First questions to a peer that has half-closed whether it is still there: the first makes a peer that is gone send a reset,
 * the second finds it. Then ever less often.
 */
const PROBE_MS = 500;
const PROBE_MAX_MS = 30_000;

/** A connection's deadlines, each in clock milliseconds. */
export class Deadlines {
  /** For a head, or for the next request to begin. */
  requestAt: number = Infinity;
  handlerAt: number = Infinity;
  contentAt: number = Infinity;
  sendAt: number = Infinity;
  lingerAt: number = Infinity;
  probeAt: number = Infinity;
  #lingerEndAt = Infinity;
  #probes = 0;
  /** For the next request to begin. */
  #idleMs: number;
  #takenMark = 0;
  readonly #clock: Clock;
  readonly #timeouts: WireTimeouts;
  readonly #transport: Transport;

  constructor(clock: Clock, timeouts: WireTimeouts, transport: Transport) {
    this.#clock = clock;
    this.#timeouts = timeouts;
    this.#transport = transport;
    this.#idleMs = timeouts.keepAliveMs;
  }

  get earliest(): number {
    return Math.min(this.requestAt, this.handlerAt, this.contentAt, this.sendAt, this.lingerAt, this.probeAt);
  }

  /** Stops all waiting. */
  clear(): void {
    this.requestAt = this.handlerAt = this.contentAt = this.sendAt = this.lingerAt = this.probeAt = Infinity;
  }

  startHead(): void {
    this.requestAt = this.#after(this.#timeouts.headMs);
  }

  startIdle(): void {
    this.requestAt = this.#after(this.#idleMs);
  }

  /** The last request that is still answered has so long to begin. */
  startLastCall(lastCallMs: number): void {
    this.#idleMs = this.#idleMs === 0 ? lastCallMs : Math.min(this.#idleMs, lastCallMs);
    this.requestAt = Math.min(this.requestAt, this.#clock.nowMs + lastCallMs);
  }

  /**
   * Whether the next request, or the rest of its head, is late. Not as long as the peer is busy with an answer, for which it has
   * a time of its own: what is waited for may lie behind that, unread (RFC 9112 §9.3.2).
   */
  isRequestLate(isPeerBusy: boolean): boolean {
    if (this.#clock.nowMs < this.requestAt) return false;
    if (isPeerBusy) this.startHead();
    return !isPeerBusy;
  }

  /** The head is whole, the handler has it. */
  startHandler(): void {
    this.requestAt = Infinity;
    this.handlerAt = this.#after(this.#timeouts.handlerMs);
  }

  startContent(): void {
    this.contentAt = this.#timeouts.minContentRate > 0 ? this.#clock.nowMs + this.#timeouts.contentGraceMs : Infinity;
  }

  /** `bytes` octets of content have arrived. */
  creditContent(bytes: number): void {
    if (this.contentAt === Infinity) return;
    const credited = this.contentAt + (bytes * 1000) / this.#timeouts.minContentRate;
    this.contentAt = Math.min(credited, this.#clock.nowMs + WINDOW_GRACES * this.#timeouts.contentGraceMs);
  }

  /** The transport's queue is full: from now on the peer must take octets. */
  startSend(): void {
    if (this.#timeouts.minContentRate === 0) return;
    this.#takenMark = this.#transport.takenBytes;
    this.sendAt = this.#clock.nowMs + WINDOW_GRACES * this.#timeouts.contentGraceMs;
  }

  /** The peer has taken what was queued. If it has nothing more to ask, it is idle from now on. */
  endSend(isIdle: boolean): void {
    this.sendAt = Infinity;
    if (isIdle) this.startIdle();
  }

  /** At sendAt: whether the peer has taken enough since; goes on waiting if so, or if nothing is queued. */
  hasSendProgress(): boolean {
    const windowSeconds = (WINDOW_GRACES * this.#timeouts.contentGraceMs) / 1000;
    const taken = this.#transport.takenBytes - this.#takenMark;
    if (this.#transport.queuedBytes > 0 && taken < this.#timeouts.minContentRate * windowSeconds) return false;
    this.startSend();
    return true;
  }

  /** All is said; the peer may read it and end. */
  startLinger(): void {
    if (this.#lingerEndAt === Infinity) this.#lingerEndAt = this.#clock.nowMs + LINGER_TIMES * this.#timeouts.lingerMs;
    this.lingerAt = Math.min(this.#clock.nowMs + this.#timeouts.lingerMs, this.#lingerEndAt);
  }

  /** The time to linger is over, and what is queued has no time of its own (no rate is asked for): looks again, now and then. */
  lingerOn(): void {
    this.lingerAt = this.#clock.nowMs + Math.max(this.#timeouts.lingerMs, LINGER_ON_MS);
  }

  /** The peer has half-closed while its answer is being made: ask now and then whether it is still there. */
  startProbe(): void {
    const factor = 2 ** Math.max(0, this.#probes++ - 1);
    this.probeAt = this.#clock.nowMs + Math.min(PROBE_MS * factor, PROBE_MAX_MS);
  }

  endProbe(): void {
    this.probeAt = Infinity;
    this.#probes = 0;
  }

  #after(milliseconds: number): number {
    return milliseconds === 0 ? Infinity : this.#clock.nowMs + milliseconds;
  }
}
