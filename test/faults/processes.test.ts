/** Faults of whole processes, with the command as it is published: errors that nobody catches, outputs that are gone, workers that are killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMAND, RunningCommand } from "../cli/run-command.ts";
import { say } from "../hazards/support/asked.ts";

const APP = `
  export default { fetch(request, context) {
    const { pathname } = new URL(request.url);
    if (pathname === "/reject") setImmediate(() => Promise.reject(new Error("nobody catches this")));
    if (pathname === "/throw") setImmediate(() => { throw new Error("nobody catches this"); });
    if (pathname === "/memory") { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); }
    if (pathname === "/kill") process.kill(process.pid, "SIGKILL");
    if (pathname === "/slow") return new Promise(() => {});
    return new Response(String(process.pid));
  } };
`;
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

let folder = "";
let running: RunningCommand[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-faults-"));
  writeFileSync(join(folder, "app.mjs"), APP);
  running = [];
});
afterEach(async () => {
  for (const command of running) {
    command.child.kill("SIGKILL");
    await command.end();
  }
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ command: RunningCommand; port: number }> {
  const command = new RunningCommand([...args, "--port", "0"], { cwd: folder, env });
  running.push(command);
  const port = Number(new URL(await command.url()).port);
  if (args.includes("--workers")) await command.until(/2 worker processes/);
  return { command, port };
}

function targetsIn(log: string): Array<string | undefined> {
  const lines = readFileSync(join(folder, log), "utf8").trimEnd().split("\n");
  return lines.map((line) => (JSON.parse(line) as { target?: string }).target);
}

describe("an error that nobody catches", () => {
  it.each(["/reject", "/throw"])(
    "at %s ends the process with its stack, and the log has what was answered before",
    async (path) => {
      const { command, port } = await start(["app.mjs", "--log", "json", "--log-file", "access.log"]);
      for (let asked = 0; asked < 5; asked++) await say(port, GET(`/${asked}`), ["GET"]);
      const waiting = connect({ port, host: "127.0.0.1" }).on("error", () => {});
      waiting.write(GET("/slow"));
      const last = await say(port, GET(path), ["GET"]);
      expect(await command.end()).toBe(1);
      expect(command.errors).toContain("nobody catches this");
      const lines = targetsIn("access.log");
      expect(lines.filter((target) => /^\/\d$/.test(target ?? ""))).toEqual(["/0", "/1", "/2", "/3", "/4"]);
      expect(last.faults).toEqual([]);
      waiting.destroy();
    },
  );

  it("right behind the first answers costs no line of the log either, whose writer is being loaded then", async () => {
    const { command, port } = await start(["app.mjs", "--log", "json", "--log-file", "access.log"]);
    const at = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    await say(port, at("/0") + at("/1") + at("/2") + GET("/throw"), ["GET", "GET", "GET", "GET"]);
    expect(await command.end()).toBe(1);
    expect(targetsIn("access.log")).toEqual(["/0", "/1", "/2", "/throw"]);
  });

  it("in one of two workers costs its requests alone", async () => {
    const { command, port } = await start(["app.mjs", "--log", "off", "--workers", "2"]);
    await say(port, GET("/throw"), ["GET"]);
    await command.until(/worker [12] is gone/, "errors");
    expect((await say(port, GET("/"), ["GET"])).responses[0]?.status).toBe(200);
    expect(await command.end("SIGTERM")).toBe(0);
  });
});

describe("a worker process", () => {
  it.each<[string, Record<string, string>]>([
    ["/kill", {}],
    ["/memory", { NODE_OPTIONS: "--max-old-space-size=48" }],
  ])(
    "that dies at %s is replaced, and answers that were given are whole",
    async (path, env) => {
      const { command, port } = await start(["app.mjs", "--log", "off", "--workers", "2"], env);
      const asking = Array.from({ length: 40 }, () => say(port, GET("/"), ["GET"]));
      const dying = say(port, GET(path), ["GET"]);
      const answers = await Promise.all(asking);
      await dying;
      await command.until(/worker [12] is gone/, "errors");
      for (const { responses, faults } of answers) {
        expect(faults).toEqual([]);
        expect(responses.every(({ status, isWhole }) => status === 200 && isWhole)).toBe(true);
      }
      expect((await say(port, GET("/"), ["GET"])).responses[0]?.status).toBe(200);
      expect(await command.end("SIGTERM")).toBe(0);
    },
    40_000,
  );
});

describe("an output that is gone", () => {
  it("costs its lines, and no answer", async () => {
    const child = spawn(process.execPath, [COMMAND, "app.mjs", "--port", "0", "--log", "json"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    while (!/http:\S+?:\d+/.test(output)) await once(child.stdout, "data");
    const port = Number(/http:\S+?:(\d+)/.exec(output)?.[1]);
    child.stdout.destroy();
    child.stderr.destroy();
    for (let asked = 0; asked < 20; asked++) {
      expect((await say(port, GET("/"), ["GET"])).responses[0]?.status).toBe(200);
    }
    child.kill("SIGTERM");
    await once(child, "exit");
    expect(child.signalCode).toBeNull();
  });

  it("or a full disk under the log file is said once, and costs no answer", async () => {
    const { command, port } = await start(["app.mjs", "--log", "json", "--log-file", "/dev/full"]);
    for (let asked = 0; asked < 20; asked++) {
      expect((await say(port, GET("/"), ["GET"])).responses[0]?.status).toBe(200);
    }
    await command.until(/the log cannot be written: .*ENOSPC/, "errors");
    expect(await command.end("SIGTERM")).toBe(0);
    expect(command.errors.match(/the log cannot be written/g)?.length).toBeLessThan(4);
  });
});

describe("a start", () => {
  it("on a port that is taken says who wants it, and fails", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const command = new RunningCommand(["app.mjs", "--port", String(port)], { cwd: folder });
    expect(await command.end()).not.toBe(0);
    expect(command.errors).toMatch(new RegExp(`${port}.*(?:taken|in use)`));
    other.close();
  });
});

describe("a reload", () => {
  it.each([
    [
      "cannot be read",
      () => {
        rmSync(join(folder, "fairlead.config.json"));
        writeFileSync(join(folder, "fairlead.config.json"), "{");
      },
    ],
    ["is wrong", () => writeFileSync(join(folder, "fairlead.config.json"), '{"limits":{"maxHeadBytes":-1}}')],
    [
      "is none",
      () => {
        rmSync(join(folder, "fairlead.config.json"));
        writeFileSync(join(folder, "fairlead.config.json"), "\0");
        chmodSync(join(folder, "fairlead.config.json"), 0);
      },
    ],
  ])("of a configuration that %s leaves the old one, and says so", async (_, spoil) => {
    writeFileSync(join(folder, "index.html"), "page");
    writeFileSync(join(folder, "fairlead.config.json"), '{"root":".","headers":{"x-a":"1"}}');
    const { command, port } = await start(["--log", "off"]);
    spoil();
    command.child.kill("SIGHUP");
    await command.until(/Nothing has changed: fairlead\.config\.json/);
    const { responses } = await say(port, GET("/"), ["GET"]);
    expect(responses[0]?.fields.map(([name]) => name.toLowerCase())).toContain("x-a");
    expect(await command.end("SIGTERM")).toBe(0);
  });
});
