/**
 * A time of an option as people say it, with nothing lost: 75 s is not 1.3 min, which is 78 s.
 *
 * For tables of settings, where somebody may take the value from. Times that were measured are rounded, in log-line.ts.
 */

/** Minutes where one decimal says all, else seconds. @param ms finite */
export function formatExactDuration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000 || ms % 6000 !== 0) return `${ms / 1000} s`;
  return `${ms / 60_000} min`;
}
