/**
 * Response content that takes its time: a stream or part of a file, delimited, sent no faster than the peer takes it.
 *
 * Holds what a connection must remember of the content under way (RFC 9112 §7.1; RFC 9110 §8.6): a declared length is kept
 * to the octet or the connection is destroyed, so that a short message is never taken for a whole one. It changes no state of
 * the connection but through its owner.
 */

import { HandlerError, ProtocolError } from "../http/errors.ts";
import type { Content, FieldLines, FileSlice, OnBreak, ResponseHead, Transport } from "../http/exchange.ts";
import {
  CHUNK_END,
  CHUNKS,
  chunkHead,
  FIXED,
  lastChunk,
  NO_CONTENT,
  type ResponseEncoder,
  UNKNOWN,
  UNTIL_CLOSE,
} from "./encode.ts";
import type { Http1Exchange } from "./exchange.ts";
import { asksForTrailers } from "./framing.ts";
import { JoinedMessages } from "./joined-messages.ts";
import type { Output } from "./output.ts";
import { RepeatedMessages } from "./repeated-messages.ts";
import { cancelSource, type ContentTarget, pumpContent } from "./stream-content.ts";

/** What sending asks of the connection. */
export interface SenderOwner {
  isCurrent(exchange: Http1Exchange): boolean;
  /** Content is sent that takes its time. */
  sending(exchange: Http1Exchange, isFile: boolean): void;
  /** The content is handed over whole. */
  sent(exchange: Http1Exchange): void;
  /** It never will be. */
  abort(exchange: Http1Exchange, reason: Error): void;
  /** There is something to write. */
  write(): void;
  writeSoon(): void;
}

/** Up to here it costs less to make octets into text, and to write that with the head, than to write both beside each other. */
const JOINED_BYTES = 2048;

const joined: JoinedMessages = new JoinedMessages();
const repeated: RepeatedMessages = new RepeatedMessages();

/** A stream of unknown or declared length. */
type StreamContent = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** Sends one long content at a time. */
export class ContentSender {
  readonly #owner: SenderOwner;
  readonly #transport: Transport;
  readonly #output: Output;
  #isChunking = false;
  /** Octets left of a declared length. */
  #remaining: number = UNKNOWN;
  #drainWaiter: (() => void) | null = null;

  constructor(owner: SenderOwner, transport: Transport, output: Output) {
    this.#owner = owner;
    this.#transport = transport;
    this.#output = output;
  }

  /** The peer has taken what was queued, or is gone. */
  drained(): void {
    const waiter = this.#drainWaiter;
    this.#drainWaiter = null;
    waiter?.();
  }

  /**
   * Sends the head that the encoder has rendered, and content behind it as it has delimited it.
   *
   * @returns nothing if all is handed over, else a promise that settles with it
   */
  send(
    exchange: Http1Exchange,
    encoder: ResponseEncoder,
    head: ResponseHead,
    content: Content,
    onBreak: OnBreak,
  ): void | Promise<void> {
    if (encoder.delimiting === FIXED && content instanceof Uint8Array && content.length > 0) {
      exchange.contentBytesSent = content.length;
      const message = joined.find(encoder.text, content, encoder.dateText);
      if (message === null) {
        this.#output.text(encoder.text);
        this.#sendBytes(content);
      } else this.#output.bytes(message);
      return this.#owner.sent(exchange);
    }
    // As many octets as code units: all are ASCII, and so the same in latin1
    if (encoder.delimiting === FIXED && typeof content === "string" && encoder.length === content.length) {
      exchange.contentBytesSent = content.length;
      const message = repeated.find(encoder.text, content);
      if (message === null) {
        this.#output.text(encoder.text);
        this.#output.text(content);
      } else this.#output.message(message);
      return this.#owner.sent(exchange);
    }
    this.#output.text(encoder.text);
    if (encoder.delimiting === NO_CONTENT) {
      // An error with its stack costs more than all the rest of a 304
      if (content !== null) discardContent(content, new HandlerError("ERR_RESPONSE_CONTENT"));
    } else if (typeof content === "string") {
      exchange.contentBytesSent = encoder.length;
      this.#sendBytes(Buffer.from(content));
    } else if (content !== null && !(content instanceof Uint8Array)) {
      this.#owner.sending(exchange, isFileSlice(content));
      if (isFileSlice(content)) return this.#sendFile(exchange, content, onBreak);
      const trailers = asksForTrailers(exchange.request.fields) ? (head.trailers ?? null) : null;
      return this.#sendStream(exchange, encoder, content, trailers, onBreak);
    }
    this.#owner.sent(exchange);
  }

