/**
 * Middleware: what stands around handlers, each a function `(request, context, next)` made from its options.
 *
 * Exports only. Options are checked when a middleware is made; nothing is put together for a request. There is none that
 * overrides methods: see docs/guides/middleware.md.
 */

export { basicAuth, hashPassword } from "./basic-auth.ts";
export type { BasicAuthOptions } from "./basic-auth.ts";
export { BEARER, bearer } from "./bearer.ts";
export type { BearerOptions, VerifyToken } from "./bearer.ts";
export { bodyLimit } from "./body-limit.ts";
export type { BodyLimitOptions } from "./body-limit.ts";
export { cacheControl } from "./cache-control.ts";
export type { CacheControlOptions } from "./cache-control.ts";
export { compress } from "./compress.ts";
export type { CompressOptions } from "./compress.ts";
export { cors } from "./cors.ts";
export type { CorsOptions } from "./cors.ts";
export { etag } from "./etag.ts";
export type { EtagOptions } from "./etag.ts";
export { logger } from "./logger.ts";
export type { LoggerOptions, LogTarget } from "./logger.ts";
export { rateLimit } from "./rate-limit.ts";
export type { RateLimitOptions } from "./rate-limit.ts";
export { memoryStore, redisStore } from "./rate-limit-store.ts";
export type { Count, MemoryStoreOptions, RateLimitStore, RedisStoreOptions } from "./rate-limit-store.ts";
export { REQUEST_ID, requestId } from "./request-id.ts";
export type { RequestIdOptions } from "./request-id.ts";
export { ISOLATION, responseHeaders } from "./response-headers.ts";
export type { HeadersToSet } from "./response-headers.ts";
export { securityHeaders } from "./security-headers.ts";
export type { SecurityHeadersOptions } from "./security-headers.ts";
export { serverTiming, TIMING } from "./server-timing.ts";
export type { ServerTimingOptions, Timing } from "./server-timing.ts";
export { timeout, timeoutSignal } from "./timeout.ts";
export type { TimeoutOptions } from "./timeout.ts";
export { trailingSlash } from "./trailing-slash.ts";
export type { TrailingSlashOptions } from "./trailing-slash.ts";
