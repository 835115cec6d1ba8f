/**
 * Hostile traffic for as long as one likes, over real sockets, and what the server is after it:
 * `npm run judge:fuzz -- --minutes 60 --out folder`. The server (fuzz-subject.js) is a process of its own; this one sends.
 *
 * Each conversation is drawn from a seed that is printed (conversation.ts) and judged by Node's parser (hold-conversation.ts);
 * clients that behave compare every octet beside it (good-client.ts). Both processes together take `--cores` of a core. Ends with
 * 1 if anything came back that no server may say, a good client met a mistake, the server ended, warned or had a fault that no
 * handler meant, a line of the log is no JSON, or anything was kept: memory that goes on growing over the last half by more
 * than it wavers (see {@link growth}), a heap after collection larger than after the warm-up, a descriptor or a connection.
 * Memory is judged from ten minutes on.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { hasNodeParser } from "../../../fuzz/connection/node-parser.ts";
import { Random } from "../../../fuzz/random.ts";
import { plotLines } from "../soak/plot.ts";
import { drawConversation } from "./conversation.ts";
import { behave, type Experience } from "./good-client.ts";
import { hold } from "./hold-conversation.ts";

if (!hasNodeParser)
  throw new Error("this Node does not give its parser away, which judges the answers: take Node 20 to 26");

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    out: { type: "string" },
    cores: { type: "string", default: "0.3" },
    peers: { type: "string", default: "16" },
  },
});
const SECONDS = Number(values.minutes) * 60;
/** Caches are filled and code is compiled by then. */
const WARM_SECONDS = Math.min(300, SECONDS / 5);
/** Before that nobody can tell growth from the start of everything; it is shown, and not judged. */
const isLongEnough = SECONDS >= 600;
const SAMPLE_SECONDS = Math.min(10, SECONDS / 30);
const MOST_MISTAKES = 20;
const MOST_LOG_BYTES = 20 * 2 ** 20;
/** Less than this is no leak that an hour would show. */
const LEAST_GROWTH_MIB = 3;
const MIB = 2 ** 20;
/** Of the samples of the last half: enough for medians, few enough that each is of a minute's quarter in an hour. */
const MEANS = 120;
/** Of a normal distribution. */
const MAD_TO_DEVIATION = 1.4826;

/** What the server tells of itself. */
interface Told {
  readonly id: number;
  readonly memory: NodeJS.MemoryUsage;
  /** Of the heap, what V8 has compiled: it goes on with that for long, and it is no data of ours. */
  readonly codeBytes: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly dropped: number;
  readonly stats: { readonly acceptedConnections: number; readonly requests: number };
  readonly faults: ReadonlyArray<readonly [words: string, times: number]>;
}

interface Sample {
  readonly seconds: number;
  readonly told: Told;
  readonly descriptors: number;
}

const folder = mkdtempSync(join(tmpdir(), "fairlead-fuzz-"));
const logFile = join(folder, "access.log");
const film = Buffer.alloc(600_000, "a film has many pictures; ");
mkdirSync(join(folder, "www", "inner"), { recursive: true });
writeFileSync(join(folder, "www", "film.bin"), film);
writeFileSync(join(folder, "www", "text.txt"), "What is said once need not be said again. ".repeat(300));
writeFileSync(join(folder, "www", "page.html"), "<!doctype html><title>Page</title>".padEnd(3000, "<p>Text</p>"));

const mistakes: string[] = [];
const samples: Sample[] = [];
const kinds = new Map<string, number>();
const statuses = new Map<number, number>();
const met: Experience = { answers: 0, mostMs: 0, mistakes };
let logLines = 0;
let conversations = 0;
let isPausing = false;
let pauseMs = 20;

const server = spawn(process.execPath, ["--expose-gc", join(import.meta.dirname, "../fuzz-subject.js"), folder], {
  stdio: ["ignore", "inherit", "pipe", "ipc"],
});
let errors = "";
server.stderr?.on("data", (chunk: Buffer) => (errors += String(chunk)));
server.once("exit", (code) => {
  if (startedMs === 0) throw new Error(`the server did not start (${code}): ${errors}`);
});
let startedMs = 0;
const [{ port }] = (await once(server, "message")) as [{ port: number }];
const pid = server.pid as number;
startedMs = performance.now();
const elapsed = (): number => (performance.now() - startedMs) / 1000;
const isOver = (): boolean => elapsed() >= SECONDS || server.exitCode !== null || mistakes.length > MOST_MISTAKES;
process.once("SIGINT", () => mistakes.push(...Array.from({ length: MOST_MISTAKES + 1 }, () => "stopped by hand")));

let asked = 0;

/** Answers have the number of their question: one that collects comes behind others that were asked later. */
async function ask(child: ChildProcess, wish: "sample" | "collect"): Promise<Told> {
  const id = ++asked;
  child.send({ id, wish });
  for (;;) {
    const [told] = (await once(child, "message")) as [Told];
    if (told.id === id) return told;
  }
}

const descriptorsOf = (): number => readdirSync(`/proc/${pid}/fd`).length;

