/**
 * Content of a request as readers need it: whole and bounded, or as a stream; with its coding undone where that is asked for.
 *
 * Reading whole within the server's own limit goes through the request and makes no stream. What is declared too large is
 * refused unread. It must never keep more than the limit, nor decide what the content is.
 */

import { ContentError } from "./content-error.ts";
import { declaredCoding, declaredLength, type RequestCoding } from "./declared-type.ts";
import { decodedStream } from "./decompress.ts";
import { DEFAULT_MAX_BUFFERED_BYTES, DEFAULT_MAX_RATIO } from "./reader-options.ts";

/** What all readers of content take. */
export interface ContentOptions {
  /** The most octets, those behind a coding included. */
  readonly maxBytes?: number;
  /**
   * Take content in gzip, deflate or br, and undo it. Default false: such content is answered 415 with Accept-Encoding (RFC
   * 9110 §12.5.3), because undoing costs the server far more than the client.
   */
  readonly decompress?: boolean;
  /** The most octets that one octet of coded content may stand for, beyond the first 64 KiB. Default 100. */
  readonly maxRatio?: number;
}

/** Of {@link readContent}. */
const NO_BYTES: Uint8Array = new Uint8Array(0);

/**
 * Reads content whole.
 *
 * @returns empty for a request without content; the caller's own to keep
 * @throws ContentError ERR_CONTENT_CODING, ERR_UPLOAD_TOO_LARGE; ProtocolError ERR_BUFFERED_CONTENT_TOO_LARGE where
 * `maxBytes` is absent and the server's limit is passed; whatever broke the content off
 */
export async function readContent(request: Request, options: ContentOptions): Promise<Uint8Array> {
  const { maxBytes, decompress = false } = options;
  const coding = declaredCoding(request, decompress);
  if (coding === null && maxBytes === undefined) return new Uint8Array(await request.arrayBuffer());
  const limit = maxBytes ?? DEFAULT_MAX_BUFFERED_BYTES;
  const stream = contentStream(request, { ...options, maxBytes: limit });
  return stream === null ? NO_BYTES : readWhole(stream, limit);
}

/**
 * The content as a stream, null if there is none. Octets are bounded only behind a coding; readers count.
 *
 * @throws ContentError ERR_CONTENT_CODING, ERR_UPLOAD_TOO_LARGE for what is declared so; TypeError if somebody reads it already
 */
export function contentStream(request: Request, options: ContentOptions): ReadableStream<Uint8Array> | null {
  const { maxBytes = Infinity, maxRatio = DEFAULT_MAX_RATIO } = options;
  const coding = checkContent(request, options);
  const body = request.body as ReadableStream<Uint8Array> | null;
  if (body === null || coding === null) return body;
  return decodedStream(body, coding, { maxBytes, maxRatio });
}

/**
 * Holds what is declared of content against what its reader takes.
 *
 * @returns the coding to undo, null for none
 * @throws as {@link contentStream}
 */
export function checkContent(request: Request, options: ContentOptions): RequestCoding | null {
  const { maxBytes = Infinity, decompress = false } = options;
  const coding = declaredCoding(request, decompress);
  const length = declaredLength(request);
  if (coding === null && length !== null && length > maxBytes) throw tooLarge(maxBytes);
  if (request.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
  return coding;
}

/** The error for content of more octets than a reader takes. */
export function tooLarge(maxBytes: number): ContentError {
  return new ContentError("ERR_UPLOAD_TOO_LARGE", `more than ${maxBytes} octets`);
}

async function readWhole(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      void reader.cancel().catch(() => {});
      throw tooLarge(maxBytes);
    }
    pieces.push(value);
  }
  return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, length);
}
