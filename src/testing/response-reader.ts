/**
 * The peer of a test: takes what a handler answers, holds it to the law of the wire, and makes of it what `fetch` would give.
 *
 * The head is rendered by the wire's own encoder and read back, so that what it refuses is refused here, with the same code,
 * and what it writes (Date, Content-Length) is seen. Content goes through the wire's own pump: a declared length is kept to
 * the octet, nothing is sent where the status forbids it, the source is asked no faster than the test reads and closed when
 * it leaves (RFC 9110 §6.4.1, §8.6, §15.3.5, §15.4.5).
 */

import { formatHttpDate } from "../http/date.ts";
import { HandlerError, type ProtocolError } from "../http/errors.ts";
import type { Content, FieldLines, FileSlice, OnBreak, ResponseHead } from "../http/exchange.ts";
import { discardContent, lengthOf } from "../http1/content-sender.ts";
import { NO_CONTENT, ResponseEncoder, UNKNOWN } from "../http1/encode.ts";
import { renderRefusal } from "../http1/refusal.ts";
import { pumpContent } from "../http1/stream-content.ts";
import type { TimeSource } from "../web/clock.ts";
import { streamOfFile } from "../web/file-stream.ts";
import type { LocalAnswer, LocalExchange, LocalPeer } from "../web/local-exchange.ts";

/** What is held of content that the test does not read, before the handler has to wait, in octets. */
const STREAM_MARK_BYTES = 64 * 1024;

/** An interim response (RFC 9110 §15.2), as it was sent. */
export interface InterimResponse {
  readonly status: number;
  readonly headers: globalThis.Headers;
}

/** A final response as it arrived. */
export interface ArrivedResponse {
  readonly status: number;
  readonly statusText: string;
  readonly lines: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
}

/** What the reader tells of. */
export interface ReaderEvents {
  onInterim(response: InterimResponse): void;
  onResponse(response: ArrivedResponse): void;
  /** The exchange is over: null if the response was taken whole. */
  onEnd(reason: Error | null): void;
}

const encoder: ResponseEncoder = new ResponseEncoder();

/** Takes the answer of one exchange. */
export class ResponseReader implements LocalPeer {
  readonly #isHead: boolean;
  readonly #accept: string | null;
  readonly #time: TimeSource;
  readonly #events: ReaderEvents;
  #exchange: LocalExchange | null = null;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #wake: (() => void) | null = null;

  constructor(method: string, accept: string | null, time: TimeSource, events: ReaderEvents) {
    this.#isHead = method === "HEAD";
    this.#accept = accept;
    this.#time = time;
    this.#events = events;
  }

  /** Says whose answer it is. */
  attach(exchange: LocalExchange): void {
    this.#exchange = exchange;
  }

