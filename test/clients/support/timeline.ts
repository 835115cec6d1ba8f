/**
 * What one path of a changing folder held, and when: the witness against which answers are judged.
 *
 * A state begins before the operation that brings it about and ends after the one that takes it away, so that whatever the
 * server may have seen in between is among the possible. States are kept for some time only.
 */

/** One content, or absence. */
export interface State {
  /** Null: nothing is there, or nothing that may be served. */
  readonly bytes: Buffer | null;
  /** Before it could be seen: milliseconds since 1970. */
  readonly fromMs: number;
  /** When it could not be seen any more; Infinity for now. */
  untilMs: number;
}

/** A change is seen within so long, says the server. */
const SEEN_WITHIN_MS = 1000;
/** Clocks of two processes are read in whole milliseconds. */
const ROUNDING_MS = 2;
/** Remembered, to tell what is old from what never was. */
const KEPT_MS = 10_000;

/** The states of one path. */
export class Timeline {
  #states: State[];

  constructor() {
    this.#states = [{ bytes: null, fromMs: -Infinity, untilMs: Infinity }];
  }

  get now(): Buffer | null {
    return this.#last.bytes;
  }

  /** Does something to the disk, after which the path holds other content. */
  change(bytes: Buffer | null, operation: () => void): void {
    const fromMs = Date.now();
    operation();
    const untilMs = Date.now();
    this.#last.untilMs = untilMs;
    this.#states = this.#states.filter((state) => untilMs - state.untilMs < KEPT_MS);
    this.#states.push({ bytes, fromMs, untilMs: Infinity });
  }

  /** What an answer may tell of that was asked for at one time and was there whole at another; the newest first. */
  possible(askedMs: number, answeredMs: number): State[] {
    const oldestMs = askedMs - SEEN_WITHIN_MS - ROUNDING_MS;
    return this.#states
      .filter(({ fromMs, untilMs }) => fromMs <= answeredMs + ROUNDING_MS && untilMs >= oldestMs)
      .toReversed();
  }

  /** In words, where content is from that is none of the possible. */
  explain(content: Buffer, askedMs: number): string {
    const old = this.#states.find(({ bytes }) => bytes?.equals(content) === true);
    if (old !== undefined) return `was over ${askedMs - old.untilMs} ms before it was asked for`;
    const versions = new Set(content.toString("latin1").match(/ v\d+ /g));
    return `was never there: ${content.length} octets of${[...versions].slice(0, 5).join("and") || " nothing known"}`;
  }

  get #last(): State {
    return this.#states.at(-1) as State;
  }
}
