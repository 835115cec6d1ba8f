/**
 * `fairlead/node`: listeners for `(req, res)` on this server: Express, Koa, Fastify, Connect and what is built on them.
 *
 * Exports only. It must never patch anything of Node, or of a framework.
 */

export { nodeHandler } from "./node-handler.ts";
export type { NodeHandlerOptions, RequestListener, UpgradeListener } from "./node-handler.ts";
export { createServer } from "./node-server.ts";
export type { NodeServer, NodeServerOptions } from "./node-server.ts";
export { serveNode } from "./serve-node.ts";
export type { ServeNodeOptions } from "./serve-node.ts";
