/**
 * A representation: one version of a file in one coding, with everything about it that does not depend on the request.
 *
 * Validators, field lines and content are made once and shared by all responses: frozen lines are rendered once by the wire,
 * content in memory is sent without a copy, and what is larger is a part of an open file. Each coding is a representation of
 * its own, with an entity tag of its own (RFC 9110 §8.8.3). It must never change after it was made, nor look at a request.
 */

import type { FieldLines, FileSlice } from "../http/exchange.ts";
import { formatHttpDate } from "../http/date.ts";
import { markLasting } from "../http/lasting-octets.ts";
import type { ByteRange } from "../http/range.ts";
import { contentRange } from "../http/range.ts";
import { CODING_NAMES, type Coding, IDENTITY } from "./coding.ts";
import { entityTag, type Version } from "./entity-tag.ts";
import type { OpenFile } from "./open-file.ts";
import { withoutLifetimes } from "./rules-headers.ts";

/** What a representation says besides its validators and size: the same for all codings of a file. */
export interface Description {
  readonly mediaType: string;
  /** Value of Vary, `""` for none: also where this time the content is not coded (RFC 9110 §12.5.5). */
  readonly vary: string;
  /** Value of Cache-Control, `""` for none. */
  readonly cacheControl: string;
  /** Adds, removes and replaces lines as options and rules want it. */
  readonly finish: (lines: FieldLines) => FieldLines;
  /** The same for a refusal that stands in for the file: 406, 412, 416. */
  readonly finishRefusal: (lines: FieldLines) => FieldLines;
}

/** Content in memory, or an open file. */
export type Body = Buffer | OpenFile;

/** One coding of one version. */
export class Representation {
  readonly coding: Coding;
  /** Of the file that holds the content. */
  readonly version: Version;
  readonly etag: string;
  /** At most the time at which it was made (RFC 9110 §8.8.2.1). */
  readonly lastModifiedMs: number;
  readonly sizeBytes: number;
  /** Value of Content-Type, as options and rules want it; `""` for none. */
  readonly mediaType: string;
  /** Of 200. */
  readonly lines: FieldLines;
  /** Of 304. */
  readonly notModifiedLines: FieldLines;
  readonly bytes: Buffer | null;
  readonly file: OpenFile | null;
  readonly finishRefusal: (lines: FieldLines) => FieldLines;
  /** The last part asked for, and its lines: a player begins all its films alike. */
  #partStart: number;
  #partLength: number;
  #partLines: FieldLines;
  /** Its octets, once they are in memory and it was asked for again. */
  #partBytes: Buffer | null;

  /**
   * @param version of the file that holds the content: of a precompressed sibling its own
   * @param nowMs a file from the future is said to be from now
   */
  constructor(coding: Coding, version: Version, body: Body, description: Description, nowMs: number) {
    this.coding = coding;
    this.version = version;
    this.etag = entityTag(version, coding);
    this.lastModifiedMs = Math.min(version.mtimeMs, nowMs);
    this.bytes = body instanceof Uint8Array ? body : null;
    if (this.bytes !== null) markLasting(this.bytes);
    this.file = body instanceof Uint8Array ? null : body;
    this.finishRefusal = description.finishRefusal;
    this.sizeBytes = body instanceof Uint8Array ? body.length : body.sizeBytes;
    this.lines = Object.freeze(linesOf(this, description, 200));
    this.mediaType = valueOf(this.lines, "content-type");
    this.notModifiedLines = Object.freeze(linesOf(this, description, 304));
    this.#partStart = -1;
    this.#partLength = -1;
    this.#partLines = [];
    this.#partBytes = null;
  }

  /** Octets of memory that it holds, besides small change. */
  get memoryBytes(): number {
    return this.bytes === null ? (this.file?.blocks?.bytes ?? 0) : this.bytes.length;
  }

  /** Whether all of it can be sent now: it is in memory, or in a file that nobody has written to. */
  get isIntact(): boolean {
    return this.file === null || this.file.isIntact();
  }

