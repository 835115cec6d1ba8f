/**
 * Content looked at as it comes and not kept: counted, hashed, searched, handed to something that copies it.
 *
 * All pieces come in one memory, one after the other, so that nothing becomes garbage: a large upload costs 0.4 to 0.7 of what
 * `for await` over `request.body` costs, whose pieces are the loop's to keep. That memory is the call's own and not the one that
 * sockets read into: a function that gives a piece away with its buffer (a byte stream does) harms nobody. It must never need
 * the function's word for anything.
 */

import type { ContentSource } from "../http/exchange.ts";
import { checkOptions } from "../server/option-rules.ts";
import { isThenable } from "../web/handler.ts";
import { takeContentOf } from "../web/request.ts";
import { checkContent, type ContentOptions, contentStream, tooLarge } from "./read-content.ts";
import { rulesFor } from "./reader-options.ts";

/**
 * Gets a piece of content, never empty. Its octets are there until the call returns, and are not to be written to; what is to
 * stay is copied, by `Uint8Array.from(piece)`.
 */
export type PieceTaker = (piece: Uint8Array) => void;

/** Most content is smaller, and comes in a piece or two. */
const MIN_MEMORY_BYTES = 4096;
const NO_BYTES: Uint8Array = new Uint8Array(0);

const RULES = rulesFor("maxBytes", "decompress", "maxRatio");

/**
 * Gives each piece of the content to `take` as it comes; how large pieces are is up to the network.
 *
 * @param options `maxBytes` defaults to none besides the server's `limits.maxContentBytes` (16 MiB)
 * @returns octets in all, 0 for a request without content
 * @throws what `take` throws, and TypeError if it gives back a promise, since it would need the piece too long: the rest is not
 * read then; ContentError 413 ERR_UPLOAD_TOO_LARGE, 415 ERR_CONTENT_CODING, 413 ERR_DECODED_CONTENT_TOO_LARGE; ProtocolError where the content broke off;
 * TypeError for content that was read before, and for wrong options
 */
export async function readPieces(request: Request, take: PieceTaker, options: ContentOptions = {}): Promise<number> {
  if (typeof take !== "function") throw new TypeError("readPieces: the second argument must be a function");
  checkOptions("readPieces", options, RULES);
  const give = giver(take, options.maxBytes ?? Infinity);
  const source = checkContent(request, options) === null ? takeContentOf(request) : null;
  if (source !== null) return readLent(source, give);
  const stream = contentStream(request, options);
  return stream === null ? 0 : readStream(stream.getReader(), give);
}

/** Gives a piece on. Takes the octets that came before it, and returns those that have come with it. */
type Giver = (piece: Uint8Array, before: number) => number;

function giver(take: (piece: Uint8Array) => unknown, maxBytes: number): Giver {
  return (piece, before) => {
    const bytes = before + piece.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    const given = take(piece);
    if (!isThenable(given)) return bytes;
    given.then(ignore, ignore);
    throw new TypeError("readPieces: a piece is gone when the function returns: it may not be async; use for await");
  };
}

function ignore(): void {
  // What is thrown says what is wrong
}

async function readStream(reader: ReadableStreamDefaultReader<unknown>, give: Giver): Promise<number> {
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return bytes;
      // Of the platform's requests, whose streams are anybody's
      if (!(value instanceof Uint8Array)) throw new TypeError("readPieces: the body gives something else than octets");
      if (value.length > 0) bytes = give(value, bytes);
    }
  } catch (error) {
    // Not awaited: of a clone it settles when the other is cancelled as well
    reader.cancel(error).catch(ignore);
    throw error;
  }
}

function readLent(source: ContentSource, give: Giver): Promise<number> {
  return new Promise((resolve, fail: (reason: Error) => void) => {
    let bytes = 0;
    let isOver = false;
    let memory: Uint8Array = NO_BYTES;
    const chunk = (lent: Uint8Array): void => {
      if (isOver) return;
      // The last may have been given away with it
      if (memory.length < lent.length) memory = new Uint8Array(Math.max(lent.length, MIN_MEMORY_BYTES));
      memory.set(lent);
      try {
        bytes = give(memory.subarray(0, lent.length), bytes);
      } catch (error) {
        isOver = true;
        source.cancel();
        fail(error as Error);
      }
    };
    source.start({ takesLent: true, chunk, end: () => resolve(bytes), fail });
  });
}
