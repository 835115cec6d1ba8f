/**
 * `res`: Node's own response object over an exchange.
 *
 * The object is Node's class: fields that are set one by one, `headersSent` and its like, and `instanceof` are Node's own, of
 * the very version that runs. What would write to a socket is ours: head and content go to the exchange, which frames them.
 * Frameworks replace the prototype of each response (Express does), so our functions stand on the object itself.
 * It must never write a byte of HTTP, and never answer twice. A response ended in one call is one call to the exchange.
 */

import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HandlerError } from "../http/errors.ts";
import type { Content, Exchange, FieldLines, ResponseHead } from "../http/exchange.ts";
import { forbidsContent } from "../http/status.ts";
import { isFieldValue } from "../http/fields.ts";
import type { ConnectionSocket } from "./connection-socket.ts";
import { ContentQueue, type WriteCallback } from "./content-queue.ts";
import { NodeRequest } from "./incoming-message.ts";
import { connectionReset, nodeError } from "./node-errors.ts";
import {
  checkStatus,
  defaultReason,
  type HeadFields,
  linesOfHead,
  linesOfHints,
  linesOfTrailers,
  reasonToSend,
  valueOfLine,
} from "./response-head.ts";
import { checkChunk, toBytes, toContent } from "./written-chunk.ts";

/** What Node's class keeps besides its documented members, and libraries read. */
interface Internals {
  /** The head once it is decided; who reads it asks only whether it is there. */
  _header: string | null;
  _hasBody: boolean;
  _closed: boolean;
  _sent100: boolean;
  _implicitHeader(): void;
  /** Octets that wait for the wire. */
  outputSize: number;
  /** `end()` was called. */
  finished: boolean;
  socket: Socket | null;
}

/** The members that are ours, and stand on each response. */
interface OwnMembers {
  writeHead: unknown;
  write: unknown;
  end: unknown;
  flushHeaders: unknown;
  addTrailers: unknown;
  writeContinue: unknown;
  writeProcessing: unknown;
  writeEarlyHints: unknown;
}

const NO_LINES: FieldLines = [];

