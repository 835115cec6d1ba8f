/**
 * Content in a coding that the client takes (RFC 9110 §8.4, §12.5.3): gzip, br and, where Node has it, zstd.
 *
 *  1 select  what the request takes, remembered by Accept-Encoding (http/content-coding.ts)
 *  2 judge   whether these fields and this content are worth it: once for lines that many responses share
 *  3 code    small and whole at once, large and whole on a thread, streams as they come (content-coder.ts, coded-stream.ts)
 *  4 say so  Content-Encoding, Vary, and an entity tag that promises no more than is true
 *
 * Left alone is what is coded already, what offers or is parts (ranges are of the octets as they are; static files therefore),
 * what says `no-transform` or has a digest of its octets, and what was negotiated inside. It must never read content that it
 * does not code, nor show a client content that it cannot decode.
 */

import { Buffer } from "node:buffer";
import { CodingPreferences, isCompressible, essenceOf } from "../http/content-coding.ts";
import type { Content, FieldLines } from "../http/exchange.ts";
import { listHasStrong } from "../http/etag.ts";
import { A_FUNCTION, A_TIME_SOURCE, checkOptions, listOf, type OptionRules, whole } from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { answerOf, isResponse, respond } from "../web/edited-response.ts";
import type { Middleware } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { type Answer, isFastResponse, responseOfLines, takeAnswer } from "../web/response.ts";
import { BegunStream } from "../web/send.ts";
import { CodedStream, type StreamContent } from "./coded-stream.ts";
import { codeLater, codeNow, CODINGS, type ContentCoding, type Effort, MAX_SYNC_BYTES } from "./content-coder.ts";
import { addMember, hasMember, isPromise, LineEdit, lineValue, removeLines, setLine } from "./edit-response.ts";

/** How content is compressed. */
export interface CompressOptions {
  /**
   * Codings in order of preference among those that a client takes equally: `"br"`, `"zstd"`, `"gzip"`. Default these, zstd
   * only where Node has it (22.15); naming it elsewhere leaves it out.
   */
  readonly codings?: readonly ContentCoding[] | undefined;
  /** Content below it is sent as it is, in octets. Default 1024 (nginx 20, Express 1024): the fields cost what it would save. */
  readonly minBytes?: number | undefined;
  /** Whether a media type is worth it. Default text, JSON, XML, SVG, scripts, WebAssembly and their like. */
  readonly isCompressible?: ((mediaType: string) => boolean) | undefined;
  /** How hard gzip tries, 0 to 9. Default 3 (nginx 1, zlib 6): for 8 KiB of JSON 6 takes 40 % more time for 5 % fewer octets. */
  readonly gzipLevel?: number | undefined;
  /** How hard br tries, 0 to 11. Default 4 (nginx 6, Express 4): above 5 it is for what is compressed once. */
  readonly brotliQuality?: number | undefined;
  /** How hard zstd tries, 1 to 19. Default 3 (zstd 3). */
  readonly zstdLevel?: number | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

const MIN_BYTES = 1024;
const EFFORT: Effort = { gzip: 3, br: 4, zstd: 3 };
const NOTHING: Uint8Array = new Uint8Array(0);
const ALL: readonly string[] = ["br", "zstd", "gzip"];

/** @internal */
export const COMPRESS_RULES: OptionRules<CompressOptions> = {
  codings: listOf('"br", "zstd" or "gzip"', (item) => ALL.includes(item)),
  minBytes: whole(0, Infinity, "octets"),
  isCompressible: A_FUNCTION,
  gzipLevel: whole(0, 9, "steps"),
  brotliQuality: whole(0, 11, "steps"),
  zstdLevel: whole(1, 19, "steps"),
  time: A_TIME_SOURCE,
};

// What lines say of content
const LEFT_ALONE = 0;
const CODABLE = 1;
const EVENTS = 2;

/**
 * Compresses what handlers answer.
 *
 * @throws TypeError that names every mistake in the options
 */
export function compress(options: CompressOptions = {}): Middleware {
  checkOptions("compress", options, COMPRESS_RULES);
  const compressor = new Compressor(options);
  return (request, context, next) => {
    const result = next(request, context);
    if (isPromise(result)) return result.then((response) => compressor.answer(request, response));
    return compressor.answer(request, result);
  };
}

type Answering = globalThis.Response | undefined | Promise<globalThis.Response>;

class Compressor {
  readonly #preferences: CodingPreferences;
  readonly #minBytes: number;
  readonly #effort: Effort;
  readonly #isCompressible: (mediaType: string) => boolean;
  readonly #time: TimeSource;
  /** Verdicts on lines that many responses share. */
  readonly #verdicts: WeakMap<FieldLines, number>;
  readonly #coded: ReadonlyMap<string, LineEdit>;
  readonly #varying: LineEdit;

