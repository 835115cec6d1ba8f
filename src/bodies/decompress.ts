/**
 * Coded content -> content, bounded: gzip, deflate and br undone by node:zlib (RFC 9110 §8.4.1).
 *
 * What comes out is bounded in octets and by what went in, because a few octets can stand for gigabytes (decompression bomb).
 * No more is undone than the reader takes. It must never pass on content that was cut short or damaged as whole.
 */

import { pipeline, type Transform } from "node:stream";
import type { UnderlyingSource } from "node:stream/web";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { ContentError } from "./content-error.ts";
import type { RequestCoding } from "./declared-type.ts";

/** How much may come out. */
export interface DecodedBounds {
  /** Octets. */
  readonly maxBytes: number;
  /** Octets out for each octet in. */
  readonly maxRatio: number;
}

/** Short content may be all alike: a ratio says something only beyond this, in octets. */
const RATIO_FROM_BYTES: number = 64 * 1024;

function decoderOf(coding: RequestCoding): Transform {
  switch (coding) {
    case "gzip":
      return createGunzip();
    case "deflate":
      // RFC 9110 §8.4.1.2: the zlib format; what some clients send without its wrapper is not valid
      return createInflate();
    case "br":
      return createBrotliDecompress();
  }
}

/**
 * The content behind a coding.
 *
 * @returns a stream that fails with ContentError ERR_CODED_CONTENT or ERR_DECODED_CONTENT_TOO_LARGE, or as `body` does
 */
export function decodedStream(
  body: ReadableStream<Uint8Array>,
  coding: RequestCoding,
  bounds: DecodedBounds,
): ReadableStream<Uint8Array> {
  return new ReadableStream(new DecodedSource(body, decoderOf(coding), bounds), { highWaterMark: 0 });
}

class DecodedSource implements UnderlyingSource<Uint8Array> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder: Transform;
  readonly #bounds: DecodedBounds;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #bytesIn: number;
  #bytesOut: number;
  /** What broke the coded content itself. */
  #failure: { readonly reason: unknown } | null;

  constructor(body: ReadableStream<Uint8Array>, decoder: Transform, bounds: DecodedBounds) {
    this.#reader = body.getReader();
    this.#decoder = decoder;
    this.#bounds = bounds;
    this.#bytesIn = 0;
    this.#bytesOut = 0;
    this.#failure = null;
    // How it ends is seen by the iterator below
    pipeline(this.#coded(), decoder, () => {});
    this.#pieces = decoder[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async *#coded(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        this.#bytesIn += value.length;
        yield value;
      }
    } catch (error) {
      this.#failure = { reason: error };
      throw error;
    }
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const step = await this.#next();
    if (step === null) return controller.close();
    this.#bytesOut += step.length;
    const { maxBytes, maxRatio } = this.#bounds;
    const isBomb = this.#bytesOut > RATIO_FROM_BYTES && this.#bytesOut > maxRatio * this.#bytesIn;
    if (this.#bytesOut > maxBytes || isBomb) {
      const limit = isBomb ? `more than ${maxRatio} times what was sent` : `more than ${maxBytes} octets`;
      const error = new ContentError("ERR_DECODED_CONTENT_TOO_LARGE", limit);
      // Not awaited: of a clone it settles when the other is cancelled as well
      void this.cancel();
      throw error;
    }
    controller.enqueue(new Uint8Array(step.buffer, step.byteOffset, step.length));
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      const step = await this.#pieces.next();
      return step.done === true ? null : step.value;
    } catch (error) {
      if (this.#failure !== null) throw this.#failure.reason;
      void this.#reader.cancel().catch(() => {});
      throw new ContentError("ERR_CODED_CONTENT", "", { cause: error });
    }
  }

  async cancel(): Promise<void> {
    this.#decoder.destroy();
    await this.#reader.cancel().catch(() => {});
  }
}
