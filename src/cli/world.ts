/**
 * What the command sees of the process that it runs in, so that it can be run in a test.
 *
 * Types only. The true one is made in own-process.ts.
 */

import type { ExitCode } from "./command-error.ts";
import type { Environment } from "./config-layers.ts";
import type { SignalSource } from "./stop.ts";

/** What the command sees of the process that it runs in. */
export interface CommandWorld {
  readonly environment: Environment;
  /** Absolute; `""` if it has been removed: to resolve what is relative to it throws, and nothing else does. */
  readonly workingFolder: string;
  /** Somebody watches the output. */
  readonly isTerminal: boolean;
  /** Characters in a line of that terminal, as far as it says; undefined where there is none. */
  readonly columns?: number | undefined;
  readonly signals: SignalSource;
  readonly writeOutput: (text: string) => void;
  /** Resolves when they are written. */
  readonly writeBytes: (bytes: Uint8Array) => Promise<void>;
  readonly writeError: (text: string) => void;
  /** The first line of the input, without its end. */
  readonly readLine: () => Promise<string>;
  /** Of one of several workers, from 1; 0 for the one process of the command, and for the primary of several. */
  readonly workerNumber: number;
  /** The script that runs this command, and its arguments. */
  readonly commandLine: readonly string[];
  /** Called once the command listens and has said so. */
  readonly onServing: () => void;
  /** Called when SIGHUP has said that the terminal was closed: once the command ends, the process ends by that signal. */
  readonly onHangup: () => void;
  /**
   * Runs the whole command anew with the classes that a module gets when it imports `fairlead`, and ends the process; null
   * where it runs with them already.
   */
  readonly handOver: (() => Promise<ExitCode>) | null;
}
