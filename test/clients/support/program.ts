/**
 * Programs that other people wrote, as judges of the server: found or skipped aloud, run to their end, and listened to.
 *
 * They run with the words of one language and without the settings of the person whose machine it is, so that their output can
 * be compared. One that hangs is killed and fails the test that started it.
 */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** How a program ended. */
export interface Ended {
  /** Exit code; -1 where a signal ended it. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What a program is run with. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Programs that hang are killed after so long. */
const MAX_RUN_MS = 60_000;

/** Settings of a person, which change what programs do. */
const PERSONAL =
  /^(?:https?_proxy|all_proxy|no_proxy|ftp_proxy|git_.*|wgetrc|system_wgetrc|curl_.*|apt_config|lang|lc_.*)$/i;

/**
 * Whether any of the programs is missing; for `describe.skipIf`. Says which, and how to have it.
 *
 * @param programs names as typed, each with Debian's package
 */
export function areMissing(programs: Readonly<Record<string, string>>): boolean {
  const missing = Object.entries(programs).filter(([program]) => !isInstalled(program));
  for (const [program, debianPackage] of missing) {
    process.stderr.write(`SKIPPED: no ${program} on this machine; apt-get install ${debianPackage}\n`);
  }
  return missing.length > 0;
}

function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a program to its end. @throws where it cannot be started, or has to be killed */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PERSONAL.test(name)));
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...inherited, LC_ALL: "C.UTF-8", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: MAX_RUN_MS,
    });
    const output: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (part: Buffer) => output.push(part));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal === null) resolve({ code: code ?? -1, stdout: Buffer.concat(output), stderr });
      else reject(new Error(`${program} ${args.join(" ")} was ended by ${signal}: ${stderr}`));
    });
  });
}

/** Runs a program that has to succeed. @returns what it wrote to standard output */
export async function runWell(program: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stderr}${stdout.toString()}`);
  return stdout;
}
