/**
 * Files and folders that stand in a served folder and may not be read: to clients they are not there, and their owner is told
 * of each.
 *
 * Who may not know that there is a file is the client alone; an owner who is not told looks for the mistake in the address. It
 * is a process warning, because no handler knows of a log. Each file is told of once, a few in a minute and so many in all, so
 * that nobody who asks for thousands can flood standard error or fill memory. Nothing here may reach an answer.
 */

import type { TimeSource } from "../web/clock.ts";

/** A copy with wrong rights concerns all files at once: some names suffice to see it. */
const MOST_PER_MINUTE = 10;
const MOST_IN_ALL = 1000;
const MINUTE_MS = 60_000;

/** What a system says that knows the file and does not let this process have it. */
const REFUSED: ReadonlySet<unknown> = new Set(["EACCES", "EPERM"]);

/** Names of files may hold what commands a terminal, or ends a line (log injection). */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The files of one folder that the owner has been told of. */
export class UnreadableFiles {
  readonly #time: TimeSource;
  readonly #told: Set<string> = new Set();
  #minuteStartMs = -Infinity;
  #toldInMinute = 0;

  constructor(time: TimeSource) {
    this.#time = time;
  }

  /** Tells of a file, if that is why it could not be opened. */
  tell(path: string, error: unknown): void {
    this.#tell(path, "cannot be opened", "it is not served", "read it", error);
  }

  /** Tells of a folder, if that is why nothing in it could be looked at. */
  tellFolder(path: string, error: unknown): void {
    this.#tell(path, "cannot be entered", "nothing in it is served", "enter it", error);
  }

  #tell(path: string, what: string, effect: string, wish: string, error: unknown): void {
    if (!isRefusal(error) || this.#told.has(path) || !this.#hasRoom()) return;
    this.#told.add(path);
    this.#toldInMinute++;
    const isLast = this.#told.size === MOST_IN_ALL;
    const advice = `Let the user that runs this ${wish}, as with chmod; ls -ld shows who may.`;
    const end = isLast ? "No more files are told of" : "This is said once";
    process.emitWarning(`${visible(path)} ${what} (${error.code}), so ${effect}. ${advice} ${end}.`, {
      code: "FAIRLEAD_UNREADABLE",
    });
  }

  /** What there is no room for is told of when it is asked for again. */
  #hasRoom(): boolean {
    if (this.#told.size >= MOST_IN_ALL) return false;
    const ageMs = this.#time.nowMs() - this.#minuteStartMs;
    if (ageMs < 0 || ageMs >= MINUTE_MS) {
      this.#minuteStartMs = this.#time.nowMs();
      this.#toldInMinute = 0;
    }
    return this.#toldInMinute < MOST_PER_MINUTE;
  }
}

/** Whether the system knows it and does not let this process have it. */
export function isRefusal(error: unknown): error is NodeJS.ErrnoException {
  return REFUSED.has((error as NodeJS.ErrnoException).code);
}

function visible(path: string): string {
  return path.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
