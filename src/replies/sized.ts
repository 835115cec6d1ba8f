/**
 * Bodies whose size is known, each behind one interface: cut a part out, or read several one after the other.
 *
 * Bytes are not copied. What is held open (a file, or what a slice function opened) is let go once, when the last part is
 * done. It must never read more than it was asked for.
 */

import type { FileSlice } from "../http/exchange.ts";
import type { ByteRange } from "../http/range.ts";
import { encodePieces } from "../web/body.ts";
import type { PartSource } from "../web/byteranges.ts";
import { streamOfFile } from "../web/file-stream.ts";
import { BegunStream } from "../web/send.ts";
import { extractBody, isFileSlice, type Payload } from "../web/response-body.ts";

/** A part of a body, as a slice function may give it. */
export type SlicePart =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | ReadableStream
  | AsyncIterable<Uint8Array | string>
  | FileSlice;

/** A body that can be cut. */
export interface SliceSource {
  /** Octets of the whole, from 0. */
  readonly size: number;
  /** The octets from `start` to before `end`. Called when they are wanted, and only then. */
  slice(start: number, end: number): SlicePart | Promise<SlicePart>;
}

/** What {@link ranged} takes. */
export type RangedBody = string | ArrayBuffer | ArrayBufferView | Blob | FileSlice | SliceSource;

/** A body of known size. `part` is called at most once; else `release` is. */
export interface Sized extends PartSource {
  readonly size: number;
  /** Media type where nobody says another. */
  readonly type: string;
  /** The content of one part, which lets go of everything when it is done. */
  part(start: number, length: number): Payload;
}

const BYTES_TYPE = "application/octet-stream";

/** @throws TypeError for a body without size; a FileSlice among them is released */
export function sizedOf(body: RangedBody): Sized {
  const given: unknown = body;
  if (typeof given === "string") return new SizedBytes(Buffer.from(given), "text/plain;charset=UTF-8");
  if (given instanceof ArrayBuffer) return new SizedBytes(new Uint8Array(given), BYTES_TYPE);
  if (ArrayBuffer.isView(given)) {
    return new SizedBytes(new Uint8Array(given.buffer, given.byteOffset, given.byteLength), BYTES_TYPE);
  }
  if (isFileSlice(given)) return new SizedFile(given);
  if (given instanceof Blob) {
    const blob = given;
    return new SizedSlices({ size: blob.size, slice: (start, end) => blob.slice(start, end) }, blob.type || BYTES_TYPE);
  }
  if (isSliceSource(given)) return new SizedSlices(given, BYTES_TYPE);
  throw new TypeError(
    "a ranged body is text, bytes, a Blob, part of a file or { size, slice }: its size must be known",
  );
}

function isSliceSource(value: unknown): value is SliceSource {
  if (typeof value !== "object" || value === null) return false;
  const { size, slice } = value as { size?: unknown; slice?: unknown };
  return typeof slice === "function" && Number.isSafeInteger(size) && (size as number) >= 0;
}

class SizedBytes implements Sized {
  readonly size: number;
  readonly type: string;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, type: string) {
    this.size = bytes.length;
    this.type = type;
    this.#bytes = bytes;
  }

  part(start: number, length: number): Payload {
    return this.#bytes.subarray(start, start + length);
  }

  async *read({ start, length }: ByteRange): AsyncGenerator<Uint8Array> {
    yield this.#bytes.subarray(start, start + length);
  }

  isIntact(): boolean {
    return true;
  }

  release(): void {}
}

/** Part of an open file. Its parts share its one release. */
class SizedFile implements Sized {
  readonly size: number;
  readonly type: string = BYTES_TYPE;
  readonly #slice: FileSlice;
  /** Parts that are read, and whoever holds the whole. */
  #holders = 1;

  constructor(slice: FileSlice) {
    this.size = slice.length;
    this.#slice = slice;
  }

  part(start: number, length: number): Payload {
    const slice = this.#slice;
    return {
      fd: slice.fd,
      start: slice.start + start,
      length,
      isIntact: () => this.isIntact(),
      release: () => this.release(),
    };
  }

  read({ start, length }: ByteRange): AsyncIterable<Uint8Array> {
    this.#holders++;
    const { fd, start: offset } = this.#slice;
    return streamOfFile({ fd, start: offset + start, length, release: () => this.release() });
  }

  isIntact(): boolean {
    return this.#slice.isIntact?.() ?? true;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#slice.release();
  }
}

class SizedSlices implements Sized {
  readonly size: number;
  readonly type: string;
  readonly #source: SliceSource;

  constructor(source: SliceSource, type: string) {
    this.size = source.size;
    this.type = type;
    this.#source = source;
  }

  part(start: number, length: number): Payload {
    // Nothing to send is nothing to ask for
    if (length === 0) return new Uint8Array(0);
    const part = this.#source.slice(start, start + length);
    if (part instanceof Promise) return new LaterPart(part);
    return extractBody(part).payload;
  }

  read({ start, length }: ByteRange): AsyncIterable<Uint8Array> {
    return new LaterPart(Promise.resolve(this.#source.slice(start, start + length)));
  }

  isIntact(): boolean {
    return true;
  }

  release(): void {}
}

/** A part that is being got: read when it is there, let go when nobody wants it any more, whenever it comes. */
class LaterPart implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #part: Promise<SlicePart>;
  #pieces: Promise<AsyncIterator<Uint8Array>> | null = null;
  #isOver = false;

  constructor(part: Promise<SlicePart>) {
    this.#part = part;
    // Told to whoever reads, if anybody does
    part.catch(() => {});
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const pieces = await this.#open();
    if (this.#isOver) return { done: true, value: undefined };
    return pieces.next();
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#isOver = true;
    try {
      const pieces = await this.#open();
      await pieces.return?.();
    } catch {
      // It never came, or cannot be closed: there is nothing to let go
    }
    return { done: true, value: undefined };
  }

  /** Once, whoever comes first: a stream is had by one reader only, and that is who can let go of it. */
  #open(): Promise<AsyncIterator<Uint8Array>> {
    return (this.#pieces ??= this.#part.then((part) => piecesOf(extractBody(part).payload)));
  }
}

function piecesOf(payload: Payload): AsyncIterator<Uint8Array> {
  if (payload === null) throw new TypeError("a slice must have content");
  if (typeof payload === "string") return once(Buffer.from(payload));
  if (payload instanceof Uint8Array) return once(payload);
  if (payload instanceof Blob) return (payload.stream() as ReadableStream<Uint8Array>)[Symbol.asyncIterator]();
  if (isFileSlice(payload)) return streamOfFile(payload)[Symbol.asyncIterator]();
  // A stream's own iterator would hear of the end with the next piece only
  const source = payload instanceof ReadableStream ? new BegunStream(payload as ReadableStream<Uint8Array>) : payload;
  return encodePieces(source)[Symbol.asyncIterator]();
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
