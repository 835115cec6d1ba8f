/**
 * Request heads: bytes -> offsets in one pass, then one string (RFC 9112 §2.1, §2.2, §3, §5).
 *
 * Three outcomes: octets consumed (> 0), NEED_MORE, REFUSED. The parser is a machine with integer phases that may stop at
 * any octet and go on later, so the result is the same however the bytes were split. It allocates nothing per field: lines
 * are four offsets each, and the fields which decide framing are remembered by index so that nobody searches for them.
 * It knows nothing of what the fields mean (framing.ts does), and it never looks behind the empty line.
 */

import type { ErrorPlace, ProtocolErrorCode } from "../http/errors.ts";
import { ProtocolError } from "../http/errors.ts";
import { CLASS, COLON, CR, HTAB, LF, SP, TARGET, TOKEN, VALUE } from "./grammar.ts";
import { KnownFields } from "./known-fields.ts";
import type { Leniencies, WireLimits } from "./limits.ts";

export const NEED_MORE = 0;
export const REFUSED = -1;

const START = 0;
const METHOD = 1;
const TARGET_TEXT = 2;
const VERSION = 3;
const VERSION_END = 4;
const LINE_START = 5;
const NAME = 6;
const VALUE_START = 7;
const VALUE_TEXT = 8;
const HEAD_END = 9;

/** HTTP-version = HTTP-name "/" DIGIT "." DIGIT (RFC 9112 §2.3); -1 stands for a digit. */
const VERSION_TEXT = [0x48, 0x54, 0x54, 0x50, 0x2f, -1, 0x2e, -1];
const VERSION_LENGTH = VERSION_TEXT.length;
const FIRST_OCTET_OF_TLS = 0x16; // ContentType handshake, RFC 8446 §5.1

/** Parses one head at a time; {@link reset} makes it ready for the next. */
export class HeadParser {
  readonly limits: WireLimits;
  readonly leniencies: Leniencies;
  #phase = START;
  /** Octets of this head scanned so far; all offsets count from the head's first octet. */
  #position = 0;
  #nameStart = 0;
  #nameEnd = 0;
  #valueStart = 0;

  methodStart = 0;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** Minor version; the major one is 1. */
  minor = 0;
  /** Four offsets a line: name start, name end, value start, value end. Only the first `offsetCount` are of this head. */
  readonly offsets: number[] = [];
  offsetCount = 0;
  error: ProtocolError | null = null;

  readonly known: KnownFields = new KnownFields();

  constructor(limits: WireLimits, leniencies: Leniencies) {
    this.limits = limits;
    this.leniencies = leniencies;
  }

  /** Forgets the head. */
  reset(): void {
    this.#phase = START;
    this.#position = 0;
    this.minor = 0;
    this.offsetCount = 0;
    this.error = null;
    this.methodStart = 0;
    this.methodEnd = 0;
    this.targetStart = 0;
    this.targetEnd = 0;
    this.known.reset();
  }

  /** Whether something other than empty lines has been seen. */
  get hasBegun(): boolean {
    return this.#phase !== START;
  }

  /** Octets scanned so far. */
  get position(): number {
    return this.#position;
  }

