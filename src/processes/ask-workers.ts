/**
 * What a process says when all workers are asked, and asking all of them from within any of them.
 *
 * A worker asks through the primary; a process without one asks itself, so that whoever adds up figures need not know whether
 * there are workers. Topics are names such as `"metrics"`, answers are JSON. It must never answer for somebody else.
 */

import { SYSTEM_TIME } from "../server/clock.ts";
import { enclose, type WorkerAnswer, type WorkerMessage } from "./messages.ts";

/** Says something of this process, as JSON can hold it. */
export type AnswerMaker = () => unknown;

/** The primary itself has 2 s for its workers. */
const PATIENCE_MS = 5_000;
/** Of a worker that ends: who has not said its last words by then has none. A worker is killed 1 s after it was cut off. */
const LAST_WORDS_MS = 500;

const makers: Map<string, AnswerMaker> = new Map();
const waiting: Map<number, (answers: readonly WorkerAnswer[]) => void> = new Map();
let lastId = 0;

/**
 * Sets what this process says of a topic; the last one that was set counts. A worker that ends in order says it once more, see
 * `processes.onWorkerEnd()`.
 *
 * @param make may return a promise
 */
export function answerWith(topic: string, make: AnswerMaker): void {
  makers.set(topic, make);
}

/**
 * Asks all workers, this one included, what they say of a topic. In a process that is no worker only that process is asked, as
 * worker 0.
 *
 * @returns answers by number of the worker, without those who did not answer in time; empty if nobody could be asked
 */
export async function askWorkers(topic: string): Promise<readonly WorkerAnswer[]> {
  if (process.env["FAIRLEAD_WORKER"] === undefined || !process.connected) {
    const answer = await answersTo(topic);
    return answer === undefined ? [] : [{ worker: 0, pid: process.pid, answer }];
  }
  const id = ++lastId;
  return new Promise((resolve) => {
    const finish = (answers: readonly WorkerAnswer[]): void => {
      cancel();
      waiting.delete(id);
      resolve(answers);
    };
    const cancel = SYSTEM_TIME.after(PATIENCE_MS, () => finish([]), false);
    waiting.set(id, finish);
    const message: WorkerMessage = { kind: "ask-all", id, topic };
    process.send?.(enclose(message), undefined, undefined, () => {});
  });
}

/** @internal What this process says; undefined if it knows nothing of the topic. */
export async function answersTo(topic: string): Promise<unknown> {
  return makers.get(topic)?.();
}

/** @internal What this process says of all topics, before it ends; without those that fail or take too long. */
export async function lastAnswers(): Promise<Readonly<Record<string, unknown>>> {
  if (makers.size === 0) return {};
  const said: Record<string, unknown> = {};
  const all = Array.from(makers.keys(), async (topic) => {
    try {
      const answer = await answersTo(topic);
      if (answer !== undefined) said[topic] = answer;
    } catch {
      // It has none
    }
  });
  let cancel = (): void => {};
  const tooLate = new Promise<void>((resolve) => (cancel = SYSTEM_TIME.after(LAST_WORDS_MS, resolve, false)));
  await Promise.race([Promise.all(all), tooLate]);
  cancel();
  return { ...said };
}

/** @internal The primary has gathered answers. */
export function hearAnswers(id: number, answers: readonly WorkerAnswer[]): void {
  waiting.get(id)?.(answers);
}
