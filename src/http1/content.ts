/**
 * The content of one request: from the input through its decoder to whoever reads it, or to nobody (RFC 9112 §6, §7).
 *
 * Nothing is decoded before somebody starts to read or says that nobody will; until then the octets wait in the input and,
 * when that is full, in the peer. It changes no state of the connection but through its owner.
 */

import { ProtocolError } from "../http/errors.ts";
import { type ContentSink, type ContentSource, ownsBuffer } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";
import { ContentDecoder } from "./decode.ts";
import type { Input } from "./input.ts";
import type { Leniencies, WireLimits } from "./limits.ts";

/** What content asks of the connection. */
export interface ContentOwner {
  /**
   * Somebody wants (more of) it, or nobody ever will: go on.
   *
   * @param isAtOnce what has come may be given, and may fail, before this returns
   */
  contentWanted(content: Http1Content, isAtOnce: boolean): void;
  /** What reads it has thrown: a mistake of its own. */
  callbackFailed(exchange: null, error: unknown): void;
  /** It will not be whole; the owner calls {@link Http1Content.fail}. */
  contentRefused(content: Http1Content, error: ProtocolError): void;
}

/** What {@link Http1Content.read} came to. */
export const CONTENT = {
  /** Nobody wants it now, or nothing has come. */
  waiting: 0,
  /** Some was passed on. */
  moved: 1,
  /** All was passed on; {@link Http1Content.end} is due. */
  whole: 2,
  /** It breaks a rule: see {@link Http1Content.error}. */
  refused: 3,
} as const;

/** Content that the framing says is not there. Shared by all requests without content. */
class NoContent implements ContentSource {
  readonly isEmpty = true;
  readonly length = 0;
  readonly isStarted = false;
  get maxBytes(): number {
    return Infinity;
  }
  set maxBytes(_value: number) {
    // No content fits every limit
  }
  start(sink: ContentSink): void {
    sink.end(Fields.EMPTY);
  }
  pause(): void {}
  resume(): void {}
  cancel(): void {}
}

/** The one object for all requests without content. */
export const NO_CONTENT_SOURCE: ContentSource = new NoContent();

/** The handler had its time, and it is the peer that it waits for (RFC 9110 §15.5.9). */
export class UnarrivedContent extends ProtocolError {
  override readonly option: string = "timeouts.handlerMs";

  constructor() {
    super("ERR_CONTENT_TIMEOUT", { detail: "it was not whole when the handler's time was over" });
  }
}

/** Content under way. */
export class Http1Content implements ContentSource {
  readonly isEmpty = false;
  readonly givesBuffers = true;
  readonly length: number | null;
  maxBytes: number;
  isStarted = false;
  isPaused = false;
  isReadAhead = false;
  /** Nobody wants it: what comes is counted and dropped. */
  isDropped = false;
  /** The peer waits for 100 (Continue). */
  isContinueDue: boolean;
  /** Octets passed on or dropped. */
  received = 0;
  readonly #owner: ContentOwner;
  readonly #decoder: ContentDecoder;
  #isOver = false;
  /** What is being decoded. */
  #input: Input | null = null;
  /** The sink has got a piece together with the memory around it; the input stands behind it. */
  #hasGivenBuffer = false;
  #sink: ContentSink | null = null;
  #failure: Error | null = null;

  /** @param length declared octets, null for the chunked coding */
  constructor(
    owner: ContentOwner,
    length: number | null,
    limits: WireLimits,
    leniencies: Leniencies,
    isContinueDue: boolean,
  ) {
    this.#owner = owner;
    this.length = length;
    this.maxBytes = limits.maxContentBytes;
    this.isContinueDue = isContinueDue;
    this.#decoder = new ContentDecoder(length, limits, leniencies);
  }

  /** Octets taken from the input, those of the chunked framing included. */
  get consumed(): number {
    return this.#decoder.consumed;
  }

  /** Why it is refused. */
  get error(): ProtocolError | null {
    return this.#decoder.error;
  }

  /** Whether who reads it has got all that has come, and waits for more. */
  get isAwaited(): boolean {
    const sink = this.#sink;
    if (sink === null || this.isPaused || this.isReadAhead) return false;
    return sink.takesLent === true || sink.isWaiting === true;
  }

