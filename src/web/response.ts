/**
 * Response: the platform's interface over what the handler gave, for the price of one small object.
 *
 * Everything is validated in the constructor, where the handler's own line is on the stack, but no Headers, stream or
 * platform object is made: {@link takeAnswer} reads status, flat field lines and content as they stand. The platform's own
 * object is made by `native()`, `body` and the rarer members; from then on it holds headers and content.
 * One thing differs from Fetch, on purpose: a FileSlice and an async iterable of strings are bodies too.
 */

import { HandlerError } from "../http/errors.ts";
import type { Content, FieldLines, ResponseHead } from "../http/exchange.ts";
import { forbidsContent } from "../http/status.ts";
import {
  type Conversion,
  convert,
  encodePieces,
  ignore,
  isDisturbed,
  toArrayBuffer,
  toBlob,
  toBytes,
  toFormData,
  toJson,
  toText,
  unusableBody,
} from "./body.ts";
import { type HeadersInput, indexOfLine, joinLines, NO_LINES } from "./header-lines.ts";
import {
  adoptPlatformHeaders,
  copyHeaders,
  fieldLinesOf,
  fieldPairsOf,
  headersOfLines,
  isImmutable,
  type LineHeaders,
} from "./headers.ts";
import { inheritLazily } from "./inherit.ts";
import { platformResponse } from "./platform.ts";
import { showMembers } from "./shown.ts";
import { toReason, toStatus, toUnsignedShort } from "./response-init.ts";
import {
  extractBody,
  isFileSlice,
  type Payload,
  platformBodyOf,
  type ResponseBody,
  TEXT_LINES,
} from "./response-body.ts";

/** A response: the platform's interface. */
export interface Response extends globalThis.Response {
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  clone(): Response;
  json<T = unknown>(): Promise<T>;
}

/** Status line and fields of a response. */
export interface ResponseOptions {
  /** 200 to 599; default 200. */
  readonly status?: number;
  /** Reason phrase where the wire has one; default the registered one. */
  readonly statusText?: string;
  readonly headers?: HeadersInput;
}

/** Constructor of {@link Response}. */
export interface ResponseConstructor {
  readonly prototype: Response;
  /**
   * @throws RangeError for a status outside 200 to 599
   * @throws TypeError for an invalid field name or value, and for a body on a status that forbids one
   */
  new (body?: ResponseBody, init?: ResponseOptions): Response;
  /** A network error, as Fetch has it; it cannot be sent. */
  error(): Response;
  /** JSON with `content-type: application/json`. @throws TypeError if `data` cannot be said in JSON */
  json(data: unknown, init?: ResponseOptions): Response;
  /** A redirect to an absolute URL. @throws RangeError if `status` is none of 301, 302, 303, 307, 308 */
  redirect(url: string | URL, status?: number): Response;
}

/** What there is to send. Content of a stream is taken: a second taking fails. */
export interface Answer {
  readonly head: ResponseHead;
  readonly content: Content;
}