  /**
   * Goes on with the head that begins at `bytes[base]`.
   *
   * @param bytes holds the head's octets from its first on, those seen before included
   * @param base index of the head's first octet
   * @param end index behind the last octet that has arrived
   * @returns octets of the whole head with its empty line, {@link NEED_MORE} or {@link REFUSED} (see `error`)
   */
  parse(bytes: Uint8Array, base: number, end: number): number {
    const limit = base + this.limits.maxHeadBytes;
    const stop = end < limit ? end : limit;
    let isComplete = false;
    while (base + this.#position < stop) {
      const before = this.#phase;
      switch (before) {
        case START:
          this.#skipEmptyLines(bytes, base, stop);
          break;
        case METHOD:
          this.#scanMethod(bytes, base, stop);
          break;
        case TARGET_TEXT:
          this.#scanTarget(bytes, base, stop);
          break;
        case VERSION:
          this.#scanVersion(bytes, base, stop);
          break;
        case VERSION_END:
        case HEAD_END:
          isComplete = this.#endLine(bytes, base, stop) && before === HEAD_END;
          break;
        case LINE_START:
        case NAME:
        case VALUE_START:
        case VALUE_TEXT:
          isComplete = this.#scanLines(bytes, base, stop);
          break;
        default:
          throw new Error("head parser in an unknown phase");
      }
      if (this.error !== null) return REFUSED;
      if (isComplete) return this.#position;
      // The phase stands still only when it waits for the octet behind a CR or for more of the same
      if (this.#phase === before) break;
    }
    if (end >= limit)
      return this.#refuse("ERR_HEAD_TOO_LARGE", this.limits.maxHeadBytes, {
        detail: `limit ${this.limits.maxHeadBytes} octets`,
      });
    return NEED_MORE;
  }

  #refuse(code: ProtocolErrorCode, offset: number, place: ErrorPlace = {}): number {
    this.error = new ProtocolError(code, { ...place, offset });
    return REFUSED;
  }

  // RFC 9112 §2.2: a server SHOULD ignore at least one empty line before the request-line; we do, they count as head
  #skipEmptyLines(bytes: Uint8Array, base: number, stop: number): void {
    let at = base + this.#position;
    while (at < stop) {
      const code = bytes[at] as number;
      if (code === CR) {
        if (at + 1 >= stop) break;
        if (bytes[at + 1] !== LF) return void this.#refuse("ERR_BARE_CR", at - base);
        at += 2;
        continue;
      }
      if (code === LF) {
        if (!this.leniencies.allowBareLf) return void this.#refuse("ERR_BARE_LF", at - base);
        at++;
        continue;
      }
      if (code === FIRST_OCTET_OF_TLS) return void this.#refuse("ERR_TLS_ON_PLAIN_PORT", at - base);
      this.methodStart = at - base;
      this.#phase = METHOD;
      break;
    }
    this.#position = at - base;
  }

  #scanMethod(bytes: Uint8Array, base: number, stop: number): void {
    let at = base + this.#position;
    while (at < stop && ((CLASS[bytes[at] as number] as number) & TOKEN) !== 0) at++;
    this.#position = at - base;
    if (at === stop) return;
    const code = bytes[at] as number;
    if (code === CR || code === LF) return this.#refuseLineEnd("ERR_REQUEST_LINE", bytes, at, stop);
    if (code !== SP) return void this.#refuse("ERR_METHOD", this.#position);
    if (this.#position === this.methodStart) return void this.#refuse("ERR_REQUEST_LINE", this.#position);
    this.methodEnd = this.#position;
    this.targetStart = ++this.#position;
    this.#phase = TARGET_TEXT;
  }

  #scanTarget(bytes: Uint8Array, base: number, stop: number): void {
    let at = base + this.#position;
    while (at < stop && ((CLASS[bytes[at] as number] as number) & TARGET) !== 0) at++;
    this.#position = at - base;
    const max = this.limits.maxTargetBytes;
    if (this.#position - this.targetStart > max) {
      return void this.#refuse("ERR_TARGET_TOO_LONG", this.targetStart + max, { detail: `limit ${max} octets` });
    }
    if (at === stop) return;
    const code = bytes[at] as number;
    if (code === SP) {
      // RFC 9112 §3: exactly one SP; white space of other kinds is not split on, it is how requests get smuggled
      if (this.#position === this.targetStart) return void this.#refuse("ERR_REQUEST_LINE", this.#position);
      this.targetEnd = this.#position++;
      this.#phase = VERSION;
      return;
    }
    if (code === CR || code === LF) return this.#refuseLineEnd("ERR_HTTP_VERSION_MISSING", bytes, at, stop);
    this.#refuse(code === HTAB ? "ERR_REQUEST_LINE" : "ERR_TARGET_CHARACTER", this.#position);
  }

  /** The request line ends too early with `code`, or is cut by a lone CR or LF, which only the next octet tells. */
  #refuseLineEnd(code: ProtocolErrorCode, bytes: Uint8Array, at: number, stop: number): void {
    if (bytes[at] === LF) return void this.#refuse(this.leniencies.allowBareLf ? code : "ERR_BARE_LF", this.#position);
    if (at + 1 < stop) this.#refuse(bytes[at + 1] === LF ? code : "ERR_BARE_CR", this.#position);
  }

  #scanVersion(bytes: Uint8Array, base: number, stop: number): void {
    const start = this.targetEnd + 1;
    if (this.#position === start && isHttp11Line(bytes, base + start, stop)) {
      this.minor = 1;
      this.#position = start + VERSION_LENGTH + 2;
      this.#phase = LINE_START;
      return;
    }
    for (; base + this.#position < stop && this.#position - start < VERSION_LENGTH; this.#position++) {
      const code = bytes[base + this.#position] as number;
      const index = this.#position - start;
      const wanted = VERSION_TEXT[index];
      const isExpected = wanted === -1 ? code >= 0x30 && code <= 0x39 : code === wanted;
      if (isExpected) continue;
      this.#refuse(code === SP || code === HTAB ? "ERR_REQUEST_LINE" : "ERR_HTTP_VERSION", this.#position);
      return;
    }
    if (this.#position - start < VERSION_LENGTH) return;
    if (bytes[base + start + 5] !== 0x31) return void this.#refuse("ERR_HTTP_VERSION_UNSUPPORTED", start);
    // RFC 9110 §2.5: a higher minor version is served as the highest we know
    this.minor = bytes[base + start + 7] === 0x30 ? 0 : 1;
    this.#phase = VERSION_END;
  }

  /** Consumes CRLF at the position, then goes to the next line. False: waiting or refused. */
  #endLine(bytes: Uint8Array, base: number, stop: number): boolean {
    const at = base + this.#position;
    const code = bytes[at] as number;
    if (code === CR) {
      if (at + 1 >= stop) return false;
      if (bytes[at + 1] !== LF) {
        this.#refuse("ERR_BARE_CR", this.#position);
        return false;
      }
      this.#position += 2;
      this.#phase = LINE_START;
      return true;
    }
    if (code === LF) {
      if (!this.leniencies.allowBareLf) {
        this.#refuse("ERR_BARE_LF", this.#position);
        return false;
      }
      this.#position++;
      this.#phase = LINE_START;
      return true;
    }
    this.#refuse(code === SP || code === HTAB ? "ERR_REQUEST_LINE" : "ERR_HTTP_VERSION", this.#position);
    return false;
  }

  /** Field lines, as many as there are. True: the empty line has been consumed. */
  #scanLines(bytes: Uint8Array, base: number, stop: number): boolean {
    let at = base + this.#position;
    let phase = this.#phase;
    while (at < stop) {
      if (phase === LINE_START) {
        const code = bytes[at] as number;
        if (code === CR || code === LF) {
          phase = HEAD_END;
          break;
        }
        if (code === SP || code === HTAB) {
          // RFC 9112 §2.2 and §5.2: neither ignored nor unfolded, both were ways to hide a field from a filter
          if (this.offsetCount === 0) this.#refuse("ERR_SPACE_BEFORE_FIELDS", at - base);
          // The line before it is the one that is folded; its name is still in place
          else this.#refuseInLine("ERR_FIELD_FOLDED", bytes, base, at);
          return false;
        }
        if (this.offsetCount >= this.limits.maxFields * 4) {
          this.#refuse("ERR_TOO_MANY_FIELDS", at - base, { detail: `limit ${this.limits.maxFields} lines` });
          return false;
        }
        this.#nameStart = at - base;
        phase = NAME;
      }
      if (phase === NAME) {
        while (at < stop && ((CLASS[bytes[at] as number] as number) & TOKEN) !== 0) at++;
        if (at === stop) break;
        if (bytes[at] !== COLON || at - base === this.#nameStart) {
          this.#refuseName(bytes, base, at);
          return false;
        }
        this.#nameEnd = at - base;
        this.known.note(bytes, base + this.#nameStart, this.#nameEnd - this.#nameStart, this.offsetCount / 4);
        at++;
        phase = VALUE_START;
      }
      if (phase === VALUE_START) {
        while (at < stop && (bytes[at] === SP || bytes[at] === HTAB)) at++;
        if (at === stop) break;
        this.#valueStart = at - base;
        phase = VALUE_TEXT;
      }
      while (at < stop && ((CLASS[bytes[at] as number] as number) & VALUE) !== 0) at++;
      if (at === stop) break;
      const code = bytes[at] as number;
      if (code === CR) {
        if (at + 1 >= stop) break;
        if (bytes[at + 1] !== LF) {
          this.#refuseInLine("ERR_BARE_CR", bytes, base, at);
          return false;
        }
      } else if (code !== LF || !this.leniencies.allowBareLf) {
        this.#refuseInLine(code === LF ? "ERR_BARE_LF" : "ERR_FIELD_VALUE", bytes, base, at);
        return false;
      }
      let valueEnd = at - base;
      while (valueEnd > this.#valueStart && (bytes[base + valueEnd - 1] === SP || bytes[base + valueEnd - 1] === HTAB))
        valueEnd--;
      const count = this.offsetCount;
      const offsets = this.offsets;
      offsets[count] = this.#nameStart;
      offsets[count + 1] = this.#nameEnd;
      offsets[count + 2] = this.#valueStart;
      offsets[count + 3] = valueEnd;
      this.offsetCount = count + 4;
      at += code === CR ? 2 : 1;
      phase = LINE_START;
    }
    this.#position = at - base;
    this.#phase = phase;
    return phase === HEAD_END && this.#endHead(bytes, base, stop);
  }

  #endHead(bytes: Uint8Array, base: number, stop: number): boolean {
    return base + this.#position < stop && this.#endLine(bytes, base, stop);
  }

  #refuseName(bytes: Uint8Array, base: number, at: number): void {
    const code = bytes[at] as number;
    const offset = at - base;
    if (code === CR || code === LF) return void this.#refuse("ERR_FIELD_COLON_MISSING", offset);
    // RFC 9112 §5.1: white space before the colon MUST be refused, recipients differ in what they make of it
    if ((code === SP || code === HTAB) && offset > this.#nameStart) {
      this.#nameEnd = offset;
      return this.#refuseInLine("ERR_FIELD_SPACE_BEFORE_COLON", bytes, base, at);
    }
    this.#refuse("ERR_FIELD_NAME", offset);
  }

  #refuseInLine(code: ProtocolErrorCode, bytes: Uint8Array, base: number, at: number): void {
    const name = Buffer.from(bytes.subarray(base + this.#nameStart, base + this.#nameEnd)).toString("latin1");
    this.#refuse(code, at - base, { field: name });
  }
}

