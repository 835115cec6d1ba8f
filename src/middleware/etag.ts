/**
 * Entity tags for answers that are made anew each time, and 304 where the client has them already (RFC 9110 §8.8.3, §13).
 *
 * A tag is the digest of content that is known whole; of a stream none is made, since it would have to be gathered. Answers
 * that bring validators of their own keep them, and are held against the request all the same. That saves the way to the
 * client, not the making. It must never hash more than the option allows, nor answer for a method that changes something.
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { evaluatePreconditions, NOT_MODIFIED, PROCEED } from "../http/conditional.ts";
import { parseHttpDate } from "../http/date.ts";
import type { Content, FieldLines } from "../http/exchange.ts";
import { A_TIME_SOURCE, checkOptions, type OptionRules, whole, YES_OR_NO } from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { isResponse, respond } from "../web/edited-response.ts";
import type { Middleware } from "../web/handler.ts";
import { problemResponse } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { isFastResponse, responseOfLines, takeAnswer } from "../web/response.ts";
import { discardResponse, isPromise } from "./edit-response.ts";

/** How tags are made. */
export interface EtagOptions {
  /** Content above it gets no tag, in octets. Default 256 KiB: hashing holds the loop, some 2 us per KiB. */
  readonly maxBytes?: number | undefined;
  /**
   * Whether tags say only that answers mean the same (RFC 9110 §8.8.1), for content that differs in ways that do not matter.
   * Default false; `compress` makes those of coded content weak by itself.
   */
  readonly weak?: boolean | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

const MAX_BYTES = 256 * 1024;

/** @internal */
export const ETAG_RULES: OptionRules<EtagOptions> = {
  maxBytes: whole(0, Infinity, "octets"),
  weak: YES_OR_NO,
  time: A_TIME_SOURCE,
};

/**
 * Tags whole answers to GET and HEAD, and answers conditional requests.
 *
 * @throws TypeError that names every mistake in the options
 */
export function etag(options: EtagOptions = {}): Middleware {
  checkOptions("etag", options, ETAG_RULES);
  const tagger = new Tagger(options);
  return (request, context, next) => {
    const result = next(request, context);
    // RFC 9110 §13.2.1: what a state-changing method did is done by now
    if (request.method !== "GET" && request.method !== "HEAD") return result;
    if (isPromise(result)) return result.then((response) => tagger.answer(request, response));
    return tagger.answer(request, result);
  };
}

class Tagger {
  readonly #maxBytes: number;
  readonly #prefix: string;
  readonly #time: TimeSource;

  constructor(options: EtagOptions) {
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#prefix = options.weak === true ? 'W/"' : '"';
    this.#time = options.time ?? SYSTEM_TIME;
  }

  answer(request: Request, response: globalThis.Response | undefined): globalThis.Response | undefined {
    // RFC 9110 §13.2.1: only where the answer would otherwise be this one
    if (!isResponse(response) || response.status !== 200) return response;
    const own = response.headers.get("etag");
    const lastModified = response.headers.get("last-modified");
    if (own !== null || !isFastResponse(response)) return this.#confirm(request, response, own ?? "", lastModified);
    const { head, content } = takeAnswer(response);
    const tag = this.#tagOf(content);
    const isThere = content === null || typeof content === "string" || content instanceof Uint8Array;
    if (tag === "" && isThere) return this.#confirm(request, response, "", lastModified);
    const lines = tag === "" ? head.fields : [...head.fields, "etag", tag];
    return this.#confirm(request, respond(head.status, head.reason, lines, content), tag, lastModified);
  }

  /** The response, or what the client's conditions make of it. */
  #confirm(
    request: Request,
    response: globalThis.Response,
    tag: string,
    lastModified: string | null,
  ): globalThis.Response {
    if (tag === "" && lastModified === null) return response;
    const nowMs = this.#time.nowMs();
    const lastModifiedMs = lastModified === null ? NaN : (parseHttpDate(lastModified, nowMs) ?? NaN);
    const verdict = evaluatePreconditions(request.method, request.headers, { etag: tag, lastModifiedMs }, nowMs);
    if (verdict === PROCEED) return response;
    const lines = keptLines(response, tag !== "");
    discardResponse(response);
    if (verdict === NOT_MODIFIED) return responseOfLines(304, lines, null);
    const detail = "the answer is not, or no longer, the one that the request is about";
    // The validator tells the client what there is now
    return problemResponse(request, 412, detail, tag === "" ? [] : ["etag", tag]);
  }

  /** `""` for content that is not at hand, and for too much of it. */
  #tagOf(content: Content): string {
    const digest = this.#digest(content);
    return digest === "" ? "" : `${this.#prefix}${digest}"`;
  }

  #digest(content: Content): string {
    if (typeof content !== "string" && !(content instanceof Uint8Array)) return "";
    // A code unit is at most three octets
    if (content.length > this.#maxBytes) return "";
    if (typeof content === "string" && content.length * 3 > this.#maxBytes) {
      if (Buffer.byteLength(content) > this.#maxBytes) return "";
    }
    // Names content, guards nothing; the length makes a collision by accident less likely still
    return `${content.length.toString(36)}-${createHash("sha1").update(content).digest("base64url")}`;
  }
}

/** RFC 9110 §15.4.5: what describes content that is not sent is the client's already. */
const OF_THE_CONTENT =
  /^(?:content-(?:type|length|encoding|language|range|digest)|repr-digest|last-modified|accept-ranges)$/;

function keptLines(response: globalThis.Response, hasTag: boolean): FieldLines {
  const lines: string[] = [];
  for (const [name, value] of response.headers) {
    // Last-Modified is worth saying again only where there is no tag
    if (!OF_THE_CONTENT.test(name) || (name === "last-modified" && !hasTag)) lines.push(name, value);
  }
  return lines;
}
