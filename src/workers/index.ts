/**
 * `fairlead/workers`: handlers in worker threads.
 *
 * What is not exported here may change in any release. Importing this loads the pool, and no thread is started before a handler
 * is made.
 */

export { workerHandler } from "./worker-handler.ts";
export type { Durations, WorkerHandler, WorkerStats } from "./worker-handler.ts";
export type { WorkerOptions } from "./worker-options.ts";
