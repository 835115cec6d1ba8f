/**
 * Octets of multipart/form-data -> parts, at once and without streams between (RFC 2046 §5.1.1, RFC 7578 §4.1).
 *
 * Content is searched for the delimiter and handed on as views of what came; of what might be the beginning of a delimiter
 * only the length is kept. Headers are read line by line, to the letter: a line that is no field refuses the form, because
 * programs that skip it see other files than those that do not (decision 0014). Everything that octets give rise to happens
 * within `write`: backpressure is that its caller writes no more. It must never depend on how the octets were split.
 */

import { ContentError } from "./content-error.ts";
import { type PartHead, readPartHead } from "./part-head.ts";

/** What {@link PartParser} allows. */
export interface PartLimits {
  readonly maxParts: number;
  readonly maxFiles: number;
  /** Octets of each part's content. */
  readonly maxPartBytes: number;
  /** Octets of each part's header. */
  readonly maxPartHeadBytes: number;
}

/** Takes the octets of one part. */
export interface PartContentSink {
  /** Several pieces are views of the same memory, that which was written: whoever gives one away copies it. */
  push(bytes: Uint8Array): void;
  end(): void;
}

const MAX_HEAD_LINES = 32;
/** RFC 2046 §5.1.1 allows text before the first part; browsers send none. */
const MAX_PREAMBLE_BYTES: number = 16 * 1024;
/** RFC 2046 §5.1.1 lets a gateway add white space behind a boundary. */
const MAX_PADDING_BYTES = 1024;
const CR = 0x0d;
const LF = 0x0a;

/** What the next octet belongs to. */
type Place = "preamble" | "delimiter line" | "head" | "content" | "epilogue";

/** One form under way. */
export class PartParser {
  /** CRLF, two dashes, the boundary: CR stands in it once, in front, so that no two beginnings of it overlap. */
  readonly #delimiter: Buffer;
  /** The delimiter without CRLF, as it would begin a line. */
  readonly #dashBoundary: string;
  readonly #limits: PartLimits;
  readonly #begin: (head: PartHead) => PartContentSink;
  #place: Place;
  /** Of the part under way; null but in content. */
  #content: PartContentSink | null;
  /** Octets of a delimiter that came last and may go on. */
  #matched: number;
  /** Of those the first ones that are no content whatever follows: the end of the line before. */
  #matchedOutside: number;
  /** What has come of the line under way, one character for each octet. */
  #line: string;
  /** Fields of the header under way by name in lower case. */
  #fields: Record<string, string[]>;
  /** The last field's, which a folded line continues. */
  #lastValues: string[] | null;
  #headBytes: number;
  #headLines: number;
  #preambleBytes: number;
  #partBytes: number;
  #parts: number;
  #files: number;

  /** @param begin is called for each part */
  constructor(boundary: string, limits: PartLimits, begin: (head: PartHead) => PartContentSink) {
    this.#dashBoundary = `--${boundary}`;
    this.#delimiter = Buffer.from(`\r\n${this.#dashBoundary}`, "latin1");
    this.#limits = limits;
    this.#begin = begin;
    this.#place = "preamble";
    this.#content = null;
    // The first line has no end of a line before it
    this.#matched = 2;
    this.#matchedOutside = 2;
    this.#line = "";
    this.#fields = Object.create(null) as Record<string, string[]>;
    this.#lastValues = null;
    this.#headBytes = 0;
    this.#headLines = 0;
    this.#preambleBytes = 0;
    this.#partBytes = 0;
    this.#parts = 0;
    this.#files = 0;
  }

  /** @throws ContentError for what breaks a rule or a limit; the parser is of no use afterwards */
  write(bytes: Uint8Array): void {
    const octets = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    // Behind the closing delimiter comes nothing that counts (RFC 2046 §5.1.1: epilogue)
    while (at < octets.length && this.#place !== "epilogue") {
      at =
        this.#place === "preamble" || this.#place === "content" ? this.#search(octets, at) : this.#readLine(octets, at);
    }
  }

  /** All octets were written. @throws ContentError if the form is not whole */
  end(): void {
    const isClosed = this.#place === "epilogue" || (this.#place === "delimiter line" && this.#line.startsWith("--"));
    if (!isClosed) this.#refuse("it ends without its closing boundary");
  }

