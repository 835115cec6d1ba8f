/**
 * Fairlead's public API, and nothing else.
 *
 * What is not exported here may change in any release. Importing this loads the wire, the server, the router and
 * the file server; what not everybody needs has a path of its own: `fairlead/middleware`, `/bodies`, `/replies`, `/workers`,
 * `/node`, `/observe`, `/processes`, `/sendfile`, `/config` and `/testing`.
 */

export type {
  ClientCertificate,
  Content,
  ContentSink,
  ContentSource,
  Exchange,
  FileSlice,
  Outcome,
  Refusal,
  RequestHead,
  SocketAddress,
  TlsFacts,
} from "./http/exchange.ts";
export type { ErrorCode, ErrorRow, HandlerErrorCode, ProtocolErrorCode, ServerErrorCode } from "./http/errors.ts";
export { ERRORS, HandlerError, HttpError, ProtocolError, ServerError } from "./http/errors.ts";
export { Headers } from "./web/headers.ts";
export { native } from "./web/native.ts";
export { Request } from "./web/request.ts";
export { Response } from "./web/response.ts";
export type { ResponseOptions } from "./web/response.ts";
export type { ResponseBody } from "./web/response-body.ts";
export { contextKey } from "./web/context.ts";
export type { Context, ContextKey, Params } from "./web/context.ts";
export type { Tunnel } from "./web/tunnel.ts";
export type { Handler, Middleware } from "./web/handler.ts";
export { healthHandler } from "./server/health.ts";
export type { HealthOptions, Readiness } from "./server/health.ts";
export type { ListenPlace } from "./server/life-options.ts";
export type { TrustProxyOptions } from "./server/trust.ts";
export type { CloseSummary, Fault, Hooks, ResponseInfo } from "./server/hooks.ts";
export type { Limits, ServeOptions, Timeouts } from "./server/options.ts";
export type {
  CertificateOptions,
  ProxyProtocolOptions,
  RedirectOptions,
  TlsOptions,
  TlsServerOptions,
  TransportSecurityOptions,
} from "./server/tls-options.ts";
export { Server } from "./server/server.ts";
export type { ServerStats } from "./server/server.ts";
export { App } from "./app/app.ts";
export type { AppOptions, RouteHandler } from "./app/app.ts";
export type { TrailingSlash } from "./app/compiled-app.ts";
export type { ErrorHandler } from "./app/compose.ts";
export type { Mountable, MountedHandler } from "./app/mount.ts";
export type { PathParams } from "./app/path-params.ts";
export { serve } from "./app/serve.ts";
export type { RouteEntry, RouteTable, TableOptions } from "./app/serve.ts";
export type { ExplainedField, ExplainedStep, Explanation } from "./static/explain.ts";
export type { CacheStats } from "./static/file-cache.ts";
export { serveFile } from "./static/serve-file.ts";
export type { FileOptions } from "./static/serve-file.ts";
export { serveStatic } from "./static/serve-static.ts";
export type { StaticHandler, StaticOptions, StaticRoots } from "./static/serve-static.ts";
