/**
 * Questions that the primary asks all its workers: what each of them says of a topic, within a time.
 *
 * Whoever does not answer in time, or ends, or has nobody who knows the topic, is left out: figures of most workers are worth
 * more than none. The number of questions under way is bounded by their time.
 */

import type { TimeSource } from "../server/clock.ts";
import type { WorkerAnswer } from "./messages.ts";
import type { Worker } from "./worker.ts";

/** One question under way. */
interface Question {
  /** Workers that have not answered. */
  readonly open: Set<Worker>;
  readonly answers: WorkerAnswer[];
  readonly finish: () => void;
}

/** All questions under way. */
export class Questions {
  readonly #time: TimeSource;
  readonly #questions: Map<number, Question> = new Map();
  #lastId = 0;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  /** Asks `workers`; resolves with the answers that came within `timeoutMs`, by number of the worker. */
  ask(workers: readonly Worker[], topic: string, timeoutMs: number): Promise<readonly WorkerAnswer[]> {
    if (workers.length === 0) return Promise.resolve([]);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const answers: WorkerAnswer[] = [];
      const cancel = this.#time.after(timeoutMs, () => finish(), false);
      const finish = (): void => {
        cancel();
        this.#questions.delete(id);
        resolve(answers.toSorted((a, b) => a.worker - b.worker));
      };
      this.#questions.set(id, { open: new Set(workers), answers, finish });
      for (const worker of workers) worker.send({ kind: "ask", id, topic });
    });
  }

  /** A worker has answered. */
  answer(worker: Worker, id: number, hasAnswer: boolean, answer: unknown): void {
    const question = this.#questions.get(id);
    if (question === undefined || !question.open.delete(worker)) return;
    if (hasAnswer) question.answers.push({ worker: worker.number, pid: worker.pid, answer });
    if (question.open.size === 0) question.finish();
  }

  /** A worker will answer nothing any more. */
  forget(worker: Worker): void {
    for (const { open, finish } of this.#questions.values()) {
      if (open.delete(worker) && open.size === 0) finish();
    }
  }
}
