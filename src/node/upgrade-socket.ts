/**
 * The socket that a listener for upgrades gets: bytes both ways, once it has answered (RFC 9110 §7.8).
 *
 * With node:http such a listener writes its answer to the socket by hand, as text. Here that text is read, once: 101 becomes
 * `exchange.upgrade()` and the rest passes untouched; any other status becomes an ordinary answer with what follows as its
 * content. So the wire stays the only one that writes HTTP, and an answer that breaks a rule goes to nobody.
 */

import { Duplex } from "node:stream";
import type { ByteStream, Exchange } from "../http/exchange.ts";
import { trimWhiteSpace } from "../http/fields.ts";
import { type ConnectionSocket, socketOf } from "./connection-socket.ts";
import { connectionReset } from "./node-errors.ts";

/** A head longer than this is none that a listener would write. */
const MAX_HEAD_BYTES = 64 * 1024;

// What the socket is doing
const ANSWERING = 0;
/** An answer other than 101 is being written: it is sent when it is whole. */
const REFUSING = 1;
const SWITCHED = 2;
const OVER = 3;

/** Called when writing may go on. */
type Done = (error?: Error | null) => void;

/** An answer as a listener writes it. */
interface WrittenHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
  /** Octets of the head with its empty line. */
  readonly length: number;
}

