/**
 * Runs octets through one HTTP/1 connection in memory and writes the log of what happened.
 *
 * The log says what was understood and answered, not when: it is grouped by exchange, so that it is the same however the
 * octets are split. Lines, in this order for each exchange:
 *   `request METHOD TARGET HTTP/VERSION`, `authority A` (where it is not the Host field's value), `field NAME: VALUE`,
 *   `interim STATUS`, `content OCTETS "TEXT"`, `trailer NAME: VALUE`, `end`, `unread`, `failed CODE` (of the content),
 *   `rejected CODE` (of the handler's answer; 500 if nothing was sent yet), `tunnel OCTETS "TEXT"`,
 *   `response STATUS keep-alive|close` (`cut` where it is not whole), `outcome OUTCOME` (where it is not complete);
 * for a refusal `refused STATUS CODE offset=N field=NAME RULE`; at last the state of the connection.
 * Answers are read by wire-responses.ts; what no answer may ever be is a fault, whatever the case expects.
 */

import { isUtf8 } from "node:buffer";
import { HandlerError, ProtocolError } from "../../src/http/errors.ts";
import type { ByteStream, Exchange, Outcome, Refusal } from "../../src/http/exchange.ts";
import { Http1Connection } from "../../src/http1/connection.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import { ManualClock, START_MS } from "./manual-clock.ts";
import { LOOPBACK, MemoryTransport } from "./memory-transport.ts";
import type { Step } from "./wire-bytes.ts";
import type { CaseOptions } from "./wire-case.ts";
import { contentOf } from "./wire-content.ts";
import { codeOf, refusalLine, requestLines, responseLine, type Seen } from "./wire-log.ts";
import { membersOf, type Reading, readResponses, valuesOf, type WireResponse } from "./wire-responses.ts";

/** What came of a run. */
export interface Run {
  readonly log: readonly string[];
  /** What must never happen, in words; empty. */
  readonly faults: readonly string[];
  /** All octets the server wrote. */
  readonly output: Buffer;
}

/** Steps of one run: octets as split, events in between. */
export async function runSteps(steps: readonly Step[], options: CaseOptions): Promise<Run> {
  const run = new WireRun(options);
  for (const step of steps) {
    if ("bytes" in step) run.send(step.bytes);
    else run.event(step.event, step.waitMs);
    if (run.isAsync) await settle();
    run.transport.pump();
  }
  if (run.isAsync) await run.settleAll();
  return run.finish();
}

