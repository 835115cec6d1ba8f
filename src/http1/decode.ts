/**
 * Content decoders: octets of a message -> pieces of content, by length or chunked (RFC 9112 §6.2, §7.1).
 *
 * Pushed machines with integer states that may stop at any octet and go on later, so the result is the same however the
 * octets were split. Pieces are views of what was pushed, nothing is copied. Waiting and refusal are values. The decoder
 * stops exactly behind the content: the octets after it belong to the next request and are never looked at. It must never
 * decide which framing applies; framing.ts does.
 *
 * In order: the size line with its extensions (§7.1, §7.1.1), the data and its CRLF, the trailer section (§7.1.2).
 */

import type { ErrorPlace, ProtocolErrorCode } from "../http/errors.ts";
import { ProtocolError } from "../http/errors.ts";
import { Fields, isFieldValue, isToken } from "../http/fields.ts";
import { CLASS, CR, hexDigit, isWhiteSpace, LF, TOKEN, VALUE } from "./grammar.ts";
import type { Leniencies, WireLimits } from "./limits.ts";

// States of the size line; it may end in those from SIZE to EXTENSION_VALUE_END
const SIZE_START = 0;
const SIZE = 1;
const EXTENSION_NAME = 2;
const EXTENSION_VALUE = 3;
const EXTENSION_VALUE_END = 4;
const BEFORE_SEMICOLON = 5;
const EXTENSION_NAME_START = 6;
const BEFORE_EQUALS = 7;
const EXTENSION_VALUE_START = 8;
const QUOTED = 9;
const QUOTED_PAIR = 10;
const SIZE_LINE_LF = 11;
// States behind it
const DATA = 12;
const DATA_CR = 13;
const DATA_LF = 14;
const TRAILER_START = 15;
const TRAILER_LINE = 16;
const TRAILER_LINE_LF = 17;
const END_LF = 18;
const FIXED = 19; // content by length
const DONE = 20;
const FAILED = 21;

/** A size with a short extension. */
const FAIR_LINE_BYTES = 16;
/** Go allows as much; without a bound, content of a few octets could take megabytes to send, all within its limit. */
const MAX_OVERHEAD_BYTES = 16 * 1024;

/** Returned by a step instead of a state: the octet may not stand here. */
const NOT_ALLOWED = -1;

const NOTHING = new Uint8Array(0);
const FIRST_LINE_BYTES = 128;

const DQUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/**
 * Names that must not be in a trailer section, because they would change what has been decided before the content came:
 * framing and routing (request smuggling), authentication, request modifiers, response controls, format of the content
 * (RFC 9110 §6.5.1).
 */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set(
  [
    "content-length transfer-encoding te trailer connection proxy-connection keep-alive upgrade",
    "host forwarded via max-forwards x-forwarded-for x-forwarded-host x-forwarded-proto",
    "authorization proxy-authorization www-authenticate proxy-authenticate cookie set-cookie",
    "cache-control pragma expect range if-match if-none-match if-range if-modified-since if-unmodified-since",
    "age date expires location retry-after vary",
    "content-encoding content-type content-range content-language content-location content-disposition",
  ].flatMap((names) => names.split(" ")),
);

/** What a decoder gives its pieces to. */
export interface PieceSink {
  /** A piece of content, never empty; a view of the octets that were pushed. May call {@link ContentDecoder.stop}. */
  chunk(bytes: Uint8Array): void;
}

/** Decodes the content of one message. */
export class ContentDecoder {
  readonly #limits: WireLimits;
  readonly #allowsBareLf: boolean;
  #state: number;
  /** Octets still to come of the content by length, or of the chunk. */
  #remaining: number;
  #isStopped = false;
  /** Where the size line or trailer line began, in octets from the start of the content. */
  #lineOffset = 0;
  /** Its octets so far, without CRLF. */
  #lineLength = 0;
  /** What size lines were longer than is fair, less what others were shorter. */
  #overheadBytes = 0;
  /** Octets of trailer lines so far, line ends included. */
  #trailerBytes = 0;
  /** The trailer line as far as it has come, in the first `#lineLength` octets; made when there is one. */
  #line: Uint8Array = NOTHING;
  #text = "";
  readonly #offsets: number[] = [];

