/**
 * One HTTP/1 server connection: what is read, what is written, and in which order (RFC 9112 §9).
 *
 * Two states side by side, `reading` and `writing`, changed nowhere else. Requests are served one after the other; the next
 * head is parsed when the answer before it is handed over, so answers keep their order (§9.3.2) and a burst costs one write.
 * Steps: receive -> advance (head -> exchange -> content) -> respond -> finish -> next head, or close with lingering.
 * Sans I/O: bytes go to a Transport, time comes from a Clock, the handler is a function. No method throws to its carrier.
 */

import { HandlerError, ProtocolError } from "../http/errors.ts";
import type {
  ByteStream,
  Clock,
  ConnectionInfo,
  Content,
  FieldEdit,
  FieldLines,
  OnBreak,
  Outcome,
  ProtocolConnection,
  ResponseHead,
  Transport,
} from "../http/exchange.ts";
import { ContentSender, discardContent, lengthOf, type SenderOwner } from "./content-sender.ts";
import { FIXED, ResponseEncoder } from "./encode.ts";
import { CONTENT, type ContentOwner, Http1Content, NO_CONTENT_SOURCE, UnarrivedContent } from "./content.ts";
import { type ExchangeOwner, Http1Exchange, type Http1RequestHead } from "./exchange.ts";
import { Deadlines } from "./deadlines.ts";
import { CHUNKED } from "./framing.ts";
import { HeadReader, type RefusedHead, refusedRequest } from "./head-reader.ts";
import { Input } from "./input.ts";
import { Output } from "./output.ts";
import { renderRefusal, tellRefusal } from "./refusal.ts";
import { type Http1Config, READING, WRITING } from "./states.ts";
import { Tunnel } from "./tunnel.ts";

/** Unconsumed input that makes us pause the peer, in octets. */
const INPUT_MARK_BYTES = 64 * 1024;

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

const encoder: ResponseEncoder = new ResponseEncoder();

/** A server's end of an HTTP/1 connection. */
export class Http1Connection implements ProtocolConnection, ExchangeOwner, ContentOwner, SenderOwner {
  readonly #transport: Transport;
  readonly #config: Http1Config;
  readonly #clock: Clock;
  readonly #input: Input;
  readonly #output: Output;
  readonly #sender: ContentSender;
  readonly #heads: HeadReader;
  readonly #deadlines: Deadlines;
  #reading: number = READING.head;
  #writing: number = WRITING.idle;
  #exchange: Http1Exchange | null = null;
  #content: Http1Content | null = null;
  #tunnel: Tunnel | null = null;
  #reported: ProtocolError | null = null;
  #served = 0;
  #isHead = false;
  #hasContinued = false;
  /** Whether the connection goes on after the current answer. */
  #isPersistent = true;
  #isClosing = false;
  /** While closing: so long may a peer take that was not told, for one more request. */
  #lastCallMs = 0;
  #hasPeerEnded = false;
  #isAdvancing = false;
  #isPaused = false;

  constructor(transport: Transport, clock: Clock, config: Http1Config) {
    this.#transport = transport;
    this.#input = new Input(transport);
    this.#clock = clock;
    this.#config = config;
    this.#heads = new HeadReader(config.limits, config.leniencies);
    this.#output = new Output(transport);
    this.#sender = new ContentSender(this, transport, this.#output);
    this.#deadlines = new Deadlines(clock, config.timeouts, transport);
    this.#deadlines.startHead();
  }

  get info(): ConnectionInfo {
    return this.#transport.info;
  }

  get deadlineMs(): number {
    return this.#deadlines.earliest;
  }

  get isIdle(): boolean {
    if (this.#reading === READING.head) {
      return this.#writing === WRITING.idle && !this.#heads.hasBegun && this.#output.isEmpty;
    }
    // Lingering: all is said and taken
    return this.#reading === READING.discard && this.#writing === WRITING.closed && this.#transport.queuedBytes === 0;
  }

