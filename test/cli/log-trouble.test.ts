import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";
const running: RunningCommand[] = [];

const APP = `
export default async function app(request) {
  if (request.method === "POST") return new Response(await request.text());
  return fail(new URL(request.url).pathname);
}
function fail(path) {
  throw Object.assign(new Error("of its own " + path), { code: "E_OWN", cause: new Error("below") });
}
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-cli-trouble-"));
  writeFileSync(join(folder, "app.mjs"), APP);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

function start(...args: readonly string[]): RunningCommand {
  const command = new RunningCommand(["app.mjs", "-p", "0", ...args], { cwd: folder });
  running.push(command);
  return command;
}

describe("a refusal in the middle of a request", () => {
  it("is one line of text, with the reason", async () => {
    const command = start("--log", "text");
    const answer = await fetch(await command.url(), { method: "POST", body: "x".repeat(1_100_000) });
    expect(answer.status).toBe(413);
    expect(await command.end("SIGTERM")).toBe(0);
    const lines = command.output.split("\n").filter((line) => line.startsWith("POST "));
    expect(lines).toEqual([
      expect.stringMatching(
        /^POST \/ 413 \d+ [\d.]+ms refused ERR_BUFFERED_CONTENT_TOO_LARGE \(RFC 9110 §15\.5\.14\)$/,
      ),
    ]);
    expect(command.errors).toBe("");
  });
});
