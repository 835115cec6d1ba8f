import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/** Has a handler fail, and the id that the client was told of it. */
async function failAt(command: RunningCommand): Promise<string> {
  const answer = await fetch(`${await command.url()}a?q=s3cret`, { headers: { accept: "application/json" } });
  expect(answer.status).toBe(500);
  const { id } = (await answer.json()) as { id: string };
  expect(await command.end("SIGTERM")).toBe(0);
  return id;
}

interface FaultLine {
  readonly msg: string;
  readonly time: string;
  readonly err: { readonly stack: string };
}

function faultIn(lines: string): FaultLine | undefined {
  const records = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as FaultLine);
  return records.find(({ msg }) => msg === "fault");
}

describe("a failure of a handler", () => {
  it("is a line of JSON with the client's id, the time and all frames, and nothing beside it", async () => {
    const command = start();
    const id = await failAt(command);
    const fault = faultIn(command.output);
    expect(fault).toMatchObject({ level: "error", id, method: "GET", target: "/a?q=s3cret" });
    expect(fault).toMatchObject({ err: { type: "Error", message: "of its own /a", code: "E_OWN" } });
    expect(Math.abs(Date.parse(fault?.time ?? "") - Date.now())).toBeLessThan(60_000);
    expect(fault?.err.stack).toMatch(/app\.mjs[^]*\/dist\/parts\//);
    expect(command.errors).toBe("");
  });

  it("is in the file that the log is in", async () => {
    const command = start("--log-file", "a.log");
    const id = await failAt(command);
    expect(faultIn(readFileSync(join(folder, "a.log"), "utf8"))).toMatchObject({ level: "error", id });
    expect(command.errors).toBe("");
  });

  it.each(["text", "combined", "off"])(
    "is text on standard error with --log %s: id, time, the user's frames, how many are not",
    async (form) => {
      const command = start("--log", form);
      const id = await failAt(command);
      const [first, ...rest] = command.errors.trimEnd().split("\n");
      expect(first).toMatch(
        /^fairlead: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z a handler failed at GET \/a\?… \([\w-]+\)$/,
      );
      expect(first).toContain(`(${id})`);
      expect(rest[0]).toBe("  Error: of its own /a");
      expect(rest.filter((line) => /app\.mjs/.test(line)).length).toBeGreaterThanOrEqual(3);
      expect(rest.join("\n")).toMatch(/^ +… \d frames of fairlead/m);
      expect(rest.join("\n")).toMatch(/cause\]?: Error: below/);
      expect(command.errors).not.toMatch(/dist\/|node:internal/);
    },
  );
});
