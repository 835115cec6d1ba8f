/**
 * The content of a request that a test makes: bytes or a stream -> what handlers pull.
 *
 * Bytes come in pieces as from a socket, a stream as it is made, neither faster than it is taken: `pause()` is felt by the
 * test's own stream. The limit of all content is kept as a wire keeps it (RFC 9110 §15.5.14).
 */

import { ProtocolError } from "../http/errors.ts";
import type { ContentSink, ContentSource } from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";

/** As much as a socket gives at once. */
const PIECE_BYTES = 64 * 1024;

/** Content with a sender that can be slow, stop or leave. */
export class TestContent implements ContentSource {
  readonly isEmpty = false;
  readonly length: number | null;
  isStarted = false;
  maxBytes: number;
  readonly #source: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #onRefusal: (error: ProtocolError) => void;
  #sink: ContentSink | null = null;
  #received = 0;
  #isPaused = false;
  #isPumping = false;
  #isOver = false;

  /**
   * @param content bytes have a declared length, a stream has none
   * @param onRefusal the content is too large
   */
  constructor(
    content: Uint8Array | ReadableStream<Uint8Array>,
    maxBytes: number,
    onRefusal: (error: ProtocolError) => void,
  ) {
    this.length = content instanceof Uint8Array ? content.length : null;
    this.maxBytes = maxBytes;
    this.#source = content instanceof Uint8Array ? piecesOf(content) : content[Symbol.asyncIterator]();
    this.#onRefusal = onRefusal;
  }

  start(sink: ContentSink): void {
    if (this.isStarted) throw new TypeError("the content of this request is being read already");
    this.isStarted = true;
    this.#sink = sink;
    if (this.#isOver) return sink.fail(new ProtocolError("ERR_CLOSED_BY_PEER"));
    if (this.length !== null && this.length > this.maxBytes) return this.#refuse();
    this.#pump();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#pump();
  }

  cancel(): void {
    this.isStarted = true;
    this.#close();
  }

  /** The sender leaves: the content will never be whole. */
  fail(reason: Error): void {
    if (this.#isOver) return;
    const sink = this.#sink;
    this.#close();
    sink?.fail(reason);
  }

  /** Gives what can be had at once at once, so that whole content is there when the handler asks. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (!this.#isPaused && !this.#isOver) {
      const step = this.#source.next();
      if (step instanceof Promise) return void this.#pumpLater(step);
      this.#take(step);
    }
    this.#isPumping = false;
  }

  async #pumpLater(first: Promise<IteratorResult<Uint8Array>>): Promise<void> {
    try {
      this.#take(await first);
      while (!this.#isPaused && !this.#isOver) this.#take(await this.#source.next());
    } catch (error) {
      // The test's own stream broke: what a peer that stops in the middle looks like
      this.fail(new ProtocolError("ERR_CONTENT_INCOMPLETE", { detail: error instanceof Error ? error.message : "" }));
    }
    this.#isPumping = false;
  }

  #take(step: IteratorResult<Uint8Array>): void {
    const sink = this.#sink;
    if (this.#isOver || sink === null) return;
    if (step.done === true) {
      this.#isOver = true;
      return sink.end(Fields.EMPTY);
    }
    const bytes: unknown = step.value;
    if (!(bytes instanceof Uint8Array))
      throw new TypeError("the stream of a request gives Uint8Array and nothing else");
    this.#received += bytes.length;
    if (this.#received > this.maxBytes) return this.#refuse();
    if (bytes.length > 0) sink.chunk(bytes);
  }

  #refuse(): void {
    const error = new ProtocolError("ERR_CONTENT_TOO_LARGE", { detail: `limit ${this.maxBytes} octets` });
    this.#onRefusal(error);
    this.fail(error);
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sink = null;
    const closed: unknown = this.#source.return?.();
    if (closed instanceof Promise) closed.catch(() => {});
  }
}

function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
