/**
 * The command as a service of systemd, played by a script: a socket that is passed on, and what is heard of the service, from whom.
 *
 * Node can neither open a datagram socket of the unix family nor pass on descriptors under numbers of its choice after a fork, so
 * that the part of systemd is played in Python; without it these tests are skipped, and say so.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT } from "../architecture/source.ts";
import { COMMAND } from "./run-command.ts";

const SYSTEMD = `
import fcntl, os, select, socket, struct, sys
way, path, *command = sys.argv[1:]
web = socket.socket()
web.bind(("127.0.0.1", 0))
web.listen(511)
heard, told = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
if way == "path":
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(path)
heard.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
child = os.fork()
if child == 0:
    passed = [fcntl.fcntl(one, fcntl.F_DUPFD, 100) for one in (web, told)]
    for number, one in enumerate(passed if way == "fd" else passed[:1]):
        os.dup2(one, 3 + number)
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 1)
    pid = str(os.getpid())
    names = "web:sd_notify" if way == "fd" else "web"
    os.environ.update(NOTIFY_SOCKET=path, LISTEN_PID=pid, LISTEN_FDS=str(len(names.split(":"))), LISTEN_FDNAMES=names,
                      WATCHDOG_USEC="400000", WATCHDOG_PID=pid)
    os.execv(command[0], command)
print("started", child, web.getsockname()[1], flush=True)
web.close()
is_over = False
while True:
    readable, _, _ = select.select([heard], [], [], 0.02)
    if readable:
        data, ancillary, _, _ = heard.recvmsg(4096, socket.CMSG_SPACE(12))
        pids = [struct.unpack("3i", one)[0] for _, kind, one in ancillary if kind == 2]
        print("main" if pids == [child] else "other", data.decode().strip().replace("\\n", " "), flush=True)
    elif is_over:
        break
    elif not is_over:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            is_over = True
            print("ended", os.waitstatus_to_exitcode(status), flush=True)
`;

const PYTHON = "python3";
const hasPython = spawnSync(PYTHON, ["-c", "import os; os.waitstatus_to_exitcode(0)"]).status === 0;
if (!hasPython) process.emitWarning("SKIPPED: systemd is played in Python 3.9, which is not installed");
const hasNotify = spawnSync("systemd-notify", ["--version"]).status === 0;
if (!hasNotify) process.emitWarning("SKIPPED: systemd-notify is not installed: apt-get install systemd");

let folder = "";
let systemd: ChildProcess | null = null;
let pid = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-systemd-"));
  writeFileSync(join(folder, "index.html"), "hello");
});

afterEach(() => {
  if (pid > 0) process.kill(pid, "SIGKILL");
  systemd?.kill("SIGKILL");
  pid = 0;
  rmSync(folder, { recursive: true, force: true });
});

interface Service {
  readonly port: number;
  /** All that was heard. */
  readonly heard: string[];
  /** Resolves with the next line that is meant. */
  readonly next: (pattern: RegExp) => Promise<string>;
}

async function startService(way: "fd" | "path", ...more: readonly string[]): Promise<Service> {
  return startProgram(way, [COMMAND, ".", "--listen", "systemd", "--log", "off", ...more]);
}

async function startProgram(way: "fd" | "path", program: readonly string[]): Promise<Service> {
  const words = [process.execPath, ...program];
  systemd = spawn(PYTHON, ["-c", SYSTEMD, way, join(folder, "notify"), ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (systemd.stdout === null) throw new Error("there is no output");
  const lines: Interface = createInterface(systemd.stdout);
  const heard: string[] = [];
  const waiting: { pattern: RegExp; resolve: (line: string) => void }[] = [];
  lines.on("line", (line) => {
    heard.push(line);
    if (line.startsWith("ended")) pid = 0;
    const at = waiting.findIndex(({ pattern }) => pattern.test(line));
    if (at !== -1) waiting.splice(at, 1)[0]?.resolve(line);
  });
  const next = (pattern: RegExp): Promise<string> => new Promise((resolve) => waiting.push({ pattern, resolve }));
  const [, child = "", port = ""] = (await next(/^started/)).split(" ");
  pid = Number(child);
  return { port: Number(port), heard, next };
}

async function get(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } })).text();
}

const SCRIPT = `
import { Response, serve } from "fairlead";
await serve({ listen: [{ systemd: "web" }], fetch: () => new Response("hello") });
`;
const MAIN = `
import { serveProcesses } from "fairlead/processes";
await serveProcesses(new URL("./script.mjs", import.meta.url), { workers: 2 });
`;

describe("a script in several processes", () => {
  it.skipIf(!hasPython)("serves the socket of systemd, which the primary was passed", async () => {
    // Inside of the repository, so that `fairlead` is the built package
    mkdirSync(join(ROOT, ".cache"), { recursive: true });
    const inside = mkdtempSync(join(ROOT, ".cache/systemd-"));
    try {
      writeFileSync(join(inside, "script.mjs"), SCRIPT);
      writeFileSync(join(inside, "main.mjs"), MAIN);
      const service = await startProgram("fd", [join(inside, "main.mjs")]);
      // Until somebody accepts, connections wait in the socket
      expect(await get(service.port)).toBe("hello");
      const ended = service.next(/^ended/);
      process.kill(pid, "SIGTERM");
      expect(await ended).toBe("ended 0");
    } finally {
      rmSync(inside, { recursive: true, force: true });
    }
  });
});

const WORKERS: readonly (readonly [name: string, more: readonly string[], status: string])[] = [
  ["one process", [], "Serving"],
  ["a primary with two workers", ["--workers", "2"], "Serving with 2 workers"],
];

describe.each(WORKERS)("the service of %s", (_, more, status) => {
  it.skipIf(!hasPython)("serves the socket of systemd, and tells each step of its life by itself", async () => {
    const service = await startService("fd", ...more);
    expect(await service.next(/READY=1/)).toBe(`main READY=1 STATUS=${status}`);
    for (let i = 0; i < 4; i++) expect(await get(service.port)).toBe("hello");
    expect(await service.next(/WATCHDOG/)).toBe("main WATCHDOG=1");
    const reloading = service.next(/RELOADING/);
    const readyAgain = service.next(/READY=1/);
    process.kill(pid, "SIGHUP");
    expect(await reloading).toBe("main RELOADING=1");
    expect(await readyAgain).toBe(`main READY=1 STATUS=${status}`);
    expect(await get(service.port)).toBe("hello");
    const stopping = service.next(/STOPPING/);
    const ended = service.next(/^ended/);
    process.kill(pid, "SIGTERM");
    expect(await stopping).toBe("main STOPPING=1");
    expect(await ended).toBe("ended 0");
    // Nobody else has spoken for it
    expect(service.heard.filter((line) => line.startsWith("other"))).toEqual([]);
  });

  it.skipIf(!hasPython || !hasNotify)("tells the same through systemd-notify, where nothing leads there", async () => {
    const service = await startService("path", ...more);
    expect(await service.next(/READY=1/)).toContain(`READY=1 STATUS=${status}`);
    expect(await get(service.port)).toBe("hello");
    const stopping = service.next(/STOPPING=1/);
    process.kill(pid, "SIGTERM");
    expect(await stopping).toContain("STOPPING=1");
    if (systemd?.exitCode === null) await once(systemd, "exit");
  });
});
