/**
 * What a worker of serveProcesses() runs: the user's script, then whatever the primary asks.
 *
 * It is ready when the script's top level has come to its end and a server listens. When its servers are closed, the process may
 * end by itself, so that the app can put its things in order, and is ended if it does not. It must be run by node:cluster only.
 */

import cluster from "node:cluster";
import { SYSTEM_TIME } from "../server/clock.ts";
import { OPEN_SERVERS } from "../server/open-servers.ts";
import { importModule } from "../workers/handler-module.ts";
import { takeUpDuties } from "./duties.ts";

/** What an app may hold (timers, a pool of connections) is let go of within this time. */
const END_MS = 5_000;

const [node = process.execPath, , script = "", ...args] = process.argv;

/** Runs the script as if it had been called itself. */
async function runScript(): Promise<void> {
  process.argv = [node, script, ...args];
  const { tellReady, ended } = takeUpDuties();
  await importModule(script);
  if (OPEN_SERVERS.size === 0) {
    process.stderr.write(`fairlead: ${script} has come to its end and has no server: it awaits serve()\n`);
    process.exit(1);
  }
  tellReady(null);
  await ended;
  cluster.worker?.disconnect();
  SYSTEM_TIME.after(END_MS, () => process.exit(), false);
}

// What the script throws ends the process with its stack, as if it had been called itself
void runScript();