  constructor(options: CompressOptions) {
    const offered = (options.codings ?? CODINGS).filter((coding) => CODINGS.includes(coding));
    this.#preferences = new CodingPreferences(offered);
    this.#minBytes = options.minBytes ?? MIN_BYTES;
    this.#isCompressible = options.isCompressible ?? isCompressible;
    this.#effort = {
      gzip: options.gzipLevel ?? EFFORT.gzip,
      br: options.brotliQuality ?? EFFORT.br,
      zstd: options.zstdLevel ?? EFFORT.zstd,
    };
    this.#time = options.time ?? SYSTEM_TIME;
    this.#verdicts = new WeakMap();
    this.#coded = new Map(offered.map((coding) => [coding, new LineEdit((lines) => markCoded(lines, coding))]));
    this.#varying = new LineEdit((lines) => addMember(lines, "vary", "accept-encoding"));
  }

  answer(request: Request, response: globalThis.Response | undefined): Answering {
    // What is no answer at all the server says more of
    if (!isResponse(response) || response.status === 0) return response;
    const { status } = response;
    // RFC 9110 §15.3.5, §15.3.6, §15.3.7: nothing to code, or a part of something
    if (status === 204 || status === 205 || status === 206) return response;
    if (status === 304) return this.#confirm(request, response);
    // One of the platform's is looked at through its interface, so that its stream is not taken in vain
    if (!isFastResponse(response) && response.body === null) return response;
    const answer = isFastResponse(response) ? takeAnswer(response) : answerOf(response);
    const verdict = this.#judge(answer.head.fields);
    const { content } = answer;
    const isHead = request.method === "HEAD";
    if (verdict === LEFT_ALONE || isFile(content) || this.#isSmall(answer, isHead)) return unchanged(response, answer);
    const [selected = "identity"] = this.#preferences.of(request.headers.get("accept-encoding"));
    const edit = this.#coded.get(selected);
    if (edit === undefined) return this.#plain(answer);
    const coding = selected as ContentCoding;
    if (content === null) return isHead ? coded(answer, edit, null) : unchanged(response, answer);
    if (isHead && (typeof content === "string" || content instanceof Uint8Array)) return coded(answer, edit, null);
    if (typeof content === "string" || content instanceof Uint8Array) return this.#whole(answer, content, coding, edit);
    if (verdict === EVENTS && !isHead) return this.#stream(answer, content as StreamContent, coding, edit, true);
    return this.#begun(answer, content as StreamContent, coding, edit, isHead);
  }

  /** A text of the platform's is a stream that ends at once: that is as good as whole. HEAD gets the fields of what GET would. */
  async #begun(
    answer: Answer,
    content: StreamContent,
    coding: ContentCoding,
    edit: LineEdit,
    isHead: boolean,
  ): Promise<globalThis.Response> {
    const rest = new BegunStream(content);
    const first = await rest.peek();
    const second = first === null || first.done ? null : await rest.peekSecond();
    const bytes: unknown = first?.done === true ? NOTHING : first?.value;
    const isWhole = (first?.done === true || second?.done === true) && bytes instanceof Uint8Array;
    if (!isWhole && !isHead) return this.#stream(answer, rest, coding, edit, false);
    if (!isWhole) rest.return().catch(ignore);
    if (isWhole && bytes.length < this.#minBytes)
      return respond(answer.head.status, answer.head.reason, answer.head.fields, bytes);
    if (isHead || !isWhole) return coded(answer, edit, null);
    return this.#whole({ head: answer.head, content: bytes }, bytes, coding, edit) as
      | globalThis.Response
      | Promise<globalThis.Response>;
  }

  #stream(
    { head }: Answer,
    content: StreamContent,
    coding: ContentCoding,
    edit: LineEdit,
    isOfEvents: boolean,
  ): globalThis.Response {
    const stream = new CodedStream(content, coding, this.#effort, isOfEvents, this.#time);
    return respond(head.status, head.reason, edit.apply(head.fields), stream);
  }

  #judge(lines: FieldLines): number {
    if (!Object.isFrozen(lines)) return verdictOn(lines, this.#isCompressible);
    let verdict = this.#verdicts.get(lines);
    if (verdict === undefined) {
      verdict = verdictOn(lines, this.#isCompressible);
      this.#verdicts.set(lines, verdict);
    }
    return verdict;
  }

  /** Whether it is known to be too small: by itself, or by what it declares. */
  #isSmall({ head, content }: Answer, isHead: boolean): boolean {
    if (typeof content === "string") {
      // UTF-8 has at most three octets for a code unit
      if (content.length >= this.#minBytes) return false;
      return content.length * 3 < this.#minBytes || Buffer.byteLength(content) < this.#minBytes;
    }
    if (content instanceof Uint8Array) return content.length < this.#minBytes;
    const declared = lineValue(head.fields, "content-length");
    // HEAD without a word about the length: what GET would do is not known
    if (declared === null) return isHead && content === null;
    return Number(declared) < this.#minBytes;
  }

  /** As it is; but another request would get it coded (RFC 9110 §12.5.5). */
  #plain({ head, content }: Answer): globalThis.Response {
    return respond(head.status, head.reason, this.#varying.apply(head.fields), content);
  }

  #whole(answer: Answer, content: string | Uint8Array, coding: ContentCoding, edit: LineEdit): Answering {
    // Encoded once, here: its length is what windows and buffers are fitted to
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    if (bytes.length <= MAX_SYNC_BYTES) {
      return this.#smaller(answer, bytes.length, codeNow(bytes, coding, this.#effort), edit);
    }
    return codeLater(bytes, coding, this.#effort).then((result) => this.#smaller(answer, bytes.length, result, edit));
  }

  /** Noise grows by coding; then it is sent as it is. */
  #smaller(answer: Answer, length: number, result: Buffer, edit: LineEdit): globalThis.Response {
    return result.length >= length ? this.#plain(answer) : coded(answer, edit, result);
  }

  /**
   * RFC 9110 §15.4.5: a 304 has the tag that 200 would have, and the client says which that was; and it has the Vary of 200. What
   * that one's type was a 304 seldom says: then it is one that would have been coded, which costs a cache little.
   */
  #confirm(request: Request, response: globalThis.Response): globalThis.Response {
    const { head, content } = answerOf(response);
    const lines = [...head.fields];
    const etag = lineValue(lines, "etag") ?? "";
    const list = request.headers.get("if-none-match") ?? "";
    if (etag.startsWith('"') && list.includes(`W/${etag}`) && !listHasStrong(list, etag))
      setLine(lines, "etag", `W/${etag}`);
    const mediaType = lineValue(lines, "content-type");
    if (mediaType === null || this.#isCompressible(mediaType)) addMember(lines, "vary", "accept-encoding");
    return respond(head.status, head.reason, lines, content);
  }
}

/** With the coding's fields; for HEAD without content, since its length is not known (RFC 9110 §9.3.2). */
function coded({ head }: Answer, edit: LineEdit, content: Buffer | null): globalThis.Response {
  const { status, reason, fields } = head;
  const lines = edit.apply(fields);
  return reason === "" ? responseOfLines(status, lines, content) : respond(status, reason, lines, content);
}

function ignore(): void {}

function isFile(content: Content): boolean {
  return typeof content === "object" && content !== null && "fd" in content;
}

/** What can be taken again is given back itself, the rest as what it was taken to. */
function unchanged(response: globalThis.Response, { head, content }: Answer): globalThis.Response {
  if (!isFastResponse(response)) return response;
  if (content === null || typeof content === "string" || content instanceof Uint8Array) return response;
  return respond(head.status, head.reason, head.fields, content);
}

/** Fields that hold content to its octets as they are (RFC 9530). */
const OF_THE_OCTETS = /^(?:content-digest|repr-digest|digest|content-md5|content-range)$/;

/** Whether lines allow a coding, and need it at once. */
function verdictOn(lines: FieldLines, isWorth: (mediaType: string) => boolean): number {
  let mediaType = "";
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase();
    const value = lines[i + 1] as string;
    if (name === "content-type") mediaType = value;
    if (OF_THE_OCTETS.test(name)) return LEFT_ALONE;
    if (name === "content-encoding" && value.trim().toLowerCase() !== "identity") return LEFT_ALONE;
    // RFC 9110 §14.3: parts are offered, and those are of the octets as they are
    if (name === "accept-ranges" && value.trim().toLowerCase() !== "none") return LEFT_ALONE;
  }
  if (mediaType === "" || !isWorth(mediaType)) return LEFT_ALONE;
  // RFC 9111 §5.2.2.6; and what varies by it has been negotiated inside
  if (hasDirective(lines, "no-transform") || variesByCoding(lines)) return LEFT_ALONE;
  return essenceOf(mediaType) === "text/event-stream" ? EVENTS : CODABLE;
}

function hasDirective(lines: FieldLines, directive: string): boolean {
  return lineValue(lines, "cache-control") !== null && hasMember(lines, "cache-control", directive);
}

/** `Vary: *` says nothing of codings: it says that nobody may reuse the answer. */
function variesByCoding(lines: FieldLines): boolean {
  const vary = lineValue(lines, "vary");
  return vary !== null && vary.toLowerCase().includes("accept-encoding");
}

function markCoded(lines: string[], coding: string): void {
  removeLines(lines, "content-length");
  setLine(lines, "content-encoding", coding);
  addMember(lines, "vary", "accept-encoding");
  const etag = lineValue(lines, "etag");
  // RFC 9110 §8.8.1: a strong validator is of one sequence of octets, and these are others
  if (etag !== null && etag.startsWith('"')) setLine(lines, "etag", `W/${etag}`);
}
