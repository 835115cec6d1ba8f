/** SIGHUP with `--workers`: what all workers share is as it was at the start, the rest as it is read, and the log says so once. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RunningCommand } from "../cli/run-command.ts";

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-held-"));
  for (const name of ["old", "new"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "index.html"), name);
  }
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

function write(settings: object): void {
  writeFileSync(join(folder, "fairlead.config.json"), JSON.stringify({ log: "text", ...settings }));
}

async function start(): Promise<RunningCommand> {
  const command = new RunningCommand([], { cwd: folder });
  running.push(command);
  await command.until(/worker process/);
  return command;
}

/** Free ones, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** What is said between a signal and a line of that kind. */
async function sayingAfter(command: RunningCommand, signal: NodeJS.Signals, pattern: RegExp): Promise<string> {
  command.output = "";
  command.child.kill(signal);
  await command.until(pattern);
  return command.output;
}

function ask(port: number, path = "/"): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
}

async function isRefused(port: number): Promise<boolean> {
  return ask(port).then(
    () => false,
    () => true,
  );
}

it("holds places, number and admin of the start, says so once, and takes the rest", { timeout: 30_000 }, async () => {
  const [port = 0, other = 0, admin = 0, otherAdmin = 0] = await freePorts(4);
  const before = { root: "old", port, workers: 2, admin: `127.0.0.1:${admin}` };
  write(before);
  const command = await start();
  expect(await (await ask(port)).text()).toBe("old");
  write({
    root: "new",
    headers: { "x-a": "1" },
    port: other,
    workers: 3,
    admin: `127.0.0.1:${otherAdmin}`,
    backlog: 9,
  });
  const said = await sayingAfter(command, "SIGHUP", /in force after a restart.*\n/);
  const waiting = "Changed, and in force after a restart: port, workers, admin, backlog.\n";
  expect(said).toContain(`Replacing the workers one by one.\nAll workers are new.\n${waiting}`);
  const answer = await ask(port);
  expect([await answer.text(), answer.headers.get("x-a")]).toEqual(["new", "1"]);
  expect(await isRefused(other)).toBe(true);
  expect(await isRefused(otherAdmin)).toBe(true);
  const metrics = await (await ask(admin, "/metrics")).text();
  expect(metrics.match(/^fairlead_process_up\{worker="\d"\} 1$/gm)).toHaveLength(2);
  expect(metrics).toMatch(/^fairlead_http_requests_total\{.*\} [1-9]/m);
  // As it was, and in force: nothing waits any more
  write(before);
  await sayingAfter(command, "SIGHUP", /All workers are new.\n/);
  expect(await (await ask(port)).text()).toBe("old");
  const end = await sayingAfter(command, "SIGTERM", /Stopped/);
  expect(await command.end()).toBe(0);
  expect(end + command.output).not.toContain("Changed");
  expect(command.errors).toBe("");
});

it("says nothing of what waits where a new worker does not start", { timeout: 30_000 }, async () => {
  const [port = 0, other = 0] = await freePorts(2);
  write({ root: "old", port, workers: 1 });
  const command = await start();
  write({ root: "gone", port: other, workers: 1 });
  command.child.kill("SIGHUP");
  await command.until(/a new worker could not be started/, "errors");
  expect(await (await ask(port)).text()).toBe("old");
  expect(await command.end("SIGTERM")).toBe(0);
  expect(command.output).not.toContain("Changed");
});

it("goes on keeping lists of folders from others where the address is to become a local one", async () => {
  const [port = 0] = await freePorts(1);
  mkdirSync(join(folder, "old/docs"));
  write({ root: "old", port, host: "0.0.0.0", workers: 1 });
  const command = await start();
  expect((await ask(port, "/docs/")).status).toBe(404);
  write({ root: "old", port, host: "127.0.0.1", workers: 1 });
  await sayingAfter(command, "SIGHUP", /in force after a restart: host\.\n/);
  expect((await ask(port, "/docs/")).status).toBe(404);
  expect(await command.end("SIGTERM")).toBe(0);
});

it(
  "has no new workers without the configuration file of the start, nor without its password",
  { timeout: 30_000 },
  async () => {
    const [port = 0] = await freePorts(1);
    write({ root: "old", port, workers: 1, auth: "ada:secret" });
    const command = await start();
    expect((await ask(port)).status).toBe(401);
    rmSync(join(folder, "fairlead.config.json"));
    command.child.kill("SIGHUP");
    await command.until(/is gone, which held until now[^]*nothing has changed/, "errors");
    expect((await ask(port)).status).toBe(401);
    command.errors = "";
    writeFileSync(join(folder, "fairlead.config.json"), "{");
    command.child.kill("SIGHUP");
    await command.until(/nothing has changed/, "errors");
    expect(command.errors).toContain("fairlead.config.json:1 is no JSON");
    expect(command.errors).not.toContain("is gone");
  },
);

it(
  "has none without a file that came later and held, nor where the only worker that has read it is gone",
  { timeout: 30_000 },
  async () => {
    const [port = 0] = await freePorts(1);
    const command = new RunningCommand(["old", "--workers", "1", "--port", `${port}`, "--log", "text"], {
      cwd: folder,
    });
    running.push(command);
    await command.until(/worker process/);
    write({ auth: "ada:secret" });
    await sayingAfter(command, "SIGHUP", /All workers are new.\n/);
    expect((await ask(port)).status).toBe(401);
    rmSync(join(folder, "fairlead.config.json"));
    // The one before it may still be there, and is not who serves
    const workers = execFileSync("ps", ["-o", "pid=", "--sort=start_time", "--ppid", `${command.child.pid}`], {
      encoding: "utf8",
    });
    process.kill(Number(workers.trim().split("\n").at(-1)), "SIGKILL");
    await command.until(/is gone, which held until now/, "errors");
    expect(await isRefused(port)).toBe(true);
    write({ auth: "ada:secret" });
    await sayingAfter(command, "SIGHUP", /All workers are new.\n/);
    expect((await ask(port)).status).toBe(401);
  },
);
