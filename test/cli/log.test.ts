import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-cli-log-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "hello");
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

function start(...args: readonly string[]): RunningCommand {
  const command = new RunningCommand(["site", "-p", "0", ...args], { cwd: folder });
  running.push(command);
  return command;
}

function linesOf(name: string): string[] {
  return readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
}

/** Asks for `/from` to `/to - 1`, one after the other. */
async function ask(url: string, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await (await fetch(`${url}${i}`)).text();
}

function targetsOf(lines: readonly string[]): string[] {
  return lines.map((line) => (JSON.parse(line) as { target: string }).target);
}

describe("the log of the command", () => {
  it("has each request once and in order, whoever writes it, and the last word at the end", async () => {
    const command = start();
    const url = await command.url();
    await ask(url, 0, 700);
    expect(await command.end("SIGTERM")).toBe(0);
    const [first = "", ...rest] = command.output.trimEnd().split("\n");
    const last = rest.pop() ?? "";
    expect([first, last].map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["listening", "Stopped."]);
    expect(targetsOf(rest)).toEqual(Array.from({ length: 700 }, (_, i) => `/${i}`));
  });

  it.each<[string, readonly string[], "output" | "errors", RegExp]>([
    ["as a warning", [], "output", /"level":"warn","msg":"Nothing has changed: [^"]*headers/],
    ["where it is quiet, on standard error", ["-q"], "errors", /^fairlead: Nothing has changed: .*headers/],
  ])("has what is wrong with a file that is read again, %s", async (_how, flags, where, pattern) => {
    const socket = join(folder, "a.sock");
    const config = join(folder, "fairlead.config.json");
    writeFileSync(config, "{}");
    const command = new RunningCommand(["site", "--listen", `unix:${socket}`, ...flags], { cwd: folder });
    running.push(command);
    while (!existsSync(socket)) await new Promise((resolve) => setImmediate(resolve));
    // Whoever answers obeys signals already
    const client = connect(socket).resume();
    client.end("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await once(client, "close");
    writeFileSync(config, JSON.stringify({ headers: 3 }));
    command.child.kill("SIGHUP");
    await command.until(pattern, where);
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("goes on in a new file when the old one was moved and a signal says so", async () => {
    const command = start("--log-file", "a.log");
    const url = await command.url();
    await ask(url, 0, 20);
    renameSync(join(folder, "a.log"), join(folder, "a.log.1"));
    command.child.kill("SIGUSR2");
    await ask(url, 20, 40);
    expect(await command.end("SIGTERM")).toBe(0);
    const targets = targetsOf([...linesOf("a.log.1"), ...linesOf("a.log")]);
    expect(targets).toEqual(Array.from({ length: 40 }, (_, i) => `/${i}`));
    expect(linesOf("a.log").length).toBeGreaterThan(1);
  });

  it("outlives a signal for logs where there is no file", async () => {
    const command = start();
    const url = await command.url();
    command.child.kill("SIGUSR2");
    await ask(url, 0, 1);
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("has text for people in a file too, where that is asked for", async () => {
    const command = start("--log", "text", "--log-file", "a.log");
    await ask(await command.url(), 0, 2);
    expect(await command.end("SIGTERM")).toBe(0);
    expect(linesOf("a.log")).toEqual([
      expect.stringMatching(/^GET \/0 404 \d+ [\d.]+ms$/),
      expect.stringMatching(/^GET \/1 404 \d+ [\d.]+ms$/),
    ]);
  });
});
