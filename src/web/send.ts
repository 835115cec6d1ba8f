/**
 * Response -> response head and content on an exchange.
 *
 * Text and bytes of ours go out as they stand. Of all others only the interface can be seen, so content is a stream even where
 * it is a short text: what of it is at hand at once is gathered, because a known length spares chunks and a second write.
 * Nothing is waited for: a stream that is not finished at once is sent as it comes. This file must never decide about
 * framing; that is the wire's.
 */

import { HandlerError } from "../http/errors.ts";
import type { Content, Exchange, OnBreak, ResponseHead } from "../http/exchange.ts";
import { letGo } from "../http/let-go.ts";
import { foreignAnswer, platformAnswer } from "./other-response.ts";
import { platformResponse } from "./platform.ts";
import { isFastResponse, takeAnswer } from "./response.ts";

/** Turns of the microtask queue after which a stream counts as one that takes its time. A platform text takes 8. */
const MAX_TURNS = 24;

/**
 * Sends the final response.
 *
 * @returns nothing if all is done, else a promise that settles with the content; see {@link Exchange.respond}
 * @throws HandlerError if the content was used before, or the wire refuses the response; nothing has been sent then
 */
export function sendResponse(
  exchange: Exchange,
  response: globalThis.Response,
  onBreak: OnBreak = null,
): void | Promise<void> {
  if (isFastResponse(response)) {
    const { head, content } = takeAnswer(response);
    return isStream(content)
      ? sendGathered(exchange, head, content, onBreak)
      : exchange.respond(head, content, onBreak);
  }
  const { head, content } = response instanceof platformResponse() ? platformAnswer(response) : foreignAnswer(response);
  if (response.bodyUsed || response.body?.locked === true) throw new HandlerError("ERR_RESPONSE_USED");
  return isStream(content) ? sendGathered(exchange, head, content, onBreak) : exchange.respond(head, content, onBreak);
}

type StreamContent = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

function isStream(content: Content): content is StreamContent {
  return typeof content === "object" && content !== null && Symbol.asyncIterator in content;
}

/**
 * Sends as bytes what ends at once, as a stream what does not. What fails at once is not begun: there is still time for a
 * 500, and a wrong declared length is found before the head is out.
 */
async function sendGathered(
  exchange: Exchange,
  head: ResponseHead,
  body: StreamContent,
  onBreak: OnBreak,
): Promise<void> {
  const rest = new BegunStream(body);
  const first = await rest.peek();
  if (first === null) return exchange.respond(head, rest, onBreak);
  if (first.done) return exchange.respond(head, new Uint8Array(0));
  const second = await rest.peekSecond();
  // Anything but bytes is the wire's to refuse
  const bytes: unknown = first.value;
  const isWhole = second?.done === true && bytes instanceof Uint8Array;
  return exchange.respond(head, isWhole ? bytes : rest, onBreak);
}

type Step = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

/** A stream whose first two reads are made ahead, to see whether it ends at once. */
export class BegunStream implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #read: () => Promise<Step>;
  readonly #cancel: () => unknown;
  readonly #begun: Promise<Step>[];

  constructor(stream: StreamContent) {
    this.#begun = [];
    if (stream instanceof ReadableStream) {
      const reader = stream.getReader();
      this.#read = () => reader.read();
      this.#cancel = () => reader.cancel();
    } else {
      const iterator = stream[Symbol.asyncIterator]();
      this.#read = () => iterator.next() as Promise<Step>;
      this.#cancel = () => {
        letGo(stream);
        return iterator.return?.();
      };
    }
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
    const step = this.#read();
    this.#begun.push(step);
    return settledSoon(step);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return (this.#begun.shift() ?? this.#read()) as Promise<IteratorResult<Uint8Array, undefined>>;
  }

  /** Cancels at once, even while a read is waiting. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#cancel();
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
