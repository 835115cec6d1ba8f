/** The load at a fixed rate (open-loop.ts) as the bench calls it: a process on the load's core, and its figures back. */
import { fileURLToPath } from "node:url";
import { runLoad, type Subject } from "../process.ts";
import type { OpenLoopSettings } from "./open-loop.ts";
import { type LoadResult, parseResult } from "./result.ts";

const JITI = fileURLToPath(new URL("../../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url));
const SCRIPT = fileURLToPath(new URL("open-loop.ts", import.meta.url));

/** @returns the command that runs a TypeScript file of this folder with one argument, on the Node of the bench */
export function scriptCommand(script: string, argument: unknown): readonly string[] {
  return [process.execPath, JITI, script, JSON.stringify(argument)];
}

/** Sends `rate` requests per second for some seconds, whatever the answers do. */
export async function fixedRate(
  subject: Subject,
  load: { readonly request: string; readonly rate: number; readonly connections: number },
  seconds: number,
  core: number,
): Promise<LoadResult> {
  const settings: OpenLoopSettings = { ...load, port: subject.port, seconds };
  const result = parseResult(await runLoad(scriptCommand(SCRIPT, settings), core), subject.label);
  return { ...result, more: { ...result.more, "asked/s": load.rate } };
}
