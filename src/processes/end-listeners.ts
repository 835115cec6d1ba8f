/**
 * Who wants to know of workers that are gone.
 *
 * They are the app's: one that fails is told of, and keeps neither the others nor the supervisor from their part.
 */

import { errorText, harmless } from "../server/fault-text.ts";

/** A worker process that is gone. */
export interface WorkerEnd {
  readonly number: number;
  readonly pid: number;
  /** What it said of each topic of `answerWith()` when it had closed; nothing of one that ended otherwise. */
  readonly lastAnswers: Readonly<Record<string, unknown>>;
}

/** Of one supervisor. */
export class EndListeners {
  readonly #listeners: Set<(end: WorkerEnd) => unknown> = new Set();
  readonly #warn: (text: string) => void;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** @returns what takes it out again */
  add(listener: (end: WorkerEnd) => unknown): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells all of them. */
  tell(end: WorkerEnd): void {
    const warn = (error: unknown): void =>
      this.#warn(`a listener of onWorkerEnd() failed: ${harmless(errorText(error))}`);
    for (const listener of this.#listeners) {
      try {
        const result = listener(end);
        if (result instanceof Promise) result.catch(warn);
      } catch (error) {
        warn(error);
      }
    }
  }
}
