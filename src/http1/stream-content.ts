/**
 * Response content whose length only its source knows: pulled piece by piece, no faster than the peer takes it.
 *
 * A source is asked for the next piece only when the one before was accepted, cancelled as soon as the peer leaves, and
 * always closed. Delimiting is the target's business (RFC 9112 §7.1 or close); this file knows no HTTP.
 */

import { HandlerError } from "../http/errors.ts";
import { letGo } from "../http/let-go.ts";

/** Where pieces go. */
export interface ContentTarget {
  /** Takes a piece; false: wait for {@link drained} before the next. */
  push(bytes: Uint8Array): boolean;
  drained(): Promise<void>;
  /** The exchange ended early; nothing more is wanted. */
  isOver(): boolean;
  onAbort(callback: (reason: Error) => void): void;
}

type Source = AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>;

interface Step {
  readonly done?: boolean | undefined;
  readonly value?: unknown;
}

interface Pull {
  next(): Promise<Step>;
  cancel(reason: unknown): Promise<unknown>;
}

function pullFrom(source: Source): Pull {
  if (source instanceof ReadableStream) {
    const reader: ReadableStreamDefaultReader<Uint8Array> = source.getReader();
    return { next: () => reader.read(), cancel: (reason) => reader.cancel(reason) };
  }
  const iterator = source[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    cancel: async () => {
      letGo(source);
      await iterator.return?.();
    },
  };
}

/** Cancels a source that will not be sent; its own complaints about that interest nobody. */
export function cancelSource(source: Source, reason: Error): void {
  try {
    pullFrom(source).cancel(reason).catch(ignore);
  } catch {
    // locked: someone else has it and must close it
  }
}

function ignore(): void {}

/** The peer has left while the source was asked. */
const GONE = Symbol("gone");

/**
 * Sends all of `source` to `target`.
 *
 * @returns true when the source ended, false when the exchange was over before
 * @throws what the source throws, or HandlerError ERR_RESPONSE_CONTENT for a piece that is not bytes
 */
export async function pumpContent(source: Source, target: ContentTarget): Promise<boolean> {
  const pull = pullFrom(source);
  let isOpen = true;
  const close = (reason: unknown): void => {
    if (!isOpen) return;
    isOpen = false;
    pull.cancel(reason).catch(ignore);
  };
  // A generator that waits hears of cancelling only when it goes on, if ever: nobody waits for it then
  let giveUp: ((gone: typeof GONE) => void) | null = null;
  target.onAbort((reason) => {
    close(reason);
    giveUp?.(GONE);
  });
  try {
    while (!target.isOver()) {
      // No race with one promise for the whole stream: it would hold on to every piece until the end
      const result = await new Promise<Step | typeof GONE>((resolve, reject) => {
        giveUp = resolve;
        pull.next().then(resolve, reject);
      });
      giveUp = null;
      if (result === GONE) return false;
      const { done, value } = result;
      if (done === true) {
        isOpen = false;
        return !target.isOver();
      }
      if (!(value instanceof Uint8Array)) {
        throw new HandlerError(
          "ERR_RESPONSE_CONTENT",
          `a stream must give Uint8Array, not ${value === null ? "null" : typeof value}`,
        );
      }
      if (value.length > 0 && !target.isOver() && !target.push(value)) await target.drained();
    }
    return false;
  } catch (error) {
    close(error);
    throw error;
  }
}
