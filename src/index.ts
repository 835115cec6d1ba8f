/**
 * Fairlead's public API, and nothing else.
 *
 * What is not exported here may change in any release. Importing this loads the wire, the server and the file server; no
 * command line, no logger and no other package but the table of media types.
 */

export type {
  Content,
  ContentSink,
  ContentSource,
  Exchange,
  FileSlice,
  Outcome,
  Refusal,
  RequestHead,
  SocketAddress,
} from "./http/exchange.ts";
export type { ErrorCode, ErrorRow, HandlerErrorCode, ProtocolErrorCode, ServerErrorCode } from "./http/errors.ts";
export { ERRORS, HandlerError, HttpError, ProtocolError, ServerError } from "./http/errors.ts";
export { Headers } from "./web/headers.ts";
export { native } from "./web/native.ts";
export { Request } from "./web/request.ts";
export { Response } from "./web/response.ts";
export type { ResponseOptions } from "./web/response.ts";
export type { ResponseBody } from "./web/response-body.ts";
export type { Context } from "./web/context.ts";
export type { Tunnel } from "./web/tunnel.ts";
export type { Handler } from "./web/handler.ts";
export type { CloseSummary, Fault, Hooks, ResponseInfo } from "./server/hooks.ts";
export type { Limits, ServeOptions, Timeouts } from "./server/options.ts";
export { serve, Server } from "./server/server.ts";
export type { ServerStats } from "./server/server.ts";
export { serveStatic } from "./static/serve-static.ts";
export type { StaticHandler, StaticOptions } from "./static/serve-static.ts";
