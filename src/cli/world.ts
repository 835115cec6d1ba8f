/**
 * What the command sees of the process that it runs in, so that it can be run in a test.
 *
 * Types only. The true one is made in main.ts.
 */

import type { Environment } from "./settings.ts";
import type { SignalSource } from "./stop.ts";

/** What the command sees of the process that it runs in. */
export interface CommandWorld {
  readonly environment: Environment;
  /** Absolute. */
  readonly workingFolder: string;
  /** Somebody watches the output. */
  readonly isTerminal: boolean;
  readonly signals: SignalSource;
  readonly writeOutput: (text: string) => void;
  /** Resolves when they are written. */
  readonly writeBytes: (bytes: Uint8Array) => Promise<void>;
  readonly writeError: (text: string) => void;
  /** The first line of the input, without its end. */
  readonly readLine: () => Promise<string>;
}