/** Seconds of processor time of the server so far. */
function serverSeconds(): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Sends, one conversation after the other, until it is over. */
async function beHostile(peer: number): Promise<void> {
  for (let turn = 0; !isOver(); turn++) {
    while (isPausing && !isOver()) await sleep(100);
    const seed = Number(values.seed) + turn * Number(values.peers) + peer;
    const conversation = drawConversation(new Random(seed));
    const held = await hold(conversation, port);
    conversations++;
    kinds.set(conversation.kind, (kinds.get(conversation.kind) ?? 0) + 1);
    for (const status of held.statuses) statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (held.mistake !== "")
      mistakes.push(`${elapsed().toFixed(1)} s, ${conversation.kind}, seed ${seed}: ${held.mistake}`);
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/** Keeps both processes to their share of a core. */
async function throttle(): Promise<void> {
  let before = serverSeconds() + ownSeconds();
  let beforeMs = performance.now();
  while (!isOver()) {
    await sleep(1000);
    const used = server.exitCode === null ? serverSeconds() + ownSeconds() : before;
    const cores = (used - before) / ((performance.now() - beforeMs) / 1000);
    before = used;
    beforeMs = performance.now();
    if (!isPausing)
      pauseMs = Math.min(5000, Math.max(1, pauseMs * Math.min(1.5, Math.max(0.8, cores / Number(values.cores)))));
  }
}

/** Every line of the log is JSON; what was looked at is taken away, so that no disk fills. */
function readLog(): void {
  const lines = readFileSync(logFile, "utf8").split("\n");
  truncateSync(logFile);
  // The first may have begun before the last look, the last may not be written whole
  for (const line of lines.slice(1, -1)) {
    logLines++;
    try {
      JSON.parse(line);
    } catch {
      mistakes.push(`a line of the log is no JSON: ${JSON.stringify(line.slice(0, 300))}`);
    }
  }
}

async function watch(): Promise<void> {
  for (let shown = 0; !isOver();) {
    await sleep(SAMPLE_SECONDS * 1000);
    if (server.exitCode !== null) return;
    const told = await ask(server, "sample");
    samples.push({ seconds: elapsed(), told, descriptors: descriptorsOf() });
    if (readFileSync(logFile).length > MOST_LOG_BYTES) readLog();
    if (elapsed() - shown < 60) continue;
    shown = elapsed();
    process.stdout.write(
      `${shown.toFixed(0)} s: ${conversations} conversations, ${told.stats.requests} requests, ${(told.memory.rss / MIB).toFixed(0)} MiB, heap ${(told.memory.heapUsed / MIB).toFixed(1)} MiB, ${told.connections} connections, pause ${pauseMs.toFixed(0)} ms, ${mistakes.length} mistakes\n`,
    );
  }
}

/** What is left. */
interface Rest {
  readonly told: Told;
  readonly descriptors: number;
}

/** When nobody is there any more: what is left after collection. */
async function atRest(): Promise<Rest> {
  // Kept connections end within their deadline, files that nobody asks for are closed a little later
  for (let tries = 0; tries < 200 && descriptorsOf() > startDescriptors; tries++) await sleep(100);
  return { told: await ask(server, "collect"), descriptors: descriptorsOf() };
}

async function pauseAfterWarmUp(): Promise<Rest | null> {
  while (!isOver() && elapsed() < WARM_SECONDS) await sleep(100);
  if (isOver()) return null;
  isPausing = true;
  // All conversations that are under way end within their deadlines; the good clients go on, and are few
  await sleep(Math.min(4000, SECONDS * 20));
  const rest = { told: await ask(server, "collect"), descriptors: descriptorsOf() };
  isPausing = false;
  return rest;
}

/**
 * How much memory rises over the last half: the median of the slopes between any two of its means, times its length (Theil and
 * Sen); and how much it wavers: twice the median of what the means are away from that line, brought to a deviation. Once or
 * twice an hour V8 gives its young generation back and takes it again, minutes later: least squares take a dip of 30 MiB at
 * the beginning for a rise, medians do not.
 */
function growth(points: ReadonlyArray<{ readonly seconds: number; readonly mib: number }>): {
  rise: number;
  noise: number;
} {
  const half = points.filter(({ seconds }) => seconds >= SECONDS / 2);
  const each = Math.max(1, Math.ceil(half.length / MEANS));
  const means = Array.from({ length: Math.ceil(half.length / each) }, (_, i) => {
    const part = half.slice(i * each, (i + 1) * each);
    return { seconds: meanOf(part.map(({ seconds }) => seconds)), mib: meanOf(part.map(({ mib }) => mib)) };
  });
  const slopes = means.flatMap((a, i) => means.slice(i + 1).map((b) => (b.mib - a.mib) / (b.seconds - a.seconds)));
  const slope = medianOf(slopes);
  const middle = medianOf(means.map(({ seconds, mib }) => mib - slope * seconds));
  const away = medianOf(means.map(({ seconds, mib }) => Math.abs(mib - slope * seconds - middle)));
  return { rise: slope * (SECONDS / 2), noise: 2 * MAD_TO_DEVIATION * away };
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

const startDescriptors = descriptorsOf();
const first = await ask(server, "collect");
const [warm] = await Promise.all([
  pauseAfterWarmUp(),
  throttle(),
  watch(),
  behave(port, film, 500, isOver, met),
  behave(port, film, 700, isOver, met),
  ...Array.from({ length: Number(values.peers) }, (_, peer) => beHostile(peer)),
]);

const report: string[] = [`hostile traffic of ${values.minutes} min, seed ${values.seed}, Node ${process.version}`];
if (server.exitCode !== null || server.signalCode !== null) {
  mistakes.push(`the server ended with ${server.exitCode ?? server.signalCode}`);
} else {
  const { told: last, descriptors } = await atRest();
  readLog();
  if (last.connections !== 0) mistakes.push(`${last.connections} connections are left`);
  if (last.inFlight !== 0) mistakes.push(`${last.inFlight} requests are left`);
  if (last.dropped !== 0) mistakes.push(`${last.dropped} lines of the log were dropped`);
  if (descriptors > startDescriptors) mistakes.push(`${descriptors} descriptors for ${startDescriptors} at the start`);
  for (const [words, times] of last.faults) mistakes.push(`${times} times a fault that no handler meant: ${words}`);
  for (const kind of ["rss", "heapUsed", "external", "arrayBuffers"] as const) {
    const { rise, noise } = growth(samples.map(({ seconds, told }) => ({ seconds, mib: told.memory[kind] / MIB })));
    const limit = Math.max(LEAST_GROWTH_MIB, noise);
    report.push(`${kind} over the last half: ${rise.toFixed(2)} MiB; up to ${limit.toFixed(2)} MiB it may be noise`);
    if (isLongEnough && rise > limit) mistakes.push(`${kind} goes on growing: ${rise.toFixed(2)} MiB`);
  }
  const rests = [first, warm?.told ?? first, last];
  const heaps = rests.map(({ memory, codeBytes }) => (memory.heapUsed - codeBytes) / MIB);
  const codes = rests.map(({ codeBytes }) => (codeBytes / MIB).toFixed(2));
  report.push(
    `heap after collection: ${heaps.map((mib) => mib.toFixed(2)).join(", ")} MiB (before, after the warm-up, at the end), and ${codes.join(", ")} MiB of compiled code`,
    `descriptors: ${startDescriptors} at the start, ${descriptors} at the end`,
    `${last.stats.acceptedConnections} connections, ${last.stats.requests} requests, ${logLines} lines of the log`,
  );
  if (!isLongEnough) report.push("memory is not judged: that takes ten minutes");
  if (isLongEnough && (heaps[2] ?? 0) - (heaps[1] ?? 0) > 2)
    mistakes.push("the heap is larger after collection than after the warm-up");
  const gone = once(server, "exit");
  server.send({ id: 0, wish: "close" });
  const [code] = (await gone) as [number | null];
  if (code !== 0) mistakes.push(`the server ended with ${code} when it was closed`);
}
if (errors !== "") mistakes.push(`standard error: ${errors.slice(0, 2000)}`);

const tally = (counts: ReadonlyMap<unknown, number>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, times]) => `${times} ${String(what)}`)
    .join(", ");
const isGood = mistakes.length === 0;
report.push(
  `${conversations} conversations: ${tally(kinds)}`,
  `answers by status: ${tally(statuses)}`,
  `good clients: ${met.answers} answers, ${met.mostMs.toFixed(0)} ms at most`,
  `mistakes: ${mistakes.length}`,
  ...mistakes.slice(0, MOST_MISTAKES + 5),
  `${isGood ? "good" : "bad"}\n`,
);
process.stdout.write(report.join("\n"));

if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  const rows = samples.map(({ seconds, told: { memory, connections, stats }, descriptors }) =>
    [
      seconds.toFixed(1),
      ...[memory.rss, memory.heapTotal, memory.heapUsed, memory.external, memory.arrayBuffers].map((bytes) =>
        (bytes / MIB).toFixed(2),
      ),
      descriptors,
      connections,
      stats.requests,
    ].join(),
  );
  const head = "seconds,rssMib,heapTotalMib,heapUsedMib,externalMib,arrayBuffersMib,descriptors,connections,requests";
  writeFileSync(join(values.out, "fuzz.csv"), `${[head, ...rows].join("\n")}\n`);
  const lineOf = (label: string, kind: keyof NodeJS.MemoryUsage): Parameters<typeof plotLines>[0][number] => ({
    label,
    points: samples.map(({ seconds, told }) => ({ seconds, mib: told.memory[kind] / MIB })),
  });
  const lines = [lineOf("resident", "rss"), lineOf("heap", "heapUsed"), lineOf("external", "external")];
  writeFileSync(
    join(values.out, "fuzz.svg"),
    plotLines(lines, [], `Memory of ${values.minutes} minutes under hostile traffic`),
  );
  writeFileSync(join(values.out, "fuzz.txt"), report.join("\n"));
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = isGood ? 0 : 1;
