/**
 * `fairlead/processes`: a script that calls serve(), in several processes that share its ports.
 *
 * Exports only. What is not exported here may change in any release. Importing this starts nothing.
 */

export { answerWith, askWorkers } from "./ask-workers.ts";
export type { AnswerMaker } from "./ask-workers.ts";
export type { WorkerEnd } from "./end-listeners.ts";
export type { ListeningPlace, WorkerAnswer } from "./messages.ts";
export type { ProcessesOptions } from "./processes-options.ts";
export { serveProcesses } from "./serve-processes.ts";
export type { Processes } from "./serve-processes.ts";
export type { ProcessesSummary, WorkerInfo, WorkerPlace } from "./supervisor.ts";
export type { WorkerState } from "./worker.ts";
