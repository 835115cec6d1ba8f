/**
 * A form of any size, part by part: `for await (const part of readMultipart(request))` (RFC 7578).
 *
 * The request is read on only when somebody waits for the next part, or for more of the one in hand: what a slow handler does
 * not take stays with the client. Before the next part, the rest of the last is dropped. Whatever breaks the form off reaches
 * whoever is reading. It must never keep more than the parts of one piece of the request.
 */

import { parameterOf } from "../http/media-type.ts";
import { checkOptions } from "../server/option-rules.ts";
import { ContentError } from "./content-error.ts";
import { declaredLength, declaredType, essenceOf, typeRefusal } from "./declared-type.ts";
import { MultipartPart } from "./multipart-part.ts";
import { PartContent } from "./part-content.ts";
import type { PartHead } from "./part-head.ts";
import { PartParser } from "./part-parser.ts";
import { type ContentOptions, contentStream, tooLarge } from "./read-content.ts";
import {
  DEFAULT_MAX_BUFFERED_BYTES,
  DEFAULT_MAX_FILES,
  DEFAULT_MAX_PART_HEAD_BYTES,
  DEFAULT_MAX_PARTS,
  rulesFor,
} from "./reader-options.ts";

/**
 * Told of each piece of an upload as it is taken.
 *
 * @param receivedBytes of the content so far, framing of the parts included
 * @param declaredBytes of the content, null where the client has not said (chunked) or where it was coded
 */
export type ProgressListener = (receivedBytes: number, declaredBytes: number | null) => void;

/**
 * What a form may be. `maxBytes` bounds all of it; default none besides the server's `limits.maxContentBytes` (16 MiB), which
 * is the one to raise for larger uploads.
 */
export interface MultipartOptions extends ContentOptions {
  /** The most octets of each part. Default Infinity: as many as the whole may have. */
  readonly maxPartBytes?: number;
  /** The most octets that `text()` and `bytes()` of a part read at once. Default 1 MiB, as busboy's fieldSize. */
  readonly maxBufferedBytes?: number;
  /** The most parts, fields and files together. Default 1,000, as \@fastify/multipart. */
  readonly maxParts?: number;
  /** The most parts with a file name. Default 100; PHP has 20. */
  readonly maxFiles?: number;
  /** The most octets in the header of each part. Default 8 KiB, and never more than 32 lines. */
  readonly maxPartHeadBytes?: number;
  /** Called for each piece of the request. What it throws ends the form. */
  readonly onProgress?: ProgressListener;
}

const RULES = rulesFor(
  "maxBytes",
  "maxPartBytes",
  "maxBufferedBytes",
  "maxParts",
  "maxFiles",
  "maxPartHeadBytes",
  "onProgress",
  "decompress",
  "maxRatio",
);

/**
 * Reads a form as it comes. Each part is to be read before the next one is asked for; what is not read is dropped. Leaving the
 * loop early gives the rest of the request up.
 *
 * @throws ContentError 415 ERR_CONTENT_TYPE, ERR_CONTENT_CODING; 400 ERR_CONTENT_MISSING, ERR_MULTIPART_BOUNDARY; 413
 * ERR_UPLOAD_TOO_LARGE; TypeError for wrong options or content that was read already. From the loop: 400 ERR_MULTIPART; 413
 * ERR_TOO_MANY_PARTS, ERR_PART_TOO_LARGE, ERR_PART_HEAD_TOO_LARGE, ERR_UPLOAD_TOO_LARGE; ProtocolError where the upload broke off
 */
export function readMultipart(
  request: Request,
  options: MultipartOptions = {},
): AsyncIterableIterator<MultipartPart, undefined, undefined> {
  checkOptions("readMultipart", options, RULES);
  const boundary = boundaryOf(request);
  const content = contentStream(request, options);
  if (content === null) throw new ContentError("ERR_CONTENT_MISSING");
  // Of coded content the length says nothing about what comes out
  const isCoded = content !== (request.body as ReadableStream<Uint8Array> | null);
  return new MultipartReader(content, boundary, isCoded ? null : declaredLength(request), options);
}

