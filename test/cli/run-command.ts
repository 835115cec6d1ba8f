/**
 * The built command as a child process: what it wrote, where it listens, how it ended.
 *
 * Tests of the command run what is published, with Node's own loader and not the test runner's; `npm test` builds it first.
 */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The command's file. */
export const COMMAND: string = fileURLToPath(new URL("../../dist/cli/start.cjs", import.meta.url));

/** A child that runs, or has run. */
export class RunningCommand {
  readonly child: ChildProcess;
  output = "";
  errors = "";

  constructor(
    args: readonly string[],
    options: { cwd?: string; env?: Readonly<Record<string, string>>; input?: string; file?: string } = {},
  ) {
    if (!existsSync(COMMAND)) throw new Error("the command is not built: npm run build");
    const { PORT: _port, HOST: _host, NO_COLOR: _noColor, FAIRLEAD_AUTH: _auth, ...inherited } = process.env;
    this.child = spawn(process.execPath, [options.file ?? COMMAND, ...args], {
      cwd: options.cwd,
      env: { ...inherited, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdin?.end(options.input ?? "");
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.errors += text));
  }

  /** Waits until the output matches, or what is on standard error. */
  async until(pattern: RegExp, where: "output" | "errors" = "output"): Promise<RegExpExecArray> {
    const stream = where === "output" ? this.child.stdout : this.child.stderr;
    for (;;) {
      const match = pattern.exec(this[where]);
      if (match !== null) return match;
      if (this.child.exitCode !== null) throw new Error(`ended without ${pattern}: ${this.output}${this.errors}`);
      await Promise.race([once(stream ?? this.child, "data"), once(this.child, "exit")]);
    }
  }

  /** The address of the first line. */
  async url(): Promise<string> {
    const [, plain, json] = await this.until(/ at (http:\S+)\n|"urls":\["(http:[^"]+)"/);
    return plain ?? json ?? "";
  }

  /** Waits for the end, after a signal if one is given. */
  async end(signal?: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const closed = once(this.child, "close");
      if (signal !== undefined) this.child.kill(signal);
      await closed;
    }
    return this.child.exitCode;
  }
}
