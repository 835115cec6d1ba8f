/**
 * Every metric of ours as data: name, type, labels and meaning.
 *
 * Names follow Prometheus' conventions: base units, `_total` for what only grows. No label ever takes a value that a client can
 * make up: methods are the registered ones, routes are patterns of the application, codes are those of our tables. The
 * reference page and the dashboard are checked against this table.
 */

/** One metric. */
export interface MetricRow {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
}

const row = (name: string, type: MetricRow["type"], labels: readonly string[], help: string): MetricRow => ({
  name,
  type,
  labels,
  help,
});

/** What is counted under which key. */
export type MetricKey =
  | "requests"
  | "duration"
  | "firstByte"
  | "requestBytes"
  | "responseBytes"
  | "cutOff"
  | "upgrades"
  | "inFlight"
  | "open"
  | "accepted"
  | "refusedConnections"
  | "closed"
  | "refusals"
  | "limits"
  | "faults"
  | "logDropped"
  | "workerThreads"
  | "workerRunning"
  | "workerQueued"
  | "workerCompleted"
  | "workerRefused"
  | "workerCrashed";

/** In the order of the page. */
export const METRICS: Readonly<Record<MetricKey, MetricRow>> = {
  requests: row(
    "fairlead_http_requests_total",
    "counter",
    ["method", "status", "route"],
    "Requests that are over, by method, class of status (none: cut off before there was one) and pattern of the route",
  ),
  duration: row(
    "fairlead_http_request_duration_seconds",
    "histogram",
    ["route"],
    "From the acceptance of a request to the end of its response",
  ),
  firstByte: row(
    "fairlead_http_first_byte_seconds",
    "histogram",
    ["route"],
    "From the acceptance of a request to the head of its response",
  ),
  requestBytes: row(
    "fairlead_http_request_content_bytes_total",
    "counter",
    ["route"],
    "Octets of request content, without framing",
  ),
  responseBytes: row(
    "fairlead_http_response_content_bytes_total",
    "counter",
    ["route"],
    "Octets of response content, without framing",
  ),
  cutOff: row(
    "fairlead_http_responses_cut_off_total",
    "counter",
    ["outcome"],
    "Responses that did not get whole: aborted by the client or its slowness, broken by the handler",
  ),
  upgrades: row("fairlead_http_upgrades_total", "counter", [], "Connections handed over to another protocol"),
  inFlight: row("fairlead_http_requests_in_flight", "gauge", [], "Requests whose response is not over"),
  open: row("fairlead_connections_open", "gauge", [], "Connections that are open"),
  accepted: row("fairlead_connections_accepted_total", "counter", [], "Connections that were let in"),
  refusedConnections: row(
    "fairlead_connections_refused_total",
    "counter",
    [],
    "Connections turned away because of a limit",
  ),
  closed: row(
    "fairlead_connections_closed_total",
    "counter",
    ["end"],
    "Connections that are gone: in order, or with an error",
  ),
  refusals: row(
    "fairlead_refusals_total",
    "counter",
    ["code"],
    "Requests and connections refused by the server itself",
  ),
  limits: row("fairlead_limits_hit_total", "counter", ["option"], "Refusals that an option would have prevented"),
  faults: row(
    "fairlead_faults_total",
    "counter",
    ["code"],
    "Failures of handlers, by code of ours, exception for all others",
  ),
  logDropped: row("fairlead_log_lines_dropped_total", "counter", [], "Lines of the access log that were not written"),
  workerThreads: row("fairlead_worker_threads", "gauge", ["pool"], "Threads of a pool"),
  workerRunning: row("fairlead_worker_requests_running", "gauge", ["pool"], "Requests that threads work on"),
  workerQueued: row("fairlead_worker_requests_queued", "gauge", ["pool"], "Requests that wait for a thread"),
  workerCompleted: row(
    "fairlead_worker_requests_completed_total",
    "counter",
    ["pool"],
    "Requests that threads are done with",
  ),
  workerRefused: row(
    "fairlead_worker_requests_refused_total",
    "counter",
    ["pool"],
    "Requests refused because the queue was full",
  ),
  workerCrashed: row("fairlead_worker_crashes_total", "counter", ["pool"], "Threads that ended by themselves"),
};

/** What the page of several worker processes has besides, by joined-metrics.ts. In the order of the page. */
export const PROCESS_METRICS: Readonly<
  Record<"processes" | "up" | "reporting" | "starts" | "crashes" | "memory", MetricRow>
> = {
  processes: row("fairlead_processes", "gauge", ["state"], "Worker processes, those that start and close included"),
  up: row("fairlead_process_up", "gauge", ["worker"], "Whether somebody in this place takes requests: 1 or 0"),
  reporting: row(
    "fairlead_process_reporting",
    "gauge",
    ["worker"],
    "Whether the metrics of this place are of this moment: 1, or 0 if they are the last known, or none",
  ),
  starts: row("fairlead_process_starts_total", "counter", ["worker"], "Processes that were started for this place"),
  crashes: row("fairlead_process_crashes_total", "counter", ["worker"], "Of them, those that ended by themselves"),
  memory: row(
    "fairlead_process_resident_memory_bytes",
    "gauge",
    ["worker"],
    "Memory of the process of this place, while it reports",
  ),
};
