/**
 * Octets -> octets in a content coding: gzip (RFC 1952), br (RFC 7932), zstd (RFC 8878), whole or as they come.
 *
 * What is small is coded at once on the event loop, because handing it to a thread costs more than coding it: 8 KiB of JSON
 * take 31 us so and 150 us through the pool, 32 KiB 127 us and 270 us, and of the way through the pool some 100 us are spent
 * on the loop anyway (CPU time of the process, Node 20, 2 cores). Windows and buffers are fitted to what is known of the length. It must
 * never decide whether something is coded.
 */

import type { Buffer } from "node:buffer";
import * as zlib from "node:zlib";

/** A coding that can be made. */
export type ContentCoding = "br" | "gzip" | "zstd";

/** How hard each tries. */
export interface Effort {
  /** 0 to 9. */
  readonly gzip: number;
  /** 0 to 11. */
  readonly br: number;
  /** 1 to 19. */
  readonly zstd: number;
}

/** Up to here coding at once holds the loop no longer than handing it on would. */
export const MAX_SYNC_BYTES: number = 32 * 1024;

/** Windows of a stream of events, as powers of two: thousands of them are open for hours, and most say little. */
const EVENT_WINDOW = 13;
const EVENT_MEMORY_LEVEL = 5;
/** What a stream's coder gives out at once. */
const PIECE_BYTES = 16 * 1024;
/** The least that zlib takes for it. */
const MIN_PIECE_BYTES = 64;
/** The frame of gzip and what zlib wants as reserve. */
const RESERVE_BYTES = 64;

/** zstd came with Node 22.15; the types are of an older one. */
interface Zstd {
  readonly zstdCompress: (bytes: Uint8Array, options: object, callback: Callback) => void;
  readonly zstdCompressSync: (bytes: Uint8Array, options: object) => Buffer;
  readonly createZstdCompress: (options: object) => Coder;
  readonly constants: {
    readonly ZSTD_c_compressionLevel: number;
    readonly ZSTD_c_windowLog: number;
    readonly ZSTD_e_flush: number;
  };
}

/** What codes a stream; all of them are alike. */
type Coder = zlib.Gzip | zlib.BrotliCompress;

type Callback = (error: Error | null, result: Buffer) => void;

const zstd: Zstd | null = "zstdCompress" in zlib ? (zlib as unknown as Zstd) : null;

/** What this Node can make, in order of preference: of equal quality the smaller result first. */
export const CODINGS: readonly ContentCoding[] = zstd === null ? ["br", "gzip"] : ["br", "zstd", "gzip"];

/** Codes something small at once. */
export function codeNow(bytes: Uint8Array, coding: ContentCoding, effort: Effort): Buffer {
  const options = optionsFor(bytes.length, coding, effort);
  if (coding === "gzip") return zlib.gzipSync(bytes, options);
  return coding === "br" ? zlib.brotliCompressSync(bytes, options) : (zstd as Zstd).zstdCompressSync(bytes, options);
}

/** Codes something large on a thread. `bytes` must not change meanwhile. */
export function codeLater(bytes: Uint8Array, coding: ContentCoding, effort: Effort): Promise<Buffer> {
  const options = optionsFor(bytes.length, coding, effort);
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => (error === null ? resolve(result) : reject(error));
    if (coding === "gzip") zlib.gzip(bytes, options, callback);
    else if (coding === "br") zlib.brotliCompress(bytes, options, callback);
    else (zstd as Zstd).zstdCompress(bytes, options, callback);
  });
}

/** Windows no larger than the content: a larger one costs memory and time to set up, and finds nothing more. */
function optionsFor(length: number, coding: ContentCoding, effort: Effort): object {
  const log = Math.ceil(Math.log2(Math.max(length, 2)));
  // A buffer of half the length takes most results whole
  const chunkSize = Math.max(MIN_PIECE_BYTES, Math.min((length >> 1) + RESERVE_BYTES, 64 * 1024));
  if (coding === "gzip") {
    return { level: effort.gzip, windowBits: Math.min(Math.max(log, 9), 15), memLevel: 8, chunkSize };
  }
  if (coding === "br") {
    const params = {
      [zlib.constants.BROTLI_PARAM_QUALITY]: effort.br,
      [zlib.constants.BROTLI_PARAM_LGWIN]: Math.min(Math.max(log, 10), 22),
      [zlib.constants.BROTLI_PARAM_SIZE_HINT]: length,
    };
    return { params, chunkSize };
  }
  return { params: { [(zstd as Zstd).constants.ZSTD_c_compressionLevel]: effort.zstd }, chunkSize };
}

/** Makes the coder of a stream; one of events flushes behind each piece and has a small window. */
function makeCoder(coding: ContentCoding, effort: Effort, isOfEvents: boolean): Coder {
  const { constants } = zlib;
  if (coding === "gzip") {
    const events = { windowBits: EVENT_WINDOW, memLevel: EVENT_MEMORY_LEVEL, flush: constants.Z_SYNC_FLUSH };
    return zlib.createGzip({ level: effort.gzip, chunkSize: PIECE_BYTES, ...(isOfEvents ? events : {}) });
  }
  if (coding === "br") {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: effort.br,
      [constants.BROTLI_PARAM_LGWIN]: isOfEvents ? EVENT_WINDOW : 19,
    };
    const flush = isOfEvents ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
    return zlib.createBrotliCompress({ params, flush, chunkSize: PIECE_BYTES });
  }
  const { createZstdCompress, constants: numbers } = zstd as Zstd;
  const params: Record<number, number> = { [numbers.ZSTD_c_compressionLevel]: effort.zstd };
  if (isOfEvents) params[numbers.ZSTD_c_windowLog] = EVENT_WINDOW;
  return createZstdCompress({ params, chunkSize: PIECE_BYTES, ...(isOfEvents ? { flush: numbers.ZSTD_e_flush } : {}) });
}

/** Codes octets as they come. One call at a time. */
export class StreamCoder {
  readonly #coder: Coder;
  readonly #ready: Uint8Array[];
  #error: Error | null;
  #settle: (() => void) | null;

  constructor(coding: ContentCoding, effort: Effort, isOfEvents: boolean) {
    this.#ready = [];
    this.#error = null;
    this.#settle = null;
    this.#coder = makeCoder(coding, effort, isOfEvents);
    this.#coder.on("data", (bytes: Uint8Array) => this.#ready.push(bytes));
    this.#coder.on("error", (error) => {
      this.#error = error;
      this.#settle?.();
    });
    // Destroyed under a write: its callback never comes
    this.#coder.on("close", () => this.#settle?.());
  }

  /** What is coded and not taken yet; undefined for nothing. */
  take(): Uint8Array | undefined {
    return this.#ready.shift();
  }

  /** Takes octets in. Much of what it says of them may come later. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#during((done) => void this.#coder.write(bytes, done));
  }

  /** Makes all that was taken in readable to the other side now. */
  flush(): Promise<void> {
    return this.#during((done) => this.#coder.flush(done));
  }

  /** Says the end. */
  finish(): Promise<void> {
    return this.#during((done) => {
      this.#coder.once("end", done);
      this.#coder.end();
    });
  }

  /** Gives all memory back; nothing more is said. */
  destroy(): void {
    this.#coder.destroy();
  }

  #during(act: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#settle = null;
        if (this.#error === null) resolve();
        else reject(this.#error);
      };
      this.#settle = settle;
      act(settle);
    });
  }
}
