/**
 * The way from whoever has events to one client: a bounded queue of text, a heartbeat, and one end.
 *
 * Steps of a life: open (somebody begins to read) -> the source is started -> text is queued and taken -> end: the source is
 * done, has failed, or the client has left; then everything is stopped once. Nobody reads: nothing was started, nothing is
 * held. It must never hold more than its limit, nor keep a timer or a listener behind its end.
 */

import type { TimeSource } from "../web/clock.ts";
import { type EventInput, renderComment, renderEvent } from "./event-text.ts";

/** What a source is given. */
export interface EventSink {
  /** What the client has seen last before it lost the connection; `""` if it comes for the first time. */
  readonly lastEventId: string;
  /** Aborts when the stream is over, whoever ended it. */
  readonly signal: AbortSignal;
  /**
   * Sends an event.
   *
   * @returns resolves when there is room for the next: true if this one was taken, false if it was dropped or nobody is there
   *   any more; never rejects, so that nobody has to wait for it
   * @throws TypeError or RangeError at once for an event that cannot be written
   */
  readonly send: (event: EventInput) => Promise<boolean>;
  /** Sends a comment, which no listener is told of. As {@link send}. */
  readonly comment: (text: string) => Promise<boolean>;
  /** Ends the stream behind what was sent. The client will come back; answer it 204 to have it stay away. */
  readonly close: () => void;
}

/** Events as they come, or a function that sends them; see `eventStream()`. */
export type EventSource =
  | AsyncIterable<EventInput>
  | ((sink: EventSink) => AsyncIterable<EventInput> | Promise<unknown> | (() => unknown) | undefined | void);

/** How a channel behaves. */
export interface ChannelSettings {
  readonly lastEventId: string;
  readonly heartbeatMs: number;
  readonly retryMs: number | null;
  readonly maxQueuedBytes: number;
  readonly dropsOverflow: boolean;
  readonly time: TimeSource;
}

const HEARTBEAT = ":\n\n";
const TAKEN: Promise<boolean> = Promise.resolve(true);
const NOT_TAKEN: Promise<boolean> = Promise.resolve(false);
const DONE: IteratorResult<string> = { done: true, value: undefined };