/** Both directions of a connection that leaves HTTP. */
export class UpgradeSocket extends Duplex {
  readonly #exchange: Exchange;
  readonly #connection: ConnectionSocket;
  #state: typeof ANSWERING | typeof REFUSING | typeof SWITCHED | typeof OVER = ANSWERING;
  /** Of the answer, until it can be understood; then content of a refusal. */
  #written: Buffer = Buffer.alloc(0);
  #refusal: WrittenHead | null = null;
  #stream: ByteStream | null = null;
  /** Whether the peer's bytes are wanted, before there are any. */
  #isWanted = false;
  #isStarted = false;
  /** The client has left before it was answered. */
  #isAborted = false;
  #hasPeerEnded = false;
  #waiting: Done | null = null;
  #resolve: ((nothing: undefined) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  constructor(exchange: Exchange) {
    super({ allowHalfOpen: true });
    this.#exchange = exchange;
    this.#connection = socketOf(exchange.connection);
    // node:http takes its own handler of errors away at an upgrade; a listener without one must not end the process for a reset
    this.on("error", ignore);
    exchange.onAbort(() => {
      this.#isAborted = true;
      this.destroy(connectionReset());
    });
  }

  /** @internal Tells when the request is answered, or that it never will be. */
  static settle(socket: UpgradeSocket, resolve: (nothing: undefined) => void, reject: (error: Error) => void): void {
    socket.#resolve = resolve;
    socket.#reject = reject;
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.#connection.remotePort;
  }

  get remoteFamily(): string | undefined {
    return this.#connection.remoteFamily;
  }

  get localAddress(): string | undefined {
    return this.#connection.localAddress;
  }

  get localPort(): number | undefined {
    return this.#connection.localPort;
  }

  get encrypted(): boolean {
    return this.#connection.encrypted;
  }

  /** Not watched: after an upgrade only the two ends know what silence means. */
  setTimeout(_timeoutMs: number, _callback?: () => void): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Ends when all that was written has left. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  // ---- writing ----------------------------------------------------------------------------------------------------------

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    if (this.#state === SWITCHED) this.#send(chunk, done);
    else this.#answer(chunk, done);
  }

  override _writev(chunks: Array<{ chunk: Buffer }>, done: Done): void {
    // A frame is written as head and payload: one segment instead of two
    this["_write"](Buffer.concat(chunks.map(({ chunk }) => chunk)), "buffer", done);
  }

  override _final(done: Done): void {
    if (this.#state === SWITCHED) this.#stream?.end();
    else if (this.#state === REFUSING) this.#refuse();
    else if (this.#state === ANSWERING) {
      done(new Error("the socket was ended before the upgrade was answered"));
      return;
    }
    done();
  }

  #send(bytes: Uint8Array, done: Done): void {
    if (this.#stream === null || bytes.length === 0 || this.#stream.write(bytes)) done();
    else this.#waiting = done;
  }

  /** Text of the answer, until there is enough of it to act. */
  #answer(chunk: Buffer, done: Done): void {
    this.#written = this.#written.length === 0 ? chunk : Buffer.concat([this.#written, chunk]);
    if (this.#state !== ANSWERING) return done();
    const end = this.#written.indexOf("\r\n\r\n");
    if (end === -1) {
      return done(this.#written.length > MAX_HEAD_BYTES ? new Error("the answer to the upgrade has no end") : null);
    }
    const head = readWrittenHead(this.#written.toString("latin1", 0, end));
    if (head === null) return done(new Error("the answer to the upgrade is no HTTP/1.1 response"));
    const rest = this.#written.subarray(head.length);
    try {
      if (head.status === 101) return this.#switch(head, rest, done);
      if (head.status < 200) this.#exchange.inform(head.status, head.fields);
    } catch (error) {
      return done(error as Error);
    }
    this.#written = Buffer.alloc(0);
    if (head.status < 200) return this.#answer(rest, done);
    this.#state = REFUSING;
    this.#refusal = head;
    this.#written = rest;
    done();
  }

  #switch(head: WrittenHead, rest: Buffer, done: Done): void {
    const stream = this.#exchange.upgrade(head.fields);
    if (stream === null) return done(new Error("the connection cannot be switched to another protocol any more"));
    this.#state = SWITCHED;
    this.#stream = stream;
    this.#written = Buffer.alloc(0);
    this.#settle(null);
    if (this.#isWanted) this.#start(stream);
    this.#send(rest, done);
  }

  /** The answer is another than 101, and whole. */
  #refuse(): void {
    const head = this.#refusal;
    if (head === null) return;
    this.#state = OVER;
    this.#refusal = null;
    try {
      const { status, reason, fields } = head;
      void this.#exchange.respond({ status, reason, fields }, this.#written);
      this.#settle(null);
    } catch (error) {
      this.#settle(error as Error);
    }
  }

  #settle(error: Error | null): void {
    if (error === null) this.#resolve?.(undefined);
    else this.#reject?.(error);
    this.#resolve = null;
    this.#reject = null;
  }

  // ---- reading ----------------------------------------------------------------------------------------------------------

  override _read(): void {
    this.#isWanted = true;
    if (this.#stream === null) return;
    if (this.#isStarted) this.#stream.resume();
    else this.#start(this.#stream);
  }

  #start(stream: ByteStream): void {
    this.#isStarted = true;
    stream.start({
      chunk: (bytes) => {
        if (!this.push(bytes)) stream.pause();
      },
      end: () => {
        this.#hasPeerEnded = true;
        this.push(null);
      },
      drain: () => this.#drain(),
      close: (error) => this.#closed(error),
    });
  }

  /** There is room again. */
  #drain(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.();
  }

  /** The connection is gone. */
  #closed(error: Error | null): void {
    this.#stream = null;
    if (error !== null) {
      this.destroy(error);
      return;
    }
    this.#drain();
    if (this.readableEnded) {
      this.destroy();
      return;
    }
    // What has arrived can still be read
    this.once("end", () => this.destroy());
    if (!this.#hasPeerEnded) this.push(null);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // `socket.write("HTTP/1.1 401 …"); socket.destroy()` is how listeners refuse
    if (this.#state === REFUSING) this.#refuse();
    else if (this.#state === ANSWERING) {
      // A mistake of the listener is answered like any other; without one, the connection is what it wants to be dropped
      if (error === null && !this.#isAborted) this.#exchange.abort(connectionReset());
      this.#settle(this.#isAborted ? null : error);
    } else if (!this.writableFinished || !this.#hasPeerEnded) {
      // Where both sides have ended, what is queued still leaves, and the connection closes by itself
      this.#stream?.destroy();
    }
    this.#state = OVER;
    this.#stream = null;
    callback(error);
  }
}

/** Status line and fields of an answer as text, without its empty line; null if it is none. */
function readWrittenHead(text: string): WrittenHead | null {
  const lines = text.split("\r\n");
  const match = /^HTTP\/1\.[01] ([1-5][0-9]{2})(?: (.*))?$/.exec(lines[0] ?? "");
  if (match === null) return null;
  const fields: string[] = [];
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(":");
    if (colon < 1) return null;
    fields.push(line.slice(0, colon), trimWhiteSpace(line.slice(colon + 1)));
  }
  return { status: Number(match[1]), reason: match[2] ?? "", fields, length: text.length + 4 };
}

function ignore(): void {}
