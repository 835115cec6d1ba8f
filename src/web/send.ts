/**
 * Response -> response head and content on an exchange.
 *
 * Ours go out as they stand. Of the platform's own only the interface can be seen, so their content is a stream even where
 * it is a short text: what of it is at hand at once is gathered, because a known length spares chunks and a second write.
 * Nothing is waited for: a stream that is not finished at once is sent as it comes. This file must never decide about
 * framing; that is the wire's.
 */

import { HandlerError } from "../http/errors.ts";
import type { Exchange, FieldLines, ResponseHead } from "../http/exchange.ts";
import { indexOfLine } from "./header-lines.ts";
import { fieldLinesOf } from "./headers.ts";
import { isFastResponse, takeAnswer } from "./response.ts";

/** Turns of the microtask queue after which a stream counts as one that takes its time. A platform text takes 8. */
const MAX_TURNS = 24;

/**
 * Sends the final response.
 *
 * @returns nothing if all is done, else a promise that settles with the content; see {@link Exchange.respond}
 * @throws HandlerError if the content was used before, or the wire refuses the response; nothing has been sent then
 */
export function sendResponse(exchange: Exchange, response: globalThis.Response): void | Promise<void> {
  if (isFastResponse(response)) {
    const { head, content } = takeAnswer(response);
    return exchange.respond(head, content);
  }
  const head: ResponseHead = {
    status: response.status,
    reason: response.statusText,
    fields: fieldLinesOf(response.headers),
  };
  const body = response.body as ReadableStream<Uint8Array> | null;
  if (response.bodyUsed || body?.locked === true) throw new HandlerError("ERR_RESPONSE_USED");
  if (body === null) return exchange.respond(head, null);
  if (hasLength(head.fields)) return exchange.respond(head, body);
  return sendGathered(exchange, head, body);
}

function hasLength(fields: FieldLines): boolean {
  return indexOfLine(fields, "content-length") !== -1;
}

/** Sends as bytes what ends at once, as a stream what does not. */
async function sendGathered(exchange: Exchange, head: ResponseHead, body: ReadableStream<Uint8Array>): Promise<void> {
  const rest = new BegunStream(body);
  const first = await rest.peek();
  if (first === null) return exchange.respond(head, rest);
  if (first.done) return exchange.respond(head, new Uint8Array(0));
  const second = await rest.peekSecond();
  // Anything but bytes is the wire's to refuse
  const bytes: unknown = first.value;
  const isWhole = second?.done === true && bytes instanceof Uint8Array;
  return exchange.respond(head, isWhole ? bytes : rest);
}

type Step = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

/** A stream whose first two reads were made already. */
class BegunStream implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #begun: Promise<Step>[];

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
    this.#begun = [];
  }

  /** The first step, null if it takes its time. Rejects if the stream fails at once: then there is still time for a 500. */
  peek(): Promise<Step | null> {
    return this.#begin();
  }

  /** The second step, null if it takes its time. */
  peekSecond(): Promise<Step | null> {
    return this.#begin();
  }

  #begin(): Promise<Step | null> {
    const step = this.#reader.read();
    this.#begun.push(step);
    return settledSoon(step);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return (this.#begun.shift() ?? this.#reader.read()) as Promise<IteratorResult<Uint8Array, undefined>>;
  }

  /** Cancels at once, even while a read is waiting. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#reader.cancel();
    return { done: true, value: undefined };
  }
}

async function settledSoon(step: Promise<Step>): Promise<Step | null> {
  const state = { isSettled: false };
  const settle = (): void => {
    state.isSettled = true;
  };
  step.then(settle, settle);
  // Each turn lets one generation of reactions run; neither I/O nor timers are waited for
  for (let turn = 0; turn < MAX_TURNS && !state.isSettled; turn++) await Promise.resolve();
  return state.isSettled ? step : null;
}