  /** All content, to be sent; only while it is intact. */
  whole(): Buffer | FileSlice | null {
    if (this.bytes !== null) return this.bytes.length === 0 ? null : this.bytes;
    return (this.file as OpenFile).part(0, this.sizeBytes);
  }

  /** A part of the content, to be sent; null if it is not intact. */
  part({ start, length }: ByteRange): Buffer | FileSlice | null {
    if (this.bytes !== null) return this.#partOf(this.bytes, start, length);
    const file = this.file as OpenFile;
    const inMemory = file.blocks === null ? null : file.blocks.part(start, length);
    if (inMemory !== null) return inMemory;
    return file.isIntact() ? file.part(start, length) : null;
  }

  #partOf(bytes: Buffer, start: number, length: number): Buffer {
    const isAgain = start === this.#partStart && length === this.#partLength;
    if (isAgain && this.#partBytes !== null) return this.#partBytes;
    const part = bytes.subarray(start, start + length);
    if (isAgain) {
      markLasting(part);
      this.#partBytes = part;
    }
    return part;
  }

  /** Lines of 206 with one part (RFC 9110 §15.3.7.1). */
  partLines(range: ByteRange): FieldLines {
    if (range.start !== this.#partStart || range.length !== this.#partLength) {
      this.#partStart = range.start;
      this.#partLength = range.length;
      this.#partBytes = null;
      this.#partLines = Object.freeze(
        replaceLength(this.lines, range.length, ["content-range", contentRange(range, this.sizeBytes)]),
      );
    }
    return this.#partLines;
  }

  /** Lines of 206 with several parts (RFC 9110 §15.3.7.2): the type is that of the frame, the parts say their own. */
  multipartLines(contentType: string, length: number): FieldLines {
    return replaceLength(without(this.lines, "content-type"), length, ["content-type", contentType]);
  }

  /**
   * Lines of an error's page: its validators are not those of what was asked for, parts of it nobody wants, and it is asked
   * for anew each time, unless nothing may be kept at all.
   */
  errorLines(): FieldLines {
    let lines = this.lines;
    for (const name of ["etag", "last-modified", "accept-ranges"]) lines = without(lines, name);
    lines = withoutLifetimes(lines);
    return valueOf(lines, "cache-control") === "" ? [...lines, "cache-control", "no-cache"] : lines;
  }
}

function linesOf(representation: Representation, description: Description, status: 200 | 304): FieldLines {
  const lines: string[] = [];
  if (status === 200) {
    lines.push("content-type", description.mediaType, "content-length", String(representation.sizeBytes));
    if (representation.coding !== IDENTITY) {
      lines.push("content-encoding", CODING_NAMES[representation.coding] as string);
    }
    lines.push("accept-ranges", "bytes", "last-modified", formatHttpDate(representation.lastModifiedMs));
    // A file is what its name says, whatever its bytes look like (content sniffing)
    lines.push("x-content-type-options", "nosniff");
  }
  // RFC 9110 §15.4.5: a 304 MUST have these; the rest its receiver has already
  lines.push("etag", representation.etag);
  if (description.cacheControl !== "") lines.push("cache-control", description.cacheControl);
  if (description.vary !== "") lines.push("vary", description.vary);
  return description.finish(lines);
}

/** The value of the first line of a field, `""` if there is none. */
function valueOf(lines: FieldLines, lowerName: string): string {
  for (let i = 0; i < lines.length; i += 2) {
    if ((lines[i] as string).toLowerCase() === lowerName) return lines[i + 1] as string;
  }
  return "";
}

/** Lines without one field. */
function without(lines: FieldLines, lowerName: string): FieldLines {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    if ((lines[i] as string).toLowerCase() !== lowerName) kept.push(lines[i] as string, lines[i + 1] as string);
  }
  return kept;
}

function replaceLength(lines: FieldLines, length: number, more: FieldLines): FieldLines {
  return [...without(lines, "content-length"), "content-length", String(length), ...more];
}