  #sendBytes(content: Uint8Array): void {
    if (content.length > JOINED_BYTES) return this.#output.bytes(content);
    const { buffer, byteOffset, length } = content;
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(buffer, byteOffset, length);
    this.#output.text(bytes.toString("latin1"));
  }

  /** Sends a file behind its head. Rejects when the peer leaves or the file turns out shorter. */
  #sendFile(exchange: Http1Exchange, slice: FileSlice, onBreak: OnBreak): Promise<void> {
    this.#owner.write();
    return new Promise((resolve, reject) => {
      const done = (error: Error | null): void => {
        if (!this.#owner.isCurrent(exchange)) return reject(reasonOf(exchange));
        if (error !== null) {
          this.#breakOff(exchange, error, onBreak);
          return reject(error);
        }
        exchange.contentBytesSent = slice.length;
        this.#owner.sent(exchange);
        resolve();
      };
      this.#transport.sendFile(slice, done, (bytes) => {
        exchange.contentBytesSent += bytes;
      });
    });
  }

  /**
   * Sends a stream behind its head as the encoder has delimited it.
   *
   * @param trailers called at the end for a trailer section, if the peer wants one; null otherwise
   */
  async #sendStream(
    exchange: Http1Exchange,
    encoder: ResponseEncoder,
    content: StreamContent,
    trailers: (() => FieldLines) | null,
    onBreak: OnBreak,
  ): Promise<void> {
    this.#isChunking = encoder.delimiting === CHUNKS;
    // RFC 9112 §8: cut off by a server that is closed, it would look whole
    if (encoder.delimiting === UNTIL_CLOSE) this.#transport.delimitByEnd?.();
    this.#remaining = encoder.delimiting === FIXED ? encoder.length : UNKNOWN;
    const target: ContentTarget = {
      push: (bytes) => this.#push(exchange, bytes),
      drained: () => new Promise((resolve) => (this.#drainWaiter = resolve)),
      isOver: () => !this.#owner.isCurrent(exchange),
      onAbort: (callback) => exchange.onAbort(callback),
    };
    this.#owner.writeSoon();
    try {
      const isWhole = await pumpContent(content, target);
      // The exchange may have ended between the last piece and here
      if (!isWhole || !this.#owner.isCurrent(exchange)) throw reasonOf(exchange);
      if (this.#remaining > 0) throw new HandlerError("ERR_RESPONSE_LENGTH", `${this.#remaining} octets short`);
      if (this.#isChunking) this.#output.text(lastChunk(trailers?.() ?? []));
    } catch (error) {
      this.#breakOff(exchange, error, onBreak);
      throw error;
    }
    this.#owner.sent(exchange);
  }

  /** Nothing if the exchange has ended already, which then was what the content broke off by. */
  #breakOff(exchange: Http1Exchange, error: unknown, onBreak: OnBreak): void {
    if (onBreak !== null && this.#owner.isCurrent(exchange)) onBreak(exchange, error);
    const reason = error instanceof Error ? error : new HandlerError("ERR_HANDLER", "", { cause: error });
    this.#owner.abort(exchange, reason);
  }

  #push(exchange: Http1Exchange, bytes: Uint8Array): boolean {
    const output = this.#output;
    if (this.#remaining !== UNKNOWN) {
      if (bytes.length > this.#remaining) {
        throw new HandlerError("ERR_RESPONSE_LENGTH", `${bytes.length - this.#remaining} octets too many`);
      }
      this.#remaining -= bytes.length;
    }
    if (this.#isChunking) output.text(chunkHead(bytes.length));
    output.bytes(bytes);
    if (this.#isChunking) output.text(CHUNK_END);
    exchange.contentBytesSent += bytes.length;
    if (output.isFull) this.#owner.write();
    else this.#owner.writeSoon();
    return !output.isBlocked;
  }
}

function reasonOf(exchange: Http1Exchange): Error {
  return exchange.abortReason ?? new ProtocolError("ERR_CLOSED_BY_PEER");
}

/** Whether content is part of a file. */
function isFileSlice(content: object): content is FileSlice {
  return typeof (content as { fd?: unknown }).fd === "number";
}

/** Octets of content, {@link UNKNOWN} for a stream. */
export function lengthOf(content: Content): number {
  if (content === null) return 0;
  if (typeof content === "string") return Buffer.byteLength(content);
  if (content instanceof Uint8Array) return content.length;
  return isFileSlice(content) ? content.length : UNKNOWN;
}

/** Lets go of content that is not sent. */
export function discardContent(content: Content, reason: Error): void {
  if (content === null || typeof content === "string" || content instanceof Uint8Array) return;
  if (isFileSlice(content)) content.release();
  else cancelSource(content, reason);
}
