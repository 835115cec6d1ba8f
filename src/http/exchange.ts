/**
 * The seam between the wires and everything above them. Types only.
 *
 * A wire (HTTP/1 now, HTTP/2 later) turns bytes into an {@link Exchange} and an answer back into bytes; handlers, files and
 * apps see exchanges and nothing of the wire. An exchange is one request and its one final response (RFC 9110 §3.4). It also
 * names what a wire needs from below: a {@link Transport} of bytes, a {@link Clock} to read. No CRLF, chunks or frames.
 */

import type { ProtocolError } from "./errors.ts";
import type { Fields } from "./fields.ts";

/** What the request line or the pseudo-fields and the field section said (RFC 9110 §6.2, §6.3). */
export interface RequestHead {
  /** Case-sensitive token (RFC 9110 §9.1). */
  readonly method: string;
  /** The request-target exactly as received; for HTTP/1 one of the four forms of RFC 9112 §3.2. */
  readonly target: string;
  /** Version of the message: `"1.0"`, `"1.1"`, `"2"`. */
  readonly version: string;
  /** `http` or `https`, from the transport (RFC 9110 §4.2). */
  readonly scheme: string;
  /** Valid `uri-host [ ":" port ]` of the target URI (RFC 9110 §7.2), or `""` for HTTP/1.0 without Host. */
  readonly authority: string;
  /** The field section as received, in order. */
  readonly fields: Fields;
}

/**
 * Field lines of a response, flat: name, value, name, value, in order. Names are tokens (RFC 9110 §5.1); values hold no CR, LF
 * or NUL (§5.5) and only code units up to 0xFF. The wire checks both again. A frozen array is checked and rendered once.
 */
export type FieldLines = readonly string[];

/** Status and fields of the final response; framing fields in it are checked and then rewritten by the wire. */
export interface ResponseHead {
  /** 200 to 599. */
  readonly status: number;
  /** Replaces the registered reason phrase on a wire that has one; `""` means the registered one. */
  readonly reason: string;
  readonly fields: FieldLines;
  /** Called once after the content, for a trailer section where the wire and the request allow one (RFC 9110 §6.5). */
  readonly trailers?: (() => FieldLines) | null;
}

/** A part of an open file. Whoever accepts it calls `release` exactly once, whatever happens. */
export interface FileSlice {
  readonly fd: number;
  /** First octet, at least 0. */
  readonly start: number;
  /** Octets to send, at least 0. */
  readonly length: number;
  /**
   * Asked once, when all octets have been read and the last of them are not sent: whether they belong together. False, where
   * the file was written to meanwhile, breaks the message off instead of ending it with octets of two versions.
   */
  isIntact?(): boolean;
  release(): void;
}

/** What a response may carry. `null` is no content (Content-Length: 0 where the status permits content). */
export type Content = null | string | Uint8Array | FileSlice | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

/** Receives request content. Calls may come synchronously from inside {@link ContentSource.start}. */
export interface ContentSink {
  /** A piece of content, never empty. The bytes are the sink's to keep, but not to write to. */
  chunk(bytes: Uint8Array): void;
  /**
   * It is done with a piece when chunk() returns, or else when the call of {@link ContentSource.start} does from inside of which
   * the piece came. Then nobody needs to copy: something else may stand in that memory afterwards. It is the server's, for all
   * connections: whoever transfers it (as byte streams do) breaks them all.
   */
  readonly takesLent?: boolean;
  /** Somebody waits for the next piece now. Absent: known of those alone that take lent memory, who always do. */
  readonly isWaiting?: boolean;
  /** All content has arrived whole; `trailers` is empty when there was no trailer section. Last call. */
  end(trailers: Fields): void;
  /** The content will never be whole: refused, cut off, too slow or too large. Last call. */
  fail(reason: Error): void;
}

/** Whether a piece has more of its ArrayBuffer than all others together, so that it may be given away with it. */
export function ownsBuffer(piece: Uint8Array): boolean {
  return piece.length * 2 > piece.buffer.byteLength;
}