/** Whether `HTTP/1.1` CRLF stands at `at`: what nearly every request line ends in, seen in one look. */
function isHttp11Line(bytes: Uint8Array, at: number, stop: number): boolean {
  return (
    stop - at >= VERSION_LENGTH + 2 &&
    bytes[at] === 0x48 &&
    bytes[at + 1] === 0x54 &&
    bytes[at + 2] === 0x54 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === 0x2f &&
    bytes[at + 5] === 0x31 &&
    bytes[at + 6] === 0x2e &&
    bytes[at + 7] === 0x31 &&
    bytes[at + 8] === CR &&
    bytes[at + 9] === LF
  );
}

/**
 * A parser that is between two heads, kept for the next one: most heads arrive whole, so one parser serves all connections
 * and an idle connection holds none.
 */
let spare: HeadParser | null = null;

/** A parser ready for a head. Give it back with {@link releaseParser}. */
export function acquireParser(limits: WireLimits, leniencies: Leniencies): HeadParser {
  const parser = spare;
  if (parser === null || parser.limits !== limits || parser.leniencies !== leniencies)
    return new HeadParser(limits, leniencies);
  spare = null;
  return parser;
}

/** Gives a parser back; its offsets and error must have been taken. */
export function releaseParser(parser: HeadParser): void {
  parser.reset();
  spare = parser;
}
