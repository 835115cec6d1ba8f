/**
 * The HTTP/1 side of the seam: one request and its answer as objects that handlers hold.
 *
 * They carry values and forward every act to their owner, the connection, which alone knows the state of the wire. An
 * exchange may outlive its connection in a handler's hands: then acts are quietly nothing, and the reason is told.
 */

import type { ProtocolError } from "../http/errors.ts";
import type {
  ByteStream,
  ConnectionInfo,
  Content,
  ContentSource,
  FieldEdit,
  FieldLines,
  OnBreak,
  RequestHead,
  ResponseHead,
  WireExchange,
} from "../http/exchange.ts";
import type { Fields } from "../http/fields.ts";

/** What exchanges ask of the connection. */
export interface ExchangeOwner {
  readonly info: ConnectionInfo;
  inform(exchange: Http1Exchange, status: number, fields: FieldLines): void;
  respond(exchange: Http1Exchange, head: ResponseHead, content: Content, onBreak: OnBreak): void | Promise<void>;
  upgrade(exchange: Http1Exchange, fields: FieldLines): ByteStream | null;
  refuse(exchange: Http1Exchange, error: ProtocolError, edit: FieldEdit | null, id: string): void;
  abort(exchange: Http1Exchange, reason: Error): void;
  callbackFailed(exchange: Http1Exchange, error: unknown): void;
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

/** One request and its answer on an HTTP/1 connection. */
export class Http1Exchange implements WireExchange {
  /** Changed by {@link present} alone. */
  request: RequestHead;
  readonly content: ContentSource;
  isAnswered = false;
  status = 0;
  contentBytesSent = 0;
  mark = 0;
  route = "";
  contentMark = 0;
  requestId = "";
  traceParent = "";
  readonly #owner: ExchangeOwner;
  /** How the connection is shown, null for as it is. */
  #shown: ConnectionInfo | null = null;
  #abortReason: Error | null = null;
  #abortCallbacks: Array<(reason: Error) => void> | null = null;

  constructor(owner: ExchangeOwner, request: RequestHead, content: ContentSource) {
    this.#owner = owner;
    this.request = request;
    this.content = content;
  }

  get connection(): ConnectionInfo {
    return this.#shown ?? this.#owner.info;
  }

  present(connection: ConnectionInfo, scheme: string, authority: string): void {
    const { method, target, version, fields } = this.request;
    this.request = new Http1RequestHead(method, target, version, scheme, authority, fields);
    this.#shown = connection;
  }

  inform(status: number, fields: FieldLines): void {
    this.#owner.inform(this, status, fields);
  }

  respond(head: ResponseHead, content: Content, onBreak: OnBreak = null): void | Promise<void> {
    return this.#owner.respond(this, head, content, onBreak);
  }

  upgrade(fields: FieldLines): ByteStream | null {
    return this.#owner.upgrade(this, fields);
  }

  refuse(error: ProtocolError, edit: FieldEdit | null = null, id: string = ""): void {
    this.#owner.refuse(this, error, edit, id);
  }

  abort(reason: Error): void {
    this.#owner.abort(this, reason);
  }

  onAbort(callback: (reason: Error) => void): void {
    if (this.#abortReason !== null) return this.#tell(callback, this.#abortReason);
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
    if (callbacks !== null) for (const callback of callbacks) this.#tell(callback, reason);
  }

  /** A callback that throws must keep neither the others nor the end of the connection from happening. */
  #tell(callback: (reason: Error) => void, reason: Error): void {
    try {
      callback(reason);
    } catch (error) {
      this.#owner.callbackFailed(this, error);
    }
  }
}
