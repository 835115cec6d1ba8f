/**
 * `npm run fuzz` as people and machines call it: what it prints, and its exit code.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** @param isInterrupted by Ctrl-C, at its first words */
function fuzz(args: readonly string[], isInterrupted = false): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["node_modules/jiti/lib/jiti-cli.mjs", "fuzz/run.ts", ...args], {
      cwd: ROOT,
    });
    let output = "";
    const take = (chunk: Buffer): void => {
      if (isInterrupted && output === "") child.kill("SIGINT");
      output += chunk.toString();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

describe("the fuzz runner", () => {
  it("runs the targets asked for, and says what they have gone through", { timeout: 60_000 }, async () => {
    const { code, output } = await fuzz(["--seconds", "1", "--only", "event-stream,range", "--seed", "7"]);
    expect(output).toMatch(/^seed 7, 2 targets, 1 s/);
    expect(output).toMatch(/event-stream +[\d,]+ /);
    expect(output).toMatch(/code reached: http \d/);
    expect(output).toMatch(/executions in \d+ s, seed 7, memory \d+ MiB: nothing broken/);
    expect(code).toBe(0);
  });

  it("draws a seed and says it, and ends with the tally at Ctrl-C", { timeout: 60_000 }, async () => {
    const { code, output } = await fuzz(["--minutes", "5", "--only", "event-stream", "--no-coverage"], true);
    expect(output).toMatch(/^seed \d+, 1 targets, 300 s, Node [\d.]+, without coverage/);
    expect(output).toContain("nothing broken");
    expect(code).toBe(0);
  });

  it("repeats an input", { timeout: 60_000 }, async () => {
    const { code, output } = await fuzz(["--only", "head", "--hex", Buffer.from("GET / HTTP/1.1\r\n").toString("hex")]);
    expect(output.trim()).toBe("head: holds");
    expect(code).toBe(0);
  });

  it("lists the targets", { timeout: 60_000 }, async () => {
    const { code, output } = await fuzz(["--list"]);
    expect(output).toMatch(/^head +octets are a head/m);
    expect(code).toBe(0);
  });

  it.each([
    ["an unknown target", ["--only", "haed"], "no target haed; there are head,"],
    ["no time", ["--seconds", "0"], "--minutes and --seconds take a number above 0"],
    ["a seed that is no number", ["--seed", "x"], "--seed takes an integer"],
    ["an input without target", ["--hex", "00"], "--hex needs --only with one target"],
    ["an unknown flag", ["--secs", "1"], "Unknown option '--secs'"],
  ])("refuses %s", { timeout: 60_000 }, async (_what, args, message) => {
    const { code, output } = await fuzz(args);
    expect(output).toContain(message);
    expect(code).toBe(2);
  });
});
