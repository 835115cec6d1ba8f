/**
 * Connections that have something to write, written together once per turn of the event loop.
 *
 * Answers that become ready at different moments of one turn then leave in one run of system calls, behind the reading of
 * what has arrived. Nothing waits longer than to the end of the turn.
 */

/** Something that wants to be flushed. */
export interface Flushable {
  flushNow(): void;
}

/** The queue of one server. */
export class FlushQueue {
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  readonly #beforeRun: () => void;
  readonly #run: () => void;

  /** @param beforeRun called once before a run, e.g. to look at the time */
  constructor(beforeRun: () => void) {
    this.#beforeRun = beforeRun;
    this.#run = () => this.#flushAll();
  }

  /** Puts `member` into the next run; it must not be in it already. */
  add(member: Flushable): void {
    if (this.#waiting.push(member) === 1) setImmediate(this.#run);
  }

  #flushAll(): void {
    this.#beforeRun();
    const members = this.#waiting;
    // Who asks during the run is in the next one: no connection can keep the loop from turning
    this.#waiting = this.#spare;
    for (const member of members) member.flushNow();
    members.length = 0;
    this.#spare = members;
  }
}