/** RFC 2046 §5.1.1: 1 to 70 characters, the last no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

function boundaryOf(request: Request): string {
  const mediaType = declaredType(request);
  if (mediaType === null || essenceOf(mediaType) !== "multipart/form-data") {
    throw typeRefusal(request, ["multipart/form-data"]);
  }
  const boundary = parameterOf(mediaType, "boundary");
  const isRepeated = mediaType.parameters.filter(([name]) => name === "boundary").length > 1;
  if (boundary === null || isRepeated || !BOUNDARY.test(boundary)) throw new ContentError("ERR_MULTIPART_BOUNDARY");
  return boundary;
}

interface FoundPart {
  readonly part: MultipartPart;
  readonly content: PartContent;
}

class MultipartReader implements AsyncIterableIterator<MultipartPart, undefined, undefined> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser: PartParser;
  readonly #declaredBytes: number | null;
  readonly #maxBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #onProgress: ProgressListener | null;
  /** Found and not handed out. */
  readonly #found: FoundPart[];
  /** Handed out last. */
  #current: PartContent | null;
  /** Found last: what comes is its. */
  #latest: PartContent | null;
  #receivedBytes: number;
  #isOver: boolean;
  #failure: { readonly reason: unknown } | null;
  /** One piece at a time, whoever asks. */
  #step: Promise<void> | null;

  constructor(
    content: ReadableStream<Uint8Array>,
    boundary: string,
    declaredBytes: number | null,
    options: MultipartOptions,
  ) {
    const limits = {
      maxParts: options.maxParts ?? DEFAULT_MAX_PARTS,
      maxFiles: options.maxFiles ?? DEFAULT_MAX_FILES,
      maxPartBytes: options.maxPartBytes ?? Infinity,
      maxPartHeadBytes: options.maxPartHeadBytes ?? DEFAULT_MAX_PART_HEAD_BYTES,
    };
    this.#reader = content.getReader();
    this.#parser = new PartParser(boundary, limits, (head) => this.#begin(head));
    this.#declaredBytes = declaredBytes;
    this.#maxBytes = options.maxBytes ?? Infinity;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES;
    this.#onProgress = options.onProgress ?? null;
    this.#found = [];
    this.#current = null;
    this.#latest = null;
    this.#receivedBytes = 0;
    this.#isOver = false;
    this.#failure = null;
    this.#step = null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<MultipartPart, undefined>> {
    if (this.#current !== null) await this.#dropRest(this.#current);
    while (this.#found.length === 0) {
      // Parts that came whole before it are handed out first, so that it does not matter how the octets were split
      if (this.#failure !== null) throw this.#failure.reason;
      if (this.#isOver) return { done: true, value: undefined };
      await this.#advance();
    }
    const { part, content } = this.#found.shift() as FoundPart;
    this.#current = content;
    return { done: false, value: part };
  }

  async #dropRest(content: PartContent): Promise<void> {
    content.drop();
    for (;;) {
      if (content.isOver) return;
      await this.#advance();
    }
  }

  /** The loop was left: nobody wants the rest. */
  async return(): Promise<IteratorResult<MultipartPart, undefined>> {
    this.#current?.drop();
    this.#found.length = 0;
    if (!this.#isOver) {
      this.#end({ reason: new TypeError("the form was given up: its loop was left") });
      await this.#reader.cancel().catch(() => {});
    }
    return { done: true, value: undefined };
  }

  #begin(head: PartHead): PartContent {
    const content = new PartContent(() => this.#advance());
    const part = new MultipartPart(head, content, this.#maxBufferedBytes);
    this.#found.push({ part, content });
    this.#latest = content;
    return content;
  }

  /** Reads one piece of the request. Failures are kept, for whoever they concern. */
  #advance(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#step ??= this.#readOn().finally(() => {
      this.#step = null;
    });
    return this.#step;
  }

  async #readOn(): Promise<void> {
    try {
      const { done, value } = await this.#reader.read();
      if (this.#isOver) return;
      if (done) {
        this.#parser.end();
        this.#end(null);
        return;
      }
      this.#receivedBytes += value.length;
      this.#onProgress?.(this.#receivedBytes, this.#declaredBytes);
      if (this.#receivedBytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
      this.#parser.write(value);
    } catch (reason) {
      this.#end({ reason });
      void this.#reader.cancel(reason).catch(() => {});
    }
  }

  #end(failure: { readonly reason: unknown } | null): void {
    this.#isOver = true;
    this.#failure ??= failure;
    // The part under way will never be whole
    if (failure !== null) this.#latest?.fail(failure.reason);
  }
}
