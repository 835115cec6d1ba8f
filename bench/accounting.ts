/**
 * CPU time and memory as Linux accounts them: of a process with its threads and children, of this process and the loads it
 * has ended, and of the machine. Linux only, because nothing else tells all of these so exactly.
 *
 * utime and stime of a process add up to what the scheduler measured in nanoseconds; only their shares are sampled, so the
 * sum is exact to a tick and the division into user and system is an estimate (kernel/sched/cputime.c, cputime_adjust).
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { release } from "node:os";
import type { Busy } from "./noise.ts";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const PAGE_BYTES = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));

/** CPU time so far, microseconds. */
export interface CpuTime {
  readonly userUs: number;
  readonly systemUs: number;
}

/** All clocks at one moment. */
export interface Reading {
  readonly wallMs: number;
  readonly subject: CpuTime;
  /** This process and its children that have ended. */
  readonly ownUs: number;
  readonly machine: readonly CoreTime[];
}

interface CoreTime {
  readonly busyUs: number;
  readonly stolenUs: number;
}

/** @returns pid and those of all its descendants; what has gone meanwhile is left out */
export function treeOf(pid: number): number[] {
  const pids = [pid];
  for (const task of entriesOf(`/proc/${pid}/task`)) {
    for (const child of textOf(`/proc/${pid}/task/${task}/children`).split(" ")) {
      if (child !== "") pids.push(...treeOf(Number(child)));
    }
  }
  return pids;
}

/** CPU time of a process, its threads, and all its descendants, also those that have ended. */
function cpuTimeOf(pid: number): CpuTime {
  let userUs = 0;
  let systemUs = 0;
  for (const one of treeOf(pid)) {
    const [user, system, deadUser, deadSystem] = ticksOf(one);
    userUs += toUs(user + deadUser);
    systemUs += toUs(system + deadSystem);
  }
  return { userUs, systemUs };
}

/** Octets resident now, of the whole tree. Pages that processes share are counted in each. */
export function residentBytesOf(pid: number): number {
  return treeOf(pid).reduce(
    (sum, one) => sum + Number(textOf(`/proc/${one}/statm`).split(" ")[1] ?? 0) * PAGE_BYTES,
    0,
  );
}

/** The most that each process of the tree has had resident since its start, added up. */
export function peakResidentBytesOf(pid: number): number {
  const kib = (one: number): number => Number(/^VmHWM:\s+(\d+) kB/m.exec(textOf(`/proc/${one}/status`))?.[1] ?? 0);
  return treeOf(pid).reduce((sum, one) => sum + kib(one) * 1024, 0);
}

/** Reads all clocks. */
export function readClocks(pid: number): Reading {
  const [user, system, deadUser, deadSystem] = ticksOf("self");
  return {
    wallMs: performance.now(),
    subject: cpuTimeOf(pid),
    ownUs: toUs(user + system + deadUser + deadSystem),
    machine: coresOf(readFileSync("/proc/stat", "utf8"), HAS_IRQ_TIME),
  };
}

/** Who was busy between two readings. */
export function busyBetween(before: Reading, after: Reading, loadCore: number): Busy {
  const wallUs = (after.wallMs - before.wallMs) * 1000;
  const subjectUs = after.subject.userUs + after.subject.systemUs - before.subject.userUs - before.subject.systemUs;
  const ownUs = after.ownUs - before.ownUs;
  let busyUs = 0;
  let stolenUs = 0;
  for (const [core, now] of after.machine.entries()) {
    busyUs += now.busyUs - (before.machine[core]?.busyUs ?? 0);
    stolenUs += now.stolenUs - (before.machine[core]?.stolenUs ?? 0);
  }
  const loadCoreUs = (after.machine[loadCore]?.busyUs ?? 0) - (before.machine[loadCore]?.busyUs ?? 0);
  return {
    subject: subjectUs / wallUs,
    load: ownUs / wallUs,
    foreign: Math.max(0, busyUs - subjectUs - ownUs) / wallUs,
    stolen: stolenUs / wallUs,
    loadCore: loadCoreUs / wallUs,
  };
}

/**
 * Busy and stolen time by core out of /proc/stat.
 *
 * @param hasIrqTime whether the kernel keeps the time of interrupts apart from the processes' (CONFIG_IRQ_TIME_ACCOUNTING):
 * what the network's interrupts cost is then in nobody's time, and must not be taken for a stranger's
 */
export function coresOf(stat: string, hasIrqTime: boolean): readonly CoreTime[] {
  return [...stat.matchAll(/^cpu\d+ (.*)$/gm)].map((line) => {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = (line[1] ?? "")
      .split(" ")
      .map(Number);
    return { busyUs: toUs(user + nice + system + (hasIrqTime ? 0 : irq + softirq)), stolenUs: toUs(stolen) };
  });
}

const HAS_IRQ_TIME = hasIrqTimeAccounting();

function hasIrqTimeAccounting(): boolean {
  const option = "CONFIG_IRQ_TIME_ACCOUNTING=y";
  if (existsSync("/proc/config.gz")) return gunzipSync(readFileSync("/proc/config.gz")).includes(option);
  return textOf(`/boot/config-${release()}`).includes(option);
}

/** utime, stime, cutime, cstime in ticks. Counted from behind the name, which may hold anything: state is field 3. */
function ticksOf(pid: number | "self"): [number, number, number, number] {
  const stat = textOf(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const tick = (index: number): number => Number(fields[index] ?? 0);
  return [tick(11), tick(12), tick(13), tick(14)];
}

function toUs(ticks: number): number {
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

/** Empty where the process has gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
