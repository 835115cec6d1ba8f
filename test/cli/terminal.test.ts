import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../src/cli/command.ts";
import type { Environment } from "../../src/cli/config-layers.ts";
import { quietWorld } from "./support/quiet-world.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-terminal-"));
  writeFileSync(join(folder, "index.html"), "<h1>hello</h1>");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command as on a terminal, asks for `/` and `/x`, and interrupts it. */
async function watch(args: readonly string[], environment: Environment): Promise<string> {
  const signals = new EventEmitter();
  const written = new EventEmitter();
  let output = "";
  const world = quietWorld(folder, {
    environment,
    isTerminal: true,
    signals,
    writeOutput: (text) => {
      output += text;
      written.emit("text");
    },
    writeError: (text) => (output += text),
    onServing: () => {},
  });
  const ended = runCommand(args, world);
  const until = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const match = pattern.exec(output)?.[0];
      if (match !== undefined) return match;
      await new Promise((resolve) => written.once("text", resolve));
    }
  };
  const url = await until(/http:\/\/[\d.:]+\//);
  await fetch(url);
  await fetch(`${url}x`);
  await until(/\/x\n/);
  signals.emit("SIGINT");
  expect(await ended).toBe(0);
  return output;
}

describe("on a terminal", () => {
  it("shows the first lines and aligned lines per request, in colour", async () => {
    const output = await watch([".", "-p", "0"], { TERM: "xterm" });
    expect(output).toContain("\x1b[");
    const lines = output.replace(/\x1b\[\d+m/g, "").split("\n");
    expect(lines[1]).toMatch(/^ {2}Fairlead \d+\.\d+\.\d+$/);
    expect(lines).toContain("  Serving  this folder (folder)");
    expect(lines).toContain("  Stop     Ctrl-C");
    const [first = "", second = "", stopped] = lines.slice(-4);
    expect(first).toMatch(/^200 {2}GET +14 B +[\d.]+ ms {2}\/$/);
    expect(second).toMatch(/^404 {2}GET +\d+ B +[\d.]+ ms {2}\/x$/);
    expect(first.indexOf(" ms")).toBe(second.indexOf(" ms"));
    expect(stopped).toBe("Stopped.");
  });

  it.each([
    ["--no-color", ["--no-color"], {}],
    ["NO_COLOR", [], { NO_COLOR: "1" }],
  ])("is not coloured with %s", async (_what, args, environment) => {
    expect(await watch([".", "-p", "0", ...args], environment)).not.toContain("\x1b[");
  });
});
