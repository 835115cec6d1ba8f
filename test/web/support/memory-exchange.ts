/** An exchange in memory: what a wire would be told, and a content source that the test feeds. */

import { HandlerError, type ProtocolError } from "../../../src/http/errors.ts";
import type {
  ByteSink,
  ByteStream,
  ConnectionInfo,
  Content,
  ContentSink,
  ContentSource,
  Exchange,
  FieldLines,
  RequestHead,
  ResponseHead,
} from "../../../src/http/exchange.ts";
import { Fields } from "../../../src/http/fields.ts";

export const CONNECTION: ConnectionInfo = {
  id: 1,
  remoteAddress: { address: "192.0.2.7", port: 50_000, family: "IPv4" },
  localAddress: { address: "127.0.0.1", port: 8080, family: "IPv4" },
  isEncrypted: false,
  alpnProtocol: "http/1.1",
  serverName: null,
};

/** Content that comes as the test says. */
export class MemoryContent implements ContentSource {
  isStarted = false;
  isPaused = false;
  isCancelled = false;
  maxBytes: number = Infinity;
  readonly isEmpty: boolean;
  readonly length: number | null;
  #sink: ContentSink | null = null;
  readonly #ready: (Uint8Array | "end" | Error)[] = [];

  constructor(length: number | null, isEmpty = false) {
    this.length = length;
    this.isEmpty = isEmpty;
  }

  start(sink: ContentSink): void {
    if (this.isStarted) throw new TypeError("the content of this request is being read already");
    this.isStarted = true;
    this.#sink = sink;
    this.#deliver();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#deliver();
  }

  cancel(): void {
    this.isStarted = true;
    this.isCancelled = true;
    this.#sink = null;
  }

  /** What the peer sends. */
  feed(...pieces: (Uint8Array | string | Error)[]): this {
    for (const piece of pieces) this.#ready.push(typeof piece === "string" ? Buffer.from(piece) : piece);
    this.#deliver();
    return this;
  }

  end(): this {
    this.#ready.push("end");
    this.#deliver();
    return this;
  }

  #deliver(): void {
    while (this.#sink !== null && !this.isPaused && this.#ready.length > 0) {
      const piece = this.#ready.shift()!;
      const sink = this.#sink;
      if (piece instanceof Uint8Array) sink.chunk(piece);
      else {
        this.#sink = null;
        if (piece === "end") sink.end(Fields.EMPTY);
        else sink.fail(piece);
      }
    }
  }
}

/** A connection after its upgrade. */
export class MemoryByteStream implements ByteStream {
  readonly connection: ConnectionInfo = CONNECTION;
  readonly written: Uint8Array[] = [];
  sink: ByteSink | null = null;
  isPaused = false;
  isEnded = false;
  isDestroyed = false;
  isFull = false;

  start(sink: ByteSink): void {
    this.sink = sink;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return !this.isFull;
  }
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {
    this.isDestroyed = true;
    this.sink?.close(null);
  }
}

export interface MemoryRequest {
  method?: string;
  target?: string;
  version?: string;
  scheme?: string;
  authority?: string;
  fields?: [string, string][];
  /** Arrived whole already. */
  content?: string | Uint8Array;
}

/** One request and what was answered. */
export class MemoryExchange implements Exchange {
  readonly request: RequestHead;
  readonly content: ContentSource;
  readonly connection: ConnectionInfo = CONNECTION;
  isAnswered = false;
  status = 0;
  contentBytesSent = 0;
  mark = 0;
  route = "";
  contentMark = 0;
  requestId = "";
  traceParent = "";
  head: ResponseHead | null = null;
  body: Content = null;
  abortReason: Error | null = null;
  refusal: ProtocolError | null = null;
  byteStream: MemoryByteStream | null = null;
  upgradeFields: FieldLines | null = null;
  readonly informed: { status: number; fields: FieldLines }[] = [];
  /** What `respond` gives back, or throws. */
  result: void | Promise<void> | Error = undefined;
  abortListeners = 0;
  readonly #callbacks: ((reason: Error) => void)[] = [];
  #goneReason: Error | null = null;
  #answered: () => void = () => {};
  /** Fulfilled by the answer, or the abort. */
  readonly answered: Promise<void> = new Promise((resolve) => (this.#answered = resolve));

  constructor(request: MemoryRequest = {}, content: MemoryContent | null = null) {
    this.request = {
      method: request.method ?? "GET",
      target: request.target ?? "/",
      version: request.version ?? "1.1",
      scheme: request.scheme ?? "http",
      authority: request.authority ?? "example.com",
      fields: Fields.from(request.fields ?? []),
    };
    const bytes = typeof request.content === "string" ? Buffer.from(request.content) : request.content;
    if (content !== null) this.content = content;
    else if (bytes === undefined) this.content = new MemoryContent(0, true);
    else if (bytes.length === 0) this.content = new MemoryContent(null).end();
    else this.content = new MemoryContent(bytes.length).feed(bytes).end();
  }

  inform(status: number, fields: FieldLines): void {
    if (this.isAnswered) throw new HandlerError("ERR_RESPONSE_TWICE");
    this.informed.push({ status, fields });
  }

  respond(head: ResponseHead, content: Content): void | Promise<void> {
    if (this.isAnswered) throw new HandlerError("ERR_RESPONSE_TWICE");
    const result = this.result;
    if (result instanceof Error) {
      this.result = undefined;
      throw result;
    }
    this.isAnswered = true;
    this.status = head.status;
    this.head = head;
    this.body = content;
    this.#answered();
    return result;
  }

  upgrade(fields: FieldLines): ByteStream | null {
    this.upgradeFields = fields;
    if (this.byteStream !== null) this.isAnswered = true;
    return this.byteStream;
  }

  refuse(error: ProtocolError): void {
    this.isAnswered = true;
    this.refusal = error;
    this.status = error.status;
    this.#answered();
  }

  abort(reason: Error): void {
    this.isAnswered = true;
    this.abortReason = reason;
    this.#answered();
  }

  onAbort(callback: (reason: Error) => void): void {
    this.abortListeners++;
    if (this.#goneReason !== null) callback(this.#goneReason);
    else this.#callbacks.push(callback);
  }

  /** The peer leaves. */
  leave(reason: Error): void {
    this.#goneReason = reason;
    for (const callback of this.#callbacks.splice(0)) callback(reason);
  }

  /** The answered fields as pairs. */
  get fields(): [string, string][] {
    const lines = this.head?.fields ?? [];
    return lines.flatMap((name, i) => (i % 2 === 0 ? [[name, lines[i + 1]!] as [string, string]] : []));
  }

  field(name: string): string | undefined {
    return this.fields.find(([known]) => known.toLowerCase() === name)?.[1];
  }
}

/** All of a response's content as text. */
export async function contentText(content: Content): Promise<string> {
  if (content === null) return "";
  if (typeof content === "string") return content;
  if (content instanceof Uint8Array) return Buffer.from(content).toString();
  if ("fd" in content) throw new Error("a file slice has no text here");
  const pieces: Uint8Array[] = [];
  for await (const piece of content as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
