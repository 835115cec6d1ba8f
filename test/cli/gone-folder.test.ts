/** The built command in a working folder that has been removed: what is absolute is served, the rest is told of without a stack. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMMAND } from "./run-command.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-gone-"));
  mkdirSync(join(folder, "gone"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "hello");
  writeFileSync(join(folder, "app.mjs"), `export const fetch = () => new Response("hello");`);
  writeFileSync(join(folder, "settings.json"), `{ "root": "site" }`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What it answers, if it listens, and what it said and ended with. */
async function runInGone(args: readonly string[]): Promise<{ body: string; errors: string; exitCode: number | null }> {
  const script = `rmdir "$PWD" && exec "$0" "$@"`;
  const child = spawn("sh", ["-c", script, process.execPath, COMMAND, ...args], { cwd: join(folder, "gone") });
  const closed = once(child, "close");
  let errors = "";
  let output = "";
  let body = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    const [url] = /http:\/\/[\d.:]+\//.exec(output) ?? [];
    if (url === undefined || body !== "") return;
    body = "asked";
    void fetch(url, { headers: { connection: "close" } }).then(async (response) => {
      body = await response.text();
      child.kill("SIGTERM");
    });
  });
  await closed;
  return { body, errors, exitCode: child.exitCode };
}

describe("in a working folder that has been removed", () => {
  it.each([
    ["a folder", ["site"]],
    ["an app", ["app.mjs"]],
    ["an app with workers", ["app.mjs", "--workers", "1"]],
    ["what a configuration says", ["-c", "settings.json"]],
  ])("serves %s by its absolute path", async (_what, words) => {
    const args = words.map((word) => (/^(?:site|.*\..*)$/.test(word) ? join(folder, word) : word));
    expect(await runInGone([...args, "--port", "0"])).toEqual({ body: "hello", errors: "", exitCode: 0 });
  });

  it.each([[["site"]], [[]], [["-c", "settings.json"]], [["/", "--log-file", "a.log"]], [["check"]]])(
    "tells of it where its path is needed: %j",
    async (args) => {
      const { errors, exitCode } = await runInGone(args);
      expect(errors).toBe(
        "fairlead: the folder that this was started in has been removed\n  Change into one that is there, or give absolute paths\n",
      );
      expect(exitCode).toBe(1);
    },
  );
});
