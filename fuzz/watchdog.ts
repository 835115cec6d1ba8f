/**
 * What sees a hang: a thread of its own that knows the input under way, says it when no new one comes for a while, and ends
 * the process, for which nobody else can be called when its only thread goes round in circles.
 */

import { Worker } from "node:worker_threads";
import { MAX_INPUT_BYTES } from "./mutate.ts";

/** So long no input may take. Far above what any takes on a slow and busy machine. */
const HANG_MS = 20_000;
const NAME_BYTES = 64;

/** Plain script: threads of Node 20 take no TypeScript. */
const WATCH = `
const { workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const counts = new Int32Array(workerData.memory, 0, 2);
const text = new Uint8Array(workerData.memory, 8);
let before = -1;
setInterval(() => {
  const now = Atomics.load(counts, 0);
  const length = Atomics.load(counts, 1);
  if (now !== before || length < 0) { before = now; return; }
  const name = Buffer.from(text.slice(0, ${NAME_BYTES})).toString("latin1").replaceAll("\\0", "");
  const hex = Buffer.from(text.slice(${NAME_BYTES}, ${NAME_BYTES} + length)).toString("hex");
  writeSync(2, "\\nHANG in " + name + ": no end within " + workerData.hangMs / 1000 + " s\\n  npm run fuzz -- --only " + name + " --hex " + hex + "\\n");
  process.kill(process.pid, "SIGKILL");
}, workerData.hangMs / 2);
`;

/** Tells the thread what is under way. */
export class Watchdog {
  readonly #memory: SharedArrayBuffer = new SharedArrayBuffer(8 + NAME_BYTES + 2 * MAX_INPUT_BYTES);
  readonly #counts: Int32Array = new Int32Array(this.#memory, 0, 2);
  readonly #text: Uint8Array = new Uint8Array(this.#memory, 8);
  readonly #worker: Worker;

  constructor() {
    this.#counts[1] = -1;
    this.#worker = new Worker(WATCH, {
      eval: true,
      execArgv: [],
      workerData: { memory: this.#memory, hangMs: HANG_MS },
    });
    this.#worker.unref();
  }

  /** `input` of `target` begins. */
  begins(target: string, input: Uint8Array): void {
    this.#text.fill(0, 0, NAME_BYTES);
    for (let i = 0; i < target.length && i < NAME_BYTES; i++) this.#text[i] = target.charCodeAt(i);
    this.#text.set(input.subarray(0, 2 * MAX_INPUT_BYTES), NAME_BYTES);
    this.#counts[1] = Math.min(input.length, 2 * MAX_INPUT_BYTES);
    Atomics.add(this.#counts, 0, 1);
  }

  /** Nothing is under way. */
  rests(): void {
    this.#counts[1] = -1;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
