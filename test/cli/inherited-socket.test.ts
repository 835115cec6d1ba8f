/**
 * `--listen fd:N`: a socket that the parent has opened, as inetd-like supervisors and rolling restarts pass it on.
 *
 * Node cannot open a listening socket without accepting from it, so that the parent is a script in Python; without it these tests
 * are skipped, and say so.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMAND, RunningCommand } from "./run-command.ts";

/** Opens a socket, becomes the command, and has said the port before. */
const PARENT = `
import fcntl, os, socket, sys
number, *command = sys.argv[1:]
web = socket.socket()
web.bind(("127.0.0.1", 0))
web.listen(511)
print("port", web.getsockname()[1], flush=True)
passed = fcntl.fcntl(web, fcntl.F_DUPFD, 100)
os.dup2(passed, int(number))
os.execv(command[0], command)
`;

const hasPython = process.platform !== "win32" && spawnSync("python3", ["--version"]).status === 0;

describe.skipIf(!hasPython)(`--listen fd:N${hasPython ? "" : " (skipped: there is no Python)"}`, () => {
  let folder = "";
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fairlead-inherited-"));
    writeFileSync(join(folder, "index.html"), "<h1>inherited</h1>");
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        const closed = once(child, "close");
        child.kill("SIGKILL");
        await closed;
      }
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [3, "fd:3"],
    [7, "fd://7"],
  ])("serves at the socket of descriptor %i, given as %s, and ends gracefully", async (number, uri) => {
    const args = ["-c", PARENT, String(number), process.execPath, COMMAND, folder, "--listen", uri];
    const child = spawn("python3", args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    while (!/"msg":"listening"/.test(output)) await once(child.stdout, "data");
    const port = /^port (\d+)$/m.exec(output)?.[1] ?? "";
    expect(output).toContain(`"urls":["http://127.0.0.1:${port}/"]`);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("<h1>inherited</h1>");
    const closed = once(child, "close");
    child.kill("SIGTERM");
    await closed;
    expect(child.exitCode).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed");
  });

  it("that nobody has passed on is told of in words", async () => {
    const command = new RunningCommand([folder, "--listen", "fd:60"]);
    children.push(command.child);
    expect(await command.end()).not.toBe(0);
    expect(command.errors).toMatch(/descriptor 60|fd:60/);
    expect(command.errors).not.toMatch(/ at .*\.js:\d+/);
  });
});
