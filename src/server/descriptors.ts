/**
 * How many connections the descriptors of this process allow for.
 *
 * When none are left, libuv accepts what waits and closes it at once, without a word to anybody: clients see a broken connection
 * and operators see nothing. So no more connections are taken than leaves some, and the next one gets its 503. Node raises the
 * soft limit to the hard one when it starts. Where the system does not tell (outside of Linux) the wish is all that counts.
 */

import { readdirSync, readFileSync } from "node:fs";

/** For files, logs, children and connections that are being turned away, besides what is open when a server starts. */
const MOST_RESERVED = 512;
/** More that read why they are turned away would cost more than they are worth. */
const MOST_REFUSALS = 128;

/** Descriptors that this process may have open, Infinity where that is not known. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

/** Descriptors that this process has open: Node itself has some twenty. 0 where that is not known. */
export function openDescriptors(): number {
  try {
    // One of them is the folder's own
    return readdirSync("/proc/self/fd").length - 1;
  } catch {
    return 0;
  }
}

/** How many connections there is room for. */
export interface Room {
  /** At once, at least 1. */
  readonly maxConnections: number;
  /** Being turned away, at once; each has a descriptor until it has read why. */
  readonly maxRefusals: number;
}

/** In this process, now. @param wanted connections, Infinity for no limit */
export function roomFor(wanted: number): Room {
  return roomWithin(wanted, descriptorLimit(), openDescriptors());
}

/**
 * @param wanted connections, Infinity for no limit
 * @param limit descriptors, Infinity for unknown
 * @param open of them, those in use
 */
export function roomWithin(wanted: number, limit: number, open: number): Room {
  if (limit === Infinity) return { maxConnections: wanted, maxRefusals: MOST_REFUSALS };
  const free = limit - open;
  const reserved = Math.min(MOST_RESERVED, Math.ceil(free / 4));
  return {
    maxConnections: Math.max(1, Math.min(wanted, free - reserved)),
    // The other half is for files: a burst of connections must not take it
    maxRefusals: Math.max(0, Math.min(MOST_REFUSALS, Math.floor(reserved / 2))),
  };
}
