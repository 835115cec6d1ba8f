/**
 * A subject as a process: started pinned to a core, its CPU time and memory read from /proc, ended.
 *
 * CPU time is user and system time of the process with all its threads and children, which is what a request costs the
 * machine; resident memory is summed the same way. Linux only, because nothing else tells both so exactly.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const PAGE_BYTES = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));

export interface Subject {
  readonly name: string;
  readonly port: number;
  /** Microseconds of CPU so far. */
  cpuUs(): number;
  /** Octets resident now. */
  residentBytes(): number;
  stop(): Promise<void>;
}

/** Starts `node script` on `core` and waits until it has said its port. */
export async function startSubject(name: string, script: string, core: number): Promise<Subject> {
  const child: ChildProcess = spawn("taskset", ["-c", String(core), process.execPath, script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = child.pid;
  if (pid === undefined || child.stdout === null) throw new Error(`${name} could not be started`);
  const exited = once(child, "exit");
  const first = await Promise.race([once(createInterface(child.stdout), "line"), exited]);
  if (typeof first[0] !== "string") throw new Error(`${name} ended before it listened`);
  const { port } = JSON.parse(first[0]) as { port: number };
  return {
    name,
    port,
    cpuUs: () => treeOf(pid).reduce((sum, one) => sum + cpuUsOf(one), 0),
    residentBytes: () => treeOf(pid).reduce((sum, one) => sum + residentBytesOf(one), 0),
    stop: async () => {
      // A subject may be the child of its launcher
      for (const one of treeOf(pid).toReversed()) process.kill(one, "SIGKILL");
      await exited;
    },
  };
}

function treeOf(pid: number): number[] {
  const pids = [pid];
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ");
    for (const child of children) if (child !== "") pids.push(...treeOf(Number(child)));
  }
  return pids;
}

function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Counted from behind the name, which may hold anything: state is field 3, utime 14, stime 15, then the dead children's
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

function residentBytesOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES;
}