/** Text for one client, as an async iterable that can be read once. */
export class EventChannel implements AsyncIterable<string>, AsyncIterator<string> {
  readonly #settings: ChannelSettings;
  readonly #source: EventSource;
  /** The client's leaving, as its request knows it. */
  readonly #clientSignal: AbortSignal;
  readonly #controller: AbortController = new AbortController();
  readonly #leave: () => void = () => {
    this.#queue = "";
    this.#end(null);
  };
  #isStarted = false;
  #isOver = false;
  #failure: { readonly error: unknown } | null = null;
  #queue = "";
  #queuedBytes = 0;
  #reader: { resolve(result: IteratorResult<string>): void; reject(error: Error): void } | null = null;
  /** Of all who wait for room, and of those whose event was dropped: one promise each, however many events there are. */
  #room: Promise<boolean> | null = null;
  #roomAfterDrop: Promise<boolean> | null = null;
  #wakeWaiting: ((isThere: boolean) => void) | null = null;
  #iterator: AsyncIterator<EventInput> | null = null;
  #cleanUp: (() => unknown) | null = null;
  #stopTimer: (() => void) | null = null;
  #writtenAtMs = 0;

  constructor(source: EventSource, settings: ChannelSettings, clientSignal: AbortSignal) {
    this.#source = source;
    this.#settings = settings;
    this.#clientSignal = clientSignal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string>> {
    if (!this.#isStarted) this.#start();
    if (this.#queue !== "") return Promise.resolve({ done: false, value: this.#take() });
    if (this.#failure !== null) {
      const { error } = this.#failure;
      this.#failure = null;
      return Promise.reject(toError(error));
    }
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** The client has left, or nobody wants the stream. */
  return(): Promise<IteratorResult<string>> {
    this.#isStarted = true;
    this.#leave();
    this.#failure = null;
    return Promise.resolve(DONE);
  }

  #start(): void {
    this.#isStarted = true;
    const { retryMs, lastEventId, heartbeatMs } = this.#settings;
    if (this.#clientSignal.aborted) return this.#end(null);
    this.#clientSignal.addEventListener("abort", this.#leave, { once: true });
    this.#writtenAtMs = this.#settings.time.elapsedMs();
    if (heartbeatMs !== Infinity) this.#beatIn(heartbeatMs);
    if (retryMs !== null) this.#write(renderEvent({ retryMs }));
    const source = this.#source;
    if (typeof source !== "function") return void this.#pull(source);
    const sink: EventSink = Object.freeze({
      lastEventId,
      signal: this.#controller.signal,
      send: (event: EventInput) => this.#offer(renderEvent(event)),
      comment: (text: string) => this.#offer(renderComment(text)),
      close: () => this.#end(null),
    });
    try {
      this.#follow(source(sink));
    } catch (error) {
      this.#end({ error });
    }
  }

  /** What a function gave back says when the stream ends. */
  #follow(result: unknown): void {
    if (typeof result === "function") {
      this.#cleanUp = result as () => unknown;
      // It may have closed the stream before it said how to stop
      if (this.#isOver) this.#stopSource();
    } else if (isAsyncIterable(result)) void this.#pull(result);
    else if (result instanceof Promise) {
      result.then(
        (value: unknown) => this.#followSettled(value),
        (error: unknown) => this.#end({ error }),
      );
    }
  }

  /** An async function is done when it is done, unless it has given what stops it. */
  #followSettled(value: unknown): void {
    if (typeof value === "function" || isAsyncIterable(value)) this.#follow(value);
    else this.#end(null);
  }

  /** One event after the other, none before there is room. */
  async #pull(source: AsyncIterable<EventInput>): Promise<void> {
    try {
      const iterator = source[Symbol.asyncIterator]();
      this.#iterator = iterator;
      // The client may have left while the iterable was awaited
      if (this.#isOver) return this.#stopSource();
      for (;;) {
        const step = await iterator.next();
        if (this.#isOver) return;
        if (step.done === true) break;
        await this.#offer(renderEvent(step.value));
        if (this.#isOver) return;
      }
      // It has ended by itself: there is nothing to stop
      this.#iterator = null;
      this.#end(null);
    } catch (error) {
      this.#end({ error });
    }
  }

  #offer(text: string): Promise<boolean> {
    if (this.#isOver) return NOT_TAKEN;
    const { maxQueuedBytes, dropsOverflow } = this.#settings;
    const bytes = Buffer.byteLength(text);
    // One event alone is always taken, however large: it is in memory already
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > maxQueuedBytes) {
      if (dropsOverflow) return (this.#roomAfterDrop ??= this.#whenRoom().then(() => false));
      // It comes back with the id that it has seen last; what waits is sent all the same
      this.#end(null);
      return NOT_TAKEN;
    }
    this.#write(text, bytes);
    return this.#queue === "" ? TAKEN : this.#whenRoom();
  }

  #whenRoom(): Promise<boolean> {
    this.#room ??= new Promise((resolve) => {
      this.#wakeWaiting = resolve;
    });
    return this.#room;
  }

  #write(text: string, bytes: number = Buffer.byteLength(text)): void {
    this.#writtenAtMs = this.#settings.time.elapsedMs();
    const reader = this.#reader;
    if (reader !== null) {
      this.#reader = null;
      return reader.resolve({ done: false, value: text });
    }
    this.#queue += text;
    this.#queuedBytes += bytes;
  }

  /** Everything at once: events that came while the client was slow leave in one piece. */
  #take(): string {
    const text = this.#queue;
    this.#queue = "";
    this.#queuedBytes = 0;
    this.#wakeWaiters(true);
    return text;
  }

  #wakeWaiters(isThere: boolean): void {
    const wake = this.#wakeWaiting;
    this.#wakeWaiting = null;
    this.#room = null;
    this.#roomAfterDrop = null;
    wake?.(isThere);
  }

  /** One timer at a time; an event puts the heartbeat off without touching it. */
  #beatIn(delayMs: number): void {
    const { time, heartbeatMs } = this.#settings;
    this.#stopTimer = time.after(delayMs, () => {
      const quietMs = time.elapsedMs() - this.#writtenAtMs;
      // Something waits to be taken: that is life enough, and the client is slow
      if (quietMs >= heartbeatMs && this.#queue === "") this.#write(HEARTBEAT);
      this.#beatIn(quietMs >= heartbeatMs ? heartbeatMs : heartbeatMs - quietMs);
    });
  }

  #end(failure: { readonly error: unknown } | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#stopTimer?.();
    this.#clientSignal.removeEventListener("abort", this.#leave);
    this.#stopSource();
    // What waits in the queue will be taken yet, unless the client has left
    this.#wakeWaiters(this.#queue !== "");
    this.#controller.abort(new DOMException("The event stream is over", "AbortError"));
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) return;
    const failed = this.#failure;
    this.#failure = null;
    if (failed === null) reader.resolve(DONE);
    else reader.reject(toError(failed.error));
  }

  /** Once. What fails in it becomes the stream's failure, if there is none yet. */
  #stopSource(): void {
    const cleanUp = this.#cleanUp;
    const iterator = this.#iterator;
    this.#cleanUp = null;
    this.#iterator = null;
    try {
      const stopped: unknown = cleanUp?.() ?? iterator?.return?.();
      if (stopped instanceof Promise) stopped.catch(() => {});
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("the source of events failed", { cause: error });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<EventInput> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
