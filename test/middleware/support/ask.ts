/** One request through a middleware and a handler, without a server: what becomes of it, and of the exchange. */
import { expect } from "vitest";
import { type Handler, type Middleware, responseToError } from "../../../src/web/handler.ts";
import { Context } from "../../../src/web/context.ts";
import { requestOf } from "../../../src/web/request.ts";
import type { Request } from "../../../src/web/request.ts";
import type { Response } from "../../../src/web/response.ts";
import { takeAnswer } from "../../../src/web/response.ts";
import { type MemoryContent, MemoryExchange, type MemoryRequest } from "../../web/support/memory-exchange.ts";

const LIMIT_BYTES = 1024 * 1024;

/** A request on its way, with what tests look at behind it. */
export interface Asked {
  readonly request: Request;
  readonly context: Context;
  readonly exchange: MemoryExchange;
  /** What was given to `waitUntil`. */
  readonly background: Promise<unknown>[];
}

export interface AskOptions extends Omit<MemoryRequest, "fields"> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: MemoryContent;
  readonly remoteAddress?: string;
  readonly isEncrypted?: boolean;
}

/** A request as a server would make it. */
export function arrive(options: AskOptions = {}): Asked {
  const { headers = {}, body = null, remoteAddress, isEncrypted, ...rest } = options;
  const exchange = new MemoryExchange({ ...rest, fields: Object.entries(headers) }, body);
  const known = exchange.connection;
  const connection = {
    ...known,
    isEncrypted: isEncrypted ?? known.isEncrypted,
    remoteAddress: { ...known.remoteAddress, address: remoteAddress ?? known.remoteAddress.address },
  };
  Object.defineProperty(exchange, "connection", { value: connection });
  const background: Promise<unknown>[] = [];
  const context = new Context(exchange, (promise) => background.push(promise));
  return { request: requestOf(exchange, LIMIT_BYTES), context, exchange, background };
}

/** Asks once. */
export async function ask(middleware: Middleware, handler: Handler, options: AskOptions = {}): Promise<Response> {
  const { request, context } = arrive(options);
  return (await middleware(request, context, handler)) as Response;
}

/** Fields of the answer that a server gives to an error which a handler throws. */
export async function refused(
  middleware: Middleware,
  error: Error,
  options: AskOptions = {},
): Promise<Record<string, string>> {
  const { request, context } = arrive(options);
  const passed = async (): Promise<unknown> => middleware(request, context, () => Promise.reject(error));
  // On its way it stays what it is
  await expect(passed()).rejects.toBe(error);
  return fieldsOf(responseToError(request, context, error) as Response);
}

/** Fields of an answer by lower-case name. */
export function fieldsOf(response: globalThis.Response): Record<string, string> {
  return Object.fromEntries(response.headers);
}

/** Content as octets. */
export async function bytesOf(response: Response): Promise<Buffer> {
  const { content } = takeAnswer(response);
  if (content === null) return Buffer.alloc(0);
  if (typeof content === "string") return Buffer.from(content);
  if (content instanceof Uint8Array) return Buffer.from(content);
  if ("fd" in content) throw new Error("a part of a file");
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}
