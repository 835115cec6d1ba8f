/**
 * A listing in a content coding, piece by piece as it is written and read: one of 50,000 entries is megabytes of text that is
 * nearly the same in each line, and is never whole.
 *
 * zlib works on the thread pool, so that others are answered meanwhile. What the peer does not take makes the folder wait. It
 * must never go on reading for a peer that has left. RFC 9110 §8.4.1; RFC 7932, RFC 1952.
 */

import type { BrotliCompress, Gzip } from "node:zlib";
import { BR, CODING_NAMES, type Coding, GZIP, IDENTITY } from "./coding.ts";

type Coder = BrotliCompress | Gzip;

/** Half of what more effort would save, at a tenth of its price: a listing is made anew each time. */
const BROTLI_QUALITY = 4;
const GZIP_LEVEL = 4;
/** Lines are alike, and near to one another: a window of 256 KiB finds what larger ones do. */
const BROTLI_WINDOW = 18;

/** The coding of a listing for a request that takes these, the best first. zstd is for files: who takes it takes another. */
export function listingCoding(order: readonly Coding[]): Coding {
  return order.find((coding) => coding === BR || coding === GZIP || coding === IDENTITY) ?? IDENTITY;
}

/** The fields that say so. */
export function codingFields(coding: Coding): Readonly<Record<string, string>> {
  return coding === IDENTITY ? {} : { "content-encoding": CODING_NAMES[coding] as string };
}

/**
 * Codes text.
 *
 * @param pieces read as the result is; returned from when it is not wanted any more
 * @throws what reading throws
 */
export async function* codePieces(
  pieces: AsyncIterable<string>,
  coding: Coding,
): AsyncGenerator<Uint8Array, undefined> {
  const coder = await makeCoder(coding);
  void feed(coder, pieces);
  // Whoever stops reading destroys the coder with it
  for await (const piece of coder) yield piece as Uint8Array;
  return undefined;
}

/** Never rejects: what goes wrong is thrown where the coder is read. */
async function feed(coder: Coder, pieces: AsyncIterable<string>): Promise<void> {
  try {
    for await (const text of pieces) {
      if (!coder.destroyed && !coder.write(text)) await drained(coder);
      if (coder.destroyed) return;
    }
    coder.end();
  } catch (error) {
    coder.destroy(error as Error);
  }
}

function drained(coder: Coder): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      coder.off("drain", settle).off("close", settle);
      resolve();
    };
    coder.on("drain", settle).on("close", settle);
  });
}

async function makeCoder(coding: Coding): Promise<Coder> {
  // Loaded with the first listing that is coded
  const { constants, createBrotliCompress, createGzip } = await import("node:zlib");
  if (coding === GZIP) return createGzip({ level: GZIP_LEVEL });
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW,
  };
  return createBrotliCompress({ params });
}
