/**
 * The time of a line as text, in the two forms that logs have: ISO 8601 with milliseconds, and Apache's.
 *
 * The text of a second is made once for all lines of that second; both are in UTC, so that lines of several machines, and of
 * the hour that summer time repeats, stay in order.
 */

const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `000` to `999`. */
const THOUSANDTHS: readonly string[] = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, "0"));

/** Of `2026-11-21T08:00:00.` */
export const SECOND_LENGTH = 20;

/** `2026-11-21T08:00:00.123Z`, in pieces for who puts lines together. */
export class IsoTime {
  readonly #before: string;
  #second = NaN;
  #start = "";
  #wallMs = NaN;
  #text = "";

  /** @param before stands before each time */
  constructor(before: string) {
    this.#before = before;
  }

  /** What comes before the time, and the time without its `Z`. */
  text(wallMs: number): string {
    if (wallMs === this.#wallMs) return this.#text;
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#start = `${this.#before}${isoSecond(second)}`;
    }
    this.#wallMs = wallMs;
    this.#text = this.#start + (THOUSANDTHS[Math.floor(wallMs) - second * 1000] as string);
    return this.#text;
  }
}

/** `2026-11-21T08:00:00.`, of seconds since 1970. */
export function isoSecond(second: number): string {
  return isoOf(second * 1000).slice(0, SECOND_LENGTH);
}

/** `10/Oct/2000:13:55:36 +0000` */
export class ApacheTime {
  #second = NaN;
  #text = "";

  text(wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second === this.#second) return this.#text;
    const iso = isoOf(second * 1000);
    const month = MONTHS[Number(iso.slice(5, 7)) - 1] as string;
    this.#second = second;
    this.#text = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
    return this.#text;
  }
}

function isoOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** Milliseconds with three decimals, e.g. `0.042`; negative ones as 0. */
export function renderMs(ms: number): string {
  const us = ms > 0 ? Math.round(ms * 1000) : 0;
  return `${Math.floor(us / 1000)}.${THOUSANDTHS[us % 1000] as string}`;
}