/** A response as listeners get it. */
export class NodeResponse extends ServerResponse<NodeRequest> {
  readonly #exchange: Exchange;
  readonly #connection: ConnectionSocket;
  /** Status, reason phrase and fields, once decided. */
  #reason = "";
  #fields: FieldLines = NO_LINES;
  #trailers: FieldLines = NO_LINES;
  /** Content that is written piece by piece. */
  #queue: ContentQueue | null = null;
  /** The exchange has the head, and the content or its queue. */
  #isResponded = false;
  /** The exchange has all. */
  #isDelivered = false;
  /** `finish` and `close` are on their way, or there is nobody to answer any more. */
  #isOver = false;
  #needsDrain = false;
  #hasIgnored = false;
  #writtenBytes = 0;
  #failure: Error | null = null;
  #resolve: ((nothing: undefined) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  constructor(exchange: Exchange, request: NodeRequest, socket: ConnectionSocket) {
    super(request);
    this.#exchange = exchange;
    this.#connection = socket;
    (this as unknown as Internals).socket = socket as unknown as Socket;
    const own = this as unknown as OwnMembers;
    own.writeHead = OWN.writeHead;
    own.write = OWN.write;
    own.end = OWN.end;
    own.flushHeaders = OWN.flushHeaders;
    own.addTrailers = OWN.addTrailers;
    own.writeContinue = OWN.writeContinue;
    own.writeProcessing = OWN.writeProcessing;
    own.writeEarlyHints = OWN.writeEarlyHints;
  }

  // ---- what listeners call ----------------------------------------------------------------------------------------------

  override writeHead(status: number, reason?: unknown, headers?: unknown): this {
    const own = this as unknown as Internals;
    if (own["_header"] !== null) throw nodeError("ERR_HTTP_HEADERS_SENT", "write headers");
    const code = checkStatus(status);
    const standard = defaultReason(code);
    if (typeof reason === "string") this.statusMessage = reason;
    else if (!this.statusMessage) this.statusMessage = standard;
    const text = this.statusMessage;
    if (text !== standard && !isFieldValue(text)) throw nodeError("ERR_INVALID_CHAR", "statusMessage");
    this.statusCode = code;
    this.#fields = linesOfHead(this, (typeof reason === "string" ? headers : (headers ?? reason)) as HeadFields);
    this.#reason = reasonToSend(code, text);
    // RFC 9110 §15.3.6: 205 has no content, without being one of those that are never framed
    if (forbidsContent(code) || code === 205) own["_hasBody"] = false;
    own["_header"] = text;
    return this;
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    if (typeof encoding === "function") {
      callback = encoding;
      encoding = undefined;
    }
    const done = typeof callback === "function" ? (callback as WriteCallback) : null;
    checkChunk(chunk);
    const own = this as unknown as Internals;
    if (own.finished || this.destroyed) return this.#refuse(done);
    if (this.strictContentLength) this.#count(toBytes(chunk, encoding).length, false);
    if (own["_header"] === null) own["_implicitHeader"]();
    if (!own["_hasBody"]) {
      this.#hasIgnored = true;
      if (done !== null) process.nextTick(done);
      return true;
    }
    const bytes = toBytes(chunk, encoding);
    own.outputSize += bytes.length;
    this.#connection.progress();
    this.#openQueue().push(bytes, done);
    if (!this.#isResponded) this.#respond(this.#queue);
    if (own.outputSize < this.writableHighWaterMark) return true;
    this.#wantDrain(true);
    return false;
  }

  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    if (typeof chunk === "function") {
      callback = chunk;
      chunk = undefined;
      encoding = undefined;
    } else if (typeof encoding === "function") {
      callback = encoding;
      encoding = undefined;
    }
    const done = typeof callback === "function" ? (callback as WriteCallback) : null;
    const hasChunk = chunk !== undefined && chunk !== null && chunk !== "";
    if (hasChunk) checkChunk(chunk);
    const own = this as unknown as Internals;
    if (own.finished) {
      this.#endAgain(hasChunk, done);
      return this;
    }
    if (this.destroyed) {
      own.finished = true;
      if (done !== null) process.nextTick(done, nodeError("ERR_STREAM_DESTROYED", "end"));
      return this;
    }
    if (this.strictContentLength) this.#count(hasChunk ? toBytes(chunk, encoding).length : 0, true);
    if (own["_header"] === null) own["_implicitHeader"]();
    if (done !== null) this.once("finish", done);
    own.finished = true;
    this.#wantDrain(false);
    if (this.#isDelivered) this.#finish();
    else if (this.#isResponded) this.#endQueue(hasChunk ? toBytes(chunk, encoding) : null);
    else this.#respond(hasChunk && !this.#hasIgnored ? toContent(chunk, encoding) : null);
    return this;
  }

  override flushHeaders(): void {
    const own = this as unknown as Internals;
    if (own.finished || this.destroyed) return;
    if (own["_header"] === null) own["_implicitHeader"]();
    if (!this.#isResponded) this.#respond(own["_hasBody"] ? this.#openQueue() : null);
  }

  override addTrailers(trailers: unknown): void {
    this.#trailers = linesOfTrailers(trailers as NonNullable<HeadFields>);
  }

  override writeContinue(callback?: () => void): void {
    (this as unknown as Internals)["_sent100"] = true;
    this.#inform(100, NO_LINES, callback);
  }

  override writeProcessing(callback?: () => void): void {
    this.#inform(102, NO_LINES, callback);
  }

  override writeEarlyHints(hints: unknown, callback?: () => void): void {
    const lines = linesOfHints(hints);
    if (lines !== null) this.#inform(103, lines, callback);
  }

  // ---- what the handler calls; static, because the prototype may be another --------------------------------------------

  /**
   * What the handler returns: nothing if all is answered, else a promise of that.
   *
   * @throws what went wrong with the answer
   */
  static settled(response: NodeResponse): Promise<undefined> | undefined {
    if (response.#failure !== null) throw response.#failure;
    if (response.#isDelivered) return undefined;
    const promise = new Promise<undefined>((resolve, reject) => {
      response.#resolve = resolve;
      response.#reject = reject;
    });
    response.#exchange.onAbort((reason) => response.#abort(reason));
    return promise;
  }

  /**
   * The listener has failed: whoever waits for {@link settled} answers, if that is still possible.
   *
   * @returns false if the answer was over before, so that nobody will hear of the failure from here
   */
  static fail(response: NodeResponse, error: Error): boolean {
    if (response.#isDelivered || response.#isOver) return false;
    response.#fail(error);
    return true;
  }

  /** The connection is gone, or was answered by the wire: nobody waits for this response any more. */
  static abandon(response: ServerResponse, reason: Error): void {
    if (response instanceof ServerResponse && #exchange in response) response.#abort(reason);
  }

  // ---- the way to the exchange ------------------------------------------------------------------------------------------

  #openQueue(): ContentQueue {
    return (this.#queue ??= new ContentQueue((byteCount) => this.#taken(byteCount)));
  }

  #endQueue(last: Uint8Array | null): void {
    const queue = this.#queue;
    if (queue === null) return;
    if (last !== null) {
      (this as unknown as Internals).outputSize += last.length;
      queue.push(last, null);
    }
    queue.end();
  }

  #respond(content: Content): void {
    this.#isResponded = true;
    const head: ResponseHead = {
      status: this.statusCode,
      reason: this.#reason,
      fields: this.#fields,
      trailers: this.#queue === null ? null : () => this.#trailers,
    };
    let sent: void | Promise<void>;
    try {
      sent = this.#exchange.respond(head, content);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (sent instanceof Promise) {
      sent.then(
        () => this.#deliver(),
        (error: unknown) => this.#fail(error as Error),
      );
    } else this.#deliver();
  }

  /** The wire has accepted so much more. */
  #taken(byteCount: number): void {
    const own = this as unknown as Internals;
    own.outputSize -= byteCount;
    this.#connection.progress();
    if (!this.#needsDrain || own.outputSize > 0 || own.finished) return;
    this.#wantDrain(false);
    process.nextTick(emitDrain, this);
  }

  /** Node's own property reads a place that is not ours to write; where it matters, `pipe()` and `pipeline()` look at it. */
  #wantDrain(isWanted: boolean): void {
    if (isWanted === this.#needsDrain) return;
    this.#needsDrain = isWanted;
    Object.defineProperty(this, "writableNeedDrain", { value: isWanted, configurable: true, writable: true });
  }

  #inform(status: number, lines: FieldLines, callback: (() => void) | undefined): void {
    if (!this.#exchange.isAnswered) this.#exchange.inform(status, lines);
    if (callback !== undefined) process.nextTick(callback);
  }

  /** Writing behind the end is an error; writing to nobody only fails. */
  #refuse(done: WriteCallback | null): false {
    const error = nodeError(
      this.destroyed ? "ERR_STREAM_DESTROYED" : "ERR_STREAM_WRITE_AFTER_END",
      this.destroyed ? "write" : "",
    );
    if (!this.destroyed) process.nextTick(emitError, this, error, done);
    else if (done !== null) process.nextTick(done, error);
    return false;
  }

  #endAgain(hasChunk: boolean, done: WriteCallback | null): void {
    if (hasChunk) this.#refuse(done);
    else if (done === null) return;
    else if (this.writableFinished) done(nodeError("ERR_STREAM_ALREADY_FINISHED", "end"));
    else this.on("finish", done);
  }

  /** Holds what is written against what was declared, where the listener asked for that (`strictContentLength`). */
  #count(byteCount: number, isLast: boolean): void {
    const declared = this.getHeader("content-length") ?? valueOfLine(this.#fields, "content-length");
    if (declared === undefined || !(this as unknown as Internals)["_hasBody"]) return;
    const total = this.#writtenBytes + byteCount;
    if (isLast ? total !== Number(declared) : total > Number(declared)) {
      throw nodeError("ERR_HTTP_CONTENT_LENGTH_MISMATCH", `${total} bytes`);
    }
    this.#writtenBytes = total;
  }

  // ---- ends -------------------------------------------------------------------------------------------------------------

  /** The exchange has all, or wants no more. */
  #deliver(): void {
    if (this.#isDelivered || this.#isOver) return;
    this.#isDelivered = true;
    this.#connection.finish(this.#exchange);
    this.#resolve?.(undefined);
    if ((this as unknown as Internals).finished) this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    process.nextTick(emitFinish, this);
  }

  /** The client has left, or somebody has dropped the connection. Request, response, socket: Node's order. */
  #abort(reason: Error): void {
    if (this.#isDelivered || this.#isOver) return;
    this.#isOver = true;
    // What the wire broke off because of the listener is for the log; that a client leaves is nobody's fault
    if (reason instanceof HandlerError) this.#reject?.(reason);
    else this.#resolve?.(undefined);
    this.#queue?.close(reason);
    this.req.destroy(connectionReset());
    close(this);
    this.#connection.destroy();
  }

  /** The answer cannot be given as the listener wants it. */
  #fail(error: Error): void {
    if (this.#isDelivered || this.#isOver) return;
    this.#isOver = true;
    this.#failure = error;
    this.#connection.finish(this.#exchange);
    this.#queue?.close(error);
    this.#reject?.(error);
    close(this);
  }
}

const OWN = NodeResponse.prototype as unknown as OwnMembers;

function emitFinish(response: NodeResponse): void {
  const own = response as unknown as Internals;
  if (own["_closed"]) return;
  response.emit("prefinish");
  response.emit("finish");
  NodeRequest.finish(response.req);
  own.socket = null;
  if (response.listenerCount("close") > 0) process.nextTick(close, response);
  else close(response);
}

function close(response: NodeResponse): void {
  const own = response as unknown as Internals;
  if (own["_closed"]) return;
  response.destroyed = true;
  own["_closed"] = true;
  response.emit("close");
}

function emitDrain(response: NodeResponse): void {
  if (!response.destroyed) response.emit("drain");
}

function emitError(response: NodeResponse, error: Error, done: WriteCallback | null): void {
  done?.(error);
  if (!response.destroyed) response.emit("error", error);
}
