/**
 * Processes of a run: subjects pinned to one core, loads pinned to another, all of them ended when the bench ends, however
 * it ends.
 *
 * A subject is started by its command and says `{"port":N}` when it listens. Its CPU time and memory are those of its whole
 * tree (accounting.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { peakResidentBytesOf, readClocks, type Reading, residentBytesOf, treeOf } from "./accounting.ts";

/** How long a subject may take to listen. */
const START_DEADLINE_MS = 30_000;
/** How long what has been killed may take to go. */
const STOP_DEADLINE_MS = 5_000;

/** A server that runs. */
export interface Subject {
  /** As tables call it: `fairlead`, or `fairlead (Node 26)` where there are several. */
  readonly label: string;
  readonly port: number;
  /** CPU time of the subject, of the load and of the machine so far. */
  clocks(): Reading;
  /** Octets resident now. */
  residentBytes(): number;
  /** Octets resident at most. */
  peakResidentBytes(): number;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on("exit", endAll);

/** Ends every process that was started here, with its descendants. */
export function endAll(): void {
  for (const child of running) endTree(child);
}

function endTree(child: ChildProcess): void {
  if (child.pid === undefined) return;
  // A server may be the child of its launcher, and have a group of its own
  const descendants = hasEnded(child) ? [] : treeOf(child.pid).toReversed();
  // Whose parent has crashed is nobody's descendant, but still of its group
  for (const pid of [-child.pid, ...descendants]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already
    }
  }
}

/** Whether it has ended by itself or by a signal, which leaves it without a status. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Spawns pinned to `core` as a group of its own, to be ended by {@link endProcess}, or with the bench at the latest. */
export function spawnPinned(
  command: readonly string[],
  core: number,
  settings: { readonly stdout: "pipe" | "ignore" },
): ChildProcess {
  const child = spawn("taskset", ["-c", String(core), ...command], {
    stdio: ["ignore", settings.stdout, "inherit"],
    // Ctrl-C of a terminal goes to its foreground group: the bench decides itself who ends when
    detached: true,
  });
  running.add(child);
  return child;
}

/** Ends one, with what it has left behind if it has ended itself, and waits until it has gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  const isGone = hasEnded(child);
  const exited = isGone ? null : once(child, "exit", { signal: AbortSignal.timeout(STOP_DEADLINE_MS) });
  endTree(child);
  running.delete(child);
  await exited;
}

/** Starts a subject on `core` and waits until it has said its port. */
export async function startSubject(label: string, command: readonly string[], core: number): Promise<Subject> {
  const child = spawnPinned(command, core, { stdout: "pipe" });
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error(`${label} could not be started`);
  try {
    const signal = AbortSignal.timeout(START_DEADLINE_MS);
    const [first] = (await Promise.race([
      once(createInterface(stdout), "line", { signal }),
      // Not its exit: who was started beside it to say the port may have to say first why there is none
      once(child, "close", { signal }),
    ])) as [unknown];
    if (typeof first !== "string") throw new Error(`${label} ended before it listened`);
    const { port } = JSON.parse(first) as { port: number };
    return {
      label,
      port,
      clocks: () => readClocks(pid),
      residentBytes: () => residentBytesOf(pid),
      peakResidentBytes: () => peakResidentBytesOf(pid),
      stop: () => endProcess(child),
    };
  } catch (error) {
    await endProcess(child);
    throw error;
  }
}

/**
 * Runs a load to its end.
 *
 * @returns what it wrote to standard output
 * @throws if it ends with another status than 0
 */
export async function runLoad(command: readonly string[], core: number): Promise<string> {
  const child = spawnPinned(command, core, { stdout: "pipe" });
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => (text += part));
  const [status] = (await once(child, "close")) as [number | null];
  await endProcess(child);
  if (status !== 0) throw new Error(`${command[0]} ended with ${status ?? child.signalCode}:\n${text}`);
  return text;
}
