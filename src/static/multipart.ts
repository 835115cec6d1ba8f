/**
 * Several parts of a representation as one content: multipart/byteranges (RFC 9110 §14.6, §15.3.7.2).
 *
 * What is in memory is put together at once if it is small; else parts are read one after the other as the peer takes them.
 * Parts of a file that was written to meanwhile are broken off, never mixed. The frame comes from http/range.ts.
 */

import { HandlerError } from "../http/errors.ts";
import type { Byteranges, ByteRange } from "../http/range.ts";
import { planByteranges } from "../http/range.ts";
import { joinByteranges } from "../web/byteranges.ts";
import type { OpenFile } from "./open-file.ts";
import type { Representation } from "./representation.ts";

/** Put together at once up to this. */
const MAX_JOINED_BYTES = 64 * 1024;
/** Octets of a file read at once. */
const PIECE_BYTES = 64 * 1024;

/** Content of several parts, with its frame. */
export interface Multipart {
  readonly contentType: string;
  readonly length: number;
  readonly content: Buffer | AsyncIterable<Uint8Array>;
}

/** Frames parts. */
export function joinParts(representation: Representation, ranges: readonly ByteRange[]): Multipart {
  // Unguessable, or a file could be made that holds it. The global is loaded when it is used, node:crypto at start.
  const boundary = Buffer.from(crypto.getRandomValues(new Uint8Array(18))).toString("base64url");
  const plan = planByteranges(ranges, representation.sizeBytes, representation.mediaType, boundary);
  const { contentType, length } = plan;
  const { bytes, file } = representation;
  if (bytes === null) return { contentType, length, content: partsOfFile(file as OpenFile, plan, ranges) };
  const pieces = piecesOf(bytes, plan, ranges);
  const content = length <= MAX_JOINED_BYTES ? Buffer.concat([...pieces]) : asynchronous(pieces);
  return { contentType, length, content };
}

function* piecesOf(bytes: Buffer, plan: Byteranges, ranges: readonly ByteRange[]): Generator<Uint8Array> {
  for (const [index, { start, length }] of ranges.entries()) {
    yield Buffer.from(plan.heads[index] as string, "latin1");
    yield bytes.subarray(start, start + length);
  }
  yield Buffer.from(plan.tail, "latin1");
}

// A generator that waits for nothing is the shortest way to an async iterable
async function* asynchronous(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Holds the file from now on, until it is read or returned from. */
function partsOfFile(file: OpenFile, plan: Byteranges, ranges: readonly ByteRange[]): AsyncIterable<Uint8Array> {
  const slice = file.part(0, file.sizeBytes);
  return joinByteranges(plan, ranges, {
    read: (range) => readPart(file, range),
    isIntact: () => file.isIntact(),
    release: () => slice.release(),
  });
}

async function* readPart(file: OpenFile, { start, length }: ByteRange): AsyncGenerator<Uint8Array, undefined> {
  for (let at = start; at < start + length;) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, start + length - at));
    const count = await file.read(piece, 0, piece.length, at);
    if (count === 0) throw new HandlerError("ERR_FILE_CHANGED", "it ended short of what was promised");
    at += count;
    yield piece.subarray(0, count);
  }
  return undefined;
}
