/**
 * A request that no server has brought: from a test, from another framework, from another runtime.
 *
 * Its handlers get a context all the same, of a connection that is none. What is an answer (an HttpError, content that is no
 * JSON or no form) becomes that answer, as it would on a server; any other error is thrown to the caller, who is the one to see it. What is given to `waitUntil()` nobody waits for.
 */

import { Context } from "../web/context.ts";
import { isResponse, missingResponse } from "../web/edited-response.ts";
import { responseToError } from "../web/handler.ts";
import { LocalExchange } from "../web/local-exchange.ts";
import type { Request } from "../web/request.ts";
import type { CompiledApp } from "./compiled-app.ts";

/** Answers a request that has no context. */
export async function answerWithoutServer(app: CompiledApp, request: Request): Promise<globalThis.Response> {
  const { pathname, search, host } = new URL(request.url);
  const lines = [...request.headers].filter(([name]) => name !== "host");
  const exchange = new LocalExchange(request.method, `${pathname}${search}`, [["host", host], ...lines]);
  const context = new Context(exchange, () => {});
  try {
    const response = await app.answer(request, context);
    if (!isResponse(response)) throw missingResponse(response);
    return response;
  } catch (error) {
    const response = responseToError(request, context, error);
    if (response === null) throw error;
    return response;
  }
}
