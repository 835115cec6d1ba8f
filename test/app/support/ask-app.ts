/** One request to an app, as a server would ask it, over an exchange in memory. */

import { createExchangeHandler, type Handler, type HandlerFault } from "../../../src/web/handler.ts";
import { contentText, MemoryExchange, type MemoryRequest } from "../../web/support/memory-exchange.ts";

export interface Asked {
  readonly status: number;
  readonly text: string;
  readonly route: string;
  readonly faults: HandlerFault[];
  readonly exchange: MemoryExchange;
  field(name: string): string | undefined;
}

/** Asks `GET /path`, `/path`, or a whole request. */
export async function ask(app: { readonly fetch: Handler }, request: string | MemoryRequest): Promise<Asked> {
  const [first = "", second] = typeof request === "string" ? request.split(" ") : [];
  const head = second === undefined ? { target: first } : { method: first, target: second };
  const exchange = new MemoryExchange(typeof request === "string" ? head : request);
  const faults: HandlerFault[] = [];
  createExchangeHandler(app.fetch, {
    maxBufferedBytes: 1024,
    onFault: (fault) => faults.push(fault),
    waitUntil: () => {},
  })(exchange);
  await exchange.answered;
  const text = await contentText(exchange.body);
  const { status, route } = exchange;
  return { status, text, route, faults, exchange, field: (name) => exchange.field(name) };
}
