/**
 * The terminal of the built command is closed: it ends by SIGHUP, as a shell expects, and not with the abort of a Node that
 * finds no terminal to put back as it was.
 *
 * Only a true terminal shows that, and Node has none to give: python3 opens it. Where there is no python3, nothing is judged.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMAND } from "./run-command.ts";

/** Runs its arguments on a terminal of their own, shows what they write, closes it at a line, and prints how they ended. */
const TERMINAL = `
import os, pty, select, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    readable, _, _ = select.select([terminal, 0], [], [])
    if 0 in readable:
        break
    os.write(1, os.read(terminal, 65536))
os.close(terminal)
_, status = os.waitpid(child, 0)
print("ended", "by signal" if os.WIFSIGNALED(status) else "with code", status & 127 or status >> 8, flush=True)
`;

const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;
if (!hasPython) process.stderr.write("no python3 with a module pty: what closing a terminal does is not judged\n");

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-hangup-"));
  writeFileSync(join(folder, "index.html"), "hello");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the command on a terminal, closes that when `ready` was shown, and says how the command ended. */
async function closeTerminalOf(args: readonly string[], ready = /Ctrl-C/): Promise<string> {
  const child = spawn("python3", ["-c", TERMINAL, process.execPath, COMMAND, ...args, "--port", "0"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  const ended = once(child, "close");
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (ready.test(output) && child.stdin.writable) child.stdin.end("\n");
  });
  await ended;
  return /ended .*/.exec(output)?.[0] ?? output;
}

const APP = `import { appendFileSync } from "node:fs";
process.on("SIGHUP", () => appendFileSync("heard", "SIGHUP\\n"));
process.on("exit", (code) => appendFileSync("heard", "exit " + code + "\\n"));
export const fetch = () => new Response("x");
`;

describe.skipIf(!hasPython)("when its terminal is closed", () => {
  it("ends by SIGHUP", async () => {
    expect(await closeTerminalOf(["."])).toBe("ended by signal 1");
  });

  it("ends by SIGHUP with an app that listens for it, which hears it and the end", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    expect(await closeTerminalOf(["app.mjs"])).toBe("ended by signal 1");
    expect(readFileSync(join(folder, "heard"), "utf8")).toBe("SIGHUP\nexit 0\n");
  });

  it("ends by SIGHUP with workers, once they have ended", async () => {
    expect(await closeTerminalOf([".", "--workers", "1"], /1 worker process/)).toBe("ended by signal 1");
  });
});
