/** fairlead/testing works in node:test as it does in vitest, and keeps no process alive. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

it("runs in node:test", async () => {
  const file = fileURLToPath(new URL("asked-by-node-test.mjs", import.meta.url));
  // The runner of node:test in a process that inherits nothing of vitest's
  const env = { PATH: process.env["PATH"] ?? "" };
  const { stdout } = await promisify(execFile)(process.execPath, ["--test", "--test-reporter=tap", file], { env });
  expect(stdout).toMatch(/^# pass 2$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});
