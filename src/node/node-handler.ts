/**
 * nodeHandler(): a listener for `(req, res)` as a handler of ours: Express, Koa's callback, Connect, a bare function.
 *
 * Steps: exchange -> socket, request, response -> listener -> nothing if all is answered, else a promise of that. An upgrade
 * goes to the listener for upgrades, where there is one. What a listener throws, or rejects with, becomes the answer that it
 * deserves, as with any handler; under node:http it would end the process.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Exchange } from "../http/exchange.ts";
import { listOf } from "../http1/framing.ts";
import { A_FUNCTION, checkOptions, type OptionRules } from "../server/option-rules.ts";
import type { Context } from "../web/context.ts";
import type { Handler } from "../web/handler.ts";
import { exchangeOf } from "../web/request.ts";
import { socketOf } from "./connection-socket.ts";
import { NodeRequest } from "./incoming-message.ts";
import { NodeResponse } from "./server-response.ts";
import { UpgradeSocket } from "./upgrade-socket.ts";

/** What node:http calls a request listener. What it returns is ignored, but for a promise that rejects. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** As `server.on("upgrade")` of node:http: writes the answer to `socket` itself. `head` is empty, all bytes come by the socket. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/** Options of {@link nodeHandler}. */
export interface NodeHandlerOptions {
  /**
   * Gets requests that ask for another protocol (RFC 9110 §7.8), e.g. `(request, socket, head) =>
   * webSockets.handleUpgrade(request, socket, head, …)`. Without it they go to the listener like all others.
   */
  readonly upgrade?: UpgradeListener | undefined;
}

const RULES: OptionRules<NodeHandlerOptions> = { upgrade: A_FUNCTION };

/**
 * Makes a handler of a listener for `(req, res)`, to be served, mounted or tested like any other.
 *
 * @throws TypeError if `listener` is no function, and that names every mistake in the options
 */
export function nodeHandler(listener: RequestListener, options: NodeHandlerOptions = {}): Handler {
  if (typeof listener !== "function") throw new TypeError("nodeHandler() takes a function (req, res)");
  checkOptions("nodeHandler", options, RULES);
  const { upgrade } = options;
  return (request, context) => {
    const exchange = exchangeOf(request) ?? context.exchange;
    if (upgrade !== undefined && asksForUpgrade(exchange)) return handUpgrade(exchange, upgrade);
    return handRequest(exchange, context, listener);
  };
}

/**
 * Gives a request to a listener.
 *
 * @throws what the listener throws, and what went wrong with its answer
 */
export function handRequest(
  exchange: Exchange,
  context: Context,
  listener: RequestListener,
): Promise<undefined> | undefined {
  const socket = socketOf(exchange.connection);
  const request = new NodeRequest(exchange, socket);
  const response = new NodeResponse(exchange, request, socket);
  socket.begin(exchange, request, response, abandon);
  try {
    const result = listener(request, response);
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        // Behind the answer nobody waits but the log
        if (!NodeResponse.fail(response, toError(error))) context.waitUntil(Promise.reject(toError(error)));
      });
    }
  } catch (error) {
    NodeResponse.fail(response, toError(error));
    throw error;
  }
  return NodeResponse.settled(response);
}

/** Whether the request would leave HTTP, and may: RFC 9110 §7.8 wants the connection option too, and HTTP/1.1. */
export function asksForUpgrade(exchange: Exchange): boolean {
  const { fields, version } = exchange.request;
  if (!fields.has("upgrade") || version === "1.0" || !exchange.content.isEmpty) return false;
  const options = new NodeRequest(exchange, socketOf(exchange.connection)).headers.connection;
  return options !== undefined && listOf([options])?.includes("upgrade") === true;
}

/** Gives a request to a listener for upgrades. */
export function handUpgrade(exchange: Exchange, listener: UpgradeListener): Promise<undefined> {
  const request = new NodeRequest(exchange, socketOf(exchange.connection));
  (request as unknown as { upgrade: boolean }).upgrade = true;
  const socket = new UpgradeSocket(exchange);
  request.socket = socket as unknown as typeof request.socket;
  const settled = new Promise<undefined>((resolve, reject) => UpgradeSocket.settle(socket, resolve, reject));
  try {
    const result = listener(request, socket, Buffer.alloc(0));
    if (result instanceof Promise) result.catch((error: unknown) => socket.destroy(toError(error)));
  } catch (error) {
    socket.destroy(toError(error));
  }
  return settled;
}

const abandon = (response: ServerResponse, reason: Error): void => NodeResponse.abandon(response, reason);

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error("a listener failed", { cause: error });
}
