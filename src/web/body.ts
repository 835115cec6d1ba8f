/**
 * Content of messages as handlers read it: whole and converted.
 *
 * Reading whole goes from the content source into one buffer without any stream, and is bounded; conversions are those of
 * the Fetch standard (§5.3 "consume body"). Nothing is read before somebody asks. This file must never keep more than the
 * limit that it is given.
 */

import { Readable } from "node:stream";
import { ERRORS, HttpError, ProtocolError } from "../http/errors.ts";
import type { ContentSink, ContentSource } from "../http/exchange.ts";
import { letGo } from "../http/let-go.ts";
import { parseMediaType, parameterOf } from "../http/media-type.ts";
import { parseJson } from "./json.ts";
import { findTooDeep } from "./json-depth.ts";
import { platformResponse } from "./platform.ts";

/**
 * Makes something of whole content. `bytes` may be lent: they must not be written to or given away, nor read any more once the
 * function has returned, be it with a promise.
 */
export type Conversion<T> = (bytes: Uint8Array, contentType: string | null) => T | Promise<T>;

const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);
const FIRST_BUFFER_BYTES = 16 * 1024;

/** What the platform says of a second reading. */
export function unusableBody(): TypeError {
  return new TypeError("Body is unusable: Body has already been read");
}

/** Whether somebody has read from, or cancelled, a stream. */
export function isDisturbed(stream: ReadableStream): boolean {
  return Readable.isDisturbed(stream as unknown as Readable);
}

/** Beyond what is read at once, and beyond what is taken at all: to raise the one alone would lead to the next refusal. */
class DoublyTooLarge extends ProtocolError {
  override readonly option: string;

  /** @param code of the tighter limit */
  constructor(code: TooLarge, detail: string) {
    super(code, { detail, field: "Content-Length" });
    const other: TooLarge = code === BUFFERED ? ALL : BUFFERED;
    this.option = `${ERRORS[code].option} and ${ERRORS[other].option}`;
  }
}

const BUFFERED = "ERR_BUFFERED_CONTENT_TOO_LARGE";
const ALL = "ERR_CONTENT_TOO_LARGE";

type TooLarge = typeof BUFFERED | typeof ALL;

/**
 * The handler's author reads it too, so it names the way out.
 *
 * @param isDoubly the limit of all content would not allow it either
 */
function tooLarge(limitBytes: number, conversion: unknown, isDoubly: boolean = false): ProtocolError {
  const way =
    conversion === toFormData ? "; readMultipart of fairlead/bodies reads forms of any size part by part" : "";
  const detail = `more than ${limitBytes} octets${way}`;
  return isDoubly ? new DoublyTooLarge(BUFFERED, detail) : new ProtocolError(BUFFERED, { detail });
}

