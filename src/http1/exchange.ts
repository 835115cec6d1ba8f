/**
 * The HTTP/1 side of the seam: one request, its content and its answer as objects that handlers hold.
 *
 * They carry values and forward every act to their owner, the connection, which alone knows the state of the wire. An
 * exchange may outlive its connection in a handler's hands: then acts are quietly nothing, and the reason is told.
 */

import type {
  ByteStream,
  ConnectionInfo,
  Content,
  ContentSink,
  ContentSource,
  Exchange,
  FieldLines,
  RequestHead,
  ResponseHead,
} from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";

/** What exchanges ask of the connection. */
export interface ExchangeOwner {
  readonly info: ConnectionInfo;
  inform(exchange: Http1Exchange, status: number, fields: FieldLines): void;
  respond(exchange: Http1Exchange, head: ResponseHead, content: Content): void | Promise<void>;
  upgrade(exchange: Http1Exchange, fields: FieldLines): ByteStream | null;
  abort(exchange: Http1Exchange, reason: Error): void;
  contentStarted(content: Http1Content): void;
  contentPaused(content: Http1Content): void;
  contentResumed(content: Http1Content): void;
  contentCancelled(content: Http1Content): void;
}

/** A request head as parsed. */
export class Http1RequestHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly scheme: string;
  readonly authority: string;
  readonly fields: Fields;

  constructor(method: string, target: string, version: string, scheme: string, authority: string, fields: Fields) {
    this.method = method;
    this.target = target;
    this.version = version;
    this.scheme = scheme;
    this.authority = authority;
    this.fields = fields;
  }
}

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

export const NO_CONTENT_SOURCE: ContentSource = new NoContent();

/** Content under way. The connection calls `chunk`, `end` and `fail`; after one of the last two it calls nothing more. */
export class Http1Content implements ContentSource {
  readonly isEmpty = false;
  readonly length: number | null;
  maxBytes: number;
  isStarted = false;
  isPaused = false;
  /** Nobody wants it: what comes is counted and dropped. */
  isDropped = false;
  isOver = false;
  /** Octets delivered or dropped. */
  received = 0;
  readonly #owner: ExchangeOwner;
  #sink: ContentSink | null = null;
  #failure: Error | null = null;

  constructor(owner: ExchangeOwner, length: number | null, maxBytes: number) {
    this.#owner = owner;
    this.length = length;
    this.maxBytes = maxBytes;
  }

  start(sink: ContentSink): void {
    if (this.isStarted) throw new TypeError("the content of this request is being read already");
    this.isStarted = true;
    if (this.#failure !== null) return sink.fail(this.#failure);
    this.#sink = sink;
    this.#owner.contentStarted(this);
  }

  pause(): void {
    if (this.isOver || this.isPaused) return;
    this.isPaused = true;
    this.#owner.contentPaused(this);
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.#owner.contentResumed(this);
  }

  cancel(): void {
    if (this.isOver) return;
    this.isStarted = true;
    this.isPaused = false;
    this.isDropped = true;
    this.#sink = null;
    this.#owner.contentCancelled(this);
  }

  /** From the decoder. */
  chunk(bytes: Uint8Array): void {
    this.received += bytes.length;
    this.#sink?.chunk(bytes);
  }

  end(trailers: Fields): void {
    if (this.isOver) return;
    this.isOver = true;
    const sink = this.#sink;
    this.#sink = null;
    sink?.end(trailers);
  }

  fail(reason: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#failure = reason;
    const sink = this.#sink;
    this.#sink = null;
    sink?.fail(reason);
  }
}

/** One request and its answer on an HTTP/1 connection. */
export class Http1Exchange implements Exchange {
  readonly request: RequestHead;
  readonly content: ContentSource;
  isAnswered = false;
  status = 0;
  contentBytesSent = 0;
  mark = 0;
  readonly #owner: ExchangeOwner;
  #abortReason: Error | null = null;
  #abortCallbacks: Array<(reason: Error) => void> | null = null;

  constructor(owner: ExchangeOwner, request: RequestHead, content: ContentSource) {
    this.#owner = owner;
    this.request = request;
    this.content = content;
  }

  get connection(): ConnectionInfo {
    return this.#owner.info;
  }

  inform(status: number, fields: FieldLines): void {
    this.#owner.inform(this, status, fields);
  }

  respond(head: ResponseHead, content: Content): void | Promise<void> {
    return this.#owner.respond(this, head, content);
  }

  upgrade(fields: FieldLines): ByteStream | null {
    return this.#owner.upgrade(this, fields);
  }

  abort(reason: Error): void {
    this.#owner.abort(this, reason);
  }

  onAbort(callback: (reason: Error) => void): void {
    if (this.#abortReason !== null) return callback(this.#abortReason);
    (this.#abortCallbacks ??= []).push(callback);
  }

  /** Why the peer will not get a whole response, null as long as it may. */
  get abortReason(): Error | null {
    return this.#abortReason;
  }

  /** From the connection: the exchange ended without a whole response. */
  markAborted(reason: Error): void {
    if (this.#abortReason !== null) return;
    this.#abortReason = reason;
    const callbacks = this.#abortCallbacks;
    this.#abortCallbacks = null;
    if (callbacks !== null) for (const callback of callbacks) callback(reason);
  }
}
