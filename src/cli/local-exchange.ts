/**
 * An exchange without a wire: a request from the command line, an answer that is kept.
 *
 * It lets the true handler be asked without a socket. It holds a handler to less than a wire would: framing is nobody's here.
 */

import { HandlerError } from "../http/errors.ts";
import type {
  ConnectionInfo,
  Content,
  ContentSource,
  Exchange,
  FieldLines,
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

/** A request with its fields and without content. */
export class LocalExchange implements Exchange {
  readonly request: RequestHead;
  readonly content: ContentSource = new NoContent();
  readonly connection: ConnectionInfo = CONNECTION;
  /** Resolves with the answer, rejects if the handler gave up. */
  readonly answer: Promise<LocalAnswer>;
  mark = 0;
  contentBytesSent = 0;
  status = 0;
  isAnswered = false;
  #resolve: (answer: LocalAnswer) => void = () => {};
  #reject: (reason: Error) => void = () => {};

  constructor(method: string, target: string, lines: ReadonlyArray<readonly [name: string, value: string]>) {
    const host = lines.find(([name]) => name.toLowerCase() === "host");
    const fields = Fields.from(host === undefined ? [["host", "localhost"], ...lines] : lines);
    this.request = { method, target, version: "1.1", scheme: "http", authority: host?.[1] ?? "localhost", fields };
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  inform(): void {
    // Nobody waits for news here
  }

  respond(head: ResponseHead, content: Content): void {
    if (this.isAnswered) throw new HandlerError("ERR_RESPONSE_TWICE");
    this.isAnswered = true;
    this.status = head.status;
    this.#resolve({ head, content });
  }

  /** There is no connection to hand over. */
  upgrade(_fields: FieldLines): null {
    return null;
  }

  refuse(error: Error): void {
    this.abort(error);
  }

  abort(reason: Error): void {
    this.isAnswered = true;
    this.#reject(reason);
  }

  onAbort(): void {
    // Whoever asks on the command line waits for the answer
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