  start(sink: ContentSink): void {
    if (this.isDropped)
      throw new TypeError("the content of this request was dropped: nobody had read it when its answer was sent");
    if (this.isStarted) throw new TypeError("the content of this request is being read already");
    this.isStarted = true;
    if (this.#failure !== null) return sink.fail(this.#failure);
    this.#sink = sink;
    if (this.length !== null && this.length > this.maxBytes) {
      const detail = `limit ${this.maxBytes} octets`;
      return this.#owner.contentRefused(
        this,
        new ProtocolError("ERR_CONTENT_TOO_LARGE", { detail, field: "Content-Length" }),
      );
    }
    this.#decoder.maxBytes = this.maxBytes;
    this.#owner.contentWanted(this, sink.takesLent === true);
  }

  pause(): void {
    this.isPaused = !this.#isOver;
    this.#decoder.stop();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#owner.contentWanted(this, false);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.isStarted = true;
    this.isPaused = false;
    this.isDropped = true;
    this.#sink = null;
    this.#decoder.maxBytes = Infinity;
    this.#owner.contentWanted(this, false);
  }

  /** Whether what is left of it may be drained for the sake of the connection; `waitingBytes` of it have come (RFC 9112 §9.3). */
  canDrain(waitingBytes: number, maxDrainBytes: number): boolean {
    // The peer that waits for 100 may send its content or not: nobody could tell what comes next (RFC 9110 §10.1.1)
    if (this.isContinueDue) return false;
    if (this.length === null || (this.isStarted && !this.isDropped)) return true;
    return this.length - this.received - waitingBytes <= maxDrainBytes;
  }

  /** Decodes what is in `input`, as far as it is wanted. Callbacks may come from inside. */
  read(input: Input): number {
    if (!this.isStarted || this.isPaused || input.length === 0) return CONTENT.waiting;
    const decoder = this.#decoder;
    const before = input.start;
    this.#input = input;
    const after = decoder.decode(input.buffer, before, input.end, this);
    // Whoever ended this content from inside has emptied the input as well; behind what was given away it stands there already
    if (!this.#isOver && !this.#hasGivenBuffer) input.start = after;
    this.#hasGivenBuffer = false;
    if (decoder.error !== null) return CONTENT.refused;
    if (decoder.isDone) return CONTENT.whole;
    return after > before ? CONTENT.moved : CONTENT.waiting;
  }

  /** From the decoder. */
  chunk(bytes: Uint8Array): void {
    this.received += bytes.length;
    const sink = this.#sink;
    if (sink === null) return;
    try {
      sink.chunk(sink.takesLent === true ? bytes : this.#own(bytes));
    } catch (error) {
      // Whoever fails to take a piece gets no more; the rest is dropped, the connection lives
      this.#sink = null;
      this.isDropped = true;
      this.#owner.callbackFailed(null, error);
    }
  }

  /** The piece in memory that is the sink's alone. */
  #own(bytes: Uint8Array): Uint8Array {
    const input = this.#input;
    if (input === null || !ownsBuffer(bytes) || !input.take()) return new Uint8Array(bytes);
    // The sink may transfer the memory at once: what stands behind, less than half of it, is decoded from elsewhere
    input.start = bytes.byteOffset + bytes.length - input.buffer.byteOffset;
    input.moveOut();
    this.#decoder.stop();
    this.#hasGivenBuffer = true;
    return bytes;
  }

  /** All has come. */
  end(): void {
    this.#isOver = true;
    this.#input?.takeNoMore();
    const sink = this.#sink;
    this.#sink = null;
    try {
      sink?.end(this.#decoder.trailers);
    } catch (error) {
      this.#owner.callbackFailed(null, error);
    }
  }

  /** It never will. */
  fail(reason: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#input?.takeNoMore();
    this.isPaused = false;
    this.#failure = reason;
    const sink = this.#sink;
    this.#sink = null;
    try {
      sink?.fail(reason);
    } catch (error) {
      this.#owner.callbackFailed(null, error);
    }
  }
}
