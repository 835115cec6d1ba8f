/**
 * The command in a process of its own: ties one to the other and ends the process with the exit code.
 *
 * The only file of this room, with the entries that call it, that touches `process`. An app's own timers and sockets may
 * outlive the server, so that the process is ended and not left to end: with its exit code, or by SIGHUP if that stopped it.
 */

import { isatty } from "node:tty";
import { runCommand } from "./command.ts";
import type { CommandWorld } from "./world.ts";

const STANDARD_OUTPUT = 1;

/**
 * Runs the command with the arguments of this process.
 *
 * @param handOver runs it anew as modules, see `handOver` of {@link CommandWorld}; null where it runs as modules already
 * @param onServing called once it listens
 */
export function runInProcess(handOver: (() => Promise<unknown>) | null, onServing: () => void): void {
  let isOurs = true;
  let isHungUp = false;
  // A server or a question is under way as long as this process lives: only a module can leave it with nothing to wait for
  const complain = (): void => {
    if (!isOurs) return;
    process.stderr.write(
      "fairlead: the module never finished loading: its top level awaits what nothing will settle\n",
    );
    process.exitCode = 1;
  };
  process.once("beforeExit", complain);
  const world: CommandWorld = {
    environment: process.env,
    workingFolder: workingFolder(),
    isTerminal: isatty(STANDARD_OUTPUT),
    // Asked for by the help alone
    get columns() {
      return output().columns;
    },
    signals: process,
    writeOutput: (text) => output().write(text),
    writeBytes: (bytes) => new Promise((done) => output().write(bytes, () => done())),
    writeError: (text) => process.stderr.write(text),
    readLine: async () => {
      const { createInterface } = await import("node:readline");
      for await (const line of createInterface({ input: process.stdin })) return line;
      return "";
    },
    workerNumber: workerNumber(),
    commandLine: process.argv.slice(1),
    onServing,
    onHangup: () => {
      isHungUp = true;
      // From now on nobody reads what is said
      process.stderr.on("error", () => {});
    },
    handOver:
      handOver === null
        ? null
        : async () => {
            isOurs = false;
            process.off("beforeExit", complain);
            await handOver();
            return new Promise(() => {});
          },
  };
  // What it throws is a mistake of ours, and ends the process with its stack
  void runCommand(process.argv.slice(2), world).then((exitCode) => {
    // The last to be called: an app may want to know of the end too
    if (isHungUp) process.once("exit", endByHangup);
    process.exit(exitCode);
  });
}

/** Node puts the terminal back as it was before it exits, and aborts where there is none any more. */
function endByHangup(): void {
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}

/** A process that a worker has started inherits its environment, and not its channel to the primary. */
function workerNumber(): number {
  return process.connected ? Number(process.env["FAIRLEAD_WORKER"] ?? 0) : 0;
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "";
  }
}

let heard: NodeJS.WriteStream | null = null;

/** Standard output, made when there is something to say: that takes a millisecond of a start. */
function output(): NodeJS.WriteStream {
  if (heard === null) {
    heard = process.stdout;
    // Whoever read our output has gone (`fairlead | head`): the server goes on, unheard
    heard.on("error", () => {});
  }
  return heard;
}
