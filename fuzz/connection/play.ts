/**
 * Plays a script on one connection in memory: the peer's steps, the handlers, the clock; and gathers what came of it.
 *
 * After each step all that follows from it happens: events of the transport one by one, promises between them, alarms that are
 * due. At the end every script is brought to its end, so that whatever waits for something hears of it: the peer reads what is
 * queued, time passes, it leaves. The same script always takes the same course. Nothing here judges but what can only be seen in
 * passing: octets held, rest that is never reached.
 */

import type { Exchange, Outcome, Refusal, WireExchange } from "../../src/http/exchange.ts";
import { Http1Connection } from "../../src/http1/connection.ts";
import type { Leniencies, WireLimits } from "../../src/http1/limits.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import type { Http1Config } from "../../src/http1/states.ts";
import { createExchangeHandler, type Handler } from "../../src/web/handler.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { playBare } from "./bare-handler.ts";
import { Held } from "./held.ts";
import { Seen, type Stage } from "./observed.ts";
import { Peer } from "./peer.ts";
import { octetsOf, type Script } from "./script.ts";
import { serverConfig } from "./server-face.ts";
import { playWeb } from "./web-handler.ts";

/** What came of it. */
export interface Played {
  readonly script: Script;
  readonly seen: readonly Seen[];
  readonly refusals: readonly Refusal[];
  /** What was seen in passing that must not be, in words. */
  readonly faults: readonly string[];
  readonly output: Buffer;
  readonly peer: Peer;
  /** Octets of each message. */
  readonly octets: readonly Buffer[];
  /** How many octets of them were sent. */
  readonly sentBytes: number;
  /** After all was sent, read and answered, before time passed: whether the server still listened. */
  readonly isOpenAtRest: boolean;
  /** How many exchanges there were then. */
  readonly exchangesAtRest: number;
  /** One of them waits for an answer that its plan does not have. */
  readonly isOwingAtRest: boolean;
  /** When the connection is gone: when it wants to be called, `Infinity` for never. */
  readonly deadlineAfterMs: number;
  /** Alarms of handlers that nobody will hear. */
  readonly rejections: readonly unknown[];
}

/** More turns than this without time passing mean that it never comes to rest. */
const MAX_TURNS = 50_000;
/** Longer than any time that the wire waits for a peer. */
const SILENCE_MS = 20 * 60_000;

const LENIENT: Leniencies = { ...DEFAULT_LENIENCIES, allowBareLf: true, allowLowercaseMethods: true };
const limitsByText: Map<string, WireLimits> = new Map([["{}", DEFAULT_LIMITS]]);

/** One object for all connections with the same limits, as in a server: what wires share they share by it. */
function limitsOf(limits: Partial<WireLimits>): WireLimits {
  const text = JSON.stringify(limits);
  const known = limitsByText.get(text) ?? { ...DEFAULT_LIMITS, ...limits };
  if (limitsByText.size < 1000) limitsByText.set(text, known);
  return known;
}

const rejections: unknown[] = [];
let isWatching = false;

/** Plays `script` to its end. */
export async function play(script: Script): Promise<Played> {
  const [played] = await playTogether([script]);
  return played as Played;
}

/** Plays scripts on connections of their own, a step of each in turn: what wires share must not show. */
export async function playTogether(scripts: readonly Script[]): Promise<Played[]> {
  if (!isWatching) process.on("unhandledRejection", (reason) => void rejections.push(reason));
  isWatching = true;
  rejections.length = 0;
  const players = scripts.map((script) => new Player(script));
  const mostSteps = Math.max(...scripts.map(({ steps }) => steps.length));
  for (const player of players) await player.begin();
  for (let at = 0; at < mostSteps; at++) for (const player of players) await player.playStep(at);
  const played: Played[] = [];
  for (const player of players) played.push(await player.end());
  return played;
}

