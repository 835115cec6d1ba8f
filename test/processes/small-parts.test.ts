import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { backOffMs } from "../../src/processes/back-off.ts";
import { PrefixedLines } from "../../src/processes/line-prefix.ts";
import { pathOfScript, resolveProcessesOptions } from "../../src/processes/processes-options.ts";

describe("the wait before a worker is started anew", () => {
  it("is none at first, never longer than 30 s, and at least half of that without chance", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (times, chance) => {
          const waitMs = backOffMs(times, chance);
          const longestMs = backOffMs(times, 0);
          expect(waitMs).toBeGreaterThanOrEqual(Math.floor(longestMs / 2));
          expect(waitMs).toBeLessThanOrEqual(longestMs);
          expect(longestMs).toBeLessThanOrEqual(30_000);
          if (times > 1) expect(longestMs).toBeGreaterThanOrEqual(backOffMs(times - 1, 0));
        },
      ),
    );
    expect([1, 2, 3, 4].map((times) => backOffMs(times, 0))).toEqual([0, 250, 500, 1000]);
  });
});

describe("lines of a worker", () => {
  it("come whole, with their number, however they were cut", () => {
    const text = "Äpfel\nan error\n  at x\n\nlast";
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 6 }), (cuts) => {
        let written = "";
        const lines = new PrefixedLines(
          () => "[2] ",
          (more) => (written += more),
        );
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        for (let i = 1; i < at.length; i++) lines.add(bytes.subarray(at[i - 1], at[i]));
        lines.end();
        expect(written).toBe("[2] Äpfel\n[2] an error\n[2]   at x\n[2] \n[2] last\n");
      }),
    );
  });

  it("are not kept without a bound", () => {
    const pieces: string[] = [];
    const lines = new PrefixedLines(
      () => "",
      (text) => pieces.push(text),
    );
    for (let i = 0; i < 10; i++) lines.add(Buffer.alloc(10_000, "x"));
    expect(pieces.length).toBeGreaterThan(3);
  });
});

describe("options of serveProcesses()", () => {
  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no pipe");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no pipe"))],
  ])("keeps a log that %s from doing harm, and loses nothing of what it was told", async (_how, fail) => {
    const warnings: string[] = [];
    const warn = vi.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(String(text)));
    const written: string[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
    onTestFinished(() => [warn, write].forEach((spy) => spy.mockRestore()));
    const { log } = resolveProcessesOptions({ log: fail });
    log("warning", "worker 1 is gone");
    log("info", "All workers are new.");
    log("warning", "worker 2 is gone");
    await new Promise(setImmediate);
    expect(written).toEqual(["fairlead: worker 1 is gone\n", "fairlead: worker 2 is gone\n"]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^log of serveProcesses\(\) failed; this is said once: Error: no pipe\n/);
  });

  it("have defaults", () => {
    expect(resolveProcessesOptions({ workers: 3, args: [] })).toMatchObject({
      workers: 3,
      startMs: 60_000,
      lastCallMs: 2_000,
      signals: true,
    });
    expect(resolveProcessesOptions({}).workers).toBeGreaterThan(0);
  });

  it("are checked whole, all mistakes at once", () => {
    const wrong = { workers: 0, startMs: -1, worker: 3, signals: "yes" } as object;
    expect(() => resolveProcessesOptions(wrong)).toThrow(/workers.*startMs.*worker.*workers.*signals/s);
  });

  it.each([["./server.ts"], ["https://example.com/server.js"]])("refuse %s as a script", (script) => {
    expect(() => pathOfScript(script)).toThrow("absolute path");
  });

  it("take a file URL and an absolute path", () => {
    expect([pathOfScript(new URL("file:///app/a%20b.ts")), pathOfScript("/app/x.js")]).toEqual([
      "/app/a b.ts",
      "/app/x.js",
    ]);
  });
});