/** Request content, pulled: until somebody starts it, the peer is made to wait (RFC 9110 §6.4). */
export interface ContentSource {
  /** The framing says that there is no content at all: nothing to read, ever. */
  readonly isEmpty: boolean;
  /** Declared length in octets, 0 when empty, `null` when only the end of the content will tell. */
  readonly length: number | null;
  /** True once {@link start} or {@link cancel} was called. */
  readonly isStarted: boolean;
  /**
   * Starts delivery; sends 100 (Continue) if the peer waits for it. Throws if content is started twice. To a sink that takes lent
   * memory all that has come may be given, and fail, before it returns; to another on the wire only the failure may.
   */
  start(sink: ContentSink): void;
  /** Stops delivery until {@link resume}; the peer feels the backpressure. At most what was already read may still come. */
  pause(): void;
  resume(): void;
  /** Nobody wants the rest: the wire drains or closes as it sees fit, the sink hears nothing more. */
  cancel(): void;
  /** Octets that have come so far, given to the sink or dropped; not there where nobody counts. */
  readonly received?: number;
  /** The most octets this content may have; lowering or raising it is possible until {@link start}. */
  maxBytes: number;
  /**
   * Each piece is the sink's alone, with all of its buffer, once chunk() has returned: it may be transferred or written to
   * (unless the sink says {@link ContentSink.takesLent}). Where this is not true, what lies around it may be somebody else's.
   */
  readonly givesBuffers?: boolean;
  /** Set by who reads ahead of somebody else: {@link ContentSink.isWaiting} then says nothing of that one's wait. */
  isReadAhead?: boolean;
}

/** The peer and the connection under an exchange. One object per connection. */
export interface ConnectionInfo {
  /** Serial number in this process, from 1. */
  readonly id: number;
  readonly remoteAddress: SocketAddress;
  readonly localAddress: SocketAddress;
  readonly isEncrypted: boolean;
  /** `"http/1.1"`, later `"h2"`. */
  readonly alpnProtocol: string;
  /** SNI name, null without TLS. */
  readonly serverName: string | null;
  /** What was agreed on under TLS, null without; not there where nobody knows. */
  readonly tls?: TlsFacts | null;
  /** The proxy that the connection comes from, where it has said who its client is; {@link remoteAddress} is the client's. */
  readonly proxy?: SocketAddress | null;
  /** The proxy whose Forwarded or X-Forwarded fields tell of the client, whose address {@link remoteAddress} then is. */
  readonly forwardedBy?: SocketAddress | null;
}

/** What client and server agreed on. */
export interface TlsFacts {
  /** `"TLSv1.2"` or `"TLSv1.3"`. */
  readonly version: string;
  /** Name of the cipher suite in the registry of IANA, e.g. `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** Whether an earlier session was resumed. */
  readonly isResumed: boolean;
  /** Null where none was asked for, or none given. */
  readonly clientCertificate: ClientCertificate | null;
}

/** Who a client says it is, and whether one of the authorities that we trust agrees. */
export interface ClientCertificate {
  /** True: it is valid now, and was issued by an authority that the server was told to trust. */
  readonly isAuthorized: boolean;
  /** Why it is not, e.g. `CERT_HAS_EXPIRED`; `""` if it is. */
  readonly refusal: string;
  /** Distinguished names, one attribute a line: `CN=alice`. */
  readonly subject: string;
  readonly issuer: string;
  /** Other names, e.g. `DNS:alice.example, email:alice@example.com`; `""` where there are none. */
  readonly subjectAltName: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate: pairs of hexadecimal digits with colons between. */
  readonly fingerprint256: string;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly validFromMs: number;
  readonly validToMs: number;
  /** The certificate itself, in DER. */
  readonly raw: Uint8Array;
}

