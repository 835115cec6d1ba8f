/**
 * Octets of multipart/form-data -> parts, by the parser of @fastify/busboy, at once and without streams between.
 *
 * The library finds delimiters and cuts header lines; limits, order and what is malformed are judged here. Everything that
 * octets give rise to happens within `write`: backpressure is that its caller writes no more. RFC 2046 §5.1.1, RFC 7578 §4.1.
 */

import { Dicer } from "@fastify/busboy";
import { ContentError } from "./content-error.ts";
import { type PartHead, type RawPartHead, readPartHead } from "./part-head.ts";

/** What {@link PartParser} allows. */
export interface PartLimits {
  readonly maxParts: number;
  readonly maxFiles: number;
  /** Octets of each part's content. */
  readonly maxPartBytes: number;
  /** Octets of each part's header. */
  readonly maxPartHeadBytes: number;
}

/** Takes the octets of one part. */
export interface PartContentSink {
  push(bytes: Uint8Array): void;
  end(): void;
  fail(reason: unknown): void;
}

const MAX_HEAD_LINES = 32;
/** RFC 2046 §5.1.1 allows text before the first part; browsers send none. */
const MAX_PREAMBLE_BYTES: number = 16 * 1024;
/** Octets of a header that the library keeps beyond ours, so that what is too large is seen rather than cut. */
const HEAD_MARGIN_BYTES = 1024;

/** One form under way. */
export class PartParser {
  readonly #dicer: Dicer;
  readonly #limits: PartLimits;
  readonly #begin: (head: PartHead) => PartContentSink;
  /** Of the part under way; null between parts and while its header comes. */
  #content: PartContentSink | null;
  #isInHead: boolean;
  #isClosed: boolean;
  #failure: ContentError | null;
  #parts: number;
  #files: number;
  /** Of the part under way. */
  #partBytes: number;
  /** Octets that went by without a beginning or an end of a header. */
  #pendingBytes: number;
  /** A header has begun or ended in what is being written. */
  #hasMoved: boolean;
  /** What is being written: octets in another buffer are the library's own, to be used again by it. */
  #input: ArrayBufferLike | null;

  /** @param begin is called for each part */
  constructor(boundary: string, limits: PartLimits, begin: (head: PartHead) => PartContentSink) {
    this.#limits = limits;
    this.#begin = begin;
    this.#content = null;
    this.#isInHead = false;
    this.#isClosed = false;
    this.#failure = null;
    this.#parts = 0;
    this.#files = 0;
    this.#partBytes = 0;
    this.#pendingBytes = 0;
    this.#hasMoved = false;
    this.#input = null;
    const maxHeaderSize = limits.maxPartHeadBytes + HEAD_MARGIN_BYTES;
    const config = { boundary, maxHeaderPairs: MAX_HEAD_LINES + 1, maxHeaderSize };
    this.#dicer = new Dicer(config);
    this.#dicer.on("part", (part) => this.#onPart(part));
    this.#dicer.on("finish", () => {
      this.#isClosed = true;
    });
    this.#dicer.on("error", (error) => this.#fail(new ContentError("ERR_MULTIPART", "", { cause: error })));
  }

  /** @throws ContentError for what breaks a rule or a limit; the parser is of no use afterwards */
  write(bytes: Uint8Array): void {
    // Behind the closing delimiter comes nothing that counts (RFC 2046 §5.1.1: epilogue)
    if (this.#isClosed) return;
    this.#hasMoved = false;
    this.#input = bytes.buffer;
    this.#dicer.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    // Between one header and the next comes content, which is not theirs
    this.#pendingBytes = this.#isPending && !this.#hasMoved ? this.#pendingBytes + bytes.length : 0;
    if (this.#isInHead && this.#pendingBytes > this.#limits.maxPartHeadBytes) this.#fail(this.#headTooLarge());
    if (this.#parts === 0 && this.#pendingBytes > MAX_PREAMBLE_BYTES) {
      this.#fail(new ContentError("ERR_MULTIPART", `no part begins in the first ${MAX_PREAMBLE_BYTES} octets`));
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** All octets were written. @throws ContentError if the form is not whole */
  end(): void {
    if (this.#isClosed) return;
    this.#fail(new ContentError("ERR_MULTIPART", "it ends without its closing boundary"));
    if (this.#failure !== null) throw this.#failure;
  }

  get #isPending(): boolean {
    return this.#isInHead || this.#parts === 0;
  }

  #onPart(part: Dicer.PartStream): void {
    this.#parts++;
    this.#hasMoved = true;
    this.#isInHead = true;
    this.#content = null;
    this.#partBytes = 0;
    part.on("header", (header) => this.#onHead(header as RawPartHead));
    // The library hands content on as a stream fed by push(); taken here, it comes at once and is kept nowhere
    part.push = (chunk: Uint8Array | null): boolean => {
      if (chunk !== null) this.#onContent(chunk);
      else this.#onPartEnd(part);
      return true;
    };
    if (this.#parts > this.#limits.maxParts) {
      this.#fail(new ContentError("ERR_TOO_MANY_PARTS", `more than ${this.#limits.maxParts}`));
    }
  }

  #onHead(raw: RawPartHead): void {
    this.#hasMoved = true;
    this.#isInHead = false;
    if (this.#failure !== null) return;
    try {
      this.#checkHeadSize(raw);
      const head = readPartHead(raw);
      if (head.filename !== null && ++this.#files > this.#limits.maxFiles) {
        throw new ContentError("ERR_TOO_MANY_PARTS", `more than ${this.#limits.maxFiles} files`);
      }
      this.#content = this.#begin(head);
    } catch (error) {
      this.#fail(error as ContentError);
    }
  }

  #checkHeadSize(raw: RawPartHead): void {
    let lines = 0;
    let size = 0;
    for (const [name, values] of Object.entries(raw)) {
      lines += values.length;
      // Colon, space, CR and LF
      for (const value of values) size += name.length + value.length + 4;
    }
    if (lines > MAX_HEAD_LINES || size > this.#limits.maxPartHeadBytes) throw this.#headTooLarge();
  }

  #headTooLarge(): ContentError {
    const { maxPartHeadBytes } = this.#limits;
    return new ContentError(
      "ERR_PART_HEAD_TOO_LARGE",
      `more than ${maxPartHeadBytes} octets or ${MAX_HEAD_LINES} lines`,
    );
  }

  #onContent(chunk: Uint8Array): void {
    if (this.#content === null || this.#failure !== null) return;
    this.#partBytes += chunk.length;
    const { maxPartBytes } = this.#limits;
    if (this.#partBytes > maxPartBytes) {
      return this.#fail(new ContentError("ERR_PART_TOO_LARGE", `more than ${maxPartBytes} octets`));
    }
    const isOurs = chunk.buffer === this.#input;
    this.#content.push(isOurs ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length) : new Uint8Array(chunk));
  }

  #onPartEnd(part: Dicer.PartStream): void {
    // The library counts its parts by this event
    part.emit("end");
    if (this.#isInHead) {
      this.#isInHead = false;
      this.#fail(new ContentError("ERR_MULTIPART", "a boundary stands in the header of a part"));
    }
    if (this.#failure === null) this.#content?.end();
    this.#content = null;
  }

  /** The first reason counts. */
  #fail(reason: ContentError): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    this.#content?.fail(reason);
  }
}
