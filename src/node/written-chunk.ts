/**
 * What `res.write()` and `res.end()` are given, to what the exchange takes.
 *
 * Text in UTF-8 stays text as long as it can, because the wire joins it to the head; everything else becomes bytes. It must
 * never keep a chunk.
 */

import { nodeError } from "./node-errors.ts";

/**
 * Whether a chunk can be written.
 *
 * @throws TypeError with Node's codes for anything but text and bytes
 */
export function checkChunk(chunk: unknown): asserts chunk is string | Uint8Array {
  if (typeof chunk === "string" || chunk instanceof Uint8Array) return;
  if (chunk === null) throw nodeError("ERR_STREAM_NULL_VALUES", "stream");
  throw nodeError("ERR_INVALID_ARG_TYPE", "chunk");
}

function isUtf8(encoding: unknown): boolean {
  return encoding === undefined || encoding === null || encoding === "utf8" || encoding === "utf-8";
}

/** Octets of a chunk that was checked. */
export function toBytes(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk !== "string") return chunk as Uint8Array;
  return Buffer.from(chunk, isUtf8(encoding) ? "utf8" : (encoding as BufferEncoding));
}

/** Text stays text as long as it can: the wire joins it to the head. */
export function toContent(chunk: unknown, encoding: unknown): string | Uint8Array {
  if (typeof chunk === "string" && isUtf8(encoding)) return chunk;
  return toBytes(chunk, encoding);
}