/** An end of a connection. Unix sockets have `family: "unix"`, the path as address and port 0. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
  readonly family: "IPv4" | "IPv6" | "unix";
}

/** One request and its one final response (RFC 9110 §3.4). */
export interface Exchange {
  readonly request: RequestHead;
  readonly content: ContentSource;
  readonly connection: ConnectionInfo;
  /** Sends an interim response (RFC 9110 §15.2) now; silently nothing for HTTP/1.0. Throws after the final response or for 101. */
  inform(status: number, fields: FieldLines): void;
  /**
   * Sends the final response. With `null`, string or bytes all is done on return; else the promise resolves when the
   * content is handed over whole, and rejects when its source failed or the peer left (the connection is then destroyed
   * by the wire). Throws `HandlerError` without sending anything if the response breaks a rule (second response, status,
   * field, length).
   *
   * @param onBreak see {@link OnBreak}; absent or null for nobody
   */
  respond(head: ResponseHead, content: Content, onBreak?: OnBreak): void | Promise<void>;
  /** Sends 101 (Switching Protocols) and hands over the connection; null where the request asked for no upgrade. */
  upgrade(fields: FieldLines): ByteStream | null;
  /**
   * Answers with the refusal that `error` stands for, in the words of the table, and ends the connection behind it; observers
   * hear of it once. Quietly nothing once the exchange is answered.
   *
   * @param edit what others want of its fields; absent or null for nothing
   * @param id what the log calls it; absent or `""` for nothing
   */
  refuse(error: ProtocolError, edit?: FieldEdit | null, id?: string): void;
  /** Gives up without a (whole) response: the peer sees a broken connection. */
  abort(reason: Error): void;
  /** Calls back once if the peer leaves, or the exchange is given up, before the response is whole. At once if that has happened. */
  onAbort(callback: (reason: Error) => void): void;
  /** True from the first call of respond/upgrade/abort. */
  readonly isAnswered: boolean;
  /** Status sent, 0 before. */
  readonly status: number;
  /**
   * Octets of response content handed to the transport so far, without framing; of part of a file, those that the peer's
   * side has taken, so that a download that was broken off is told from a whole one.
   */
  readonly contentBytesSent: number;
  /** For observers to keep a value on; 0 at first, never read by the wire. */
  mark: number;
  /**
   * Pattern of the route that answers, e.g. `/users/:id`; `""` before one was found, and where none is. Written by routers for
   * observers: however many paths are asked for, there are no more values than routes.
   */
  route: string;
  /** When content that takes its time began to be sent, in units of {@link mark}; 0: it did not. For observers, as that is. */
  contentMark: number;
  /** Name of the request among all; `""` where nobody gave one. Written by whoever names requests, for observers. */
  requestId: string;
  /** The span that stands for the request, as in the field of that name (W3C Trace Context §3.2); `""` where nobody traces. */
  traceParent: string;
}

/**
 * Hears that content breaks off midway by its own fault, its source's or that of its length, while the exchange is not over yet:
 * whoever hears of the end then knows why. The promise of `respond` rejects with the same afterwards. Must not throw.
 */
export type OnBreak = ((exchange: Exchange, error: unknown) => void) | null;

/** What becomes of the field lines of an answer. The lines that come in are not to be changed. */
export interface FieldEdit {
  apply(lines: FieldLines): FieldLines;
}

/** An exchange as the wire gives it to the server, before anybody else has seen it. */
export interface WireExchange extends Exchange {
  /**
   * Shows connection and target URI as they were at a proxy's client.
   *
   * @param connection stands for the same connection from now on
   * @param scheme `http` or `https`
   * @param authority valid `uri-host [ ":" port ]`, `""` where there is none
   */
  present(connection: ConnectionInfo, scheme: string, authority: string): void;
}

/** A connection after upgrade: bytes both ways, beginning with those that had arrived behind the head. */
export interface ByteStream {
  readonly connection: ConnectionInfo;
  /** Starts reading. Backpressure by {@link pause} and {@link resume}. */
  start(sink: ByteSink): void;
  pause(): void;
  resume(): void;
  /** False: the peer is slow, wait for `ByteSink.drain`. */
  write(bytes: Uint8Array): boolean;
  /** Ends our side after what is queued. */
  end(): void;
  destroy(): void;
}

export interface ByteSink {
  chunk(bytes: Uint8Array): void;
  /** The peer ended its side. */
  end(): void;
  drain(): void;
  /** The connection is gone. Last call. */
  close(error: Error | null): void;
}

/** Coarse time, given to the wires by whoever owns a clock. */
export interface Clock {
  /** Milliseconds, monotonic enough for deadlines, at most a second old. */
  readonly nowMs: number;
  /** IMF-fixdate of now (RFC 9110 §5.6.7), at most a second old. */
  readonly dateText: string;
}