/** Where text begins: behind a byte order mark, if there is one. */
export function textStart(bytes: Uint8Array): 0 | 3 {
  return bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** UTF-8, without byte order mark, with U+FFFD for what is malformed (Encoding §6). */
export const toText: Conversion<string> = (bytes) => {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString("utf8", textStart(bytes));
};

/** @throws JsonSyntaxError */
export const toJson: Conversion<unknown> = (bytes) => parseJson(toText(bytes, null) as string, textStart(bytes));

/**
 * Levels of arrays and objects that `json()` of a request takes, as Jackson's 1,000: JSON.stringify of Node overflows its stack
 * from some 4,000 on, so that a handler which only sends back what it got could be made to fail.
 */
const MAX_JSON_DEPTH = 1000;

/** @throws JsonSyntaxError, HttpError 400 ERR_JSON_TOO_DEEP */
export const toRequestJson: Conversion<unknown> = (bytes) => {
  const text = toText(bytes, null) as string;
  // RFC 8259 §9: a parser may set a limit on nesting
  if (findTooDeep(text, MAX_JSON_DEPTH) !== -1) {
    const { status, sentence } = ERRORS.ERR_JSON_TOO_DEEP;
    throw new HttpError(status, `${sentence}: more than ${MAX_JSON_DEPTH} levels`, { code: "ERR_JSON_TOO_DEEP" });
  }
  return parseJson(text, textStart(bytes));
};

/** A copy: what a handler gets is its own to write to. */
export const toBytes: Conversion<Uint8Array<ArrayBuffer>> = (bytes) => new Uint8Array(bytes);

export const toArrayBuffer: Conversion<ArrayBuffer> = (bytes) => new Uint8Array(bytes).buffer;

export const toBlob: Conversion<Blob> = (bytes, contentType) => platformBody(bytes, contentType).blob();

/** What `formData()` rejects with for content that is no form; uncaught, it becomes 400. */
export class FormError extends TypeError {
  readonly code = "ERR_FORM";
  readonly status = 400;
  /** The rule that was broken. */
  readonly rule: string;

  constructor(mistake: FormMistake, options?: ErrorOptions) {
    super(`${ERRORS.ERR_FORM.sentence}: ${mistake.detail}`, options);
    this.rule = mistake.rule;
  }
}

interface FormMistake {
  readonly detail: string;
  readonly rule: string;
}

const URL_ENCODED = /^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i;
const MULTIPART = "multipart/form-data";

/** Multipart forms are left to the platform; the bound of the buffer bounds it. */
export const toFormData: Conversion<FormData> = async (bytes, contentType) => {
  if (contentType !== null && URL_ENCODED.test(contentType)) {
    const form = new FormData();
    for (const [name, value] of new URLSearchParams(toText(bytes, null) as string)) form.append(name, value);
    return form;
  }
  // Before it is known whether there is one: later the bytes may be others
  const boundary = boundaryOf(contentType);
  const mistake = typeof boundary === "string" ? likelyMistake(bytes, boundary) : boundary;
  try {
    return await platformBody(bytes, contentType).formData();
  } catch (error) {
    throw new FormError(mistake, { cause: error });
  }
};

/** The boundary that the media type names, or why there is none; it is the platform that judges. */
function boundaryOf(contentType: string | null): string | FormMistake {
  const mediaType = contentType === null ? null : parseMediaType(contentType);
  if (mediaType === null || `${mediaType.type}/${mediaType.subtype}` !== MULTIPART) {
    const given = contentType === null ? "it has no Content-Type" : `it is declared ${contentType}`;
    const detail = `${given}, and ${MULTIPART} or application/x-www-form-urlencoded is taken`;
    return { detail, rule: "RFC 9110 §8.3" };
  }
  const boundary = parameterOf(mediaType, "boundary");
  if (boundary !== null && boundary !== "") return boundary;
  return { detail: "its media type names no boundary", rule: "RFC 7578 §4.1" };
}

/** What would be wrong with content that cannot be read: a look at its ends, where the boundary stands. */
function likelyMistake(bytes: Uint8Array, boundary: string): FormMistake {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const rule = "RFC 2046 §5.1.1";
  if (!content.includes(`--${boundary}`)) return { detail: "the boundary of its media type is not in it", rule };
  if (content.lastIndexOf(`--${boundary}--`) === -1) return { detail: "it ends without its closing boundary", rule };
  return { detail: "the header of a part is none, or has no name", rule: "RFC 7578 §4.2" };
}

function platformBody(bytes: Uint8Array, contentType: string | null): globalThis.Response {
  const headers: Record<string, string> = contentType === null ? {} : { "content-type": contentType };
  return new (platformResponse())(bytes as Uint8Array<ArrayBuffer>, { headers });
}

/** Applies a conversion, turning what it throws into a rejection. */
export function convert<T>(bytes: Uint8Array, conversion: Conversion<T>, contentType: string | null): Promise<T> {
  return new Promise((resolve) => resolve(conversion(bytes, contentType)));
}

/**
 * Reads all content of a source and converts it. The promise is resolved at once if everything has arrived.
 *
 * @param limitBytes declared content above it is refused unread
 * @returns rejected with ProtocolError ERR_BUFFERED_CONTENT_TOO_LARGE, or with what broke the content
 */
export function readSource<T>(
  source: ContentSource,
  limitBytes: number,
  conversion: Conversion<T>,
  contentType: string | null,
): Promise<T> {
  // What is above the limit of all content alone start() refuses
  if (source.length !== null && source.length > limitBytes) {
    const { length, maxBytes } = source;
    if (maxBytes < limitBytes) return Promise.reject(new DoublyTooLarge(ALL, `limit ${maxBytes} octets`));
    return Promise.reject(tooLarge(limitBytes, conversion, length > maxBytes));
  }
  const sink = new BufferSink(source, limitBytes, conversion);
  try {
    source.start(sink);
  } catch (error) {
    sink.fail(error as Error);
  }
  // What has come whole is converted before anybody can take its memory back
  if (!sink.isWhole) sink.keep();
  if (sink.failure !== null) return Promise.reject(sink.failure);
  if (sink.isWhole) return convert(sink.bytes, conversion, contentType);
  return new Promise<Uint8Array>((resolve, reject) => sink.settleLater(resolve, reject)).then((bytes) =>
    conversion(bytes, contentType),
  );
}

/** Gathers content: pieces are copied together, unless the first is all and comes at once. */
class BufferSink implements ContentSink {
  readonly takesLent: true;
  bytes: Uint8Array;
  isWhole: boolean;
  failure: Error | null;
  readonly #source: ContentSource;
  readonly #limitBytes: number;
  /** What the content is wanted for. */
  readonly #conversion: Conversion<unknown>;
  #length: number;
  /** `bytes` is ours, and may be longer than what has come. */
  #isCopied: boolean;
  #isStarting: boolean;
  #resolve: ((bytes: Uint8Array) => void) | null;
  #reject: ((reason: Error) => void) | null;

  constructor(source: ContentSource, limitBytes: number, conversion: Conversion<unknown>) {
    this.takesLent = true;
    this.bytes = NO_BYTES;
    this.isWhole = false;
    this.failure = null;
    this.#source = source;
    this.#limitBytes = limitBytes;
    this.#conversion = conversion;
    this.#length = 0;
    this.#isCopied = false;
    this.#isStarting = true;
    this.#resolve = null;
    this.#reject = null;
  }

  settleLater(resolve: (bytes: Uint8Array) => void, reject: (reason: Error) => void): void {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  chunk(bytes: Uint8Array): void {
    if (this.failure !== null) return;
    const length = this.#length + bytes.length;
    if (length > this.#limitBytes) {
      this.#source.cancel();
      return this.fail(tooLarge(this.#limitBytes, this.#conversion));
    }
    if (this.#isStarting && this.#length === 0) {
      this.bytes = bytes;
    } else {
      this.#reserve(length);
      this.bytes.set(bytes, this.#length);
    }
    this.#length = length;
  }

  /** From now on nothing that was lent may be needed. */
  keep(): void {
    this.#isStarting = false;
    if (this.#length > 0) this.#reserve(this.#length);
  }

  end(): void {
    if (this.failure !== null) return;
    this.isWhole = true;
    if (this.bytes.length > this.#length) this.bytes = this.bytes.subarray(0, this.#length);
    this.#resolve?.(this.bytes);
  }

  fail(reason: Error): void {
    if (this.failure !== null || this.isWhole) return;
    this.failure = reason;
    this.bytes = NO_BYTES;
    this.#reject?.(reason);
  }

  #reserve(length: number): void {
    if (this.#isCopied && length <= this.bytes.length) return;
    const wanted = Math.max(FIRST_BUFFER_BYTES, length, this.bytes.length * 2);
    const bytes = new Uint8Array(Math.min(wanted, this.#source.length ?? this.#limitBytes));
    bytes.set(this.bytes.subarray(0, this.#length));
    this.bytes = bytes;
    this.#isCopied = true;
  }
}

/**
 * Reads all of a stream and converts it.
 *
 * @returns rejected with TypeError if the stream is locked, was read before or gives something else than bytes
 */
export async function readStream<T>(
  stream: ReadableStream<Uint8Array>,
  limitBytes: number,
  conversion: Conversion<T>,
  contentType: string | null,
): Promise<T> {
  if (stream.locked || isDisturbed(stream)) throw unusableBody();
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const bytes: unknown = value;
    if (!(bytes instanceof Uint8Array)) {
      const error = new TypeError("Received non-Uint8Array chunk");
      reader.cancel(error).catch(ignore);
      throw error;
    }
    length += bytes.length;
    if (length > limitBytes) {
      const error = tooLarge(limitBytes, conversion);
      reader.cancel(error).catch(ignore);
      throw error;
    }
    chunks.push(bytes);
  }
  return conversion(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks, length), contentType);
}

/** For rejections that say again what was said elsewhere. */
export function ignore(): void {}

/** A stream that never gives anything. */
export function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ type: "bytes" });
}

/** A stream that has been read already: the platform's object then says the same as ours. */
export function usedStream(): ReadableStream<Uint8Array> {
  const stream = emptyStream();
  stream.cancel().catch(ignore);
  return stream;
}

/** The same pieces, strings as their UTF-8. */
export function encodePieces(source: AsyncIterable<Uint8Array | string>): AsyncIterable<Uint8Array> {
  return new EncodedIterable(source);
}

class EncodedIterable implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array | string>;

  constructor(source: AsyncIterable<Uint8Array | string>) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const source = this.#source;
    const iterator = source[Symbol.asyncIterator]();
    return {
      async next(): Promise<IteratorResult<Uint8Array>> {
        const result = await iterator.next();
        if (result.done === true) return { done: true, value: undefined };
        return { done: false, value: typeof result.value === "string" ? Buffer.from(result.value) : result.value };
      },
      async return(): Promise<IteratorResult<Uint8Array>> {
        letGo(source);
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}

/** A stream of the pieces, each taken when it is wanted. */
export function streamOfIterable(source: AsyncIterable<Uint8Array | string>): ReadableStream<Uint8Array> {
  const iterator = new EncodedIterable(source)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        const step = await iterator.next();
        if (step.done === true) controller.close();
        else controller.enqueue(step.value);
      },
      async cancel(): Promise<void> {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
