/**
 * h2load over HTTP/1.1 as a load: a second witness beside wrk, written by other people, for what both can ask.
 *
 * It writes heads itself, so each request has its User-Agent and Accept besides. Latencies are read from its log, one line a
 * request. An error, or an answer that is no 2xx, ends the run.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LatencyHistogram } from "../histogram.ts";
import { runLoad, type Subject } from "../process.ts";
import type { Load, LoadResult } from "./result.ts";

/** Loads a subject for some seconds (rounded up) from one core. */
export async function h2load(subject: Subject, load: Load, seconds: number, core: number): Promise<LoadResult> {
  const { get } = load;
  if (get === undefined) throw new Error("h2load cannot ask this");
  const folder = mkdtempSync(join(tmpdir(), "fairlead-load-"));
  try {
    const base = `${load.scheme ?? "http"}://127.0.0.1:${subject.port}`;
    const targets = join(folder, "targets");
    writeFileSync(targets, get.paths.map((path) => `${base}${path}\n`).join(""));
    const log = join(folder, "log");
    const fields = Object.entries(get.fields).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
    const words = ["h2load", "--h1", "-t1", `-c${load.connections}`, `-m${load.depth ?? 1}`];
    words.push(`-D${Math.ceil(seconds)}`, "-i", targets, "--log-file", log, ...fields);
    const told = parseH2load(await runLoad(words, core), subject.label);
    const latencies = new LatencyHistogram();
    // When it started, status, and how long it took, in microseconds
    for (const line of readFileSync(log, "utf8").trimEnd().split("\n")) latencies.record(Number(line.split("\t")[2]));
    return { ...told, percentiles: latencies.percentiles() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Reads h2load's report.
 *
 * @param who name of the subject, for messages
 * @throws if anything failed, or an answer was no 2xx
 */
export function parseH2load(text: string, who: string): { readonly requests: number; readonly durationUs: number } {
  const finished = /^finished in ([\d.]+)(us|ms|s|m), /m.exec(text);
  const counts = /(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(text);
  const statuses = /^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/m.exec(text);
  if (finished === null || counts === null || statuses === null) {
    throw new Error(`${who}: h2load said no result:\n${text}`);
  }
  const [, , succeeded = 0, failed = 0, , timeouts = 0] = counts.map(Number);
  const others = statuses.slice(2).reduce((sum, count) => sum + Number(count), 0);
  if (failed + timeouts + others > 0) throw new Error(`${who}: wrong or failed answers:\n${text}`);
  if (succeeded === 0) throw new Error(`${who}: not one request was completed`);
  const unitUs = { us: 1, ms: 1_000, s: 1e6, m: 60e6 }[finished[2] ?? ""] ?? NaN;
  return { requests: succeeded, durationUs: Number(finished[1]) * unitUs };
}