  /**
   * The most octets of content, after decoding. What is declared to be more is refused before any octet of it is passed on:
   * the length as a whole, or the chunk that would pass the limit.
   */
  maxBytes: number;
  /** Octets consumed, those of the chunked framing included. */
  consumed = 0;
  /** Octets of content passed on. */
  received = 0;
  /** Why the content is refused; the decoder then consumes nothing more. */
  error: ProtocolError | null = null;
  /** The trailer section once the content is done; empty if there was none. */
  trailers: Fields = Fields.EMPTY;

  /**
   * @param length octets of content; null for the chunked coding
   * @param limits maxContentBytes (see {@link maxBytes}), maxChunkLineBytes, maxTrailerBytes, maxFields
   * @param leniencies allowBareLf
   */
  constructor(length: number | null, limits: WireLimits, leniencies: Leniencies) {
    this.#limits = limits;
    this.#allowsBareLf = leniencies.allowBareLf;
    this.#remaining = length ?? 0;
    this.#state = stateFor(length);
    this.maxBytes = limits.maxContentBytes;
  }

  /** Whether the content has come whole. */
  get isDone(): boolean {
    return this.#state === DONE;
  }

  /** Whether {@link stop} was called since the last {@link decode} began. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Makes {@link decode} return behind the piece that is being passed on; the next call of it goes on there. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Decodes octets from `start` to `end`, as far as they belong to the content.
   *
   * @param bytes holds the octets that come next; views of it are passed on
   * @returns index behind the last octet consumed: `end`, or less when the content is done, refused or stopped
   */
  decode(bytes: Uint8Array, start: number, end: number, sink: PieceSink): number {
    this.#isStopped = false;
    let at = start;
    while (at < end && this.#state < DONE && !this.#isStopped) {
      const before = at;
      if (this.#state <= SIZE_LINE_LF) at = this.#readSizeLine(bytes, at, end);
      else if (this.#state === DATA || this.#state === FIXED) at = this.#passOn(bytes, at, end, sink);
      else if (this.#state <= DATA_LF) at = this.#readDataEnd(bytes, at);
      else at = this.#readTrailers(bytes, at, end);
      this.consumed += at - before;
    }
    return at;
  }

  /** Refuses because of the octet at `offset`, counted from the start of the content. */
  #refuse(code: ProtocolErrorCode, offset: number, place?: ErrorPlace): void {
    this.error = new ProtocolError(code, { ...place, offset });
    this.#state = FAILED;
  }

  #refuseSize(offset: number): void {
    this.#refuse("ERR_CONTENT_TOO_LARGE", offset, {
      detail: `limit ${Math.min(this.maxBytes, Number.MAX_SAFE_INTEGER)} octets`,
    });
  }

  // ---- size line: chunk-size [ chunk-ext ] CRLF -----------------------------------------------------------------------

  /** Reads up to the end of the size line. */
  #readSizeLine(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const code = bytes[at] as number;
      const state = this.#state;
      const offset = this.consumed + at - start;
      if (state === SIZE_LINE_LF) {
        if (code === LF) return this.#endSizeLine(at);
        // A lone CR ends a line for some recipients and not for others (request smuggling)
        this.#refuse("ERR_BARE_CR", offset - 1);
        return at;
      }
      if ((code === CR || code === LF) && state >= SIZE && state <= EXTENSION_VALUE_END) {
        if (code === LF && this.#allowsBareLf) return this.#endSizeLine(at);
        this.#state = SIZE_LINE_LF;
        if (code === CR) continue;
        this.#refuse("ERR_BARE_LF", offset);
        return at;
      }
      if (state === SIZE_START) this.#lineOffset = offset;
      const next = state <= SIZE ? this.#stepSize(code) : stepExtension(state, code);
      if (next === NOT_ALLOWED) this.#refuse(state <= SIZE ? "ERR_CHUNK_SIZE" : "ERR_CHUNK_EXTENSION", offset);
      else if (++this.#lineLength > this.#limits.maxChunkLineBytes) {
        // RFC 9112 §7.1.1: a server ought to limit the length of chunk extensions
        this.#refuse("ERR_CHUNK_LINE_TOO_LONG", offset, { detail: `limit ${this.#limits.maxChunkLineBytes} octets` });
      } else {
        this.#state = next;
        continue;
      }
      return at;
    }
    return end;
  }

  /** RFC 9112 §7.1: chunk-size = 1*HEXDIG; no sign, no 0x, no white space. */
  #stepSize(code: number): number {
    const digit = hexDigit(code);
    if (digit === -1) return this.#state === SIZE ? stepBehindSizeOrValue(code) : NOT_ALLOWED;
    // RFC 9112 §7.1: MUST prevent loss of precision; what cannot be counted is refused at the end of the line as too large
    const size = this.#remaining * 16 + digit;
    this.#remaining = size > Number.MAX_SAFE_INTEGER ? Infinity : size;
    return SIZE;
  }

  #endSizeLine(at: number): number {
    // A line may be as long as its chunk twice over; what is beyond that adds up (RFC 9112 §7.1.1)
    this.#overheadBytes = Math.max(0, this.#overheadBytes + this.#lineLength - FAIR_LINE_BYTES - 2 * this.#remaining);
    this.#lineLength = 0;
    this.#state = this.#remaining === 0 ? TRAILER_START : DATA;
    if (this.#overheadBytes > MAX_OVERHEAD_BYTES) this.#refuse("ERR_CHUNK_OVERHEAD", this.#lineOffset);
    else if (this.#remaining === Infinity || this.#remaining > this.maxBytes - this.received)
      this.#refuseSize(this.#lineOffset);
    return at + 1;
  }

  // ---- data -----------------------------------------------------------------------------------------------------------

  /** Passes on what there is of the content by length, or of the chunk. */
  #passOn(bytes: Uint8Array, at: number, end: number, sink: PieceSink): number {
    // The limit may have been lowered since the content or the chunk was declared
    if (this.#remaining > this.maxBytes - this.received) {
      this.#refuseSize(this.#state === FIXED ? 0 : this.#lineOffset);
      return at;
    }
    const size = Math.min(this.#remaining, end - at);
    this.#remaining -= size;
    this.received += size;
    if (this.#remaining === 0) this.#state = this.#state === FIXED ? DONE : DATA_CR;
    sink.chunk(bytes.subarray(at, at + size));
    return at + size;
  }

  /** The CRLF behind chunk data: were it taken on trust, sender and recipient could disagree on where chunks end. */
  #readDataEnd(bytes: Uint8Array, at: number): number {
    const code = bytes[at] as number;
    if (code === CR && this.#state === DATA_CR) {
      this.#state = DATA_LF;
      return at + 1;
    }
    if (code === LF && (this.#state === DATA_LF || this.#allowsBareLf)) {
      this.#state = SIZE_START;
      return at + 1;
    }
    this.#refuse(code === LF ? "ERR_BARE_LF" : "ERR_CHUNK_END", this.consumed);
    return at;
  }

  // ---- trailer section: *( field-line CRLF ) CRLF ---------------------------------------------------------------------

  /** Reads up to the end of a line of the trailer section, or of the empty line behind it. */
  #readTrailers(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at++) {
      const code = bytes[at] as number;
      const state = this.#state;
      const offset = this.consumed + at - start;
      const isEmptyLine = state === END_LF || (state === TRAILER_START && (code === CR || code === LF));
      if (!isEmptyLine && ++this.#trailerBytes > this.#limits.maxTrailerBytes) {
        this.#refuse("ERR_TRAILERS_TOO_LARGE", offset, { detail: `limit ${this.#limits.maxTrailerBytes} octets` });
        return at;
      }
      if (state === TRAILER_LINE_LF || state === END_LF) {
        if (code === LF) return this.#endTrailerLine(at, state === END_LF);
        this.#refuse("ERR_BARE_CR", offset - 1);
        return at;
      }
      if (code === CR) this.#state = state === TRAILER_START ? END_LF : TRAILER_LINE_LF;
      else if (code === LF) {
        if (this.#allowsBareLf) return this.#endTrailerLine(at, state === TRAILER_START);
        this.#refuse("ERR_BARE_LF", offset);
        return at;
      } else if (!this.#addToTrailerLine(code, offset)) return at;
    }
    return end;
  }

  /** False: refused. */
  #addToTrailerLine(code: number, offset: number): boolean {
    if (this.#state === TRAILER_START) {
      this.#lineOffset = offset;
      this.#state = TRAILER_LINE;
      if (this.#offsets.length >= this.#limits.maxFields * 4) {
        this.#refuse("ERR_TOO_MANY_FIELDS", offset, { detail: `limit ${this.#limits.maxFields} lines` });
        return false;
      }
    }
    if (this.#lineLength === this.#line.length) {
      const larger = new Uint8Array(Math.max(this.#lineLength * 2, FIRST_LINE_BYTES));
      larger.set(this.#line);
      this.#line = larger;
    }
    this.#line[this.#lineLength++] = code;
    return true;
  }

  #endTrailerLine(at: number, isEmpty: boolean): number {
    if (!isEmpty) {
      this.#state = TRAILER_START;
      this.#addTrailer(Buffer.from(this.#line.buffer, 0, this.#lineLength).toString("latin1"));
      this.#lineLength = 0;
      return at + 1;
    }
    this.#state = DONE;
    this.#line = NOTHING;
    if (this.#offsets.length > 0) this.trailers = new Fields(this.#text, this.#offsets);
    return at + 1;
  }

  /** The same grammar and refusals as those of a head's field lines (RFC 9112 §5). */
  #addTrailer(line: string): void {
    const lineOffset = this.#lineOffset;
    const first = line.charCodeAt(0);
    if (isWhiteSpace(first)) return this.#refuse("ERR_FIELD_FOLDED", lineOffset);
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    if (!isToken(name)) {
      const wrong = name.search(/[^!#$%&'*+\-.^_`|~0-9A-Za-z]/);
      const isSpace = wrong !== -1 && (name[wrong] === " " || name[wrong] === "\t");
      return this.#refuse(isSpace ? "ERR_FIELD_SPACE_BEFORE_COLON" : "ERR_FIELD_NAME", lineOffset + Math.max(wrong, 0));
    }
    if (colon === -1) return this.#refuse("ERR_FIELD_COLON_MISSING", lineOffset + line.length);
    if (NOT_IN_TRAILERS.has(name.toLowerCase())) return this.#refuse("ERR_TRAILER_FIELD", lineOffset, { field: name });
    let start = colon + 1;
    let end = line.length;
    while (start < end && isWhiteSpace(line.charCodeAt(start))) start++;
    while (end > start && isWhiteSpace(line.charCodeAt(end - 1))) end--;
    if (!isFieldValue(line.slice(start, end))) {
      const wrong = line.slice(start).search(/[^\t\x20-\x7e\x80-\xff]/);
      return this.#refuse("ERR_FIELD_VALUE", lineOffset + start + wrong, { field: name });
    }
    const base = this.#text.length;
    this.#offsets.push(base, base + colon, base + start, base + end);
    this.#text += line;
  }
}

function stateFor(length: number | null): number {
  if (length === null) return SIZE_START;
  return length === 0 ? DONE : FIXED;
}

/** RFC 9112 §7.1.1: chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) */
function stepExtension(state: number, code: number): number {
  const isTokenCharacter = ((CLASS[code] as number) & TOKEN) !== 0;
  switch (state) {
    case BEFORE_SEMICOLON:
    case EXTENSION_VALUE_END:
      return stepBehindSizeOrValue(code);
    case EXTENSION_NAME_START:
      if (isTokenCharacter) return EXTENSION_NAME;
      return isWhiteSpace(code) ? EXTENSION_NAME_START : NOT_ALLOWED;
    case EXTENSION_NAME:
      return isTokenCharacter ? EXTENSION_NAME : stepBehindName(code);
    case BEFORE_EQUALS:
      return stepBehindName(code);
    case EXTENSION_VALUE_START:
      if (isTokenCharacter) return EXTENSION_VALUE;
      if (code === DQUOTE) return QUOTED;
      return isWhiteSpace(code) ? EXTENSION_VALUE_START : NOT_ALLOWED;
    case EXTENSION_VALUE:
      return isTokenCharacter ? EXTENSION_VALUE : stepBehindSizeOrValue(code);
    case QUOTED:
      if (code === DQUOTE) return EXTENSION_VALUE_END;
      if (code === BACKSLASH) return QUOTED_PAIR;
      return ((CLASS[code] as number) & VALUE) !== 0 ? QUOTED : NOT_ALLOWED;
    case QUOTED_PAIR:
      return ((CLASS[code] as number) & VALUE) !== 0 ? QUOTED : NOT_ALLOWED;
    default:
      throw new Error("content decoder in an unknown state");
  }
}

function stepBehindSizeOrValue(code: number): number {
  if (code === SEMICOLON) return EXTENSION_NAME_START;
  return isWhiteSpace(code) ? BEFORE_SEMICOLON : NOT_ALLOWED;
}

function stepBehindName(code: number): number {
  if (code === EQUALS) return EXTENSION_VALUE_START;
  if (code === SEMICOLON) return EXTENSION_NAME_START;
  return isWhiteSpace(code) ? BEFORE_EQUALS : NOT_ALLOWED;
}
