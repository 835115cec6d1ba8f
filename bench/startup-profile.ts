/**
 * The start of a command: from the process to the whole first answer of a folder, by a client that asks as soon as it can.
 *
 * Ours is run as it is published (`npm pack`), once before it counts, because a start keeps compiled code for the next. The
 * reference is no dependency: it is looked for where FAIRLEAD_BENCH_SIRV says, then on the PATH. Wall time tells what people
 * wait; on a busy machine the CPU time of the main thread tells the same with less spread.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGE = "<!doctype html><title>first</title><h1>first answer</h1>\n";
/** A server of Node's own sockets, written as short as can be: what no command can be faster than. */
const BARE = `require("node:net").createServer((socket) => socket.once("data", () => socket.end(
  "HTTP/1.1 200 OK\\r\\nContent-Length: ${PAGE.length}\\r\\n\\r\\n" + ${JSON.stringify(PAGE)}
))).listen(Number(process.argv[4]), "127.0.0.1");`;

/** Below those that the system gives to clients: one of them could connect to itself. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const DEADLINE_MS = 30_000;

/** Files of the subjects, and the folder that they serve. */
interface Stage {
  readonly site: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly warm: Set<string>;
}

/** Figures by name. */
type Round = Readonly<Record<string, number>>;

/** What profiles.ts wants of a profile. */
interface StartupProfile {
  readonly about: string;
  readonly figures: ReadonlyArray<readonly [string, number]>;
  readonly needsWrk: boolean;
  readonly reference: string;
  readonly subjects: readonly string[];
  missing(): string[];
  prepare(): () => void;
  start(name: string, core: number): Promise<Round>;
}

let stage: Stage | null = null;

/** A row of profiles.ts. */
export const STARTUP_PROFILE: StartupProfile = {
  about: "from the start of the process to the whole first answer of a folder",
  figures: [
    ["first answer ms", 1],
    ["main CPU ms", 1],
  ],
  needsWrk: false,
  reference: "sirv-cli",
  subjects: ["fairlead-command", "sirv-cli", "node-net"],
  missing: () => (findSirv() === "" ? ["sirv-cli (npm install --prefix DIR sirv-cli; FAIRLEAD_BENCH_SIRV=DIR)"] : []),
  prepare: () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-startup-"));
    stage = build(folder);
    return () => rmSync(folder, { recursive: true, force: true });
  },
  start,
};

function findSirv(): string {
  const home = process.env["FAIRLEAD_BENCH_SIRV"];
  const installed = home === undefined ? "" : join(home, "node_modules/sirv-cli/bin.js");
  if (existsSync(installed)) return installed;
  const found = spawnSync("which", ["sirv"], { encoding: "utf8" }).stdout.trim();
  return found === "" ? "" : realpathSync(found);
}

function build(folder: string): Stage {
  const words = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const archive = execFileSync("npm", words, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  execFileSync("tar", ["xzf", join(folder, archive.trim()), "-C", folder]);
  const { bin } = JSON.parse(readFileSync(join(folder, "package/package.json"), "utf8")) as {
    bin: { fairlead: string };
  };
  const site = join(folder, "site");
  execFileSync("mkdir", [site]);
  writeFileSync(join(site, "index.html"), PAGE);
  writeFileSync(join(folder, "bare.cjs"), BARE);
  const scripts = {
    "fairlead-command": join(folder, "package", bin.fairlead),
    "sirv-cli": findSirv(),
    "node-net": join(folder, "bare.cjs"),
  };
  return { site, scripts, warm: new Set() };
}

/** One start. */
async function start(name: string, core: number): Promise<Round> {
  if (stage === null) throw new Error("the profile was not prepared");
  if (!stage.warm.has(name)) {
    stage.warm.add(name);
    // Ended as people end it, which is when compiled code is kept
    await startOnce(name, stage, core, "SIGTERM");
  }
  return startOnce(name, stage, core, "SIGKILL");
}

async function startOnce(name: string, { site, scripts }: Stage, core: number, signal: NodeJS.Signals): Promise<Round> {
  const script = scripts[name];
  if (script === undefined) throw new Error(`${name} is no command`);
  const port = await freePort();
  const words = ["-c", String(core), process.execPath, script, site, "--port", String(port)];
  const beganMs = performance.now();
  const child = spawn("taskset", words, { stdio: ["ignore", "ignore", "inherit"] });
  const exited = once(child, "exit");
  try {
    const text = await firstAnswer(child, port, beganMs + DEADLINE_MS);
    const endedMs = performance.now();
    if (!text.endsWith(PAGE)) throw new Error(`${name}: wrong answer\n${text}`);
    // Nanoseconds on a core, of the main thread
    const [cpuNs] = readFileSync(`/proc/${child.pid}/schedstat`, "utf8").split(" ");
    return { "first answer ms": endedMs - beganMs, "main CPU ms": Number(cpuNs) / 1e6 };
  } finally {
    child.kill(signal);
    await exited;
  }
}

/** Asks until somebody answers, and takes all that comes. */
async function firstAnswer(child: ChildProcess, port: number, deadlineMs: number): Promise<string> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before it answered`);
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
