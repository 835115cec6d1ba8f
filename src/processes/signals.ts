/**
 * Signals of the primary process: SIGTERM and SIGINT close all workers, and once more at once; SIGHUP replaces them one by one;
 * SIGUSR1 and SIGUSR2 tell them that log files have been moved.
 *
 * SIGHUP has a second meaning, the terminal is gone, and then nobody wants new workers: a process that had a terminal and has
 * lost it closes. SIGUSR1 is what rotations send, as to nginx; left to Node it would open the inspector, through which anybody on
 * this machine runs code in the process.
 */

import { closeSync, openSync } from "node:fs";
import type { TimeSource } from "../server/clock.ts";
import type { Supervisor } from "./supervisor.ts";

/** Where signals come from: `process`. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** Says something to the operator. */
export type Say = (level: "info" | "warning", text: string) => void;

/** What somebody besides the operator is told of, e.g. the service manager. */
export interface Milestones {
  /** The end has begun. */
  readonly onClosing: () => void;
  readonly onRestarting: () => void;
  /** All workers are new, or one could not be started and the others go on. */
  readonly onRestarted: () => void;
  /** The terminal is gone; what was said of the end is said as ever. */
  readonly onHangup: () => void;
}

const UNHEARD: Milestones = { onClosing: () => {}, onRestarting: () => {}, onRestarted: () => {}, onHangup: () => {} };

/** Closing that takes longer is explained. */
const SILENT_MS = 300;

/**
 * Obeys signals until all workers are gone.
 *
 * @param hasTerminal whether this process has a controlling terminal at this moment
 * @returns what ends it sooner
 */
export function obeySignals(
  supervisor: Supervisor,
  signals: SignalSource,
  say: Say,
  time: TimeSource,
  milestones: Milestones = UNHEARD,
  hasTerminal: () => boolean = hasControllingTerminal,
): () => void {
  const hadTerminal = hasTerminal();
  const close = (): void => {
    if (supervisor.isClosing) return supervisor.closeNow();
    const cancel = time.after(
      SILENT_MS,
      () => say("info", "Stopping when the requests under way are done. Once more stops now."),
      false,
    );
    milestones.onClosing();
    void supervisor.close().then(cancel);
  };
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ["SIGTERM", close],
    ["SIGINT", close],
    [
      "SIGHUP",
      () => {
        if (!hadTerminal || hasTerminal()) return void restart(supervisor, say, milestones);
        milestones.onHangup();
        close();
      },
    ],
    ["SIGUSR1", () => supervisor.reopenLogs()],
    ["SIGUSR2", () => supervisor.reopenLogs()],
  ];
  for (const [signal, listener] of listeners) signals.on(signal, listener);
  const stop = (): void => {
    for (const [signal, listener] of listeners) signals.off(signal, listener);
  };
  void supervisor.finished.then(stop);
  return stop;
}

async function restart(supervisor: Supervisor, say: Say, milestones: Milestones): Promise<void> {
  if (supervisor.isClosing) return;
  milestones.onRestarting();
  say("info", "Replacing the workers one by one.");
  try {
    await supervisor.restart();
    if (!supervisor.isClosing) say("info", "All workers are new.");
  } catch (error) {
    say("warning", error instanceof Error ? error.message : String(error));
  }
  if (!supervisor.isClosing) milestones.onRestarted();
}

/** POSIX: /dev/tty is the controlling terminal, and cannot be opened without one. */
function hasControllingTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
