/**
 * One request head after the other from the input: parsed, understood, framed, or refused with what was understood of it.
 *
 * Ties head.ts, request-head.ts and framing.ts together; holds a parser only while a head is coming, so that an idle
 * connection holds none. It sends nothing and changes no state of the connection.
 */

import type { ProtocolErrorCode } from "../http/errors.ts";
import { ProtocolError } from "../http/errors.ts";
import { Fields } from "../http/fields.ts";
import type { Http1RequestHead } from "./exchange.ts";
import { Framing } from "./framing.ts";
import { LF } from "./grammar.ts";
import { acquireParser, type HeadParser, NEED_MORE, REFUSED, releaseParser } from "./head.ts";
import type { Input } from "./input.ts";
import type { Leniencies, WireLimits } from "./limits.ts";
import { readRequestHead } from "./request-head.ts";

/** A head that is refused. */
export interface RefusedHead {
  readonly error: ProtocolError;
  /** As far as they were understood, else `""`. */
  readonly method: string;
  readonly target: string;
  readonly accept: string | null;
  /** The first line as far as it has come, without its end; not understood by anybody. */
  readonly requestLine: string;
  readonly fields: Fields;
}

/** As much of a first line as is told to observers: Apache's LimitRequestLine. */
const MAX_LINE_BYTES = 8190;

const ACCEPT_LINE = /\naccept:([\x20-\x7e\t]*)\r?\n/i;

/** Reads the heads of one connection. */
export class HeadReader {
  /** Of the head that was read last. */
  readonly framing: Framing = new Framing();
  /** Minor version of the head that was read last. */
  minor = 1;
  /** Why {@link read} returned null, if it does not wait. */
  refused: RefusedHead | null = null;
  readonly #limits: WireLimits;
  readonly #leniencies: Leniencies;
  #parser: HeadParser | null = null;

  constructor(limits: WireLimits, leniencies: Leniencies) {
    this.#limits = limits;
    this.#leniencies = leniencies;
  }

  /** No octet of a head has come. */
  get isIdle(): boolean {
    return this.#parser === null;
  }

  /** More of a head than empty lines has come. */
  get hasBegun(): boolean {
    return this.#parser?.hasBegun === true;
  }

  /** Reads on. Null: the head is not whole yet, or refused (see {@link refused}). */
  read(input: Input, scheme: string): Http1RequestHead | null {
    const parser = this.#parser ?? acquireParser(this.#limits, this.#leniencies);
    this.#parser = parser;
    const length = parser.parse(input.buffer, input.start, input.end);
    if (length === NEED_MORE) return null;
    if (length === REFUSED) {
      const error = parser.error ?? new ProtocolError("ERR_REQUEST_LINE");
      this.#refuse(error, parser, input, Math.max(error.offset, parser.methodEnd));
      return null;
    }
    const head = readRequestHead(parser, input.buffer, input.start, length, scheme, this.#leniencies);
    this.minor = parser.minor;
    if (head instanceof ProtocolError) {
      this.#refuse(head, parser, input, length);
      return null;
    }
    const error = this.framing.read(parser, head.fields);
    if (error !== null) this.refused = { ...refusedRequest(error, head), requestLine: requestLineOf(parser, input) };
    this.release();
    input.start += length;
    return error === null ? head : null;
  }

  /** Gives up on a head that has begun. */
  giveUp(code: ProtocolErrorCode, input: Input): RefusedHead {
    const parser = this.#parser ?? acquireParser(this.#limits, this.#leniencies);
    return this.#refuse(new ProtocolError(code, { offset: parser.position }), parser, input, parser.position);
  }

  /** Lets go of what has come of a head. */
  release(): void {
    if (this.#parser !== null) releaseParser(this.#parser);
    this.#parser = null;
  }

  /** Keeps what was understood in the first `seen` octets: the same however they were split. */
  #refuse(error: ProtocolError, parser: HeadParser, input: Input, seen: number): RefusedHead {
    const { methodStart, methodEnd, targetStart, targetEnd } = parser;
    const text = input.buffer.toString("latin1", input.start, Math.min(input.end, input.start + seen));
    this.refused = {
      error,
      method: methodEnd > 0 ? text.slice(methodStart, methodEnd) : "",
      target: targetEnd > 0 ? text.slice(targetStart, targetEnd) : "",
      accept: ACCEPT_LINE.exec(text)?.[1] ?? null,
      requestLine: requestLineOf(parser, input),
      fields: new Fields(text, parser.offsets.slice(0, parser.offsetCount)),
    };
    return this.refused;
  }
}

/** A refusal of what follows a head that was understood; null where its exchange is over. */
export function refusedRequest(error: ProtocolError, head: Http1RequestHead | null): RefusedHead {
  if (head === null) return { error, method: "", target: "", accept: null, requestLine: "", fields: Fields.EMPTY };
  const { method, target, version, fields } = head;
  return {
    error,
    method,
    target,
    accept: fields.get("accept"),
    requestLine: `${method} ${target} HTTP/${version}`,
    fields,
  };
}

function requestLineOf(parser: HeadParser, input: Input): string {
  const start = input.start + (parser.hasBegun ? parser.methodStart : (parser.error?.offset ?? 0));
  const come = input.buffer.subarray(start, Math.min(input.end, start + MAX_LINE_BYTES));
  const lineFeed = come.indexOf(LF);
  const line = come.toString("latin1", 0, lineFeed === -1 ? come.length : lineFeed);
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
