/**
 * Request: the platform's interface over an exchange, for the price of one small object.
 *
 * Every member is answered from the exchange when it is asked. The platform's own object is made only by `native()` and for
 * members that a later platform adds; from then on both share headers, content and signal. Per Fetch, GET and HEAD
 * requests have no body here; whatever content came with them stays readable as `context.exchange.content`.
 * This file must never read content, or start to listen for the peer's leaving, before a handler asks.
 */

import type { ContentSource, Exchange } from "../http/exchange.ts";
import { requestUrl } from "../http/target.ts";
import {
  type Conversion,
  convert,
  emptyStream,
  ignore,
  isDisturbed,
  readSource,
  readStream,
  toArrayBuffer,
  toBlob,
  toBytes,
  toFormData,
  toRequestJson,
  toText,
  unusableBody,
  usedStream,
} from "./body.ts";
import { streamOfSource } from "./content-stream.ts";
import type { HeadersInput } from "./header-lines.ts";
import { adoptPlatformHeaders, copyHeaders, fieldPairsOf, headersOfFields, type LineHeaders } from "./headers.ts";
import { inheritLazily } from "./inherit.ts";
import { platformRequest } from "./platform.ts";
import { showMembers } from "./shown.ts";

/**
 * A request as handlers get it: the platform's interface.
 *
 * `text()`, `json()`, `bytes()`, `arrayBuffer()`, `blob()` and `formData()` buffer at most `limits.maxBufferedBytes`; above
 * that they reject with ProtocolError ERR_BUFFERED_CONTENT_TOO_LARGE, which becomes 413 if the handler lets it pass.
 * To send one on with `fetch`, give it `native(request)`.
 */
export interface Request extends globalThis.Request {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  clone(): Request;
  /** Rejects with a SyntaxError that names line and column; uncaught, it becomes 400. */
  json<T = unknown>(): Promise<T>;
}

/** What the constructor takes as second argument. */
export interface RequestOptions {
  readonly method?: string;
  readonly headers?: HeadersInput;
  readonly body?: ReadableStream | Blob | ArrayBuffer | ArrayBufferView | FormData | URLSearchParams | string | null;
  readonly signal?: AbortSignal | null;
  readonly duplex?: "half";
  readonly [member: string]: unknown;
}

/** Constructor of {@link Request}. */
export interface RequestConstructor {
  readonly prototype: Request;
  new (input: string | URL | globalThis.Request, init?: RequestOptions | globalThis.Request): Request;
}

const NO_CONTENT: Uint8Array = new Uint8Array(0);

let create: (exchange: Exchange, maxBufferedBytes: number) => LazyRequest;
let materialise: (request: LazyRequest) => globalThis.Request;
let isLazyRequest: (value: object) => value is LazyRequest;
let twinOver: (request: LazyRequest, exchange: Exchange) => LazyRequest;
let exchangeBehind: (request: LazyRequest) => Exchange;
let takeSource: (request: LazyRequest) => ContentSource | null;

/** A request over an exchange. Outside of this room it is only known as {@link Request}. */
class LazyRequest {
  readonly #exchange: Exchange;
  readonly #maxBufferedBytes: number;
  #url: string;
  #headers: LineHeaders | null;
  #signal: AbortSignal | null;
  /** Once somebody asked for it, or for a branch of it; then the content is read through it alone. */
  #stream: ReadableStream<Uint8Array> | null;
  /** The content was read whole, without stream. */
  #isUsed: boolean;
  #platform: globalThis.Request | null;

