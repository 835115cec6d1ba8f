/**
 * wrk as a load: raw requests in turn over keep-alive connections, its figures back.
 *
 * The requests are octets, so that every subject gets the very same ones and nothing of a client's own. An error, or an answer
 * with another status than the expected one, ends the run.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Subject } from "./process.ts";

const LUA = fileURLToPath(new URL("load/requests.lua", import.meta.url));
const LENGTH_DIGITS = 10;

export interface Load {
  /** As they go over the wire. */
  readonly requests: readonly (string | Uint8Array)[];
  readonly status: number;
  readonly connections: number;
  /** Default http. */
  readonly scheme?: "http" | "https";
}

export interface LoadResult {
  readonly requests: number;
  readonly durationUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/** Loads a subject for some seconds from one core. */
export async function wrk(subject: Subject, load: Load, seconds: number, core: number): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-load-"));
  try {
    const file = join(folder, "requests");
    writeFileSync(file, Buffer.concat(load.requests.flatMap(framed)));
    return await run(subject, load, Math.ceil(seconds), core, file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a round of load comes to. */
export function figuresOf(result: LoadResult, cpuUs: number, residentBytes: number): Readonly<Record<string, number>> {
  return {
    "CPU us/req": cpuUs / result.requests,
    "req/s": result.requests / (result.durationUs / 1e6),
    "p50 us": result.p50Us,
    "p99 us": result.p99Us,
    "RSS MiB": residentBytes / 2 ** 20,
  };
}

function framed(request: string | Uint8Array): Buffer[] {
  const bytes = Buffer.from(request as string);
  return [Buffer.from(String(bytes.length).padStart(LENGTH_DIGITS, "0")), bytes];
}

async function run(subject: Subject, load: Load, seconds: number, core: number, file: string): Promise<LoadResult> {
  const words = ["-c", String(core), "wrk", "-t1", `-c${load.connections}`, `-d${seconds}s`, "--timeout", "30s"];
  words.push("-s", LUA, `${load.scheme ?? "http"}://127.0.0.1:${subject.port}/`, "--", String(load.status), file);
  const child = spawn("taskset", words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (text += part));
  await once(child, "close");
  const line = /^RESULT (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`wrk said no result:\n${text}`);
  const result = JSON.parse(line) as LoadResult & { readonly errors: number; readonly wrong: number };
  if (result.errors > 0 || result.wrong > 0) {
    throw new Error(`${subject.name}: ${result.errors} errors, ${result.wrong} answers without status ${load.status}`);
  }
  if (result.requests === 0) throw new Error(`${subject.name}: not one request was completed`);
  return result;
}
