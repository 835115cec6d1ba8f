/**
 * One content through a MessagePort, piece by piece, never more under way than the reader has given credit for.
 *
 * {@link FlowSender} takes content apart and waits for credit; {@link FlowSource} is the same content at the other end, pulled
 * like any other. Pieces are copied once and then moved: a view of a larger buffer would be cloned with all that is around it,
 * which may be another request's. It must never hold more than the window.
 */

import { ProtocolError } from "../http/errors.ts";
import type { ContentSink, ContentSource } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";
import { letGo } from "../http/let-go.ts";
import { errorFactsOf, errorOf } from "./error-facts.ts";
import type { FlowMessage } from "./messages.ts";

/** Says something at the other end. */
export type Post = (message: FlowMessage, moved?: readonly ArrayBuffer[]) => void;

/** Content that is not known whole. */
export type PieceSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** The end of a flow where content goes in. */
export class FlowSender {
  /** What broke the content. */
  failure: unknown = null;
  readonly #post: Post;
  #credit: number;
  #isStopped = false;
  #wake: (() => void) | null = null;
  #cancel: (() => unknown) | null = null;

  /** @param credit octets that may go before the reader has said anything */
  constructor(post: Post, credit: number) {
    this.#post = post;
    this.#credit = credit;
  }

  /** The reader has taken so much. */
  more(bytes: number): void {
    this.#credit += bytes;
    this.#wakeUp();
  }

  /** The reader wants no more, or is gone: the source is let go at once, even while it is being waited for. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#wakeUp();
    this.#release();
  }

  /** Sends all of it. Resolves when all is on its way, or nobody wants it; a source that fails is told to the reader. */
  async send(source: PieceSource): Promise<void> {
    const { read, cancel } = open(source);
    this.#cancel = cancel;
    if (this.#isStopped) return this.#release();
    try {
      for (let piece = await read(); piece !== null; piece = await read()) {
        if (!(await this.#sendPiece(piece))) return;
      }
      this.#cancel = null;
      if (!this.#isStopped) this.#post({ kind: "end" });
    } catch (error) {
      this.failure = error;
      this.#cancel = null;
      if (!this.#isStopped) this.#post({ kind: "broken", error: errorFactsOf(error) });
    }
  }

  /** @returns false if nobody wants it any more */
  async #sendPiece(piece: unknown): Promise<boolean> {
    if (!(piece instanceof Uint8Array)) {
      this.#release();
      throw new TypeError("content of a stream is bytes, pieces of it are Uint8Array");
    }
    for (let at = 0; at < piece.length && !this.#isStopped;) {
      if (this.#credit <= 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      // new, not slice(): a Buffer's slice is a view of the same memory
      const bytes = new Uint8Array(piece.subarray(at, at + this.#credit));
      at += bytes.length;
      this.#credit -= bytes.length;
      this.#post({ kind: "piece", bytes }, [bytes.buffer]);
    }
    return !this.#isStopped;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #release(): void {
    const cancel = this.#cancel;
    this.#cancel = null;
    // How a source takes being let go is its own affair
    void Promise.resolve(cancel?.()).catch(() => {});
  }
}

interface OpenSource {
  /** The next piece, null at the end. */
  readonly read: () => Promise<Uint8Array | null>;
  readonly cancel: () => unknown;
}

function open(source: PieceSource): OpenSource {
  if (source instanceof ReadableStream) {
    const reader = source.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    return {
      read: async () => (await reader.read()).value ?? null,
      cancel: () => reader.cancel(),
    };
  }
  const iterator = source[Symbol.asyncIterator]();
  return {
    read: async () => {
      const step = await iterator.next();
      return step.done === true ? null : step.value;
    },
    cancel: () => {
      letGo(source);
      return iterator.return?.();
    },
  };
}

/** The end of a flow where content comes out. */
export class FlowSource implements ContentSource {
  readonly isEmpty: boolean = false;
  readonly length: number | null;
  maxBytes: number = Infinity;
  isStarted: boolean = false;
  readonly #post: Post;
  /** Octets that are asked for at the start; 0: they come unasked. */
  readonly #initialCredit: number;
  readonly #waiting: Uint8Array[] = [];
  #sink: ContentSink | null = null;
  #isPaused = false;
  #isDelivering = false;
  #isOver = false;
  #received = 0;
  /** Taken, and not yet told to the sender: told in lumps, since a message costs more than a piece. */
  #untold = 0;
  readonly #lump: number;
  #end: { readonly error: Error | null } | null = null;

  /**
   * @param length octets that were declared, null for none
   * @param initialCredit asked for when somebody starts to read
   * @param windowBytes the sender's whole credit
   */
  constructor(post: Post, length: number | null, initialCredit: number, windowBytes: number) {
    this.#post = post;
    this.length = length;
    this.#initialCredit = initialCredit;
    this.#lump = windowBytes / 2;
  }

  start(sink: ContentSink): void {
    if (this.isStarted) throw new TypeError("content is started twice");
    this.isStarted = true;
    if (this.#isOver) return sink.fail(new Error("the content was let go"));
    this.#sink = sink;
    if (this.#initialCredit > 0) this.#post({ kind: "more", bytes: this.#initialCredit });
    this.#deliver();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  cancel(): void {
    this.isStarted = true;
    if (this.#isOver) return;
    this.#close();
    this.#post({ kind: "stop" });
  }

  /** A message of this flow. */
  receive(message: FlowMessage): void {
    if (this.#isOver || this.#end !== null) return;
    if (message.kind === "piece") {
      this.#received += message.bytes.length;
      if (this.#received > this.maxBytes) return this.#refuse();
      this.#waiting.push(message.bytes);
    } else if (message.kind === "end") {
      this.#end = { error: null };
    } else if (message.kind === "broken") {
      this.#end = { error: errorOf(message.error) };
    }
    this.#deliver();
  }

  /** The other end is gone. What has arrived is still delivered. */
  fail(error: Error): void {
    if (this.#isOver || this.#end !== null) return;
    this.#end = { error };
    this.#deliver();
  }

  #refuse(): void {
    this.#waiting.length = 0;
    this.#end = { error: new ProtocolError("ERR_CONTENT_TOO_LARGE") };
    this.#post({ kind: "stop" });
    this.#deliver();
  }

  #deliver(): void {
    const sink = this.#sink;
    // A sink may pause, resume or cancel from inside of a call
    if (sink === null || this.#isDelivering) return;
    this.#isDelivering = true;
    while (!this.#isPaused && !this.#isOver) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) break;
      this.#took(bytes.length);
      sink.chunk(bytes);
    }
    this.#isDelivering = false;
    if (this.#isOver || this.#isPaused || this.#end === null) return;
    const { error } = this.#end;
    this.#close();
    if (error === null) sink.end(Fields.EMPTY);
    else sink.fail(error);
  }

  #took(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold < this.#lump || this.#end !== null) return;
    this.#post({ kind: "more", bytes: this.#untold });
    this.#untold = 0;
  }

  #close(): void {
    this.#isOver = true;
    this.#sink = null;
    this.#waiting.length = 0;
  }
}