  static {
    create = (exchange, maxBufferedBytes) => new LazyRequest(exchange, maxBufferedBytes);
    materialise = (request) => request.#materialise();
    isLazyRequest = (value): value is LazyRequest => #exchange in value;
    exchangeBehind = (request) => request.#exchange;
    takeSource = (request) => {
      if (!request.#hasBody() || request.#isUsed || request.#currentStream() !== null) return null;
      request.#isUsed = true;
      return request.#exchange.content;
    };
    twinOver = (request, exchange) => {
      const twin = new LazyRequest(exchange, request.#maxBufferedBytes);
      twin.#headers = request.#headers;
      twin.#signal = request.#signal;
      // One content for both: what was begun here goes on there
      twin.#stream = request.#currentStream();
      twin.#isUsed = request.bodyUsed;
      return twin;
    };
  }

  constructor(exchange: Exchange, maxBufferedBytes: number) {
    this.#exchange = exchange;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#url = "";
    this.#headers = null;
    this.#signal = null;
    this.#stream = null;
    this.#isUsed = false;
    this.#platform = null;
  }

  get method(): string {
    return this.#exchange.request.method;
  }

  get url(): string {
    if (this.#url === "") {
      const { scheme, authority, target } = this.#exchange.request;
      this.#url = requestUrl(scheme, authority, target);
    }
    return this.#url;
  }

  get headers(): globalThis.Headers {
    return this.#ownHeaders() as unknown as globalThis.Headers;
  }

  get signal(): AbortSignal {
    if (this.#signal === null) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#exchange.onAbort((reason) => controller.abort(abortError(reason)));
    }
    return this.#signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (!this.#hasBody()) return null;
    if (this.#platform !== null) return this.#platform.body as ReadableStream<Uint8Array> | null;
    this.#stream ??= this.#isUsed ? usedStream() : streamOfSource(this.#exchange.content);
    return this.#stream;
  }

  get bodyUsed(): boolean {
    if (this.#platform !== null) return this.#platform.bodyUsed;
    return this.#isUsed || (this.#stream !== null && isDisturbed(this.#stream));
  }

  get cache(): "default" {
    return "default";
  }

  get credentials(): "same-origin" {
    return "same-origin";
  }

  get destination(): "" {
    return "";
  }

  get duplex(): "half" {
    return "half";
  }

  get integrity(): string {
    return "";
  }

  get isHistoryNavigation(): boolean {
    return false;
  }

  get isReloadNavigation(): boolean {
    return false;
  }

  get keepalive(): boolean {
    return false;
  }

  get mode(): "cors" {
    return "cors";
  }

  get redirect(): "follow" {
    return "follow";
  }

  get referrer(): string {
    return "about:client";
  }

  get referrerPolicy(): "" {
    return "";
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#consume(toArrayBuffer);
  }

  blob(): Promise<Blob> {
    return this.#consume(toBlob);
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#consume(toBytes);
  }

  formData(): Promise<FormData> {
    return this.#consume(toFormData);
  }

  json(): Promise<unknown> {
    return this.#consume(toRequestJson);
  }

  text(): Promise<string> {
    return this.#consume(toText);
  }

  clone(): LazyRequest {
    if (this.bodyUsed || this.#currentStream()?.locked === true) {
      throw new TypeError("Request.clone: Body has already been consumed.");
    }
    const twin = new LazyRequest(this.#exchange, this.#maxBufferedBytes);
    if (this.#platform !== null) {
      twin.#platform = this.#platform.clone();
      adoptPlatformHeaders(twin.#ownHeaders(), twin.#platform.headers);
      return twin;
    }
    if (this.#headers !== null) twin.#headers = copyHeaders(this.#headers);
    const stream = this.body;
    if (stream !== null) [this.#stream, twin.#stream] = stream.tee();
    return twin;
  }

  #hasBody(): boolean {
    const { content, request } = this.#exchange;
    return !content.isEmpty && request.method !== "GET" && request.method !== "HEAD";
  }

  #ownHeaders(): LineHeaders {
    this.#headers ??= headersOfFields(this.#exchange.request.fields);
    return this.#headers;
  }

  /** The stream that content must be read through, null while there is none. */
  #currentStream(): ReadableStream<Uint8Array> | null {
    return this.#platform === null ? this.#stream : (this.#platform.body as ReadableStream<Uint8Array> | null);
  }

  #consume<T>(conversion: Conversion<T>): Promise<T> {
    const contentType = this.#contentType();
    if (!this.#hasBody()) return convert(NO_CONTENT, conversion, contentType);
    const stream = this.#currentStream();
    if (stream !== null) return readStream(stream, this.#maxBufferedBytes, conversion, contentType);
    if (this.#isUsed) return Promise.reject(unusableBody());
    this.#isUsed = true;
    return readSource(this.#exchange.content, this.#maxBufferedBytes, conversion, contentType);
  }

  /** From what the handler made of the headers, if it asked for them. */
  #contentType(): string | null {
    return this.#headers === null
      ? this.#exchange.request.fields.get("content-type")
      : this.#headers.get("content-type");
  }

  #materialise(): globalThis.Request {
    if (this.#platform !== null) return this.#platform;
    const isUsable = !this.bodyUsed && this.#stream?.locked !== true;
    const body = isUsable ? this.body : emptyStream();
    const headers = this.#ownHeaders();
    const platform = new (platformRequest())(this.url, {
      method: this.method,
      headers: fieldPairsOf(headers),
      body: this.#hasBody() ? body : null,
      signal: this.signal,
      duplex: "half",
    });
    // A body that is read or locked here must be so there, though its stream cannot be passed on
    if (!isUsable && this.bodyUsed) platform.body?.cancel().catch(ignore);
    if (!isUsable && this.#stream?.locked === true) platform.body?.getReader();
    adoptPlatformHeaders(headers, platform.headers);
    this.#platform = platform;
    return platform;
  }
}

/** What `signal.reason` is, and what a `fetch` that was given the signal rejects with. */
function abortError(cause: Error): DOMException {
  // The types of Node 20 know only the older form of the second argument
  const options = { name: "AbortError", cause } as unknown as string;
  return new DOMException("The peer is gone", options);
}

/** In the order in which the platform shows them. */
const SHOWN = [
  "method",
  "url",
  "headers",
  "destination",
  "referrer",
  "referrerPolicy",
  "mode",
  "credentials",
  "cache",
  "redirect",
  "integrity",
  "keepalive",
  "isReloadNavigation",
  "isHistoryNavigation",
  "signal",
] as const;

/** What users construct: the platform's own object, which is theirs to send; one of ours is a valid input. */
class ConstructibleRequest {
  static {
    Object.defineProperty(this, "name", { configurable: true, value: "Request" });
  }

  constructor(input: unknown, init: unknown = undefined) {
    const isOurs = typeof input === "object" && input !== null && isLazyRequest(input);
    const args = [isOurs ? materialise(input) : input, init];
    // The platform's class is not named in `extends`, because that would load it
    return Reflect.construct(platformRequest(), arguments.length === 0 ? [] : args, new.target) as ConstructibleRequest;
  }

  /** A request is a request, whoever made it. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this === ConstructibleRequest) return value instanceof platformRequest();
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

Object.defineProperty(LazyRequest.prototype, "constructor", {
  configurable: true,
  writable: true,
  value: ConstructibleRequest,
});
showMembers(LazyRequest.prototype, "Request", SHOWN);
inheritLazily({
  prototype: LazyRequest.prototype,
  platform: () => platformRequest().prototype,
  materialise: (request) => materialise(request),
  between: ConstructibleRequest.prototype,
  sample: () => new (platformRequest())("http://localhost"),
});

/**
 * `new Request(input, init)` makes the platform's own object; `input` and `init` may be requests that a handler was given.
 * Those are made by the server only. `instanceof Request` holds for both, and for the platform's.
 */
export const Request: RequestConstructor = ConstructibleRequest as unknown as RequestConstructor;

/**
 * The request of an exchange.
 *
 * @param maxBufferedBytes the most octets that `text()`, `json()` and their like read at once
 */
export function requestOf(exchange: Exchange, maxBufferedBytes: number): Request {
  return create(exchange, maxBufferedBytes) as unknown as Request;
}

/** The platform's own object behind one of ours; null if `value` is none of ours. */
export function platformRequestOf(value: object): globalThis.Request | null {
  return isLazyRequest(value) ? materialise(value) : null;
}

/** The exchange that one of ours stands over, null for any other: then its URL is all there is to know of the target. */
export function exchangeOf(request: object): Exchange | null {
  return isLazyRequest(request) ? exchangeBehind(request) : null;
}

/**
 * The content of one of ours, for the caller to start, which makes the request a used one; null where content must be read
 * through the request: it has none, somebody reads it already, it is none of ours.
 */
export function takeContentOf(request: object): ContentSource | null {
  return isLazyRequest(request) ? takeSource(request) : null;
}

/**
 * The same request over an exchange that shows it otherwise, e.g. with another target: headers, signal and content are those
 * of `request`, which is to be read by one of the two only.
 *
 * @param exchange has the content of the request's own
 */
export function requestOver(request: object, exchange: Exchange): Request | null {
  return isLazyRequest(request) ? (twinOver(request, exchange) as unknown as Request) : null;
}