  inform(status: number, fields: FieldLines): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new HandlerError("ERR_RESPONSE_STATUS", `${status} is not interim`);
    }
    const { lines } = readHead(ResponseEncoder.interim(status, fields));
    this.#events.onInterim({ status, headers: new globalThis.Headers(lines.map(([name, value]) => [name, value])) });
  }

  respond(head: ResponseHead, content: Content, onBreak: OnBreak): void | Promise<void> {
    const dateText = formatHttpDate(this.#time.nowMs());
    try {
      encoder.encode(head, lengthOf(content), this.#isHead, 1, true, dateText);
    } catch (error) {
      discardContent(content, error as Error);
      throw error;
    }
    const { delimiting, length } = encoder;
    const arrived = { status: head.status, ...readHead(encoder.text) };
    if (delimiting === NO_CONTENT) {
      if (content !== null) discardContent(content, new HandlerError("ERR_RESPONSE_CONTENT"));
      return this.#complete({ ...arrived, body: null }, 0);
    }
    if (content === null) return this.#complete({ ...arrived, body: new Uint8Array(0) }, 0);
    if (typeof content === "string") return this.#complete({ ...arrived, body: Buffer.from(content) }, length);
    if (content instanceof Uint8Array) {
      return this.#complete({ ...arrived, body: new Uint8Array(content) }, content.length);
    }
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wake?.(),
        cancel: () => this.#exchange?.leave(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: STREAM_MARK_BYTES }),
    );
    this.#events.onResponse({ ...arrived, body });
    const isFile = "fd" in content;
    return this.#send(isFile ? streamOfSlice(content) : content, isFile ? content.length : length, onBreak);
  }

  discard(content: Content, reason: Error): void {
    discardContent(content, reason);
  }

  answerOf(refusal: ProtocolError, id: string): LocalAnswer {
    const { fields, text } = renderRefusal(refusal, this.#accept, true, null, id);
    return { head: { status: refusal.status, reason: "", fields }, content: text };
  }

  gone(reason: Error): void {
    const controller = this.#controller;
    this.#controller = null;
    this.#wake?.();
    try {
      controller?.error(reason);
    } catch {
      // The test itself has cancelled the stream
    }
    this.#events.onEnd(reason);
  }

  #complete(response: ArrivedResponse, contentBytes: number): void {
    const exchange = this.#exchange as LocalExchange;
    exchange.contentBytesSent = contentBytes;
    this.#events.onResponse(response);
    exchange.complete();
    this.#events.onEnd(null);
  }

  /** Moves content to the test. Rejects, with the exchange given up, where its source fails or keeps not to its length. */
  async #send(
    content: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>,
    length: number,
    onBreak: OnBreak,
  ): Promise<void> {
    const exchange = this.#exchange as LocalExchange;
    let gone: Error | null = null;
    let remaining = length;
    exchange.onAbort((reason) => {
      gone = reason;
    });
    const push = (bytes: Uint8Array): boolean => {
      if (length !== UNKNOWN && (remaining -= bytes.length) < 0) {
        throw new HandlerError("ERR_RESPONSE_LENGTH", `${-remaining} octets too many`);
      }
      exchange.contentBytesSent += bytes.length;
      // A copy: the handler's buffer is not the test's
      this.#controller?.enqueue(new Uint8Array(bytes));
      return (this.#controller?.desiredSize ?? 1) > 0;
    };
    try {
      const isWhole = await pumpContent(content, {
        push,
        drained: () => new Promise((resolve) => (this.#wake = resolve)),
        isOver: () => gone !== null,
        onAbort: (callback) => exchange.onAbort(callback),
      });
      if (!isWhole) throw gone ?? new HandlerError("ERR_RESPONSE_CONTENT");
      if (remaining > 0) throw new HandlerError("ERR_RESPONSE_LENGTH", `${remaining} octets short`);
    } catch (error) {
      if (gone === null) onBreak?.(exchange, error);
      exchange.abort(error instanceof Error ? error : new HandlerError("ERR_HANDLER", "", { cause: error }));
      throw error;
    }
    exchange.complete();
    this.#controller?.close();
    this.#events.onEnd(null);
  }
}

/** Status phrase and lines of a rendered head. */
function readHead(text: string): { statusText: string; lines: [string, string][] } {
  const [statusLine = "", ...rest] = text.split("\r\n");
  const lines = rest
    .filter((line) => line !== "")
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
  // "HTTP/1.1 200 OK": what stands behind the second space
  return { statusText: statusLine.slice(13), lines };
}

/** Part of a file; broken off where it was written to meanwhile, as the wire does. */
async function* streamOfSlice(slice: FileSlice): AsyncGenerator<Uint8Array> {
  let isIntact = true;
  const guarded: FileSlice = {
    fd: slice.fd,
    start: slice.start,
    length: slice.length,
    release: () => {
      isIntact = slice.isIntact?.() ?? true;
      slice.release();
    },
  };
  yield* streamOfFile(guarded);
  if (!isIntact) throw new Error("the file was written to while it was sent");
}
