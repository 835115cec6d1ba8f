/**
 * One HTTP/1 connection in memory with everything that a test may do to it, by name, and what must hold after each act.
 *
 * Inputs are those of a peer (octets, FIN, reset), of a carrier (flush, writable, time, shutdown) and of a handler (answers,
 * content, upgrade), at any time and in any order: a handler may hold an exchange for as long as it likes.
 * {@link ConnectionHarness.judge} returns what is broken, in words. It must never tell the connection to behave.
 */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HandlerError } from "../../src/http/errors.ts";
import type { ByteStream, Content, ContentSource, Exchange, FieldLines, Outcome } from "../../src/http/exchange.ts";
import { Http1Connection } from "../../src/http1/connection.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS, type WireLimits } from "../../src/http1/limits.ts";
import { READING, WRITING } from "../../src/http1/states.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryTransport } from "./memory-transport.ts";
import { type Reading, readResponses } from "./wire-responses.ts";

/** Everything that happened to one exchange. */
export interface Track {
  readonly exchange: Exchange;
  readonly ends: Outcome[];
  readonly aborts: Error[];
  /** How often the content's sink heard its last call. */
  contentEnds: number;
  /** The content was started and not cancelled: an end must come. */
  isReading: boolean;
  contentBytes: number;
}

/** A source of response content that does what the test says. */
export class ManualSource implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  /** It ended, failed, or was told that nobody wants the rest. */
  isOver = false;
  readonly #pieces: Array<Uint8Array | Error | null> = [];
  #waiting: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: Error): void } | null = null;

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#serve();
    });
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.isOver = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = null;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** A piece, an error, or null for the end. */
  give(piece: Uint8Array | Error | null): void {
    if (this.isOver) return;
    this.#pieces.push(piece);
    this.#serve();
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === null || this.#pieces.length === 0) return;
    const piece = this.#pieces.shift() ?? null;
    this.#waiting = null;
    if (piece instanceof Uint8Array) return waiting.resolve({ done: false, value: piece });
    this.isOver = true;
    if (piece === null) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(piece);
  }
}

/** State pairs that make sense (states.ts). */
const LEGAL: ReadonlySet<string> = new Set(
  [
    [READING.head, WRITING.idle],
    [READING.content, WRITING.pending],
    [READING.blocked, WRITING.pending],
    [READING.content, WRITING.streaming],
    [READING.blocked, WRITING.streaming],
    [READING.content, WRITING.done],
    [READING.discard, WRITING.pending],
    [READING.discard, WRITING.streaming],
    [READING.discard, WRITING.closed],
    [READING.tunnel, WRITING.closed],
    [READING.closed, WRITING.closed],
  ].map((pair) => pair.join("+")),
);

const TEXT = new TextEncoder();

/** See the file's header. */
export class ConnectionHarness {
  readonly clock: ManualClock = new ManualClock();
  readonly transport: MemoryTransport;
  readonly connection: Http1Connection;
  readonly tracks: Track[] = [];
  readonly refusals: string[] = [];
  readonly sources: ManualSource[] = [];
  /** What the handler does with each new exchange; nothing by default. */
  onExchange: (exchange: Exchange) => void = () => {};
  readonly #faults: string[] = [];
  /** Made for the first file, `""` before. */
  #folder = "";
  #filesGiven = 0;
  #filesReleased = 0;

  constructor(options: { limits?: Partial<WireLimits>; highWaterBytes?: number; handlerMs?: number } = {}) {
    this.transport = new MemoryTransport({ highWaterBytes: options.highWaterBytes ?? Infinity });
    this.connection = new Http1Connection(this.transport, this.clock, {
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      timeouts: { ...DEFAULT_TIMEOUTS, handlerMs: options.handlerMs ?? 0 },
      leniencies: DEFAULT_LENIENCIES,
      isExplaining: true,
      handle: (exchange) => this.#track(exchange),
      events: {
        onRefusal: (refusal) => this.refusals.push(refusal.error.code),
        onExchangeEnd: (exchange, outcome) => {
          const track = this.tracks.find((known) => known.exchange === exchange);
          if (track === undefined) this.#faults.push("the end of an unknown exchange");
          track?.ends.push(outcome);
        },
      },
    });
    this.transport.attach(this.connection);
    this.clock.watch(this.connection);
  }