/** Lets promises that are settled be heard. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

class Player implements Stage {
  readonly faults: string[] = [];
  readonly shared: Map<string, readonly string[]> = new Map();
  isAsync = false;
  readonly #script: Script;
  readonly #clock: ManualClock = new ManualClock();
  readonly #peer: Peer;
  readonly #connection: Http1Connection;
  readonly #octets: readonly Buffer[];
  readonly #all: Buffer;
  readonly #seen: Seen[] = [];
  readonly #refusals: Refusal[] = [];
  readonly #held: Held;
  #alarms: Array<{ readonly atMs: number; readonly ring: () => void }> = [];
  #sentBytes = 0;
  #isEager: boolean;
  #hasCut = false;

  constructor(script: Script) {
    this.#script = script;
    this.#isEager = script.isEager;
    this.#octets = octetsOf(script.messages);
    this.#all = Buffer.concat(this.#octets);
    this.#peer = new Peer(script);
    const config = this.#configOf(script);
    this.#connection = new Http1Connection(this.#peer, this.#clock, {
      ...config,
      handle: (exchange) => this.#begin(exchange, config),
      events: {
        ...config.events,
        onRefusal: (refusal) => {
          this.#refusals.push(refusal);
          const refused = refusal.exchange === null ? null : this.#seenOf(refusal.exchange);
          if (refused !== null && !refused.exchange.isAnswered) refused.isRefusedBefore = true;
          config.events.onRefusal?.(refusal);
        },
        onExchangeEnd: (exchange, outcome) => {
          this.#ended(exchange, outcome);
          config.events.onExchangeEnd?.(exchange, outcome);
        },
      },
    });
    this.#held = new Held(script, this.#octets, this.#peer);
    this.#peer.attach(this.#connection);
    this.#clock.watch(this.#connection);
  }

  after(ms: number): Promise<void> {
    this.isAsync = true;
    return new Promise((ring) => void this.#alarms.push({ atMs: this.#clock.nowMs + ms, ring }));
  }

  // The server's side

  #configOf({ face, limits, timeouts, isLenient, isEncrypted }: Script): Http1Config {
    const leniencies = isLenient ? LENIENT : DEFAULT_LENIENCIES;
    const config: Http1Config = {
      limits: limitsOf(limits),
      timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts },
      leniencies,
      isExplaining: !isLenient,
      transportSecurity: isEncrypted ? "Strict-Transport-Security: max-age=60\r\n" : "",
      handle: (exchange) => {
        const seen = this.#seenOf(exchange);
        if (seen !== null) playBare(seen, this.#planOf(seen), this);
      },
      events: { onRefusal: null, onExchangeEnd: null, onCallbackError: () => {} },
    };
    if (face === "bare") return config;
    const fetch: Handler = (request, context) => {
      const seen = this.#seenOf(context.exchange);
      if (seen === null) throw new Error("a handler gets an exchange that never began");
      seen.client = context.exchange.connection.remoteAddress.address;
      return playWeb(seen, this.#planOf(seen), this, request, context);
    };
    const onFault = ({ exchange }: { readonly exchange: Exchange | null }): void => {
      const seen = exchange === null ? null : this.#seenOf(exchange);
      if (seen !== null) seen.isFaulty = true;
    };
    // What the server does with it: nobody may be left with a rejection
    const waitUntil = (promise: Promise<unknown>): void => void promise.catch(() => {});
    if (face === "web") {
      return { ...config, handle: createExchangeHandler(fetch, { maxBufferedBytes: 20_000, onFault, waitUntil }) };
    }
    return { ...serverConfig(this.#script, { fetch, onFault, waitUntil, nowMs: () => this.#clock.nowMs }), leniencies };
  }

  #begin(exchange: WireExchange, config: Http1Config): void {
    const seen = new Seen(this.#seen.length, exchange);
    this.#seen.push(seen);
    exchange.onAbort(() => void seen.aborts++);
    config.handle(exchange);
    // Answered for the handler, as OPTIONS of the server as a whole is
    if (exchange.isAnswered && seen.said === null) seen.isThrough = true;
  }

  #ended(exchange: Exchange, outcome: Outcome): void {
    const seen = this.#seenOf(exchange);
    if (seen === null) this.faults.push("ends an exchange that never began");
    else seen.outcomes.push(outcome);
  }

  #seenOf(exchange: Exchange): Seen | null {
    return this.#seen.findLast((seen) => seen.exchange === exchange) ?? null;
  }

  #planOf(seen: Seen): Script["plans"][number] {
    return this.#script.plans[seen.index % this.#script.plans.length] ?? [];
  }

  // The peer's side

  begin(): Promise<void> {
    return this.#rest();
  }

  /** Step number `at`, if there is one, and what follows from it. */
  async playStep(at: number): Promise<void> {
    const step = this.#script.steps[at];
    if (step === undefined) return;
    switch (step.step) {
      case "send":
        this.#send(step.bytes);
        break;
      case "wait":
        await this.#pass(step.ms);
        break;
      case "take":
        this.#peer.take(step.bytes);
        break;
      case "shutdown":
        if (!this.#peer.isClosed) this.#connection.shutdown(step.lastCallMs);
        break;
      default:
        this.#leave(step.step);
    }
    await this.#rest();
    this.#held.look(this.#seen);
    // A server that closes goes by it
    const isOwing = this.#seen.some(({ outcomes }) => outcomes.length === 0);
    if (isOwing && this.#connection.isIdle) this.faults.push("is idle while an exchange is under way");
  }

  #send(bytes: number): void {
    const chunk = this.#all.subarray(this.#sentBytes, this.#sentBytes + bytes);
    if (chunk.length === 0 || this.#hasCut) return;
    this.#sentBytes += chunk.length;
    this.#peer.send(Buffer.from(chunk));
  }

  #leave(how: "fin" | "reset" | "cut"): void {
    if (how === "fin") {
      if (!this.#hasCut) this.#peer.sendEnd();
    } else if (how === "reset") this.#peer.reset();
    else this.#peer.cut();
    this.#hasCut = true;
  }

  /** What came of it, when the connection is gone. */
  async end(): Promise<Played> {
    const { ending, endsAtOnce } = this.#script;
    if (!endsAtOnce) {
      this.#isEager = true;
      await this.#rest();
      await this.#ringAll();
    }
    const isOpenAtRest = !endsAtOnce && !this.#peer.isEnded && !this.#peer.isDestroyed;
    const exchangesAtRest = this.#seen.length;
    for (const one of this.#seen) {
      one.outcomeAtRest = one.outcomes[0] ?? null;
      one.tunnelledAtRest = one.tunnelled.reduce((sum, { length }) => sum + length, 0);
    }
    const isOwingAtRest = this.#seen.some(({ outcomes, isThrough }) => isThrough && outcomes.length === 0);
    if (ending !== "silence") this.#leave(ending);
    this.#isEager = true;
    await this.#rest();
    await this.#pass(SILENCE_MS);
    await this.#ringAll();
    await this.#pass(SILENCE_MS);
    if (!this.#peer.isClosed) this.#judgeSilence();
    if (!this.#peer.isClosed) this.#peer.reset();
    await this.#rest();
    await this.#ringAll();
    this.#held.lookAtOutput();
    return {
      script: this.#script,
      seen: this.#seen,
      refusals: this.#refusals,
      faults: [...this.faults, ...this.#peer.faults, ...this.#held.faults],
      output: this.#peer.output,
      peer: this.#peer,
      octets: this.#octets,
      sentBytes: this.#sentBytes,
      isOpenAtRest,
      exchangesAtRest,
      isOwingAtRest,
      deadlineAfterMs: this.#connection.deadlineMs,
      rejections: [...rejections],
    };
  }

  /** RFC 9112 §9.5: a peer that is silent for long is not waited for, unless a handler owes it something. */
  #judgeSilence(): void {
    const isOwing = this.#seen.some(({ outcomes, hasTunnel }) => outcomes.length === 0 || hasTunnel);
    if (isOwing) return;
    const { isEnded, isDestroyed, hasPeerEnded } = this.#peer;
    if (!isEnded && !isDestroyed) this.faults.push("waits for ever for a silent peer");
    else if (hasPeerEnded || !isDestroyed) this.faults.push("is not gone long after its end");
  }

  /** Until nothing more happens without time passing. */
  async #rest(): Promise<void> {
    const peer = this.#peer;
    for (let turns = 0; turns < MAX_TURNS; turns++) {
      const hasTurned = peer.turn();
      if (this.#isEager && (peer.queuedBytes > 0 || !hasTurned)) peer.take(Infinity);
      if (this.isAsync) await settle();
      if (hasTurned || this.#ringDue() || peer.isDue || (this.#isEager && peer.isTakeable)) continue;
      return;
    }
    this.faults.push("does not come to rest");
  }

  /** Time passes, and stops at each moment at which somebody wants to be called. */
  async #pass(ms: number): Promise<void> {
    const untilMs = this.#clock.nowMs + ms;
    for (let stops = 0; stops < 5000; stops++) {
      const nextMs = Math.min(
        untilMs,
        this.#sweepAt(this.#connection.deadlineMs),
        ...this.#alarms.map(({ atMs }) => atMs),
      );
      const isLast = nextMs >= untilMs;
      this.#advance(Math.max(0, nextMs - this.#clock.nowMs));
      await this.#rest();
      if (isLast && this.#clock.nowMs >= untilMs && !(this.#sweepAt(this.#connection.deadlineMs) <= untilMs)) return;
      if (this.faults.length > 20) return;
    }
  }

  /** When a deadline is looked at. */
  #sweepAt(deadlineMs: number): number {
    const { sweepMs } = this.#script;
    return sweepMs === 0 ? deadlineMs : Math.ceil(deadlineMs / sweepMs) * sweepMs;
  }

  #advance(ms: number): void {
    if (this.#script.sweepMs > 0) {
      this.#clock.nowMs += ms;
      if (this.#sweepAt(this.#connection.deadlineMs) <= this.#clock.nowMs) this.#peer.expire();
      return;
    }
    try {
      this.#clock.advance(ms, () => {
        if (this.#isEager) this.#peer.take(Infinity);
      });
    } catch (error) {
      this.faults.push(error instanceof Error ? error.message : String(error));
    }
  }

  /** Rings what is due. False: nothing is. */
  #ringDue(): boolean {
    if (this.#alarms.length === 0) return false;
    const due = this.#alarms.filter(({ atMs }) => atMs <= this.#clock.nowMs);
    if (due.length === 0) return false;
    this.#alarms = this.#alarms.filter(({ atMs }) => atMs > this.#clock.nowMs);
    for (const { ring } of due) ring();
    return true;
  }

  async #ringAll(): Promise<void> {
    for (let rounds = 0; rounds < 2000 && this.#alarms.length > 0; rounds++) {
      const nextMs = Math.min(...this.#alarms.map(({ atMs }) => atMs));
      await this.#pass(Math.max(0, nextMs - this.#clock.nowMs));
    }
  }
}
