/** `fairlead/processes` from the built package: a script that calls serve(), run by another one. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectPlain, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestAuthority } from "../server/support/certificates.ts";

const authority = await TestAuthority.create("Processes");
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const IS_BUILT = existsSync(join(ROOT, "dist/processes/script-worker.js"));

const SERVER = `
import { Response, serve } from "fairlead";
import { answerWith, askWorkers } from "fairlead/processes";
type Seen = { readonly requests: number };
let requests = 0;
answerWith("seen", (): Seen => ({ requests }));
await serve({
  port: 0,
  fetch: async (request) => {
    requests++;
    const { pathname } = new URL(request.url);
    if (pathname === "/all") return Response.json(await askWorkers("seen"));
    return Response.json({ worker: process.env["FAIRLEAD_WORKER"], words: process.argv.slice(2) });
  },
});
process.on("exit", () => console.log("worker ends"));
`;

const MAIN = `
import { serveProcesses } from "fairlead/processes";
const processes = await serveProcesses(new URL("./server.ts", import.meta.url), {
  workers: 2, args: ["--flag"], log: (level, text) => console.log(level, text),
});
console.log("at", processes.listening[0].url, processes.workers.length);
const { destroyedConnections } = await processes.finished;
console.log("finished", destroyedConnections);
`;

let folder = "";
let child: ChildProcess | null = null;
let output = "";

beforeEach(async () => {
  // Inside of the repository, so that `fairlead` is the built package
  await mkdir(join(ROOT, ".cache"), { recursive: true });
  folder = await mkdtemp(join(ROOT, ".cache/processes-"));
  await writeFile(join(folder, "server.ts"), SERVER);
});

afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  }
  child = null;
  await rm(folder, { recursive: true, force: true });
});

async function run(main: string): Promise<void> {
  const file = join(folder, "main.mjs");
  await writeFile(file, main);
  output = "";
  child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += String(chunk)));
}

async function until(pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    const match = pattern.exec(output);
    if (match !== null) return match;
    if (child === null || child.exitCode !== null) throw new Error(`ended without ${pattern}: ${output}`);
    await Promise.race([
      once(child.stdout ?? child, "data"),
      once(child.stderr ?? child, "data"),
      once(child, "close"),
    ]);
  }
}

/** A load balancer's connection for its checks, which it keeps. */
class Probe {
  readonly #socket: Socket;

  constructor(port: number) {
    this.#socket = connectPlain(port, "127.0.0.1");
  }

  /** Status of an answer, and what becomes of the connection. */
  async ask(): Promise<string> {
    this.#socket.write("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    const [chunk] = (await once(this.#socket, "data")) as [Buffer];
    return `${String(chunk).slice(9, 12)} ${/connection: close/i.test(String(chunk)) ? "close" : "keep-alive"}`;
  }
}

/** A session that a server gives out. */
async function sessionAt(port: number): Promise<Buffer> {
  const socket = connect({ port, rejectUnauthorized: false });
  socket.resume();
  const [session] = (await once(socket, "session")) as [Buffer];
  socket.destroy();
  return session;
}