  #track(exchange: Exchange): void {
    const track: Track = { exchange, ends: [], aborts: [], contentEnds: 0, isReading: false, contentBytes: 0 };
    this.tracks.push(track);
    exchange.onAbort((reason) => track.aborts.push(reason));
    this.onExchange(exchange);
  }

  /** The exchange that came last; undefined before the first. */
  get latest(): Exchange | undefined {
    return this.tracks.at(-1)?.exchange;
  }

  // The peer and the carrier

  /** Octets from the peer, latin1. */
  send(text: string): void {
    this.transport.send(Buffer.from(text, "latin1"));
    this.transport.pump();
  }

  /** Moves to the next deadline, if there is one. */
  expire(): void {
    const { deadlineMs } = this.connection;
    if (this.transport.isClosed || deadlineMs === Infinity) return;
    this.clock.advance(Math.max(0, deadlineMs - this.clock.nowMs), () => this.transport.pump());
  }

  /** Calls the connection as a carrier may at any time before `closed`. */
  call(act: (connection: Http1Connection) => void): void {
    if (!this.transport.isClosed) act(this.connection);
    this.transport.pump();
  }

  // The handler; what it does wrong is thrown at it and must do no harm

  /** @param make content that exists only if there is somebody to answer */
  answer(exchange: Exchange | undefined, make: () => Content, fields: FieldLines = []): void {
    if (exchange === undefined) return;
    this.#asHandler(() => void exchange.respond({ status: 200, reason: "", fields }, make())?.catch(() => {}));
  }

  inform(exchange: Exchange | undefined): void {
    this.#asHandler(() => exchange?.inform(103, ["Link", "</a>"]));
  }

  upgrade(exchange: Exchange | undefined, onStream: (stream: ByteStream) => void): void {
    this.#asHandler(() => {
      const stream = exchange?.upgrade(["Upgrade", "echo"]) ?? null;
      if (stream !== null) onStream(stream);
    });
  }

  /** Reads the content. */
  read(exchange: Exchange | undefined): void {
    const track = this.tracks.find((known) => known.exchange === exchange);
    if (track === undefined || track.exchange.content.isEmpty) return;
    this.content(exchange, (content) => {
      content.start({
        chunk: (bytes) => {
          if (track.contentEnds > 0) this.#faults.push("content behind its end");
          track.contentBytes += bytes.length;
        },
        end: () => this.#endContent(track),
        fail: () => this.#endContent(track),
      });
      track.isReading = true;
    });
  }

  cancel(exchange: Exchange | undefined): void {
    const track = this.tracks.find((known) => known.exchange === exchange);
    if (track !== undefined) track.isReading = false;
    this.content(exchange, (content) => content.cancel());
  }

  #endContent(track: Track): void {
    if (++track.contentEnds > 1) this.#faults.push("a second end of content");
  }

  content(exchange: Exchange | undefined, act: (content: ContentSource) => void): void {
    this.#asHandler(() => exchange !== undefined && act(exchange.content));
  }

  abort(exchange: Exchange | undefined): void {
    this.#asHandler(() => exchange?.abort(new Error("given up")));
  }

  /** A new source, to be answered with. */
  source(): ManualSource {
    const source = new ManualSource();
    this.sources.push(source);
    return source;
  }

  /** Part of a file, which must be released once. */
  file(): Content {
    if (this.#folder === "") {
      this.#folder = mkdtempSync(join(tmpdir(), "fairlead-harness-"));
      writeFileSync(join(this.#folder, "file"), "part of a file");
    }
    const fd = openSync(join(this.#folder, "file"), "r");
    this.#filesGiven++;
    return {
      fd,
      start: 5,
      length: 4,
      release: () => {
        this.#filesReleased++;
        closeSync(fd);
      },
    };
  }

  #asHandler(act: () => void): void {
    try {
      act();
    } catch (error) {
      // Rules of the seam: a HandlerError for answers, a TypeError for reading twice
      if (!(error instanceof HandlerError || error instanceof TypeError))
        this.#faults.push(`the handler got ${String(error)}`);
    }
    this.transport.pump();
  }

  /** Lets promises come to rest. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
      this.transport.pump();
    }
  }

  /** The connection breaks, whatever it is doing; then everything must be over. */
  async breakAndFinish(): Promise<string[]> {
    if (!this.transport.isClosed) this.transport.reset(new Error("ECONNRESET"));
    await this.settle();
    const faults = this.judge();
    for (const { exchange, ends, aborts, contentEnds, isReading } of this.tracks) {
      if (ends.length !== 1) faults.push(`an exchange ended ${ends.length} times`);
      if (ends[0] === "complete" && !exchange.isAnswered) faults.push("complete without an answer");
      if ((ends[0] === "aborted" || ends[0] === "broken") && aborts.length !== 1)
        faults.push("nobody was told of the abort");
      if (aborts.length > 1) faults.push("told twice of an abort");
      let isToldLate = false;
      exchange.onAbort(() => (isToldLate = true));
      if (isToldLate !== aborts.length > 0) faults.push("who asks late is not told the same");
      if (isReading && contentEnds === 0) faults.push("content without an end");
    }
    if (this.sources.some((source) => !source.isOver)) faults.push("a source of content was not let go");
    if (this.#filesReleased !== this.#filesGiven)
      faults.push(`released ${this.#filesReleased} of ${this.#filesGiven} files`);
    if (this.connection.deadlineMs !== Infinity) faults.push("a deadline outlives the connection");
    if (this.#folder !== "") rmSync(this.#folder, { recursive: true });
    return faults;
  }

  /** What is broken now; empty if nothing. */
  judge(): string[] {
    const { transport, connection, clock } = this;
    const { reading, writing } = connection.states;
    const faults = [...this.#faults, ...transport.violations];
    if (!LEGAL.has(`${reading}+${writing}`)) faults.push(`states ${reading}+${writing}`);
    const isLingering = reading === READING.discard && writing === WRITING.closed && this.transport.queuedBytes === 0;
    if (connection.isIdle && !isLingering && (reading !== READING.head || writing !== WRITING.idle))
      faults.push("idle in the middle of something");
    if (transport.isEnded && writing !== WRITING.closed) faults.push("ended and still writing");
    this.#judgeDeadline(faults, clock.nowMs);
    const isEnded = transport.isEnded || transport.isDestroyed;
    const methods = this.tracks.map(({ exchange }) => exchange.request.method);
    const output: Reading = readResponses(transport.output, methods, isEnded);
    const finals = output.responses.filter(({ status }) => status >= 200);
    if (finals.length > this.tracks.length + this.refusals.length) faults.push("more responses than requests");
    for (const track of this.tracks) if (track.ends.length > 1) faults.push("an exchange ended twice");
    if (output.responses.some(({ isWhole }) => !isWhole) && transport.isEnded && !transport.isDestroyed) {
      faults.push("a response that is not whole, and a regular end");
    }
    // Content until close is under way while the connection is still open
    const isUnderWay = writing === WRITING.streaming;
    return [...faults, ...output.faults.filter((fault) => !(isUnderWay && fault.includes("delimited by close")))];
  }

  #judgeDeadline(faults: string[], nowMs: number): void {
    const { deadlineMs, states } = this.connection;
    if (Number.isNaN(deadlineMs)) faults.push("deadline is NaN");
    if (deadlineMs < nowMs) faults.push("a deadline that has passed");
    const waitsForPeer =
      states.reading === READING.head || (states.reading === READING.discard && states.writing === WRITING.closed);
    if (waitsForPeer && deadlineMs === Infinity) faults.push("waits for the peer for ever");
    if (states.reading === READING.closed && deadlineMs !== Infinity) faults.push("closed, and waits");
  }

  /** Text as octets of content. */
  static bytes(text: string): Uint8Array {
    return TEXT.encode(text);
  }
}
