/**
 * serveNode(): a listener for `(req, res)`, served. For who has an Express app and wants a server, in one line.
 *
 * Nothing but serve() with nodeHandler(); all that serve() takes is taken, and all that it gives is given.
 */

import type { ServeOptions } from "../server/options.ts";
import { serve, type Server } from "../server/server.ts";
import { nodeHandler, type NodeHandlerOptions, type RequestListener } from "./node-handler.ts";

/** Options of {@link serveNode}: those of serve() without `fetch`, and those of nodeHandler(). */
export type ServeNodeOptions = Omit<ServeOptions, "fetch"> & NodeHandlerOptions;

/**
 * Serves a listener, e.g. `serveNode(express(), { port: 8080 })` or `serveNode(koa.callback())`.
 *
 * @returns when it listens
 * @throws what serve() and nodeHandler() throw
 */
export function serveNode(listener: RequestListener, options: ServeNodeOptions = {}): Promise<Server> {
  const { upgrade, ...others } = options;
  return serve({ ...others, fetch: nodeHandler(listener, upgrade === undefined ? {} : { upgrade }) });
}
