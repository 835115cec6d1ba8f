/** `--admin`: metrics and health on an address of their own, of one process and of several. Real processes and sockets. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { layer } from "../../src/cli/config-layers.ts";
import { readSettings, type Settings } from "../../src/cli/settings.ts";
import { USUAL_ADMIN_PORT, type AdminPlace } from "../../src/cli/targets.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { ADMIN_PORT } from "../../src/observe/admin-server.ts";
import { RunningCommand } from "./run-command.ts";

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-admin-"));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
  const command = new RunningCommand([...args, "--port", "0"], { cwd: folder, env });
  running.push(command);
  return command;
}

/** Where the command says that it is. */
async function adminUrl(command: RunningCommand): Promise<string> {
  const [, url = ""] = await command.until(/metrics and health at (http:\S+?):? /);
  return url;
}

/** Status and text of a path. */
async function ask(url: string, path: string): Promise<readonly [status: number, text: string]> {
  const response = await fetch(new URL(path, url), { headers: { connection: "close" } });
  return [response.status, await response.text()];
}

/** Values by `name{labels}`. */
async function metricsAt(url: string): Promise<Map<string, number>> {
  const [, text] = await ask(url, "/metrics");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

/** Asks for metrics until one has a value. */
async function untilMetric(
  url: string,
  name: string,
  isMeant: (value: number | undefined) => boolean,
): Promise<number> {
  for (let i = 0; i < 2_000; i++) {
    const value = (await metricsAt(url)).get(name);
    if (isMeant(value)) return value ?? 0;
  }
  throw new Error(`${name} never becomes what is waited for`);
}

const REQUESTS = 'fairlead_http_requests_total{method="GET",status="2xx",route="none"}';

const APP = `
export async function fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/crash") setImmediate(() => process.exit(3));
  if (pathname === "/stall") for (const end = Date.now() + 4_000; Date.now() < end;);
  return new Response(process.env.FAIRLEAD_WORKER);
}
`;

describe("the address of --admin", () => {
  function placeOf(words: string, environment: Record<string, string> = {}): AdminPlace | null {
    const usage = readUsage(words.split(" ").filter((word) => word !== ""));
    return readSettings(layer(usage.flags, environment, null), false).admin;
  }

  it.each([
    ["--admin", "127.0.0.1", -1],
    ["--admin=9000", "127.0.0.1", 9000],
    ["site --admin 9000", "127.0.0.1", 9000],
    ["--admin 127.0.0.1:9000", "127.0.0.1", 9000],
    ["--admin [::1]:9000", "::1", 9000],
    ["--admin=localhost", "localhost", -1],
    ["--admin 0.0.0.0:0", "0.0.0.0", 0],
  ])("%s is %s, %i", (words, hostname, port) => {
    expect(placeOf(words)).toMatchObject({ hostname, port, origin: "--admin" });
  });

  it("is none by default, and of the environment", () => {
    expect(placeOf("")).toBeNull();
    expect(placeOf("--no-admin", { FAIRLEAD_ADMIN: "9000" })).toBeNull();
    expect(placeOf("", { FAIRLEAD_ADMIN: "1" })).toMatchObject({ port: -1 });
    expect(placeOf("", { FAIRLEAD_ADMIN: "[::1]:9000" })).toMatchObject({ hostname: "::1", port: 9000 });
  });

  it.each([":9000", "", "http://127.0.0.1:9000", "::1:9000", "127.0.0.1:99999", "a b:1"])("is none of %j", (value) => {
    expect(() => readSettings(layer(new Map([["admin", [value]]]), {}, null), false)).toThrow(/--admin.* is/);
  });

  it("is not the folder behind it", () => {
    expect(readUsage(["--admin", "site"])).toMatchObject({ words: ["site"] });
  });
});

describe("the port of --admin and that of the server", () => {
  const settingsOf = (words: string, environment: Record<string, string> = {}): Settings =>
    readSettings(layer(readUsage(words.split(" ")).flags, environment, null), false);

  it.each([
    ["-p 9000 --admin=9000", "--admin and --port are the same port, 9000"],
    ["-p 9180 --admin", "--admin and --port are the same port, 9180"],
    ["-p 9000 --host --admin=9000", "--admin and --port are the same port, 9000"],
    ["-p 9000 --host localhost --admin=9000", "--admin and --port are the same port, 9000"],
    ["-p 9000 --host 0.0.0.0 --admin=localhost:9000", "--admin and --port are the same port, 9000"],
    ["-l tcp://0.0.0.0:9000 --admin=9000", "--admin and --listen are the same port, 9000"],
    ["-l unix:/x -l tcp://[::1]:9000 --admin=[::1]:9000", "--admin and --listen are the same port, 9000"],
  ])("are told to be the same: %s", (words, message) => {
    expect(() => settingsOf(words)).toThrow(expect.objectContaining({ message, exitCode: 2 }) as Error);
  });

  it.each([
    "-p 0 --admin=0",
    "-p 9000 --admin=9001",
    "-p 9000 --host ::1 --admin=9000",
    "-p 9000 --host 127.0.0.2 --admin=9000",
    "-l unix:/x --admin=9000",
  ])("may be what they are: %s", (words) => {
    expect(settingsOf(words)).toBeDefined();
  });

  it.each([
    ["--admin=8080", 8081],
    ["--admin=localhost:8080 --host", 8081],
    ["--admin=[::1]:8080", 8080],
    ["--admin=8081", 8080],
    ["--admin", 8080],
  ])("are next to each other where nobody asked for one: %s", (words, port) => {
    const { targets, notes } = settingsOf(words);
    expect(targets).toMatchObject([{ port }]);
    const note = expect.stringMatching(/^port 8080 is that of --admin, so the server's is 8081 or later$/) as string;
    expect(notes).toEqual(port === 8080 ? [] : [note]);
  });

  it("are told by where they stand", () => {
    expect(() => settingsOf("--quiet", { PORT: "9000", FAIRLEAD_ADMIN: "9000" })).toThrow(
      "the environment's FAIRLEAD_ADMIN and the environment's PORT are the same port, 9000",
    );
  });

  it("know the usual one", () => expect(USUAL_ADMIN_PORT).toBe(ADMIN_PORT));
});

describe("one process with --admin", () => {
  it("tells metrics and health there, and nothing of it in public", async () => {
    writeFileSync(join(folder, "index.html"), "hello");
    const command = start([".", "--admin", "127.0.0.1:0"]);
    const url = await command.url();
    const admin = await adminUrl(command);
    expect((await ask(url, "/"))[1]).toBe("hello");
    expect(await ask(admin, "/healthz")).toEqual([200, "ok\n"]);
    expect(await ask(admin, "/readyz")).toEqual([200, "ok\n"]);
    expect(await untilMetric(admin, REQUESTS, (value) => value === 1)).toBe(1);
    for (const path of ["/metrics", "/healthz", "/readyz"]) expect((await ask(url, path))[0]).toBe(404);
    expect((await ask(admin, "/"))[0]).toBe(404);
    expect(command.errors).toBe("");
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("says that requests are not welcome while it closes", async () => {
    writeFileSync(join(folder, "app.mjs"), "export const fetch = () => new Promise(() => {});");
    const command = start(["app.mjs", "--admin=0"]);
    const url = await command.url();
    const admin = await adminUrl(command);
    void fetch(url).catch(() => null);
    await untilMetric(admin, "fairlead_http_requests_in_flight", (value) => value === 1);
    command.child.kill("SIGTERM");
    await command.until(/Stopping when 1 request is done/);
    expect((await ask(admin, "/readyz"))[0]).toBe(503);
    expect((await ask(admin, "/healthz"))[0]).toBe(200);
    expect(await command.end("SIGTERM")).toBe(1);
  });

  it("asks the app, where a configuration names paths and a check", async () => {
    writeFileSync(join(folder, "index.html"), "hello");
    const health = `{ readyPath: "/ready", check: () => process.env.IS_READY === "yes" }`;
    writeFileSync(join(folder, "fairlead.config.mjs"), `export default { admin: "127.0.0.1:0", health: ${health} };`);
    const admin = await adminUrl(start(["."]));
    expect((await ask(admin, "/ready"))[0]).toBe(503);
    expect((await ask(await adminUrl(start(["."], { IS_READY: "yes" })), "/ready"))[0]).toBe(200);
  });

  it("warns of an address that other machines can reach, and only of that", async () => {
    const command = start([".", "--quiet", "--admin", "0.0.0.0:0"]);
    await command.until(/\n/, "errors");
    expect(command.errors).toMatch(/^fairlead: --admin: http:\S+ can be reached by other machines, and asks nobody/);
  });

  it.each([[[]], [["--workers", "2"]]])("starts nothing if the port is taken: %j", async (more) => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const command = start([".", ...more, "--admin", `127.0.0.1:${port}`]);
    expect(await command.end()).toBe(1);
    expect(command.errors).toBe(
      `fairlead: --admin: port ${port} is taken: another program listens there\n  Stop that program, or give another address, as in --admin 127.0.0.1:9181\n`,
    );
    expect(command.output).toBe("");
    taken.close();
  });
});

describe("several workers with --admin", () => {
  async function startWorkers(): Promise<{ command: RunningCommand; url: string; admin: string }> {
    writeFileSync(join(folder, "app.mjs"), APP);
    const command = start(["app.mjs", "--workers", "2", "--admin", "127.0.0.1:0", "--log", "off"]);
    const url = await command.url();
    return { command, url, admin: await adminUrl(command) };
  }

  /** Requests on connections of their own, until both workers have answered. */
  async function spread(url: string): Promise<number> {
    const seen = new Set<string>();
    let requests = 0;
    while (seen.size < 2 || requests < 10) {
      seen.add((await ask(url, "/"))[1]);
      requests++;
    }
    return requests;
  }

  it("tell one page of all, whose sums survive a restart", { timeout: 30_000 }, async () => {
    const { command, url, admin } = await startWorkers();
    const requests = await spread(url);
    await untilMetric(admin, REQUESTS, (value) => value === requests);
    const values = await metricsAt(admin);
    for (const worker of [1, 2]) {
      expect(values.get(`fairlead_process_up{worker="${worker}"}`)).toBe(1);
      expect(values.get(`fairlead_process_reporting{worker="${worker}"}`)).toBe(1);
    }
    expect(values.get("fairlead_connections_accepted_total")).toBe(requests);
    expect(await ask(admin, "/readyz")).toEqual([200, "ok\n"]);
    const more = await spread(url);
    command.child.kill("SIGHUP");
    await command.until(/All workers are new/);
    const least = requests + more;
    // Nothing is lost, and nothing counted twice, while the old ones go and when they are gone
    await untilMetric(admin, 'fairlead_processes{state="closing"}', (value) => value === 0);
    expect((await metricsAt(admin)).get(REQUESTS)).toBe(least);
    expect((await metricsAt(admin)).get('fairlead_process_starts_total{worker="1"}')).toBe(2);
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("tell the others while one stands still, and that one by name", { timeout: 30_000 }, async () => {
    const { url, admin } = await startWorkers();
    const requests = await spread(url);
    await untilMetric(admin, REQUESTS, (value) => value === requests);
    void fetch(new URL("/stall", url)).catch(() => null);
    for (;;) {
      const [, text] = await ask(admin, "/metrics");
      const number = /^# worker (\d), process \d+, has not answered/m.exec(text)?.[1];
      if (number === undefined) continue;
      expect(text).toContain(`fairlead_process_reporting{worker="${number}"} 0\n`);
      expect(text).toContain(`fairlead_process_up{worker="${number}"} 1\n`);
      expect(text).toContain(`\n${REQUESTS} ${requests}\n`);
      break;
    }
  });

  it("count who crashed, and serve on", { timeout: 30_000 }, async () => {
    const { command, url, admin } = await startWorkers();
    await spread(url);
    await fetch(new URL("/crash", url)).catch(() => null);
    await command.until(/worker (\d) is gone/, "errors");
    const [, number = ""] = /worker (\d) is gone/.exec(command.errors) ?? [];
    await untilMetric(admin, `fairlead_process_crashes_total{worker="${number}"}`, (value) => value === 1);
    await untilMetric(admin, `fairlead_process_up{worker="${number}"}`, (value) => value === 1);
    expect(await ask(admin, "/readyz")).toEqual([200, "ok\n"]);
  });

  it("are ready when the app of one of them says so", { timeout: 30_000 }, async () => {
    writeFileSync(join(folder, "app.mjs"), APP);
    const check = `() => process.env.FAIRLEAD_WORKER === process.env.READY_WORKER`;
    writeFileSync(
      join(folder, "fairlead.config.mjs"),
      `export default { workers: 2, admin: true, health: { check: ${check} } };`,
    );
    const words = ["app.mjs", "--log", "off", "--admin=0"];
    expect((await ask(await adminUrl(start(words, { READY_WORKER: "2" })), "/readyz"))[0]).toBe(200);
    expect((await ask(await adminUrl(start(words, { READY_WORKER: "3" })), "/readyz"))[0]).toBe(503);
  });
});
