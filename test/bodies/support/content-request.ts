/** Requests with content, as a handler gets them, without a wire. */

import { MemoryContent, MemoryExchange } from "../../web/support/memory-exchange.ts";
import { type Request, requestOf } from "../../../src/web/request.ts";

export interface ContentRequest {
  method?: string;
  target?: string;
  fields?: [string, string][];
  /** Of what the server buffers. */
  maxBufferedBytes?: number;
}

/** A request whose content has arrived whole, in these pieces; declared by length if `length` says so. */
export function requestWith(
  type: string | null,
  pieces: string | Uint8Array | readonly (string | Uint8Array)[],
  options: ContentRequest & { length?: boolean } = {},
): Request {
  const list = (Array.isArray(pieces) ? pieces : [pieces]) as readonly (string | Uint8Array)[];
  const length = list.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
  const content = new MemoryContent(options.length === true ? length : null);
  content.feed(...list.filter((piece) => piece.length > 0)).end();
  return requestOver(type, content, options.length === true ? length : null, options);
}

/** A request whose content comes as the test feeds it. */
export function requestOver(
  type: string | null,
  content: MemoryContent,
  length: number | null,
  options: ContentRequest = {},
): Request {
  const fields: [string, string][] = [...(options.fields ?? [])];
  if (type !== null) fields.push(["content-type", type]);
  if (length !== null) fields.push(["content-length", String(length)]);
  const exchange = new MemoryExchange(
    { method: options.method ?? "POST", target: options.target ?? "/", fields },
    content,
  );
  return requestOf(exchange, options.maxBufferedBytes ?? 1024 * 1024);
}

/** A request without content. */
export function requestWithout(type: string | null, options: ContentRequest = {}): Request {
  return requestOver(type, new MemoryContent(0, true), null, options);
}

/** What a promise, or a function, fails with. */
export async function failureOf(act: Promise<unknown> | (() => unknown)): Promise<Error & Record<string, unknown>> {
  try {
    await (typeof act === "function" ? act() : act);
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("it did not fail");
}
