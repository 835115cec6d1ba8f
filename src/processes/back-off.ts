/**
 * How long to wait before a worker that ended is started anew.
 *
 * The first time at once: its place is empty. Each further failure in a row doubles the wait, up to half a minute, and
 * chance takes off up to half of it, so that workers that fall together (a database is gone) do not rise together. Pure.
 */

/** Wait before the second start in a row. systemd RestartSec 100 ms; pm2 exp_backoff_restart_delay as given. */
const FIRST_MS = 250;
/** Longest wait. */
const LONGEST_MS = 30_000;

/** Failures in a row from which on one speaks of a loop. */
export const LOOP_FAILURES = 5;

/** Milliseconds as a ready worker that its next end counts as the first again: it did work. */
export const HEALTHY_MS = 10_000;

/**
 * Milliseconds to wait.
 *
 * @param failures in a row, this one included, 1 or more
 * @param chance 0 up to, not including, 1
 */
export function backOffMs(failures: number, chance: number): number {
  if (failures <= 1) return 0;
  const wholeMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 2));
  return Math.round(wholeMs * (1 - chance / 2));
}
