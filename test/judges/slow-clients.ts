/**
 * slowhttptest against the built server, in its four modes with 1,000 connections, while well-behaved clients measure how long
 * they wait. Run by hand: `npm run build && npx jiti test/judges/slow-clients.ts [seconds]`. It needs slowhttptest (Debian).
 *
 * Says of each mode what slowhttptest found, how long other clients waited and how much memory the server took; ends with 1
 * if anybody was not answered, waited longer than 100 ms at the 99th percentile, the server grew by more than 200 MiB, or
 * slowhttptest did not attack at all.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const SECONDS = secondsOf(process.argv[2] ?? "45");
const CONNECTIONS = 1000;
const MOST_P99_MS = 100;
const MOST_GROWTH_MIB = 200;
/** Between two requests of one well-behaved client. */
const PAUSE_MS = 10;
const CLIENTS = 4;
/** Every so many requests a client connects anew. */
const REQUESTS_PER_CONNECTION = 10;
const PAGE_BYTES = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));

const common = ["-c", String(CONNECTIONS), "-r", "200", "-l", String(SECONDS), "-p", "3"];
const MODES: ReadonlyArray<readonly [string, string, readonly string[]]> = [
  ["slow heads (-H)", "/", ["-H", "-i", "5", "-x", "24"]],
  ["slow content (-B)", "/", ["-B", "-i", "5", "-s", "8192", "-x", "10"]],
  ["ranges (-R)", "/", ["-R", "-a", "10", "-b", "3000", "-t", "HEAD"]],
  ["slow reading (-X)", "/large", ["-X", "-w", "10", "-y", "20", "-n", "5", "-z", "32", "-k", "3"]],
];

function secondsOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  process.stderr.write(`${JSON.stringify(text)} is no number of seconds, 1 to 9999, for each mode\n`);
  return process.exit(2);
}

interface Waits {
  readonly waitsMs: number[];
  failures: number;
}

function residentMib(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return (pages * PAGE_BYTES) / 2 ** 20;
}

/** One request on a connection; resolves with the milliseconds to the whole answer. */
function ask(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    const begunMs = performance.now();
    let text = "";
    const end = (error: Error | null): void => {
      socket.off("data", onData).off("error", end).off("close", onClose);
      if (error === null) resolve(performance.now() - begunMs);
      else reject(error);
    };
    const onClose = (): void => end(new Error("closed"));
    const onData = (chunk: Buffer): void => {
      text += String(chunk);
      if (text.endsWith("Hello, World!")) end(text.startsWith("HTTP/1.1 200 ") ? null : new Error(text.slice(0, 12)));
    };
    socket.on("data", onData).on("error", end).on("close", onClose);
    socket.write("GET / HTTP/1.1\r\nHost: judge\r\n\r\n");
  });
}

async function behave(port: number, isOver: () => boolean, waits: Waits): Promise<void> {
  while (!isOver()) {
    const begunMs = performance.now();
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      for (let i = 0; i < REQUESTS_PER_CONNECTION && !isOver(); i++) {
        // The first wait includes that for the connection
        const extraMs = i === 0 ? performance.now() - begunMs : 0;
        waits.waitsMs.push((await ask(socket)) + extraMs);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    } catch {
      waits.failures++;
    }
    socket.on("error", () => {}).destroy();
  }
}

async function judge(
  name: string,
  path: string,
  flags: readonly string[],
  server: ChildProcess,
  port: number,
): Promise<boolean> {
  const pid = server.pid as number;
  const before = residentMib(pid);
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, residentMib(pid));
  }, 100);
  let isOver = false;
  const waits: Waits = { waitsMs: [], failures: 0 };
  const clients = Array.from({ length: CLIENTS }, () => behave(port, () => isOver, waits));
  const attack = spawn("slowhttptest", [...flags, ...common, "-u", `http://127.0.0.1:${port}${path}`]);
  let report = "";
  attack.stdout.on("data", (chunk: Buffer) => (report += String(chunk)));
  await once(attack, "exit");
  isOver = true;
  await Promise.all(clients);
  clearInterval(sampling);
  const sorted = waits.waitsMs.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity;
  // Its output is coloured
  const plain = report.replaceAll(/\u001B\[[\d;]*[A-Za-z]/g, "");
  const verdicts = [...plain.matchAll(/service available:\s+(\w+)/g)].map(([, word]) => word);
  const said = `${verdicts.filter((word) => word === "YES").length} of ${verdicts.length} times available`;
  const ending = /Exit status: (.*)/.exec(plain)?.[1]?.trim() ?? "";
  // An attack that did not take place says nothing
  const isTried = verdicts.length > 0;
  const isGood = isTried && waits.failures === 0 && at(0.99) < MOST_P99_MS && most - before < MOST_GROWTH_MIB;
  process.stdout.write(
    `| ${name} | ${said}; ${ending} | ${sorted.length} | ${waits.failures} | ${at(0.5).toFixed(1)} | ${at(0.99).toFixed(1)} | ${at(1).toFixed(1)} | ${before.toFixed(0)} to ${most.toFixed(0)} | ${isGood ? "good" : "bad"} |\n`,
  );
  return isGood;
}

if (spawnSync("slowhttptest", ["-h"]).error !== undefined) {
  process.stderr.write("slowhttptest is not here: sudo apt install slowhttptest\n");
  process.exit(1);
}
const server = spawn(process.execPath, [join(import.meta.dirname, "slow-subject.js")], {
  stdio: ["ignore", "pipe", "inherit"],
});
const [line] = (await once(createInterface(server.stdout), "line")) as [string];
const { port } = JSON.parse(line) as { port: number };
process.stdout.write("| Mode | slowhttptest | Other requests | Failed | p50 ms | p99 ms | Most ms | Memory MiB | |\n");
process.stdout.write("|---|---|---|---|---|---|---|---|---|\n");
let isGood = true;
for (const [name, path, flags] of MODES) isGood = (await judge(name, path, flags, server, port)) && isGood;
server.kill();
process.exitCode = isGood ? 0 : 1;
