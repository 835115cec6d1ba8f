#!/usr/bin/env node
/**
 * The `fairlead` command: ties the process to the command and ends it with its exit code.
 *
 * The only file of this room that touches `process`. An app's own timers and sockets may outlive the server, so that the
 * process is ended and not left to end.
 */

import { isatty } from "node:tty";
import { runCommand } from "./command.ts";

// Whoever read our output has gone (`fairlead | head`): the server goes on, unheard
process.stdout.on("error", () => {});

/** Node's code for an end with a top level that still awaits: the command waits for nothing unbounded but a module. */
const UNSETTLED = 13;

process.once("exit", (code) => {
  // Node 20 sets it while it emits this
  if (code !== UNSETTLED && process.exitCode !== UNSETTLED) return;
  process.stderr.write("fairlead: the module never finished loading: its top level awaits what nothing will settle\n");
  process.exitCode = 1;
});

process.exit(
  await runCommand(process.argv.slice(2), {
    environment: process.env,
    workingFolder: process.cwd(),
    isTerminal: isatty(process.stdout.fd),
    signals: process,
    writeOutput: (text) => process.stdout.write(text),
    writeBytes: (bytes) => new Promise((done) => process.stdout.write(bytes, () => done())),
    writeError: (text) => process.stderr.write(text),
    readLine: async () => {
      const { createInterface } = await import("node:readline");
      for await (const line of createInterface({ input: process.stdin })) return line;
      return "";
    },
  }),
);
