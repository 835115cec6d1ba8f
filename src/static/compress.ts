/**
 * Bytes of a file -> the same in a content coding, and which media types are packed already.
 *
 * All of it runs on the thread pool, never on the event loop: a result is made once per file version and kept, so it may take
 * some milliseconds. It must never be given content that is not whole. RFC 9110 §8.4.1; RFC 7932, RFC 8878, RFC 1952.
 */

import type * as Zlib from "node:zlib";
import { essenceOf } from "../http/content-coding.ts";
import { BR, type Coding, GZIP, ZSTD } from "./coding.ts";

/** Below this the fields that say so cost what the coding saves. */
export const MIN_COMPRESS_BYTES = 512;
/** Above this nothing is compressed on the fly: it would take seconds and its result much of the cache. */
export const MAX_COMPRESS_BYTES: number = 8 * 1024 * 1024;
/** A result that is not smaller by at least so much is not kept. */
const WORTHWHILE = 0.95;

/** Up to this size effort costs under 20 ms per file version. */
const SMALL_BYTES = 128 * 1024;

/** What is compressed by its nature: a coding of it would be nobody's gain. */
const PACKED =
  /^(?:audio\/|video\/|image\/(?!svg|bmp|x-icon|vnd\.microsoft\.icon|x-portable)|font\/woff|application\/(?:zip|gzip|zstd|pdf|vnd\.rar|x-(?:7z-compressed|xz|bzip2|bzip|rar-compressed|gzip)|java-archive|vnd\.(?:openxmlformats|oasis\.opendocument)|epub\+zip))/;

/** Whether content of this type may have precompressed siblings that are worth a look at the disk. */
export function isPacked(mediaType: string): boolean {
  return PACKED.test(essenceOf(mediaType));
}

/** Whether this Node can make the coding. zstd came with Node 22.15. */
export function canCompress(coding: Coding): boolean {
  return coding !== ZSTD || "zstd" in process.versions;
}

/**
 * Compresses.
 *
 * @param bytes whole content, which must not change meanwhile
 * @returns null if the result would not be worthwhile
 */
export async function compress(bytes: Uint8Array, coding: Coding): Promise<Buffer | null> {
  const packed = await run(bytes, coding);
  if (packed.length > bytes.length * WORTHWHILE) return null;
  // zlib's buffer may be much larger than what it holds of it
  return packed.buffer.byteLength > packed.length * 1.25 ? Buffer.from(packed) : packed;
}

type Callback = (error: Error | null, result: Buffer) => void;
type Compressor = (bytes: Uint8Array, options: object, callback: Callback) => void;

async function run(bytes: Uint8Array, coding: Coding): Promise<Buffer> {
  // Loaded with the first file that is compressed
  const zlib = await import("node:zlib");
  const { compressor, options } = recipeOf(zlib, bytes.length, coding);
  return new Promise((resolve, reject) => {
    compressor(bytes, options, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

function recipeOf(zlib: typeof Zlib, length: number, coding: Coding): { compressor: Compressor; options: object } {
  const isSmall = length <= SMALL_BYTES;
  // Windows no larger than the content: a larger one costs memory and time to set up, and finds nothing more
  const log = Math.ceil(Math.log2(Math.max(length, 2)));
  const { constants } = zlib;
  if (coding === GZIP) {
    const options: Zlib.ZlibOptions = { level: isSmall ? 9 : 6, windowBits: Math.min(Math.max(log, 9), 15) };
    return { compressor: zlib.gzip, options };
  }
  if (coding === BR) {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: isSmall ? 9 : 5,
      [constants.BROTLI_PARAM_LGWIN]: Math.min(Math.max(log, 10), 22),
      [constants.BROTLI_PARAM_SIZE_HINT]: length,
    };
    const options: Zlib.BrotliOptions = { params };
    return { compressor: zlib.brotliCompress, options };
  }
  const { zstdCompress, constants: numbers } = zlib as unknown as {
    zstdCompress: Compressor;
    constants: { ZSTD_c_compressionLevel: number };
  };
  return { compressor: zstdCompress, options: { params: { [numbers.ZSTD_c_compressionLevel]: isSmall ? 12 : 6 } } };
}
