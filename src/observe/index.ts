/**
 * `fairlead/observe`: what a server does, for operators: an access log, metrics for Prometheus, traces for OpenTelemetry.
 *
 * Exports only. Each is made from its options, which are checked whole, and gives hooks for `serve({ hooks })`.
 */

export { accessLog } from "./access-log.ts";
export type { AccessLog } from "./access-hooks.ts";
export type { AccessLogOptions, LogFormat, LogMembers, LogTarget, RedactOptions } from "./access-options.ts";
export { joinHooks } from "../server/join-hooks.ts";
export { REDACTED, SECRET_PARAMETERS } from "./redact.ts";
export { metrics } from "./metrics.ts";
export type { Metrics, MetricsOptions, MetricsSnapshot, PoolStats } from "./metrics.ts";
export { joinMetrics } from "./joined-metrics.ts";
export type { JoinedMetrics, JoinMetricsOptions, MetricsSource } from "./joined-metrics.ts";
export { adminServer } from "./admin-server.ts";
export type { AdminServerOptions } from "./admin-server.ts";
export { tracing } from "./tracing.ts";
export type { Tracing, TracingOptions } from "./tracing.ts";
