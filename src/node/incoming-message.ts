/**
 * `req`: Node's own request object over an exchange.
 *
 * The object is Node's class, so that `instanceof`, the joining rules of `headers` and everything that libraries look up on
 * its prototype are Node's own, of the very version that runs. What reads is ours: content is pulled from the
 * exchange, and nothing is started before somebody reads. Frameworks replace the prototype (Express does), so our function
 * stands on the object itself. It must never know how the content is framed.
 */

import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { ProtocolError } from "../http/errors.ts";
import type { ContentSink, Exchange } from "../http/exchange.ts";
import type { Fields } from "../http/fields.ts";
import { type ConnectionSocket, socketOf } from "./connection-socket.ts";
import { connectionReset } from "./node-errors.ts";

/** What Node's class has besides its documented members. */
interface Internals {
  /** Takes lines, name and value in turn; trailers if the message is complete. */
  _addHeaderLines(lines: string[], length: number): void;
  _read(size: number): void;
  /** The request asks for another protocol, and somebody serves it. */
  upgrade: boolean;
  /** Somebody reads, or has read. */
  _consuming: boolean;
}

/** A request as listeners get it. */
export class NodeRequest extends IncomingMessage {
  readonly #exchange: Exchange;
  /** Content is under way, or was. */
  #isStarted = false;
  /** The response is over: content that nobody has begun to read is the wire's. */
  #isOver = false;

  constructor(exchange: Exchange, socket: ConnectionSocket) {
    super(socket as unknown as Socket);
    this.#exchange = exchange;
    const { method, target, version, fields } = exchange.request;
    const minor = version === "1.0" ? 0 : 1;
    this.httpVersionMajor = 1;
    this.httpVersionMinor = minor;
    this.httpVersion = minor === 0 ? "1.0" : "1.1";
    this.method = method;
    this.url = target;
    const own = this as unknown as Internals;
    own.upgrade = false;
    const lines = linesOf(fields);
    own["_addHeaderLines"](lines, lines.length);
    // Node hears of the end of an empty message when the listener has returned; here it is known before
    this.complete = exchange.content.isEmpty;
    own["_read"] = startOrResume;
  }

  /** @internal The response is over. What nobody reads is dropped, as Node does. */
  static finish(request: NodeRequest): void {
    request.#isOver = true;
    const own = request as unknown as Internals;
    if (own["_consuming"] || request.#isStarted || request.destroyed) return;
    if (request.listenerCount("close") === 0 && request.listenerCount("end") === 0) {
      // Nobody to tell: the same state without three turns of the event loop
      request.destroyed = true;
      return;
    }
    request.removeAllListeners("data");
    request.resume();
  }

  /** From the stream: somebody wants content. */
  static read(request: NodeRequest): void {
    const { content } = request.#exchange;
    (request as unknown as Internals)["_consuming"] = true;
    if (request.#isStarted) {
      content.resume();
    } else if (content.isEmpty || (request.#isOver && content.isStarted)) {
      request.#isStarted = true;
      request.complete = true;
      request.push(null);
    } else {
      request.#isStarted = true;
      content.start(new RequestContent(request, request.#exchange));
    }
  }
}

/** Content on its way into the stream. */
class RequestContent implements ContentSink {
  readonly #request: NodeRequest;
  readonly #exchange: Exchange;
  readonly #socket: ConnectionSocket;

  constructor(request: NodeRequest, exchange: Exchange) {
    this.#request = request;
    this.#exchange = exchange;
    this.#socket = socketOf(exchange.connection);
  }

  /** Of a stream that is read in another way only its reader knows. */
  get isWaiting(): boolean {
    const request = this.#request;
    if (request.readableFlowing !== true || request.readableLength > 0) return false;
    // What flows away unheard (`req.resume()`) holds nobody up
    return request.listenerCount("data") > 0 || request.listenerCount("end") > 0;
  }

  chunk(bytes: Uint8Array): void {
    if (this.#request.destroyed) return;
    this.#socket.progress();
    if (!this.#request.push(bytes)) this.#exchange.content.pause();
  }

  end(trailers: Fields): void {
    const request = this.#request;
    if (request.destroyed) return;
    request.complete = true;
    if (trailers.size > 0) {
      const lines = linesOf(trailers);
      (request as unknown as Internals)["_addHeaderLines"](lines, lines.length);
    }
    request.push(null);
  }

  fail(reason: Error): void {
    const isRefusal = reason instanceof ProtocolError && reason.status > 0;
    // Broken or too large: the client gets the answer that names the rule, the listener sees a request that is aborted
    if (isRefusal) this.#exchange.refuse(reason);
    this.#request.destroy(isRefusal ? reason : connectionReset());
  }
}

/** Own member of each request: what the stream calls, wherever its prototype was moved to. */
function startOrResume(this: unknown): void {
  NodeRequest.read(this as NodeRequest);
}

/** Name and value in turn, as received. */
function linesOf(fields: Fields): string[] {
  const lines: string[] = [];
  const size = fields.size;
  for (let i = 0; i < size; i++) lines.push(fields.nameAt(i), fields.valueAt(i));
  return lines;
}
