/**
 * What the supervisor needs of the processes that it watches over, so that it can be tested without any.
 *
 * Types only. The true ones are made by cluster-crew.ts.
 */

import type { PrimaryMessage, WorkerMessage } from "./messages.ts";

/** How a process ended. */
export interface ProcessEnd {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** It could not even be started. */
  readonly error: Error | null;
}

/** A process that was started. */
export interface CrewProcess {
  /** 0 if it could not be started. */
  readonly pid: number;
  /** Does nothing if the process is gone. */
  send(message: PrimaryMessage): void;
  /** SIGKILL. */
  kill(): void;
}

/** What is heard of a process. */
export interface CrewEvents {
  onMessage(message: WorkerMessage): void;
  /** Once, and nothing after it. */
  onEnd(end: ProcessEnd): void;
}

/** Starts processes. */
export interface Crew {
  /**
   * Starts a worker. Its events come later, never during the call.
   *
   * @param number of the worker, from 1
   * @param environment added to that of this process
   */
  start(number: number, environment: Readonly<Record<string, string>>, events: CrewEvents): CrewProcess;
}
