/**
 * How listings share the machine with each other and with everybody else: looks at the disk, turns of the event loop, and
 * places for those that read a folder, each with a bound for all listings together.
 *
 * Nothing here knows what is listed. Who waits for a peer must hold no place: a slow reader would keep others waiting.
 */

import { lstat } from "node:fs";
import type { Stats } from "node:fs";

/** Looks at the disk under way for all listings. Node has 4 threads for them, which files in service want too. */
const MAX_LOOKS = 16;
/** Folders that are read and sorted at a time. Each takes memory for its garbage too; the others wait. */
const MAX_READINGS = 2;
/** Batches that are looked up at a time. Two keep the threads busy. */
const MAX_BATCHES = 2;
/** Sorted at once, before merging; and steps of merging between two rests: about 2 ms (natural comparison takes 0.3 us). */
const SORT_RUN = 512;
const MERGE_STEPS = 4096;

/** A look at the disk that is wanted. */
interface Look {
  readonly path: string;
  readonly done: (stats: Stats | null) => void;
}

/** Looks at the disk, a few at a time. */
class LookQueue {
  #running: number;
  #waiting: Look[];
  #next: number;

  constructor() {
    this.#running = 0;
    this.#waiting = [];
    this.#next = 0;
  }

  add(look: Look): void {
    if (this.#running >= MAX_LOOKS) this.#waiting.push(look);
    else this.#start(look);
  }

  #start({ path, done }: Look): void {
    this.#running++;
    lstat(path, (error, stats) => {
      this.#running--;
      const next = this.#take();
      if (next !== undefined) this.#start(next);
      done(error === null ? stats : null);
    });
  }

  #take(): Look | undefined {
    const look = this.#waiting[this.#next++];
    if (look === undefined || this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    return look;
  }
}

/** The looks of all listings. Links are not followed. */
export const looks: LookQueue = new LookQueue();

/** Turns of the event loop, one listing in each: ten that sort at a time hold nobody up longer than one. */
class TurnQueue {
  readonly #waiting: (() => void)[];

  constructor() {
    this.#waiting = [];
  }

  /** Lets everything else that is due have its turn, and other listings theirs. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}

/** The turns of all listings. */
export const turns: TurnQueue = new TurnQueue();

/** Work of which only so much is done at a time. */
class Places {
  readonly #most: number;
  readonly #waiting: (() => void)[];
  #taken: number;

  constructor(most: number) {
    this.#most = most;
    this.#waiting = [];
    this.#taken = 0;
  }

  /** Does some work when its turn has come, in the order of asking. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken === this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // A place is handed on, so that nobody slips in between
      if (next === undefined) this.#taken--;
      else next();
    }
  }
}

/** The places of all listings that read. */
export const readings: Places = new Places(MAX_READINGS);
/** The places of all batches that are looked up. */
export const lookUps: Places = new Places(MAX_BATCHES);

/** A sorted copy: a merge sort from the bottom, with rests between. Stable. */
export async function sortInSlices<T>(items: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  let from: T[] = [];
  for (let i = 0; i < items.length; i += SORT_RUN) {
    if (i > 0) await turns.wait();
    from.push(...items.slice(i, i + SORT_RUN).toSorted(compare));
  }
  let steps = 0;
  for (let width = SORT_RUN; width < from.length; width *= 2) {
    const into: T[] = [];
    for (let low = 0; low < from.length; low += 2 * width) {
      const middle = Math.min(low + width, from.length);
      const high = Math.min(low + 2 * width, from.length);
      let left = low;
      let right = middle;
      while (left < middle || right < high) {
        const takesLeft = right >= high || (left < middle && compare(from[left] as T, from[right] as T) <= 0);
        into.push(from[takesLeft ? left++ : right++] as T);
        if (++steps % MERGE_STEPS === 0) await turns.wait();
      }
    }
    from = into;
  }
  return from;
}
