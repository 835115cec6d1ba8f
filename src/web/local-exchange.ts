/**
 * An exchange without a wire: a request made of values, and an answer that is kept or handed to whoever plays the peer.
 *
 * It lets the true handler be asked without a socket. Framing is nobody's here, so alone it holds a handler to less than a
 * wire would; a {@link LocalPeer} may hold it to more. It must never call the handler itself.
 */

import { HandlerError, ProtocolError } from "../http/errors.ts";
import type {
  ConnectionInfo,
  Content,
  ContentSource,
  Exchange,
  FieldEdit,
  FieldLines,
  OnBreak,
  RequestHead,
  ResponseHead,
  SocketAddress,
} from "../http/exchange.ts";
import { Fields } from "../http/fields.ts";

const NOWHERE: SocketAddress = Object.freeze({ address: "127.0.0.1", port: 0, family: "IPv4" });

const CONNECTION: ConnectionInfo = Object.freeze({
  id: 0,
  remoteAddress: NOWHERE,
  localAddress: NOWHERE,
  isEncrypted: false,
  alpnProtocol: "http/1.1",
  serverName: null,
});

/** What was answered. */
export interface LocalAnswer {
  readonly head: ResponseHead;
  /** To be read or released by whoever gets it. */
  readonly content: Content;
}

/** The other end of the exchange: takes what the handler says, and may refuse it as a wire would. */
export interface LocalPeer {
  /** Takes an interim response. @throws HandlerError if it breaks a rule */
  inform(status: number, fields: FieldLines): void;
  /**
   * Takes the final response and its content.
   *
   * @param onBreak see {@link OnBreak}
   * @returns nothing if all is done, else a promise that settles with the content
   * @throws HandlerError if the response breaks a rule; the exchange is not answered then, and the content let go
   */
  respond(head: ResponseHead, content: Content, onBreak: OnBreak): void | Promise<void>;
  /** Lets go of content that nobody will take. */
  discard(content: Content, reason: Error): void;
  /** The response to a request that breaks a rule; `id` is what the log calls it, `""` for nothing. */
  answerOf(refusal: ProtocolError, id: string): LocalAnswer;
  /** The exchange was given up; called once. */
  gone(reason: Error): void;
}

/** What is known of the request besides its head. */
export interface LocalFacts {
  /** Default none. */
  readonly content?: ContentSource;
  /** What differs from a plain connection on the loopback interface. */
  readonly connection?: Partial<ConnectionInfo>;
  /** Default: nobody, and {@link LocalExchange.answer} is what there is to see. */
  readonly peer?: LocalPeer;
}

/** A request and its one answer. */
export class LocalExchange implements Exchange {
  readonly request: RequestHead;
  readonly content: ContentSource;
  readonly connection: ConnectionInfo;
  /** Resolves with the answer, rejects if the handler gave up. With a peer, what it was given. */
  readonly answer: Promise<LocalAnswer>;
  mark = 0;
  route = "";
  contentMark = 0;
  requestId = "";
  traceParent = "";
  contentBytesSent = 0;
  status = 0;
  isAnswered = false;
  readonly #peer: LocalPeer | null;
  #abortReason: Error | null = null;
  #abortCallbacks: Array<(reason: Error) => void> = [];
  #isOver = false;
  #resolve: (answer: LocalAnswer) => void = () => {};
  #reject: (reason: Error) => void = () => {};

  /** @param lines valid names and values; `host` is added where it is missing */
  constructor(
    method: string,
    target: string,
    lines: ReadonlyArray<readonly [name: string, value: string]>,
    facts: LocalFacts = {},
  ) {
    const host = lines.find(([name]) => name.toLowerCase() === "host");
    const fields = Fields.from(host === undefined ? [["host", "localhost"], ...lines] : lines);
    this.connection =
      facts.connection === undefined ? CONNECTION : Object.freeze({ ...CONNECTION, ...facts.connection });
    const scheme = this.connection.isEncrypted ? "https" : "http";
    this.request = { method, target, version: "1.1", scheme, authority: host?.[1] ?? "localhost", fields };
    this.content = facts.content ?? new NoContent();
    this.#peer = facts.peer ?? null;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever has a peer need not look at it
    if (this.#peer !== null) this.answer.catch(() => {});
  }

  inform(status: number, fields: FieldLines): void {
    if (this.isAnswered && this.#abortReason === null) {
      throw new HandlerError("ERR_RESPONSE_TWICE", "interim after final");
    }
    if (this.#abortReason === null) this.#peer?.inform(status, fields);
  }

  respond(head: ResponseHead, content: Content, onBreak: OnBreak = null): void | Promise<void> {
    if (this.isAnswered) {
      this.#peer?.discard(content, new HandlerError("ERR_RESPONSE_TWICE"));
      throw new HandlerError("ERR_RESPONSE_TWICE");
    }
    if (this.#abortReason !== null) {
      this.isAnswered = true;
      this.#peer?.discard(content, this.#abortReason);
      return;
    }
    const sent = this.#peer?.respond(head, content, onBreak);
    this.isAnswered = true;
    this.status = head.status;
    this.#resolve({ head, content });
    return sent;
  }

  /** There is no connection to hand over. */
  upgrade(_fields: FieldLines): null {
    return null;
  }

  refuse(error: ProtocolError, edit: FieldEdit | null = null, id: string = ""): void {
    if (this.isAnswered) return;
    if (this.#peer === null) return this.abort(error);
    const { head, content } = this.#peer.answerOf(error, id);
    void this.respond(edit === null ? head : { ...head, fields: edit.apply(head.fields) }, content);
  }

  abort(reason: Error): void {
    this.isAnswered = true;
    this.#end(reason);
  }

  /** The peer leaves before the response is whole. */
  leave(): void {
    this.#end(new ProtocolError("ERR_CLOSED_BY_PEER"));
  }

  /** The peer has all of the response: what happens now concerns nobody any more. */
  complete(): void {
    this.#isOver = true;
    this.#abortCallbacks = [];
  }

  onAbort(callback: (reason: Error) => void): void {
    if (this.#abortReason !== null) callback(this.#abortReason);
    else if (!this.#isOver) this.#abortCallbacks.push(callback);
  }

  #end(reason: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abortReason = reason;
    this.#reject(reason);
    const callbacks = this.#abortCallbacks;
    this.#abortCallbacks = [];
    for (const callback of callbacks) {
      try {
        callback(reason);
      } catch {
        // One that throws must not keep the others from hearing of it
      }
    }
    this.#peer?.gone(reason);
  }
}

/** The content of a request that has none. */
class NoContent implements ContentSource {
  readonly isEmpty = true;
  readonly length = 0;
  isStarted = false;
  maxBytes = 0;

  start(sink: Parameters<ContentSource["start"]>[0]): void {
    this.isStarted = true;
    sink.end(Fields.EMPTY);
  }

  pause(): void {}

  resume(): void {}

  cancel(): void {
    this.isStarted = true;
  }
}
