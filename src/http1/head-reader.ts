/**
 * One request head after the other from the input: parsed, understood, framed, or refused with what was understood of it.
 *
 * Ties head.ts, request-head.ts and framing.ts together; holds a parser only while a head is coming, so that an idle
 * connection holds none. It sends nothing and changes no state of the connection.
 */

import type { ProtocolErrorCode } from "../http/errors.ts";
import { ProtocolError } from "../http/errors.ts";
import type { Http1RequestHead } from "./exchange.ts";
import { Framing } from "./framing.ts";
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
}

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
    this.release();
    input.start += length;
    if (error === null) return head;
    this.refused = { error, method: head.method, target: head.target, accept: head.fields.get("accept") };
    return null;
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
    };
    return this.refused;
  }
}
