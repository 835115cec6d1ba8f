/**
 * Says how far a run is, on standard error: one line that is written over on a terminal, a line per round elsewhere.
 *
 * The time left is what steps of the same profile took, or what a step takes by its settings before the first is done.
 */

const WIDTH = 110;

/** Steps of a run, each one round of one subject. */
export class Progress {
  readonly #isTerminal: boolean;
  readonly #write: (text: string) => void;
  readonly #nowMs: () => number;
  /** Steps left and seconds of one, by profile. */
  readonly #left: Map<string, { count: number; seconds: number }> = new Map();
  #stepBeganMs = 0;
  #profile = "";

  /** @param steps profiles with how many steps each has and how many seconds one is thought to take */
  constructor(
    steps: readonly { readonly profile: string; readonly count: number; readonly seconds: number }[],
    output: { readonly isTerminal: boolean; write(text: string): void; nowMs(): number },
  ) {
    for (const { profile, count, seconds } of steps) this.#left.set(profile, { count, seconds });
    this.#isTerminal = output.isTerminal;
    this.#write = (text) => output.write(text);
    this.#nowMs = () => output.nowMs();
  }

  /** Seconds that the steps left will take. */
  get secondsLeft(): number {
    return [...this.#left.values()].reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  }

  begin(profile: string, round: number, rounds: number, subject: string): void {
    this.#profile = profile;
    this.#stepBeganMs = this.#nowMs();
    const text = `${profile}, round ${round} of ${rounds}, ${subject}: ${durationText(this.secondsLeft)} left`;
    if (this.#isTerminal) this.#write(`\r${text.slice(0, WIDTH).padEnd(WIDTH)}`);
    else this.#write(`${text}\n`);
  }

  end(): void {
    const profile = this.#left.get(this.#profile);
    if (profile === undefined) return;
    const took = (this.#nowMs() - this.#stepBeganMs) / 1000;
    profile.count -= 1;
    // Half of what was thought, half of what was seen: one slow start says little
    profile.seconds = (profile.seconds + took) / 2;
  }

  /** A line that stays. */
  say(text: string): void {
    this.#write(this.#isTerminal ? `\r${text.padEnd(WIDTH)}\n` : `${text}\n`);
  }

  /** Clears the line. */
  done(): void {
    if (this.#isTerminal) this.#write(`\r${" ".repeat(WIDTH)}\r`);
  }
}

/** @returns `40 s`, `12 min`, `1 h 5 min` */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
