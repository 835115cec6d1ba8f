/**
 * wrk as a load: raw requests in turn, as fast as they are answered, over connections that stay or close as told.
 *
 * A closed loop: it tells throughput and the server's CPU at saturation. Its latencies leave out what a request waited for a
 * free connection, so a fixed rate has its own load (open-loop.ts). An error, or another status than expected, ends the run.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runLoad, type Subject } from "../process.ts";
import { type Load, type LoadResult, parseResult } from "./result.ts";

const LUA = fileURLToPath(new URL("requests.lua", import.meta.url));
const LENGTH_DIGITS = 10;

/** Loads a subject for some seconds (rounded up) from one core. */
export async function wrk(subject: Subject, load: Load, seconds: number, core: number): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-load-"));
  try {
    const file = join(folder, "requests");
    writeFileSync(file, Buffer.concat(load.requests.flatMap(framed)));
    const words = ["wrk", "-t1", `-c${load.connections}`, `-d${Math.ceil(seconds)}s`, "--timeout", "30s"];
    words.push("-s", LUA, `${load.scheme ?? "http"}://127.0.0.1:${subject.port}/`);
    words.push("--", String(load.status), file, String(load.closeEvery ?? 1));
    return parseResult(await runLoad(words, core), subject.label);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function framed(request: string | Uint8Array): Buffer[] {
  const bytes = Buffer.from(request as string);
  return [Buffer.from(String(bytes.length).padStart(LENGTH_DIGITS, "0")), bytes];
}