const JSON_LINES: FieldLines = Object.freeze(["content-type", "application/json"]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

let make: (status: number, lines: FieldLines, payload: Payload) => FastResponse;
let take: (response: FastResponse) => Answer;
let materialise: (response: FastResponse) => globalThis.Response;
let isFast: (value: object) => value is FastResponse;

class FastResponse {
  #status: number;
  #reason: string;
  /** Valid, with the default content type; not the truth any more once there are headers. */
  #lines: FieldLines;
  #payload: Payload;
  /** Content that can be had once was sent, or content was read here. */
  #isUsed: boolean;
  #headers: LineHeaders | null;
  #platform: globalThis.Response | null;

  static {
    make = (status, lines, payload) => {
      const response = new FastResponse();
      response.#status = status;
      response.#lines = lines;
      response.#payload = payload;
      return response;
    };
    take = (response) => response.#take();
    materialise = (response) => response.#materialise();
    isFast = (value): value is FastResponse => #payload in value;
  }

  constructor(body: unknown = null, init: unknown = undefined) {
    this.#status = 200;
    this.#reason = "";
    this.#lines = NO_LINES;
    this.#payload = null;
    this.#isUsed = false;
    this.#headers = null;
    this.#platform = null;
    if (typeof body === "string") {
      this.#payload = body;
      this.#lines = TEXT_LINES;
    } else if (body !== null) {
      const { payload, lines } = extractBody(body);
      this.#payload = payload;
      this.#lines = lines;
    }
    if (init !== undefined && init !== null) this.#apply(init);
  }

  static error(): FastResponse {
    const response = new FastResponse();
    response.#status = 0;
    response.#headers = headersOfLines(NO_LINES, true);
    return response;
  }

  static json(data: unknown, init: unknown = undefined): FastResponse {
    if (arguments.length === 0) throw new TypeError("1 argument required, but only 0 present");
    // Undefined for what JSON has no words for, whatever its type says
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError("Value is not JSON serializable");
    const response = new FastResponse();
    response.#payload = text;
    response.#lines = JSON_LINES;
    if (init !== undefined && init !== null) response.#apply(init);
    return response;
  }

  static redirect(url: unknown, status: unknown = 302): FastResponse {
    if (arguments.length === 0) throw new TypeError("1 argument required, but only 0 present");
    const code = toUnsignedShort(status);
    const { href } = new URL(`${url as string}`);
    if (!REDIRECTS.has(code)) throw new RangeError(`Invalid status code ${code}`);
    const response = new FastResponse();
    response.#status = code;
    response.#lines = ["location", href];
    response.#headers = headersOfLines(response.#lines, true);
    return response;
  }

  get status(): number {
    return this.#status;
  }

  get statusText(): string {
    return this.#reason;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get type(): "default" | "error" {
    return this.#status === 0 ? "error" : "default";
  }

  get url(): string {
    return "";
  }

  get redirected(): boolean {
    return false;
  }

  get headers(): globalThis.Headers {
    return this.#ownHeaders() as unknown as globalThis.Headers;
  }

  get body(): ReadableStream | null {
    return this.#payload === null ? null : this.#materialise().body;
  }

  get bodyUsed(): boolean {
    if (this.#platform !== null) return this.#platform.bodyUsed;
    const payload = this.#payload;
    return this.#isUsed || (payload instanceof ReadableStream && isDisturbed(payload));
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#consume(toArrayBuffer) ?? this.#materialise().arrayBuffer();
  }

  blob(): Promise<Blob> {
    return this.#consume(toBlob) ?? this.#materialise().blob();
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return (
      this.#consume(toBytes) ??
      this.#materialise()
        .arrayBuffer()
        .then((buffer) => new Uint8Array(buffer))
    );
  }

  formData(): Promise<FormData> {
    return this.#consume(toFormData) ?? this.#materialise().formData();
  }

  json(): Promise<unknown> {
    return this.#consume(toJson) ?? this.#materialise().json();
  }

  text(): Promise<string> {
    return this.#consume(toText) ?? this.#materialise().text();
  }

  clone(): FastResponse {
    const payload = this.#payload;
    const twin = new FastResponse();
    twin.#status = this.#status;
    twin.#reason = this.#reason;
    if (this.#platform === null && !this.#isUsed && (payload === null || typeof payload === "string")) {
      twin.#payload = payload;
      twin.#lines = this.#lines;
      if (this.#headers !== null) twin.#headers = copyHeaders(this.#headers);
      return twin;
    }
    const platform = this.#materialise().clone();
    twin.#platform = platform;
    twin.#payload = platform.body;
    adoptPlatformHeaders(twin.#ownHeaders(), platform.headers);
    return twin;
  }

  #ownHeaders(): LineHeaders {
    this.#headers ??= headersOfLines(this.#lines, false);
    return this.#headers;
  }

  #readLines(): FieldLines {
    return this.#headers === null ? this.#lines : fieldLinesOf(this.#headers);
  }

  /** Fetch §5.5 "initialize a response". */
  #apply(init: unknown): void {
    if (typeof init !== "object" && typeof init !== "function")
      throw new TypeError("the init of a response must be an object");
    const { headers, status, statusText } = init as { headers?: unknown; status?: unknown; statusText?: unknown };
    if (status !== undefined) this.#status = toStatus(status);
    if (statusText !== undefined) this.#reason = toReason(statusText);
    if (headers !== undefined) this.#lines = joinLines(headers, this.#lines);
    if (this.#payload !== null && (this.#status === 205 || forbidsContent(this.#status))) {
      throw new TypeError(`a response with status ${this.#status} cannot have a body`);
    }
  }

  /** Reads content that is at hand; null where the platform has to do it. */
  #consume<T>(conversion: Conversion<T>): Promise<T> | null {
    const payload = this.#payload;
    if (this.#platform !== null || (typeof payload !== "string" && !(payload instanceof Uint8Array))) return null;
    if (this.#isUsed) return Promise.reject(unusableBody());
    this.#isUsed = true;
    const lines = this.#readLines();
    const index = indexOfLine(lines, "content-type");
    const contentType = index === -1 ? null : (lines[index + 1] as string);
    return convert(typeof payload === "string" ? Buffer.from(payload) : payload, conversion, contentType);
  }

  #take(): Answer {
    const platform = this.#platform;
    if (this.#isUsed || (platform !== null && (platform.bodyUsed || platform.body?.locked === true))) {
      throw new HandlerError("ERR_RESPONSE_USED");
    }
    const head: ResponseHead = { status: this.#status, reason: this.#reason, fields: this.#readLines() };
    const payload = this.#payload;
    if (payload === null || typeof payload === "string" || payload instanceof Uint8Array)
      return { head, content: payload };
    if (payload instanceof Blob) return { head: withLength(head, payload.size), content: payload.stream() };
    if (platform !== null) return { head, content: platform.body as ReadableStream<Uint8Array> };
    if (payload instanceof ReadableStream) {
      if (payload.locked || isDisturbed(payload)) throw new HandlerError("ERR_RESPONSE_USED");
      return { head, content: payload as ReadableStream<Uint8Array> };
    }
    this.#isUsed = true;
    return { head, content: isFileSlice(payload) ? payload : encodePieces(payload) };
  }

  #materialise(): globalThis.Response {
    if (this.#platform !== null) return this.#platform;
    const headers = this.#ownHeaders();
    const platform = this.#makePlatform();
    adoptPlatformHeaders(headers, platform.headers);
    if (this.#isUsed) {
      platform.body?.cancel().catch(ignore);
      this.#isUsed = false;
    }
    this.#platform = platform;
    return platform;
  }

  #makePlatform(): globalThis.Response {
    const headers = this.#ownHeaders();
    const lines = this.#readLines();
    if (this.#status === 0) return platformResponse().error();
    if (isImmutable(headers)) return platformResponse().redirect(lines[1] as string, this.#status as 302);
    const init = { status: this.#status, statusText: this.#reason, headers: fieldPairsOf(headers) };
    const platform = new (platformResponse())(platformBodyOf(this.#payload, this.#isUsed), init);
    // The platform adds the default that the handler has removed
    if (indexOfLine(lines, "content-type") === -1) platform.headers.delete("content-type");
    return platform;
  }
}

function withLength(head: ResponseHead, length: number): ResponseHead {
  if (indexOfLine(head.fields, "content-length") !== -1) return head;
  return { ...head, fields: [...head.fields, "content-length", String(length)] };
}

/** In the order in which the platform shows them. */
const SHOWN = ["status", "statusText", "headers", "body", "bodyUsed", "ok", "redirected", "type", "url"] as const;

Object.defineProperty(FastResponse, "name", { configurable: true, value: "Response" });
showMembers(FastResponse.prototype, "Response", SHOWN);
Object.defineProperty(FastResponse, Symbol.hasInstance, {
  configurable: true,
  value(this: unknown, value: unknown): boolean {
    // A response is a response, whoever made it
    if (this === FastResponse) return value instanceof platformResponse();
    return Function.prototype[Symbol.hasInstance].call(this, value);
  },
});
inheritLazily({
  prototype: FastResponse.prototype,
  platform: () => platformResponse().prototype,
  materialise: (response) => materialise(response),
});

/**
 * The fast Response. String, bytes, Blob and null bodies can be sent any number of times, so a constant may be returned for
 * many requests; a FormData, ReadableStream, async iterable or FileSlice once, then sending fails with ERR_RESPONSE_USED.
 */
export const Response: ResponseConstructor = FastResponse as unknown as ResponseConstructor;

/**
 * A response from lines that the caller has made for the wire, for the price of the object: nothing is copied or looked at,
 * so that a frozen array of lines that many responses share is rendered once.
 *
 * @param status 200 to 599; one that forbids content comes with `null`
 * @param lines valid names and values; the wire checks them again
 */
export function responseOfLines(status: number, lines: FieldLines, payload: Payload): Response {
  return make(status, lines, payload) as unknown as Response;
}

/** Whether `value` was made by {@link Response}, and so can be given to {@link takeAnswer}. */
export function isFastResponse(value: object): value is Response {
  return isFast(value);
}

/**
 * Status, fields and content of one of ours, to be sent.
 *
 * @throws HandlerError ERR_RESPONSE_USED if the content has been read or sent and cannot be had again
 */
export function takeAnswer(response: Response): Answer {
  return take(response as unknown as FastResponse);
}

/** The platform's own object behind one of ours; null if `value` is none of ours. */
export function platformResponseOf(value: object): globalThis.Response | null {
  return isFast(value) ? materialise(value) : null;
}
