/**
 * SIGUSR1 and SIGUSR2 to the built command: its log goes on in a new file, and Node's inspector stays closed.
 *
 * With workers both go to the primary, and SIGUSR1 to a worker alone as well. That nothing says "Debugger listening" is judged
 * when the command has ended, so that nothing can be said later.
 */
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-reopen-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "hello");
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

const APP = `
process.on("SIGUSR1", () => console.error("USR1 here"));
process.on("SIGUSR2", () => console.error("logs reopened"));
export const fetch = () => Response.json({ pid: process.pid });
`;

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const words = [...args, "--port", "0", "--log", "common", "--log-file", "a.log"];
  const command = new RunningCommand(words, { cwd: folder, env });
  running.push(command);
  return command;
}

async function ask(url: string, path: string): Promise<void> {
  await (await fetch(new URL(path, url), { headers: { connection: "close" } })).text();
}

function pathsIn(name: string): string[] {
  const path = join(folder, name);
  return existsSync(path)
    ? [...readFileSync(path, "utf8").matchAll(/"GET (\S+) /g)].map(([, asked]) => asked ?? "")
    : [];
}

/** Resolves when the file is there: the log makes it as it opens it. */
async function untilMade(name: string): Promise<void> {
  while (!existsSync(join(folder, name))) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(["SIGUSR1", "SIGUSR2"] as const)("%s", (signal) => {
  it("has the log go on in a new file at once, and opens no inspector", async () => {
    const command = start(["site"]);
    const url = await command.url();
    await ask(url, "/?before");
    renameSync(join(folder, "a.log"), join(folder, "a.log.1"));
    command.child.kill(signal);
    // Without a line that would be noticed to have no place
    await untilMade("a.log");
    await ask(url, "/?after");
    expect(await command.end("SIGTERM")).toBe(0);
    expect(pathsIn("a.log.1")).toEqual(["/?before"]);
    expect(pathsIn("a.log")).toEqual(["/?after"]);
    expect(command.errors).toBe("");
  });

  it("to the primary has each worker open the log anew, and no process an inspector", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const command = start(["app.mjs", "--workers", "2"]);
    const url = await command.url();
    await command.until(/2 worker processes/);
    await ask(url, "/before");
    renameSync(join(folder, "a.log"), join(folder, "a.log.1"));
    command.child.kill(signal);
    for (const number of [1, 2]) await command.until(new RegExp(`\\[${number}\\] logs reopened`), "errors");
    for (const path of ["/1", "/2", "/3", "/4"]) await ask(url, path);
    expect(await command.end("SIGTERM")).toBe(0);
    expect(pathsIn("a.log").toSorted()).toEqual(["/1", "/2", "/3", "/4"]);
    // One way: what the primary passes on is heard once, as SIGUSR2
    expect(command.errors.match(/logs reopened/g)).toHaveLength(2);
    expect(command.errors).not.toMatch(/USR1 here|[Dd]ebugger|inspector/);
  });
});

describe("SIGUSR1", () => {
  it("to a worker alone opens no inspector", async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const command = start(["app.mjs", "--workers", "1"]);
    const url = await command.url();
    await command.until(/1 worker process/);
    const { pid } = (await (await fetch(url, { headers: { connection: "close" } })).json()) as { pid: number };
    process.kill(pid, "SIGUSR1");
    await command.until(/USR1 here/, "errors");
    await ask(url, "/");
    expect(await command.end("SIGTERM")).toBe(0);
    expect(command.errors).not.toMatch(/[Dd]ebugger|inspector/);
  });

  it("is heard before the command has read its settings", async () => {
    // Long before there is a log: the file of settings waits for a signal of its own
    writeFileSync(
      join(folder, "fairlead.config.mjs"),
      `const waiting = setInterval(() => {}, 1000);
      const told = new Promise((resolve) => process.once("SIGCONT", resolve));
      process.stderr.write("reading\\n");
      await told;
      clearInterval(waiting);
      export default {};`,
    );
    const command = start(["site"]);
    await command.until(/reading/, "errors");
    command.child.kill("SIGUSR1");
    command.child.kill("SIGCONT");
    await command.url();
    expect(await command.end("SIGTERM")).toBe(0);
    expect(command.errors).toBe("reading\n");
  });

  it("leaves an inspector alone that was asked for", async () => {
    const command = start(["site"], { NODE_OPTIONS: "--inspect=0" });
    const url = await command.url();
    const [, port = ""] = await command.until(/Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/, "errors");
    await ask(url, "/");
    renameSync(join(folder, "a.log"), join(folder, "a.log.1"));
    command.child.kill("SIGUSR1");
    await untilMade("a.log");
    expect((await fetch(`http://127.0.0.1:${port}/json/version`)).status).toBe(200);
    expect(command.errors.match(/Debugger listening/g)).toHaveLength(1);
    const exited = once(command.child, "exit");
    command.child.kill("SIGTERM");
    await exited;
  });
});
