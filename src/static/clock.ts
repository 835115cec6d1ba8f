/**
 * The time, for this room: how old a look at the disk is, and whether a date lies in the future.
 *
 * A handler works without a server around it, so no clock of a server can be asked. This is the one place of the room where
 * real time enters; all else takes a {@link TimeSource}, which a test moves. A timer of it must never keep a process alive.
 */

/** Where time comes from. */
export interface TimeSource {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Calls back once, `delayMs` from now, if the process is still there. */
  after(delayMs: number, callback: () => void): void;
}

/** The system's. It may jump; who measures an age with it takes a negative one for too old. */
export const SYSTEM_TIME: TimeSource = {
  nowMs: () => Date.now(),
  after: (delayMs, callback) => {
    setTimeout(callback, delayMs).unref();
  },
};
