/**
 * The start of a command: from the process to the whole first answer of a folder, by a client that asks as soon as it can.
 *
 * Ours is run as it is published (`npm pack`). Each is run once before it counts, because a start may keep compiled code. Wall time tells what people wait;
 * on a busy machine the CPU time of the main thread tells the same with less spread.
 */
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endProcess, hasEnded, spawnPinned } from "./process.ts";
import type { Profile, Round, RoundSettings } from "./profile.ts";
import type { SubjectSpec } from "./subject-list.ts";
import { targetOf } from "./targets.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGE = "<!doctype html><title>first</title><h1>first answer</h1>\n";

/** Below those that the system gives to clients: one of them could connect to itself. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const DEADLINE_MS = 30_000;

/** Those who have kept what a first start keeps, by command. */
const warm = new Set<string>();

export const STARTUP_PROFILE: Profile = {
  name: "startup",
  about: "from the start of the process to the whole first answer of a folder",
  family: "startup",
  figures: [
    { name: "first answer ms", digits: 1, better: "less" },
    { name: "main CPU ms", digits: 1, better: "less" },
    { name: "RSS MiB", digits: 1, better: "less" },
  ],
  reference: "sirv-cli",
  ours: ["fairlead-command"],
  peers: ["node-net"],
  target: targetOf("startup"),
  tools: [],
  isSaturating: false,
  prepare: () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-startup-"));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    try {
      const site = join(folder, "site");
      mkdirSync(site);
      writeFileSync(join(site, "index.html"), PAGE);
      process.env["FAIRLEAD_BENCH_FOLDER"] = site;
      process.env["FAIRLEAD_BENCH_COMMAND"] = packedCommand(folder);
    } catch (error) {
      remove();
      throw error;
    }
    return remove;
  },
  start,
};

/** Packs what is built, unpacks it into the folder. @returns the script of the command */
function packedCommand(folder: string): string {
  const words = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const archive = execFileSync("npm", words, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  execFileSync("tar", ["xzf", join(folder, archive.trim()), "-C", folder]);
  const text = readFileSync(join(folder, "package/package.json"), "utf8");
  return join(folder, "package", (JSON.parse(text) as { bin: { fairlead: string } }).bin.fairlead);
}

/** One start. */
async function start(spec: SubjectSpec, node: string, { subjectCore }: RoundSettings): Promise<Round> {
  const key = `${spec.name} ${node}`;
  if (!warm.has(key)) {
    warm.add(key);
    // Ended as people end it, which is when compiled code is kept
    await startOnce(spec, node, subjectCore, "SIGTERM");
  }
  return startOnce(spec, node, subjectCore, "SIGKILL");
}

async function startOnce(spec: SubjectSpec, node: string, core: number, signal: NodeJS.Signals): Promise<Round> {
  const port = await freePort();
  process.env["FAIRLEAD_BENCH_PORT"] = String(port);
  const command = spec.command(node);
  const beganMs = performance.now();
  const child = spawnPinned(command, core, { stdout: "ignore" });
  const exited = once(child, "exit");
  try {
    const text = await firstAnswer(child, port, beganMs + DEADLINE_MS);
    const endedMs = performance.now();
    if (!text.endsWith(PAGE)) throw new Error(`${spec.name}: wrong answer\n${text}`);
    // Nanoseconds on a core, of the main thread
    const [cpuNs] = readFileSync(`/proc/${child.pid}/schedstat`, "utf8").split(" ");
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    const figures = {
      "first answer ms": endedMs - beganMs,
      "main CPU ms": Number(cpuNs) / 1e6,
      "RSS MiB": Number(kib) / 1024,
    };
    return { figures, percentiles: [], busy: null };
  } finally {
    if (signal !== "SIGKILL") {
      child.kill(signal);
      await exited;
    }
    await endProcess(child);
  }
}

/** Asks until somebody answers, and takes all that comes. */
async function firstAnswer(child: ChildProcess, port: number, deadlineMs: number): Promise<string> {
  for (;;) {
    if (hasEnded(child)) throw new Error(`ended with ${child.exitCode ?? child.signalCode} before it answered`);
    if (performance.now() > deadlineMs) throw new Error("no answer came");
    const text = await ask(port);
    if (text !== "") return text;
  }
}

/** Empty where nobody listens yet, or only tries whether the port is free, as sirv-cli does first. */
async function ask(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let text = "";
  try {
    await once(socket, "connect");
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    for await (const part of socket) text += String(part);
  } catch (error) {
    if (text !== "") throw error;
  }
  return text;
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const server = createServer();
    const isFree = await new Promise<boolean>((found) => {
      server.once("error", () => found(false));
      server.listen(port, "127.0.0.1", () => found(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
