/** Whether a log was written: a line for each request, or the subject is none that has a log. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { mustHaveLines } from "../../bench/log-profile.ts";

const folder = mkdtempSync(join(tmpdir(), "fairlead-log-lines-"));
const LINE = `${"x".repeat(99)}\n`;
const round = { figures: { "req/s": 10_000 }, percentiles: [], busy: null };
const settings = { seconds: 2, connections: null, load: "wrk", subjectCore: 0, loadCore: 1 } as const;

beforeAll(() => vi.stubEnv("FAIRLEAD_BENCH_LOGS", folder));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function written(lines: number): () => void {
  writeFileSync(join(folder, "fairlead-bench-fastify.log"), LINE.repeat(lines));
  return () => mustHaveLines("fastify-log (Node 26)", round, settings);
}

describe("a subject with a log", () => {
  it("has a line for each request, and may have more", () => {
    expect(written(20_000)).not.toThrow();
    expect(written(33_000)).not.toThrow();
  });

  it("is refused where lines were left out, however many others there are", () => {
    expect(written(19_999)).toThrow("fastify-log (Node 26): wrote 19999 lines of log for 20000 requests and more");
  });

  it("is refused where there is no file", () => {
    expect(() => mustHaveLines("node-http-log", round, settings)).toThrow("wrote 0 lines");
  });
});

it("a subject without a log needs no line", () => {
  expect(() => mustHaveLines("fairlead (Node 20)", round, settings)).not.toThrow();
});