/** Lets promises, streams and what they queue come to rest. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}

class WireRun {
  readonly transport: MemoryTransport;
  readonly isAsync: boolean;
  readonly #options: CaseOptions;
  readonly #clock: ManualClock = new ManualClock();
  readonly #connection: Http1Connection;
  readonly #seen: Seen[] = [];
  readonly #refusals: Refusal[] = [];
  readonly #faults: string[] = [];
  #isDisturbed = false;

  constructor(options: CaseOptions) {
    this.#options = options;
    this.isAsync = ["iterable", "stream", "file", "texts"].includes(options.respond?.as ?? "");
    this.transport = new MemoryTransport({
      info: { ...LOOPBACK, isEncrypted: options.isEncrypted ?? false },
      highWaterBytes: options.highWaterBytes ?? Infinity,
    });
    this.#connection = new Http1Connection(this.transport, this.#clock, {
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
      leniencies: { ...DEFAULT_LENIENCIES, ...options.leniencies },
      isExplaining: options.isExplaining ?? true,
      handle: (exchange) => this.#handle(exchange),
      events: {
        onRefusal: (refusal) => this.#refusals.push(refusal),
        onExchangeEnd: (exchange, outcome) => this.#onExchangeEnd(exchange, outcome),
      },
    });
    this.transport.attach(this.#connection);
    this.#clock.watch(this.#connection);
  }

  send(bytes: Uint8Array): void {
    this.transport.send(bytes);
    this.transport.pump();
  }

  event(name: string, waitMs: number): void {
    if (name === "answer") {
      const next = this.#seen.find((seen) => !seen.hasAnswered);
      if (next === undefined) throw new Error("no exchange to answer");
      if (!next.exchange.content.isStarted) this.#read(next);
      next.wantsAnswer = true;
      this.#answerIfReady(next);
    } else this.#disturb(name, waitMs);
    this.transport.pump();
  }

  #disturb(name: string, waitMs: number): void {
    this.#isDisturbed = true;
    if (name === "fin") this.transport.sendEnd();
    else if (name === "reset") this.transport.reset(new Error("ECONNRESET"));
    else if (name === "wait") this.#clock.advance(waitMs, () => this.transport.pump());
    else if (name === "shutdown") this.#connection.shutdown();
    else if (name === "drain") this.transport.drain();
  }

  async settleAll(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      this.transport.pump();
      await settle();
    }
  }

  // The handler

  #handle(exchange: Exchange): void {
    const seen: Seen = {
      exchange,
      content: [],
      trailers: null,
      failure: "",
      outcome: "",
      hasAnswered: false,
      wantsAnswer: false,
      rejection: "",
      tunnel: null,
      abortReason: "",
    };
    this.#seen.push(seen);
    exchange.onAbort((reason) => {
      if (seen.abortReason !== "") this.#faults.push("onAbort called twice");
      seen.abortReason = codeOf(reason);
    });
    this.#act(seen);
  }

  #act(seen: Seen): void {
    const { exchange } = seen;
    switch (this.#options.handler ?? "read") {
      case "now":
        return this.#answer(seen);
      case "cancel":
        exchange.content.cancel();
        return this.#answer(seen);
      case "read":
        seen.wantsAnswer = true;
        return this.#read(seen);
      case "later":
        return this.#read(seen);
      case "unread":
        return;
      case "abort":
        seen.hasAnswered = true;
        return exchange.abort(new Error("given up"));
      case "upgrade":
        return this.#upgrade(seen);
    }
  }

  #read(seen: Seen): void {
    const { content } = seen.exchange;
    if (content.isEmpty) return this.#answerIfReady(seen);
    content.start({
      chunk: (bytes) => {
        if (bytes.length === 0) this.#faults.push("an empty piece of content");
        if (seen.trailers !== null || seen.failure !== "") this.#faults.push("content after its end");
        seen.content.push(Buffer.from(bytes));
      },
      end: (trailers) => {
        if (seen.trailers !== null || seen.failure !== "") this.#faults.push("second end of content");
        seen.trailers = trailers;
        this.#answerIfReady(seen);
      },
      fail: (reason) => {
        if (seen.trailers !== null || seen.failure !== "") this.#faults.push("failure after the end of content");
        seen.failure = codeOf(reason);
        this.#answerFailure(seen, reason);
      },
    });
  }

  #answerIfReady(seen: Seen): void {
    const isWhole = seen.exchange.content.isEmpty || seen.trailers !== null;
    if (seen.wantsAnswer && isWhole && !seen.hasAnswered) this.#answer(seen);
  }

  #answer(seen: Seen): void {
    seen.hasAnswered = true;
    const { exchange } = seen;
    const { status = 200, reason = "", fields = [], trailers } = this.#options.respond ?? {};
    const head = { status, reason, fields, trailers: trailers === undefined ? null : () => trailers };
    try {
      for (const [interim, ...lines] of this.#options.inform ?? []) exchange.inform(interim, lines);
      const done = exchange.respond(head, contentOf(this.#options.respond ?? {}));
      void done?.catch((error: Error) => (seen.rejection = codeOf(error)));
    } catch (error) {
      if (!(error instanceof HandlerError)) throw error;
      seen.rejection = error.code;
      void exchange.respond({ status: 500, reason: "", fields: [] }, null);
    }
  }

  /** Content that fails because of the peer is answered with the status that the rule has. */
  #answerFailure(seen: Seen, reason: Error): void {
    if (seen.hasAnswered || seen.exchange.isAnswered || !(reason instanceof ProtocolError) || reason.status === 0)
      return;
    seen.hasAnswered = true;
    void seen.exchange.respond({ status: reason.status, reason: "", fields: [] }, reason.code);
  }

  #upgrade(seen: Seen): void {
    const stream: ByteStream | null = seen.exchange.upgrade(["Upgrade", "echo"]);
    if (stream === null) return this.#answer(seen);
    seen.hasAnswered = true;
    const tunnel: Uint8Array[] = [];
    seen.tunnel = tunnel;
    stream.start({
      chunk: (bytes) => {
        tunnel.push(Buffer.from(bytes));
        stream.write(bytes);
      },
      end: () => stream.end(),
      drain: () => {},
      close: () => {},
    });
  }

  #onExchangeEnd(exchange: Exchange, outcome: Outcome): void {
    const seen = this.#seen.find((known) => known.exchange === exchange);
    if (seen === undefined) this.#faults.push("the end of an exchange that never began");
    else if (seen.outcome !== "") this.#faults.push("a second end of one exchange");
    else seen.outcome = outcome;
  }

  // The log

  finish(): Run {
    const methods = this.#seen.map((seen) => seen.exchange.request.method);
    const refused = this.#refusals[0];
    if (refused !== undefined) methods.push(refused.method);
    const { isEnded, isDestroyed, output } = this.transport;
    const reading = readResponses(output, methods, isEnded || isDestroyed);
    this.#judge(reading);
    const log = this.#writeLog(reading);
    return { log, faults: [...this.#faults, ...reading.faults, ...this.transport.violations], output };
  }

  #writeLog(reading: Reading): string[] {
    const log: string[] = [];
    let at = 0;
    for (const seen of this.#seen) {
      const interim: WireResponse[] = [];
      while (reading.responses[at] !== undefined && (reading.responses[at]?.status ?? 0) < 200) {
        interim.push(reading.responses[at++] as WireResponse);
      }
      log.push(...requestLines(seen, interim));
      const final = reading.responses[at];
      if (final !== undefined && seen.hasAnswered && seen.tunnel === null) {
        at++;
        log.push(responseLine(final));
      }
      if (seen.outcome !== "complete") log.push(`outcome ${seen.outcome === "" ? "none yet" : seen.outcome}`);
    }
    log.push(...this.#refusals.map(refusalLine), ...this.#refusalResponses(reading.responses.slice(at)));
    log.push(this.#state());
    return log;
  }

  /** What was written behind the answers of handlers: the answer to a refusal, at most one, or nothing. */
  #refusalResponses(rest: readonly WireResponse[]): string[] {
    const refusal = this.#refusals.at(-1);
    const [only, ...more] = rest;
    if (only === undefined) {
      const wasAnswered = this.#seen.at(-1)?.hasAnswered === true;
      return refusal === undefined || refusal.error.status === 0 || wasAnswered ? [] : ["refused without an answer"];
    }
    if (refusal === undefined || more.length > 0) return rest.map((response) => `unasked ${responseLine(response)}`);
    this.#judgeRefusal(only, refusal);
    return [];
  }

  #judgeRefusal(response: WireResponse, refusal: Refusal): void {
    const { error } = refusal;
    const text = response.content.toString("utf8");
    const fault = (words: string): void => void this.#faults.push(`the answer to ${error.code} ${words}`);
    if (response.status !== error.status) fault(`has status ${response.status}`);
    if (!membersOf(response, "connection").includes("close")) fault("does not say close");
    if (!response.isWhole) fault("is not whole");
    if (refusal.method === "HEAD") return;
    if (!(valuesOf(response, "content-type")[0] ?? "").includes("/")) fault("has no Content-Type");
    if (!isUtf8(response.content)) fault("is not UTF-8");
    if (!text.includes(error.code)) fault("does not name its code");
    if (this.#options.isExplaining === false) return;
    for (const part of [error.rule, error.field, error.offset < 0 ? "" : String(error.offset), error.option]) {
      if (!text.includes(part)) fault(`does not say ${part}`);
    }
  }

  /** What holds for every run. */
  #judge(reading: Reading): void {
    const finals = reading.responses.filter((response) => response.status >= 200);
    const { isEnded, isDestroyed } = this.transport;
    if (this.#refusals.length > 1) this.#faults.push("more than one refusal");
    if (finals.length > this.#seen.length + this.#refusals.length) this.#faults.push("more responses than requests");
    for (const [index, response] of finals.entries()) {
      const saysClose = membersOf(response, "connection").includes("close");
      if (saysClose && index < finals.length - 1) this.#faults.push("a response behind one that says close");
      if (saysClose && response.isWhole && !isEnded && !isDestroyed) this.#faults.push("says close and does not close");
      if (!saysClose && index === finals.length - 1 && isEnded && !this.#isDisturbed)
        this.#faults.push("closes and does not say close");
      const dateMs = Date.parse(valuesOf(response, "date")[0] ?? "");
      if (!(dateMs >= START_MS && dateMs <= this.#clock.nowMs)) this.#faults.push("Date is not the time of the clock");
    }
    for (const { exchange, outcome } of this.#seen) {
      if ((isDestroyed || this.transport.isClosed) && outcome === "")
        this.#faults.push("an exchange outlives its connection");
      if (outcome === "complete" && exchange.status === 0) this.#faults.push("complete without a response");
    }
  }

  #state(): string {
    if (this.transport.isEnded) return "closed";
    if (this.transport.isDestroyed) return "broken";
    return this.#seen.some((seen) => seen.tunnel !== null) ? "upgraded" : "open";
  }
}