  /** The two states, for tests and inspection. */
  get states(): { readonly reading: number; readonly writing: number } {
    return { reading: this.#reading, writing: this.#writing };
  }

  // ---- from the carrier -------------------------------------------------------------------------------------------------

  receive(chunk: Uint8Array): void {
    if (this.#reading >= READING.discard) {
      if (this.#reading === READING.tunnel) this.#tunnel?.receive(chunk);
      else if (this.#writing === WRITING.closed && this.#deadlines.lingerAt !== Infinity) this.#deadlines.startLinger();
      return;
    }
    this.#input.add(chunk);
    this.#advance();
    this.flush();
  }

  receiveEnd(): void {
    this.#hasPeerEnded = true;
    if (this.#reading === READING.tunnel) return this.#tunnel?.receiveEnd();
    this.#advance();
    // RFC 9112 §9.6: a half-closed peer still waits for its answer; whether it is half-closed or gone only a write can tell
    if (this.#writing === WRITING.pending && this.#heads.minor === 1) this.#deadlines.startProbe();
    this.flush();
  }

  flush(): void {
    if (!this.#output.isEmpty && this.#writing !== WRITING.closed) this.write();
    const input = this.#input;
    const canConsume = this.#reading === READING.head && !this.#output.isBlocked;
    const mustPause = input.length >= INPUT_MARK_BYTES && !canConsume && this.#reading < READING.discard;
    if (mustPause !== this.#isPaused && this.#reading < READING.tunnel) {
      this.#isPaused = mustPause;
      if (mustPause) this.#transport.pause();
      else this.#transport.resume();
    }
    if (!this.#isAdvancing) input.settle();
  }

  writable(): void {
    this.#output.isBlocked = false;
    this.#deadlines.endSend(this.isIdle);
    if (this.#reading === READING.tunnel) return this.#tunnel?.writable();
    if (this.#writing === WRITING.closed) return this.#deadlines.startLinger();
    this.#sender.drained();
    this.#advance();
    this.flush();
  }

  closed(error: Error | null): void {
    if (this.#reading === READING.closed && this.#writing === WRITING.closed && this.#exchange === null) return;
    const tunnel = this.#reading === READING.tunnel ? this.#tunnel : null;
    this.#reading = READING.closed;
    this.#writing = WRITING.closed;
    const isOurs = error === null || error instanceof ProtocolError;
    const reason = isOurs ? error : Object.assign(new ProtocolError("ERR_CLOSED_BY_PEER"), { cause: error });
    this.#end("aborted", reason, "ERR_CLOSED_BY_PEER");
    tunnel?.closed(error);
  }

  expire(): void {
    const deadlines = this.#deadlines;
    const now = this.#clock.nowMs;
    if (now >= deadlines.lingerAt) {
      // What is still queued is the peer's to read first; it gets the time of a slow reader
      deadlines.lingerAt = Infinity;
      if (this.#transport.queuedBytes === 0) return this.#destroy("complete", null);
      deadlines.startSend();
      if (deadlines.sendAt === Infinity) deadlines.lingerOn();
    }
    if (this.#writing === WRITING.closed && deadlines.sendAt !== Infinity && this.#transport.queuedBytes === 0) {
      // A stream that is ending has no 'drain': nobody else says that the peer has taken the last of it
      deadlines.sendAt = Infinity;
      deadlines.startLinger();
    }
    if (now >= deadlines.sendAt && !deadlines.hasSendProgress()) {
      return this.#destroy("aborted", new ProtocolError("ERR_SEND_TIMEOUT"));
    }
    if (deadlines.isRequestLate(this.#output.isBlocked)) this.#expireRequest();
    if (now >= deadlines.contentAt) this.#expireContent();
    // At the next look where both are over: who has just heard that its peer is late says so itself
    else if (now >= deadlines.handlerAt) this.#expireHandler();
    if (now >= deadlines.probeAt) this.#probe();
    this.flush();
  }

  shutdown(lastCallMs: number = 0): void {
    this.#isClosing = true;
    this.#lastCallMs = lastCallMs;
    if (this.#reading !== READING.head || this.#writing !== WRITING.idle || this.#heads.hasBegun) return;
    // What lies there unparsed is requests behind a peer that does not read, unless a parser has seen it: empty lines
    if (this.#input.length > 0 && this.#heads.isIdle) return;
    // RFC 9112 §9.5: a request may be on its way while we close; whoever retries none would take it for a failure
    if (lastCallMs > 0) this.#deadlines.startLastCall(lastCallMs);
    else this.#close();
  }

  // ---- reading ----------------------------------------------------------------------------------------------------------

  /** Consumes input as far as the states allow. Never runs inside itself: callbacks only change states. */
  #advance(): void {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      for (;;) {
        if (this.#output.isFull) this.write();
        if (this.#reading === READING.head) {
          if (this.#output.isBlocked || !this.#readHead()) break;
        } else if (this.#reading !== READING.content || !this.#readContent()) break;
      }
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** One head. False: nothing more to do with this input. */
  #readHead(): boolean {
    const heads = this.#heads;
    if (this.#input.length === 0) {
      if (this.#hasPeerEnded) this.#endAfterPeer();
      return false;
    }
    const hadBegun = heads.hasBegun;
    const head = heads.read(this.#input, this.info.isEncrypted ? "https" : "http");
    if (head !== null) {
      this.#begin(head);
      return true;
    }
    if (heads.refused !== null) this.#refuse(heads.refused);
    else if (this.#hasPeerEnded) this.#endAfterPeer();
    // Empty lines begin nothing (RFC 9112 §2.2)
    else if (!hadBegun && heads.hasBegun) this.#deadlines.startHead();
    return false;
  }

  /** Gives a request to the handler. */
  #begin(head: Http1RequestHead): void {
    const framing = this.#heads.framing;
    const { limits, leniencies } = this.#config;
    this.#isHead = head.method === "HEAD";
    this.#hasContinued = false;
    this.#isPersistent = framing.isPersistent;
    if (framing.length === 0) {
      this.#reading = READING.blocked;
      this.#exchange = new Http1Exchange(this, head, NO_CONTENT_SOURCE);
    } else {
      const length = framing.length === CHUNKED ? null : framing.length;
      this.#reading = READING.content;
      this.#content = new Http1Content(this, length, limits, leniencies, framing.expectsContinue);
      this.#exchange = new Http1Exchange(this, head, this.#content);
    }
    this.#writing = WRITING.pending;
    this.#deadlines.startHandler();
    this.#config.handle(this.#exchange);
  }

  /** Content as far as it has come. False: nothing more to do with this input. */
  #readContent(): boolean {
    const content = this.#content;
    const input = this.#input;
    if (content === null) return false;
    if (input.length === 0 && this.#hasPeerEnded && content.isStarted && !content.isPaused) {
      this.contentRefused(content, new ProtocolError("ERR_CONTENT_INCOMPLETE"));
      return false;
    }
    const before = input.length;
    const result = content.read(input);
    this.#deadlines.creditContent(before - input.length);
    // The handler may have answered or given up from inside
    if (this.#reading !== READING.content || this.#content !== content) return true;
    if (result === CONTENT.refused)
      this.contentRefused(content, content.error ?? new ProtocolError("ERR_CONTENT_INCOMPLETE"));
    else if (result === CONTENT.whole) this.#endContent(content);
    else if (content.isDropped && content.consumed > this.#config.limits.maxDrainBytes) this.#stopDraining();
    return result === CONTENT.moved || result === CONTENT.whole;
  }

  #endContent(content: Http1Content): void {
    this.#reading = READING.blocked;
    this.#deadlines.contentAt = Infinity;
    content.end();
    if (this.#writing === WRITING.done && this.#content === content) this.#next();
  }

  /** Too much to drain for the sake of the connection. An answer still to come is sent, then it ends. */
  #stopDraining(): void {
    if (this.#writing === WRITING.done) return this.#close();
    this.#isPersistent = false;
    this.#reading = READING.discard;
    this.#deadlines.contentAt = Infinity;
  }

  /** The content will not be whole: tells its reader; what follows on the connection cannot be trusted. */
  contentRefused(content: Http1Content, error: ProtocolError): void {
    if (content !== this.#content) return content.fail(error);
    this.#isPersistent = false;
    this.#reading = READING.discard;
    this.#deadlines.contentAt = Infinity;
    const head = this.#exchange?.request;
    // Content that nobody wanted, behind its answer, may end as it likes
    if (head !== undefined || error.code !== "ERR_CONTENT_INCOMPLETE") {
      this.#report(refusedRequest(error, head ?? null), 0);
    }
    content.fail(error);
    if (this.#writing === WRITING.done) this.#close();
  }

  contentWanted(content: Http1Content, isAtOnce: boolean): void {
    if (content !== this.#content) return content.fail(new ProtocolError("ERR_CONTENT_INCOMPLETE"));
    this.#deadlines.startContent();
    // RFC 9110 §10.1.1: not once the final response is on its way; MAY be omitted when content has come already
    if (content.isContinueDue && !content.isDropped && this.#writing === WRITING.pending) {
      content.isContinueDue = false;
      if (this.#input.length === 0) {
        this.#output.text(CONTINUE);
        this.#hasContinued = true;
      }
    }
    // From inside of the handler, for who takes lent memory: what came with the head is given at once, and need not be copied
    if (isAtOnce && this.#isAdvancing && this.#writing === WRITING.pending) this.#readContent();
    else this.writeSoon();
  }

  // ---- writing ----------------------------------------------------------------------------------------------------------

  inform(exchange: Http1Exchange, status: number, fields: FieldLines): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101)
      throw new HandlerError("ERR_RESPONSE_STATUS", `${status} is not interim`);
    const text = ResponseEncoder.interim(status, fields);
    if (exchange.isAnswered && exchange.abortReason === null)
      throw new HandlerError("ERR_RESPONSE_TWICE", "interim after final");
    // RFC 9110 §15.2: MUST NOT send a 1xx to an HTTP/1.0 client
    if (exchange !== this.#exchange || this.#heads.minor === 0) return;
    if (status === 100) this.#hasContinued = true;
    if (status === 100 && this.#content !== null) this.#content.isContinueDue = false;
    this.#output.text(text);
    this.writeSoon();
  }

  respond(exchange: Http1Exchange, head: ResponseHead, content: Content, onBreak: OnBreak): void | Promise<void> {
    // Whatever has left the connection is answered; asked all the same: no answer may ever stand in another's place
    if (exchange.isAnswered || exchange !== this.#exchange) {
      discardContent(content, new HandlerError("ERR_RESPONSE_TWICE"));
      throw new HandlerError("ERR_RESPONSE_TWICE");
    }
    const goesOn =
      this.#isPersistent &&
      !this.#isClosing &&
      this.#served + 1 < this.#config.limits.maxRequestsPerConnection &&
      this.#canDrain();
    try {
      encoder.encode(
        head,
        lengthOf(content),
        this.#isHead,
        this.#heads.minor,
        goesOn,
        this.#clock.dateText,
        this.#config.transportSecurity,
      );
    } catch (error) {
      discardContent(content, error as Error);
      throw error;
    }
    exchange.isAnswered = true;
    exchange.status = head.status;
    this.#isPersistent = encoder.isPersistent;
    this.#deadlines.handlerAt = Infinity;
    return this.#sender.send(exchange, encoder, head, content, onBreak);
  }

  sending(exchange: Http1Exchange, isFile: boolean): void {
    this.#writing = WRITING.streaming;
    if (isFile) this.#deadlines.startSend();
    this.#config.events.onContentBegin?.(exchange);
  }

  isCurrent(exchange: Http1Exchange): boolean {
    return exchange === this.#exchange;
  }

  sent(): void {
    if (!this.#output.isBlocked) this.#deadlines.sendAt = Infinity;
    this.#finish();
    this.writeSoon();
  }

  upgrade(exchange: Http1Exchange, fields: FieldLines): ByteStream | null {
    const { upgradeTo, expectsContinue } = this.#heads.framing;
    const protocol = upgradeTo[0];
    if (exchange.isAnswered) throw new HandlerError("ERR_RESPONSE_TWICE");
    // RFC 9110 §7.8: the request must be read whole before the protocol is switched
    if (exchange !== this.#exchange || protocol === undefined || this.#reading !== READING.blocked) return null;
    const text = ResponseEncoder.switching(upgradeTo, fields, this.#clock.dateText);
    exchange.isAnswered = true;
    exchange.status = 101;
    // RFC 9110 §7.8: with both Upgrade and Expect, 100 MUST come before 101
    if (expectsContinue && !this.#hasContinued) this.#output.text(CONTINUE);
    this.#output.text(text);
    this.write();
    this.#deadlines.clear();
    this.#reading = READING.tunnel;
    this.#writing = WRITING.closed;
    const tunnel = new Tunnel(this.#transport, this.#input.takeAll());
    this.#tunnel = tunnel;
    if (this.#hasPeerEnded) tunnel.receiveEnd();
    this.#leave("upgraded");
    return tunnel;
  }

  refuse(exchange: Http1Exchange, error: ProtocolError, edit: FieldEdit | null, id: string): void {
    if (exchange.isAnswered || exchange !== this.#exchange) return;
    exchange.isAnswered = true;
    exchange.status = error.status;
    this.#refuse(refusedRequest(error, exchange.request), edit, id);
  }

  callbackFailed(exchange: Http1Exchange | null, error: unknown): void {
    this.#config.events.onCallbackError?.(error, exchange ?? this.#exchange);
  }

  abort(exchange: Http1Exchange, reason: Error): void {
    exchange.isAnswered = true;
    if (exchange === this.#exchange) this.#destroy("broken", reason);
  }

  // ---- ends -------------------------------------------------------------------------------------------------------------

  /** The response is handed over whole. */
  #finish(): void {
    const content = this.#content;
    this.#writing = WRITING.done;
    this.#served++;
    this.#deadlines.endProbe();
    // What an observer asks for from within, such as the rest of the content, waits until all is settled
    const isAdvancing = this.#isAdvancing;
    this.#isAdvancing = true;
    this.#leave("complete");
    this.#isAdvancing = isAdvancing;
    if (!this.#isPersistent || this.#reading === READING.discard) return this.#close();
    if (this.#isClosing && this.#lastCallMs === 0) return this.#close();
    if (this.#reading === READING.blocked) return this.#next();
    if (content === null) return;
    // What is left to come, wanted or not, has the time of an idle connection at most
    this.#deadlines.startIdle();
    if (!content.isStarted) content.cancel();
  }

  /** Ready for the next request. */
  #next(): void {
    // The server may have begun to close while the rest of the content was drained
    if (this.#isClosing && this.#lastCallMs === 0) return this.#close();
    this.#content = null;
    this.#reading = READING.head;
    this.#writing = WRITING.idle;
    this.#deadlines.startIdle();
    if (this.#isClosing) this.#deadlines.startLastCall(this.#lastCallMs);
  }

  /** The exchange is no longer ours. */
  #leave(outcome: Outcome): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    this.#exchange = null;
    this.#config.events.onExchangeEnd?.(exchange, outcome);
  }

  /** Says goodbye: what is queued, then FIN; listens on so that a reset does not eat the response (RFC 9112 §9.6). */
  #close(reason: Error | null = null): void {
    if (this.#writing === WRITING.closed) return;
    this.write();
    const isLast = this.#reading === READING.blocked && this.#input.length === 0 && this.#heads.framing.endsWithHead;
    this.#writing = WRITING.closed;
    this.#reading = READING.discard;
    this.#transport.end(isLast);
    if (this.#isPaused) this.#transport.resume();
    this.#isPaused = false;
    this.#end("complete", reason, "ERR_CONTENT_INCOMPLETE");
    this.#deadlines.startLinger();
  }

  /** The peer must see that something is missing. */
  #destroy(outcome: Outcome, reason: Error | null): void {
    // What is queued first: the peer then sees which answer has broken off, and not only a connection that did
    if (outcome === "broken" && !this.#output.isEmpty) this.write();
    this.#reading = READING.closed;
    this.#writing = WRITING.closed;
    this.#end(outcome, reason, "ERR_CLOSED_BY_PEER");
    // Content delimited by close, to an HTTP/1.0 client, would look whole behind a FIN (RFC 9112 §8)
    if (outcome === "complete") this.#transport.destroy();
    else this.#transport.abort();
  }

  /** Nobody waits for anything any more. Most connections end so that nobody hears of an error either: then none is made. */
  #end(outcome: Outcome, reason: Error | null, code: "ERR_CLOSED_BY_PEER" | "ERR_CONTENT_INCOMPLETE"): void {
    const exchange = this.#exchange;
    const content = this.#content;
    this.#deadlines.clear();
    this.#content = null;
    this.#input.clear();
    this.#heads.release();
    if (exchange !== null) exchange.isAnswered = true;
    this.#leave(outcome);
    const aborted = outcome === "complete" ? null : exchange;
    if (content !== null || aborted !== null) {
      const told = reason ?? new ProtocolError(code);
      content?.fail(told);
      aborted?.markAborted(told);
    }
    this.#sender.drained();
  }

  /** The peer has ended its side and we owe it nothing (more). */
  #endAfterPeer(): void {
    if (this.#heads.hasBegun) this.#refuse(this.#heads.giveUp("ERR_HEAD_INCOMPLETE", this.#input));
    else this.#close();
  }

  // ---- refusals ---------------------------------------------------------------------------------------------------------

  /** Answers with a refusal, behind the answers of those before it, and closes. */
  #refuse(refused: RefusedHead, edit: FieldEdit | null = null, id: string = ""): void {
    const { error, method, accept } = refused;
    const { fields, text } = renderRefusal(error, accept, this.#config.isExplaining, edit, id);
    const content = Buffer.from(text);
    // The content of an answer to HEAD is only spoken of (RFC 9110 §9.3.2)
    this.#report(refused, method === "HEAD" ? 0 : content.length);
    const head = { status: error.status, reason: "", fields };
    const { transportSecurity } = this.#config;
    encoder.encode(head, content.length, method === "HEAD", 1, false, this.#clock.dateText, transportSecurity);
    this.#output.text(encoder.text);
    if (encoder.delimiting === FIXED) {
      this.#output.bytes(content);
      if (this.#exchange !== null) this.#exchange.contentBytesSent = content.length;
    }
    this.#close(error);
  }

  /** Tells observers, once: what is wrong with content comes here again when the handler lets it pass. */
  #report(refused: RefusedHead, contentBytes: number): void {
    if (refused.error === this.#reported) return;
    this.#reported = refused.error;
    this.#config.events.onRefusal?.(tellRefusal(refused, this.info, this.#exchange, contentBytes));
  }

  #expireRequest(): void {
    this.#deadlines.requestAt = Infinity;
    if (this.#heads.hasBegun) this.#refuse(this.#heads.giveUp("ERR_HEAD_TIMEOUT", this.#input));
    // RFC 9112 §9.5: closing an idle connection needs no words; a 408 there would be taken for the next request's answer
    else this.#close();
  }

  #expireContent(): void {
    this.#deadlines.contentAt = Infinity;
    const content = this.#content;
    if (content === null || content.isPaused) return;
    this.contentRefused(content, new ProtocolError("ERR_CONTENT_TIMEOUT"));
  }

  #expireHandler(): void {
    this.#deadlines.handlerAt = Infinity;
    const exchange = this.#exchange;
    if (exchange === null || this.#writing !== WRITING.pending) return;
    const error = this.#content?.isAwaited === true ? new UnarrivedContent() : new ProtocolError("ERR_HANDLER_TIMEOUT");
    const id = this.#config.events.onHandlerTimeout?.(exchange, error) ?? "";
    // Who was told may have had it answered from within, or have ended all
    if (exchange.isAnswered) return;
    this.refuse(exchange, error, null, id);
    exchange.markAborted(error);
  }

  /** Asks a half-closed peer whether it is there, with an interim response that it may ignore (RFC 9110 §15.2). */
  #probe(): void {
    this.#deadlines.probeAt = Infinity;
    if (this.#writing !== WRITING.pending) return;
    this.#output.text("HTTP/1.1 102 Processing\r\n\r\n");
    this.#deadlines.startProbe();
  }

  // ---- output -----------------------------------------------------------------------------------------------------------

  write(): void {
    const wasBlocked = this.#output.isBlocked;
    this.#output.flush();
    if (this.#output.isBlocked && !wasBlocked) this.#deadlines.startSend();
  }

  /** After a change that did not come from the carrier: go on with the input, write soon. */
  writeSoon(): void {
    if (this.#isAdvancing) return;
    this.#advance();
    if (this.#writing !== WRITING.closed) this.#transport.requestFlush();
  }

  /** Whether unread content may be drained behind the answer, so that the connection can go on (RFC 9112 §9.3). */
  #canDrain(): boolean {
    if (this.#reading !== READING.content || this.#content === null) return this.#reading === READING.blocked;
    return this.#content.canDrain(this.#input.length, this.#config.limits.maxDrainBytes);
  }
}
