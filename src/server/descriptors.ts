/**
 * How many connections the descriptors of this process allow for.
 *
 * When none are left, libuv accepts what waits and closes it at once, without a word to anybody: clients see a broken connection
 * and operators see nothing. So no more connections are taken than leaves some, and the next one gets its 503. Node raises the
 * soft limit to the hard one when it starts. Where the system does not tell (outside of Linux) the wish is all that counts.
 */

import { readFileSync } from "node:fs";

/** For files, logs, children and connections that are being turned away. */
const MOST_RESERVED = 512;

/** Descriptors that this process may have open, Infinity where that is not known. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/**
 * @param wanted connections, Infinity for no limit
 * @param limit descriptors, Infinity for unknown
 * @returns connections that may be open at once, at least 1
 */
export function connectionsWithin(wanted: number, limit: number): number {
  if (limit === Infinity) return wanted;
  const reserved = Math.min(MOST_RESERVED, Math.ceil(limit / 4));
  return Math.max(1, Math.min(wanted, limit - reserved));
}
