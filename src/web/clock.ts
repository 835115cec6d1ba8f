/**
 * The time, for handlers: how old a look at the disk is, how long an answer has taken, when a heartbeat is due.
 *
 * A handler works without a server around it, so no clock of a server can be asked. This is the one place above the wires
 * where real time enters; all else takes a {@link TimeSource}, which a test moves. A timer of it must never keep a process
 * alive, and none is set for each request on the way of a plain answer.
 */

/** Where time comes from. */
export interface TimeSource {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds from some moment on, with fractions; never runs backwards. For durations. */
  elapsedMs(): number;
  /** Calls back once, `delayMs` from now, if the process is still there. @returns what stops it from happening */
  after(delayMs: number, callback: () => void): () => void;
}

/** Looked up once: `process` is a getter of the global object. */
const { hrtime } = process;

/** The system's. It may jump; who measures an age with it takes a negative one for too old. */
export const SYSTEM_TIME: TimeSource = {
  nowMs: () => Date.now(),
  elapsedMs: () => {
    // Not performance.now(): the first use of it loads a dozen modules of Node, 1 ms of every start
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