async function isResumedAt(port: number, session: Buffer): Promise<boolean> {
  const socket = connect({ port, session, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}

describe.skipIf(!IS_BUILT)("serveProcesses()", () => {
  it("runs a script in TypeScript as often as asked, and any worker can ask all", async () => {
    await run(MAIN);
    const [, url = ""] = await until(/at (http\S+) 2\n/);
    const workers = new Set<string>();
    for (let i = 0; workers.size < 2 && i < 2_000; i++) {
      const response = await fetch(url, { headers: { connection: "close" } });
      const { worker, words } = (await response.json()) as { worker: string; words: string[] };
      expect(words).toEqual(["--flag"]);
      workers.add(worker);
    }
    const answers = (await (await fetch(new URL("/all", url))).json()) as { worker: number; answer: object }[];
    expect(answers.map(({ worker }) => worker)).toEqual([1, 2]);
    child?.kill("SIGHUP");
    await until(/info All workers are new/);
    child?.kill("SIGTERM");
    await until(/finished 0\n/);
    await once(child as ChildProcess, "close");
    expect(output.match(/worker ends/g)).toHaveLength(4);
    expect(child?.exitCode).toBe(0);
  });

  it("stays ready to who asks on connections of the workers that are replaced", async () => {
    await writeFile(join(folder, "server.ts"), SERVER.replace("port: 0,", "port: 0, health: {},"));
    await run(MAIN.replace("workers: 2,", "workers: 2, lastCallMs: 60_000,"));
    const [, url = ""] = await until(/at (http\S+) 2\n/);
    const probes = Array.from({ length: 4 }, () => new Probe(Number(new URL(url).port)));
    for (const probe of probes) expect(await probe.ask()).toBe("200 keep-alive");
    child?.kill("SIGHUP");
    await until(/info All workers are new/);
    for (const probe of probes) expect(await probe.ask()).toBe("200 close");
  });

  it("is not ready there any more when these are told to end too, as service managers tell all processes", async () => {
    const told = `process.on("SIGTERM", () => console.log("told"));`;
    await writeFile(join(folder, "server.ts"), SERVER.replace("port: 0,", "port: 0, health: {},") + told);
    const pids = `console.log("pids", processes.workers.map(({ pid }) => pid).join());`;
    await run(MAIN.replace("workers: 2,", "workers: 2, lastCallMs: 60_000,").replace("const {", `${pids}\nconst {`));
    const [, url = ""] = await until(/at (http\S+) 2\n/);
    const [, retired = ""] = await until(/pids (\S+)\n/);
    const probes = Array.from({ length: 4 }, () => new Probe(Number(new URL(url).port)));
    for (const probe of probes) expect(await probe.ask()).toBe("200 keep-alive");
    child?.kill("SIGHUP");
    await until(/info All workers are new/);
    for (const pid of retired.split(",")) process.kill(Number(pid), "SIGTERM");
    await until(/told\n[^]*told\n/);
    for (const probe of probes) expect(await probe.ask()).toBe("503 close");
  });

  it("replaces a worker that ends, whatever its log does", async () => {
    const log = `() => { throw new Error("kaputt"); }`;
    const filled = `
const looking = setInterval(() => {
  if (processes.crashes === 0 || !processes.places.every(({ isUp }) => isUp)) return;
  console.log("filled", processes.places.map(({ starts }) => starts).join(" "));
  clearInterval(looking);
}, 20);
process.kill(processes.workers[0].pid, "SIGKILL");
console.log("at"`;
    await run(MAIN.replace("(level, text) => console.log(level, text)", log).replace('console.log("at"', filled));
    const [, url = ""] = await until(/at (http\S+) 2\n/);
    await until(/fairlead: worker 1 is gone/);
    await until(/filled 2 1\n/);
    expect((await fetch(url)).status).toBe(200);
    child?.kill("SIGTERM");
    await until(/finished 0\n/);
    expect(output.match(/log of serveProcesses\(\) failed/g)).toHaveLength(1);
  });

  it("gives the keys of session tickets to servers that open later too", async () => {
    const { cert, key } = await authority.issue({ names: ["localhost"] });
    const late = `
import { answerWith as sayLate } from "fairlead/processes";
sayLate("late", async () => {
  const tls = ${JSON.stringify({ cert: String(cert), key: String(key) })};
  return (await serve({ port: 0, tls, fetch: () => new Response(process.env["FAIRLEAD_WORKER"]) })).port;
});
`;
    await writeFile(join(folder, "server.ts"), SERVER + late);
    await run(
      `${MAIN.replace("const {", 'console.log("late", (await processes.ask("late")).map(({ answer }) => answer).join(" "));\nconst {')}`,
    );
    const [, first = "", second = ""] = await until(/late (\d+) (\d+)\n/);
    const session = await sessionAt(Number(first));
    for (const port of [first, second, first, second]) expect(await isResumedAt(Number(port), session)).toBe(true);
    child?.kill("SIGTERM");
    await until(/finished 0\n/);
  });

  it("is refused in a worker, where the script is the file that calls it", async () => {
    await run(MAIN.replace("./server.ts", "./main.mjs"));
    await until(/a worker cannot have workers: the script of serveProcesses\(\) is another file/);
    await until(/ERR_PROCESSES/);
    await once(child as ChildProcess, "close");
    expect(child?.exitCode).toBe(1);
  });

  it("says that a script has no server", async () => {
    await writeFile(join(folder, "server.ts"), "export {};\n");
    await run(MAIN);
    await until(/server\.ts has come to its end and has no server: it awaits serve\(\)/);
    await once(child as ChildProcess, "close");
    expect(child?.exitCode).toBe(1);
  });
});