/** What a wire needs of the thing that carries its bytes: a socket, or memory in tests. */
export interface Transport {
  readonly info: ConnectionInfo;
  /** Queues latin1 text or bytes, in order. False: the queue is above its mark, `writable()` will be called when it drains. */
  write(data: string | Uint8Array): boolean;
  /** Queues several at once, in order, for the price of one. */
  writeAll(parts: ReadonlyArray<string | Uint8Array>): boolean;
  /**
   * Sends part of a file behind what is queued, with backpressure; `done` is called once. On failure or a file
   * shorter than promised `done` gets the error and the caller destroys. Releases the slice. `onTaken` hears of each piece
   * that the peer's side has taken, before `done`; what was on its way when the connection broke is in none.
   */
  sendFile(slice: FileSlice, done: (error: Error | null) => void, onTaken?: ((bytes: number) => void) | null): void;
  /** Asks for one call of {@link ProtocolConnection.flush} soon, together with other connections' (one asking is enough). */
  requestFlush(): void;
  /** Octets accepted by write, writeAll and sendFile that the peer's side has not taken yet; a piece counts until all of it is. */
  readonly queuedBytes: number;
  /** Octets on the wire that were taken so far, ever growing; with {@link queuedBytes} it tells a slow peer from a quiet handler. */
  readonly takenBytes: number;
  /**
   * From inside of {@link ProtocolConnection.receive}: makes the chunk the receiver's to keep, with all of its buffer. False, or
   * absent: it must be copied.
   */
  giveChunk?(): boolean;
  /** From the same place: none of the next chunks will be kept. A connection that then is quiet holds no memory for them. */
  giveNoMore?(): void;
  pause(): void;
  resume(): void;
  /** From now on the connection may be quiet for long: a peer that has gone without a word must be found out all the same. */
  keepAlive?(): void;
  /**
   * From now on the peer takes {@link end} for the end of a message (RFC 9112 §6.3): whoever destroys the connection before, the
   * peer must see that it was no proper end.
   */
  delimitByEnd?(): void;
  /**
   * Half-closes after what is queued. The peer may still send.
   *
   * @param isLast it will not, and has said so: both sides may be closed
   */
  end(isLast?: boolean): void;
  /** Drops everything now. `closed` follows. */
  destroy(): void;
  /** The same, and the peer sees that it was no proper end, even if all that was written has left. */
  abort(): void;
}

/** A wire's end of one connection, as its carrier sees it. No method throws. */
export interface ProtocolConnection {
  /** @param chunk lent: its memory may be used for something else as soon as this returns */
  receive(chunk: Uint8Array): void;
  /** The peer ended its side (FIN). */
  receiveEnd(): void;
  /** Write out what asynchronous answers have produced. */
  flush(): void;
  /** The transport's queue has drained. */
  writable(): void;
  /** The transport is gone. Last call. */
  closed(error: Error | null): void;
  /** When {@link expire} wants to be called, in clock milliseconds; `Infinity` for never. Read by the sweep. */
  readonly deadlineMs: number;
  /** The deadline has passed. */
  expire(): void;
  /**
   * Finish what is under way, start nothing new, then close (RFC 9112 §9.6).
   *
   * @param lastCallMs milliseconds that a peer with nothing under way has for one more request, default 0: closed at once
   */
  shutdown(lastCallMs?: number): void;
  /** No exchange under way and nothing queued. */
  readonly isIdle: boolean;
}

/** A refusal of a request or of a connection by the server itself, as observers see it. */
export interface Refusal {
  readonly error: ProtocolError;
  readonly connection: ConnectionInfo;
  /** As far as they were understood, else `""`. */
  readonly method: string;
  readonly target: string;
  /** The exchange that is under way, of whose end observers hear yet; null where there is none. */
  readonly exchange: Exchange | null;
  /**
   * The first line of the request in latin1, as far as it had come and up to 8190 octets, without its end. Whatever a peer has
   * sent: neither valid nor free of secrets. Absent or `""` where there was none.
   */
  readonly requestLine?: string;
  /** The fields that were read before the rule was broken; absent where no head was read. */
  readonly fields?: Fields;
  /** Octets of content that the refusal is answered with; absent where it is not known. */
  readonly contentBytes?: number;
}

/** How an exchange ended. */
export type Outcome =
  /** The response was handed over whole. */
  | "complete"
  /** The peer left, or was too slow, before that. */
  | "aborted"
  /** The handler failed after the head was out; the connection was destroyed. */
  | "broken"
  /** The connection was handed over to another protocol. */
  | "upgraded";

/** What a wire tells its owner. Absent callbacks cost nothing. */
export interface WireEvents {
  readonly onRefusal: ((refusal: Refusal) => void) | null;
  readonly onExchangeEnd: ((exchange: Exchange, outcome: Outcome) => void) | null;
  /** Content that takes its time begins to be sent; not called for what goes out with its head. */
  readonly onContentBegin?: ((exchange: Exchange) => void) | null;
  /** The handler had its time, or its peer (ERR_CONTENT_TIMEOUT). Gives the name under which that was told, `""` for none. */
  readonly onHandlerTimeout?: ((exchange: Exchange, error: ProtocolError) => string) | null;
  /** A callback that somebody gave to an exchange has thrown; nothing else was harmed. Absent: it is ignored. */
  readonly onCallbackError?: ((error: unknown, exchange: Exchange | null) => void) | null;
}
