/** The machine and the tools of a run, as far as they can be told from inside: they belong to every number. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

/** What a number is worth nothing without. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  /** How the frequency is governed, or why that is not known. */
  readonly governor: string;
  /** The kind of virtual machine, or null. */
  readonly hypervisor: string | null;
  /** Versions of the loads, by name. */
  readonly tools: Readonly<Record<string, string>>;
}

/** Programs that make load or belong to it, the words that ask for a version, and where it stands in the answer. */
const TOOLS: readonly (readonly [name: string, words: readonly string[], version: RegExp])[] = [
  ["wrk", ["-v"], /^wrk (\S+)/m],
  ["h2load", ["--version"], /nghttp2\/(\S+)/],
  ["openssl", ["version"], /^OpenSSL (\S+)/m],
  ["taskset", ["--version"], /(\d[\d.]+)/],
];

export function describeMachine(): Machine {
  const found: Record<string, string> = { node: process.versions.node };
  for (const [name, words, version] of TOOLS) {
    const { stdout, stderr } = spawnSync(name, words, { encoding: "utf8" });
    const match = version.exec(`${stdout ?? ""}${stderr ?? ""}`)?.[1];
    if (match !== undefined) found[name] = match;
  }
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: release(),
    governor: textOf("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") ?? "not readable",
    hypervisor: / hypervisor /.test(textOf("/proc/cpuinfo") ?? "")
      ? (textOf("/sys/class/dmi/id/sys_vendor") ?? "yes")
      : null,
    tools: found,
  };
}

/** @returns the machine in one line */
export function machineLine({ cpu, cores, memoryGib, kernel, governor, hypervisor }: Machine): string {
  const virtual = hypervisor === null ? "" : `, virtual (${hypervisor})`;
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, Linux ${kernel}, governor ${governor}${virtual}`;
}

/** @returns of programs those that are not there */
export function missingTools(names: readonly string[]): readonly string[] {
  return names.filter((name) => spawnSync("which", [name]).status !== 0);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
