/**
 * Fuzz target: content decoders (http1/decode.ts), chunked and by length, with trailers.
 *
 * Invariants:
 * - Octets are content, the wish for more, or one ProtocolError, the same in every split (RFC 9112 §7.1).
 * - What is decoded is what a decoder by the letter of §7.1 finds, and both end at the same octet.
 * - Encoded anew it is decoded to the same, with the same trailers (§7.1.2).
 * - No more is passed on than maxBytes, and nothing behind the end is consumed (§6.3).
 * - A trailer section names none of the fields that decide framing and routing (RFC 9110 §6.5.1).
 */

import { ProtocolError } from "../../src/http/errors.ts";
import { ContentDecoder } from "../../src/http1/decode.ts";
import { chunkHead, lastChunk } from "../../src/http1/encode.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS } from "../../src/http1/limits.ts";
import { join, listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import { Random } from "../random.ts";
import { cutsOf, octetsOf } from "../splits.ts";
import type { FuzzTarget } from "../target.ts";
import { wireSeeds } from "../wire-seeds.ts";
import fc from "fast-check";

const MAX_BYTES = 2_000;
const LIMITS = { ...DEFAULT_LIMITS, maxContentBytes: MAX_BYTES };

interface Decoded {
  readonly content: string;
  readonly trailers: readonly string[];
  readonly consumed: number;
  readonly isDone: boolean;
  readonly code: string;
  readonly offset: number;
}

function decode(length: number | null, pieces: readonly Uint8Array[]): Decoded {
  const decoder = new ContentDecoder(length, LIMITS, DEFAULT_LENIENCIES);
  let content = "";
  const sink = {
    chunk: (bytes: Uint8Array): void => {
      hold(bytes.length > 0, "passes on no empty piece");
      content += latin1(bytes);
    },
  };
  for (const piece of pieces) {
    const at = decoder.decode(piece, 0, piece.length, sink);
    hold(at === piece.length || decoder.isDone || decoder.error !== null, "consumes all there is until it is done");
  }
  const { error } = decoder;
  hold(error === null || error instanceof ProtocolError, "refuses with a ProtocolError");
  hold(content.length === decoder.received && content.length <= MAX_BYTES, "passes on no more than is allowed");
  hold(error === null || !decoder.isDone, "is not done and refused at once");
  return {
    content,
    trailers: decoder.isDone ? [...decoder.trailers].flat() : [],
    consumed: error === null ? decoder.consumed : -1,
    isDone: decoder.isDone,
    code: error?.code ?? "",
    offset: error?.offset ?? -1,
  };
}

/** chunked-body by the letter, where all of it is there and small; null where it is none. */
function readChunked(text: string): { content: string; length: number } | null {
  const size =
    /([0-9A-Fa-f]+)(?:[ \t]*;[ \t]*[!#$%&'*+.^_`|~\w-]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+.^_`|~\w-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*[ \t]*\r\n/y;
  const trailers = /(?:[!#$%&'*+.^_`|~\w-]+:[\t -~\x80-\xff]*\r\n)*\r\n/y;
  let content = "";
  for (let at = 0; ;) {
    size.lastIndex = at;
    const length = Number.parseInt(size.exec(text)?.[1] ?? "", 16);
    if (Number.isNaN(length)) return null;
    at = size.lastIndex;
    if (length === 0) {
      trailers.lastIndex = at;
      return trailers.test(text) ? { content, length: trailers.lastIndex } : null;
    }
    if (text.slice(at + length, at + length + 2) !== "\r\n") return null;
    content += text.slice(at, at + length);
    at += length + 2;
  }
}

const FORBIDDEN =
  /^(?:content-length|transfer-encoding|host|trailer|te|connection|authorization|content-type|set-cookie)$/i;
const WORDS = [
  "0\r\n\r\n",
  "5\r\nhello\r\n",
  ";a=b",
  ';a="b;c"',
  "X: y\r\n",
  "Content-Length: 5\r\n",
  "ffffffffffffffff",
];
const EXTENSIONS = ["", "", "", ";a", ";a=b", ' ; a = "b;c"', ";", ';a="\\""', ";a;b=c", '\t;a\t=\t"b\\\\"'];
const chunk = fc
  .tuple(fc.constantFrom("", "0", "000"), fc.stringMatching(/^[a-z\r\n]{1,40}$/), fc.constantFrom(...EXTENSIONS))
  .map(([zeros, data, extension]) => `${zeros}${data.length.toString(16)}${extension}\r\n${data}\r\n`);
const trailer = wordsOf("X:y X: x-a:\tb Host:a Content-Length:5 X:\xe9 Y:a:b").map((text) => `${text}\r\n`);

/** The target. */
export const decodeTarget: FuzzTarget = {
  name: "decode",
  about: "content is decoded the same in every split, as by the letter of RFC 9112 §7.1, or refused once",
  arbitrary: orMutated(
    join(listOf(chunk, "", 4), "0", fc.constantFrom(...EXTENSIONS), "\r\n", listOf(trailer, "", 3), "\r\n"),
    WORDS,
  ),
  words: WORDS,
  *seeds() {
    yield* seedsOf("0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\nrest", "7d1\r\n");
    for (const seed of wireSeeds()) {
      const end = seed.indexOf("\r\n\r\n");
      if (end !== -1 && seed.length > end + 4) yield seed.subarray(end + 4);
    }
  },
  run(input) {
    for (const length of [null, input.length === 0 ? 0 : (input[0] ?? 0)]) {
      const whole = decode(length, [input]);
      same(decode(length, octetsOf(input)), whole, "is the same octet by octet");
      same(decode(length, cutsOf(input, new Random(input.length))), whole, "is the same in a split");
      if (length !== null) same(whole.content, latin1(input).slice(0, length), "is the first octets, by length");
      else if (whole.isDone) checkChunked(latin1(input), whole);
    }
  },
};

function checkChunked(text: string, whole: Decoded): void {
  const { content, trailers, consumed } = whole;
  same({ content, length: consumed }, readChunked(text), "is what the grammar says");
  for (let i = 0; i < trailers.length; i += 2) {
    hold(!FORBIDDEN.test(trailers[i] ?? ""), "takes no trailers that decide framing or routing");
  }
  const again = content === "" ? "" : `${chunkHead(content.length)}${content}\r\n`;
  const decoded = decode(null, [Buffer.from(again + lastChunk(trailers), "latin1")]);
  same({ ...decoded, consumed }, whole, "is the same when encoded again");
}
