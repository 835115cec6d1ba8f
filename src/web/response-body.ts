/**
 * What a handler gives as a body -> what a Response keeps of it (Fetch §5.2 "extract a body").
 *
 * Only what must be converted at once is converted: a Blob, a stream or a part of a file stays what it is until it is sent.
 * Bytes are copied, as Fetch wants it: a peer may take them long after the handler has put something else in their place.
 * This file must never read from a body.
 */

import type { FieldLines, FileSlice } from "../http/exchange.ts";
import { isDisturbed, streamOfIterable } from "./body.ts";
import { streamOfFile } from "./file-stream.ts";
import { NO_LINES } from "./header-lines.ts";
import { platformResponse } from "./platform.ts";

/** What a response may carry. */
export type ResponseBody =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream
  | AsyncIterable<Uint8Array | string>
  | FileSlice
  | null;

/** A body as it is kept. */
export type Payload =
  | null
  | string
  | Uint8Array
  | Blob
  | ReadableStream
  | AsyncIterable<Uint8Array | string>
  | FileSlice;

/** A body as it is kept, and the field that says what it is. */
export interface ExtractedBody {
  readonly payload: Payload;
  readonly lines: FieldLines;
}

export const TEXT_LINES: FieldLines = Object.freeze(["content-type", "text/plain;charset=UTF-8"]);
const FORM_LINES: FieldLines = Object.freeze(["content-type", "application/x-www-form-urlencoded;charset=UTF-8"]);

/**
 * Extracts a body that is no string and not null.
 *
 * @throws TypeError for a stream that is locked or was read from, and for what cannot be converted to a string
 */
export function extractBody(body: unknown): ExtractedBody {
  if (body instanceof Uint8Array) return { payload: copyOf(body), lines: NO_LINES };
  if (isFileSlice(body)) return { payload: body, lines: NO_LINES };
  if (body instanceof URLSearchParams) return { payload: body.toString(), lines: FORM_LINES };
  if (body instanceof ReadableStream) {
    if (body.locked || isDisturbed(body)) throw new TypeError("Response body object should not be disturbed or locked");
    return { payload: body, lines: NO_LINES };
  }
  if (body instanceof Blob) return { payload: body, lines: body.type === "" ? NO_LINES : ["content-type", body.type] };
  if (body instanceof ArrayBuffer) return { payload: copyOf(new Uint8Array(body)), lines: NO_LINES };
  if (ArrayBuffer.isView(body)) {
    const octets = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    return { payload: copyOf(octets), lines: NO_LINES };
  }
  if (isAsyncIterable(body)) return { payload: body, lines: NO_LINES };
  // Asked last, because asking loads the platform's fetch
  if (body instanceof FormData) {
    // The platform makes the boundary and the parts
    const form = new (platformResponse())(body);
    return { payload: form.body, lines: [...form.headers].flat() };
  }
  // Web IDL: whatever else it is, it is converted to a string
  return { payload: `${body as string}`, lines: TEXT_LINES };
}

function copyOf(octets: Uint8Array): Uint8Array {
  const kind: unknown = Object.getPrototypeOf(octets);
  // Buffer has a pool for what is small, and asks objects of classes that it does not know what they are
  return kind === Buffer.prototype || kind === Uint8Array.prototype ? Buffer.from(octets) : new Uint8Array(octets);
}

/** Whether a body is part of an open file. */
export function isFileSlice(body: unknown): body is FileSlice {
  return typeof body === "object" && body !== null && "fd" in body && "release" in body;
}

function isAsyncIterable(body: unknown): body is AsyncIterable<Uint8Array | string> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

/**
 * The body for the platform's own Response.
 *
 * @param isUsed it was sent or read: what cannot be had twice is gone
 */
export function platformBodyOf(
  payload: Payload,
  isUsed: boolean,
): string | Uint8Array<ArrayBuffer> | Blob | ReadableStream | null {
  if (payload === null || typeof payload === "string" || payload instanceof Blob) return payload;
  if (payload instanceof Uint8Array) return payload as Uint8Array<ArrayBuffer>;
  if (isUsed) return new ReadableStream();
  if (payload instanceof ReadableStream) return payload;
  return isFileSlice(payload) ? streamOfFile(payload) : streamOfIterable(payload);
}
