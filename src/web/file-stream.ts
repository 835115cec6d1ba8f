/**
 * Part of a file as a stream, for somebody who looks at content before it is sent; what is only sent never comes here.
 *
 * Reads piece by piece as it is asked, and releases the slice once, never under a running read.
 */

import { read } from "node:fs";
import type { FileSlice } from "../http/exchange.ts";

const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);
/** Read at once, in octets. */
const PIECE_BYTES = 64 * 1024;

/** A part of a file for somebody who wants to look at it before it is sent. */
export function streamOfFile(slice: FileSlice): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(new FileStream(slice), { highWaterMark: 0 });
}

class FileStream {
  readonly #slice: FileSlice;
  #position: number;
  #isReading = false;
  #isOver = false;

  constructor(slice: FileSlice) {
    this.#slice = slice;
    this.#position = slice.start;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const slice = this.#slice;
    const left = slice.start + slice.length - this.#position;
    this.#isReading = true;
    try {
      const bytes = await readAt(slice.fd, this.#position, Math.min(PIECE_BYTES, left));
      if (this.#isOver) return;
      if (bytes.length === 0 && left > 0) throw new Error("the file is shorter than promised");
      this.#position += bytes.length;
      if (bytes.length > 0) controller.enqueue(bytes);
      if (bytes.length < left) return;
      this.#isOver = true;
      controller.close();
    } catch (error) {
      this.#isOver = true;
      throw error;
    } finally {
      this.#isReading = false;
      if (this.#isOver) slice.release();
    }
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // Not before: a descriptor that is closed and opened anew under a running read would be another file
    if (!this.#isReading) this.#slice.release();
  }
}

function readAt(fd: number, position: number, length: number): Promise<Uint8Array> {
  if (length === 0) return Promise.resolve(NO_BYTES);
  return new Promise((resolve, reject) => {
    const buffer = new Uint8Array(length);
    read(fd, buffer, 0, length, position, (error, count) => {
      if (error === null) resolve(buffer.subarray(0, count));
      else reject(error);
    });
  });
}
