/** The world of a command that runs inside of a test: a folder, nothing around it, and what it writes. */

import { EventEmitter } from "node:events";
import { runCommand } from "../../../src/cli/command.ts";
import type { CommandWorld } from "../../../src/cli/world.ts";

/** @param folder in which it works */
export function quietWorld(folder: string, differences: Partial<CommandWorld> = {}): CommandWorld {
  return {
    environment: {},
    workingFolder: folder,
    isTerminal: false,
    signals: new EventEmitter(),
    writeOutput: () => {},
    writeError: () => {},
    writeBytes: async () => {},
    readLine: async () => "",
    onServing: () => {
      throw new Error("it must not listen");
    },
    onHangup: () => {},
    workerNumber: 0,
    commandLine: [],
    handOver: null,
    ...differences,
  };
}

/** Runs a command that serves nothing: its exit code, and what it wrote to standard error without the path of `folder`. */
export async function runUnserved(
  folder: string,
  args: readonly string[],
): Promise<{ exitCode: number; errors: string }> {
  let errors = "";
  const exitCode = await runCommand(args, quietWorld(folder, { writeError: (text) => (errors += text) }));
  return { exitCode, errors: errors.replaceAll(folder, "") };
}