  /** Looks for the next delimiter. Gives the index behind it, or behind what is taken. */
  #search(octets: Buffer, start: number): number {
    const delimiter = this.#delimiter;
    let at = start;
    if (this.#matched > 0) {
      const length = Math.min(delimiter.length - this.#matched, octets.length - at);
      if (octets.compare(delimiter, this.#matched, this.#matched + length, at, at + length) === 0) {
        this.#matched += length;
        at += length;
        if (this.#matched === delimiter.length) this.#endContent();
        return at;
      }
      // It was content after all
      const held = delimiter.subarray(this.#matchedOutside, this.#matched);
      this.#matched = 0;
      this.#matchedOutside = 0;
      if (held.length > 0) this.#take(new Uint8Array(held));
    }
    const found = octets.indexOf(delimiter, at);
    const end = found === -1 ? this.#beginningOfDelimiter(octets, at) : found;
    if (end > at) this.#take(new Uint8Array(octets.buffer, octets.byteOffset + at, end - at));
    if (found === -1) {
      this.#matched = octets.length - end;
      return octets.length;
    }
    this.#endContent();
    return found + delimiter.length;
  }

  /** Index of what may be the beginning of a delimiter at the end of `octets`, which do not hold one from `start`. */
  #beginningOfDelimiter(octets: Buffer, start: number): number {
    const at = octets.lastIndexOf(CR);
    const length = octets.length - at;
    if (at < start || length >= this.#delimiter.length) return octets.length;
    return octets.compare(this.#delimiter, 0, length, at) === 0 ? at : octets.length;
  }

  #take(bytes: Uint8Array): void {
    if (this.#content === null) {
      this.#preambleBytes += bytes.length;
      if (this.#preambleBytes > MAX_PREAMBLE_BYTES) {
        this.#refuse(`no part begins in the first ${MAX_PREAMBLE_BYTES} octets`);
      }
      return;
    }
    this.#partBytes += bytes.length;
    const { maxPartBytes } = this.#limits;
    if (this.#partBytes > maxPartBytes) {
      throw new ContentError("ERR_PART_TOO_LARGE", `more than ${maxPartBytes} octets`);
    }
    this.#content.push(bytes);
  }

  #endContent(): void {
    this.#content?.end();
    this.#content = null;
    this.#matched = 0;
    this.#matchedOutside = 0;
    this.#place = "delimiter line";
  }

  /** Takes octets up to the end of the line. Gives the index behind what is taken. */
  #readLine(octets: Buffer, start: number): number {
    const found = octets.indexOf(LF, start);
    const end = found === -1 ? octets.length : found + 1;
    return this.#place === "head" ? this.#readHead(octets, start, end) : this.#readDelimiterLine(octets, start, end);
  }

  /**
   * RFC 2046 §5.1.1: behind a boundary stands white space up to CRLF, or, at the end of the form, two dashes before it. What is
   * none of that may be a boundary that begins with ours. A form may end right behind the dashes, and programs have ended lines
   * there with LF; nothing of the form can be lost by that.
   */
  #readDelimiterLine(octets: Buffer, start: number, lineEnd: number): number {
    const end = Math.min(lineEnd, start + MAX_PADDING_BYTES);
    this.#line += octets.toString("latin1", start, end);
    const line = this.#line;
    if (line.length > MAX_PADDING_BYTES) this.#refuseDelimiter();
    if (/^[ \t]*\r\n$/.test(line)) this.#beginPart();
    else if (/^--[ \t]*\r?\n$/.test(line)) this.#place = "epilogue";
    else if (!/^(?:-|(?:--)?[ \t]*\r?)$/.test(line)) this.#refuseDelimiter();
    return end;
  }

  #beginPart(): void {
    if (++this.#parts > this.#limits.maxParts) {
      throw new ContentError("ERR_TOO_MANY_PARTS", `more than ${this.#limits.maxParts}`);
    }
    this.#place = "head";
    this.#line = "";
    this.#fields = Object.create(null) as Record<string, string[]>;
    this.#lastValues = null;
    this.#headBytes = 0;
    this.#headLines = 0;
  }

  #readHead(octets: Buffer, start: number, end: number): number {
    this.#headBytes += end - start;
    // The empty line behind it is no part of the header; what else is as short comes to nothing
    const isLonger = this.#line.length + end - start > 2;
    if (isLonger && this.#headBytes > this.#limits.maxPartHeadBytes) this.#refuseHeadSize();
    // A rope of strings: nothing is copied before the line is whole
    this.#line += octets.toString("latin1", start, end);
    if (octets[end - 1] === LF) {
      const line = this.#line;
      this.#line = "";
      this.#onHeadLine(line);
    }
    return end;
  }

  #onHeadLine(line: string): void {
    if (line === "\r\n") return this.#onHead();
    const text = line.slice(0, -2);
    // RFC 2046 §5.1.1: CR and LF stand for the end of a line only
    if (!line.endsWith("\r\n") || text.includes("\r"))
      this.#refuse("a line in the header of a part does not end with CRLF");
    if (text.startsWith(this.#dashBoundary)) this.#refuse("a boundary stands in the header of a part");
    const isFolded = text.startsWith(" ") || text.startsWith("\t");
    if (isFolded && this.#lastValues !== null) {
      // RFC 5322 §2.2.3: unfolding removes the CRLF and leaves the white space
      this.#lastValues.push(`${this.#lastValues.pop() as string}${text}`);
      return;
    }
    const colon = text.indexOf(":");
    if (colon < 1) this.#refuse("a part has an invalid header line");
    if (++this.#headLines > MAX_HEAD_LINES) this.#refuseHeadSize();
    this.#lastValues = this.#fields[text.slice(0, colon).toLowerCase()] ??= [];
    this.#lastValues.push(text.slice(colon + 1));
  }

  #onHead(): void {
    const head = readPartHead(this.#fields);
    if (head.filename !== null && ++this.#files > this.#limits.maxFiles) {
      throw new ContentError("ERR_TOO_MANY_PARTS", `more than ${this.#limits.maxFiles} files`);
    }
    this.#partBytes = 0;
    this.#place = "content";
    // The empty line's end may be the delimiter's: a part without content (RFC 2046 §5.1.1: body-part)
    this.#matched = 2;
    this.#matchedOutside = 2;
    this.#content = this.#begin(head);
  }

  #refuseHeadSize(): never {
    const { maxPartHeadBytes } = this.#limits;
    throw new ContentError(
      "ERR_PART_HEAD_TOO_LARGE",
      `more than ${maxPartHeadBytes} octets or ${MAX_HEAD_LINES} lines`,
    );
  }

  #refuseDelimiter(): never {
    this.#refuse("a boundary is followed by something else than the end of its line");
  }

  #refuse(detail: string): never {
    throw new ContentError("ERR_MULTIPART", detail);
  }
}
