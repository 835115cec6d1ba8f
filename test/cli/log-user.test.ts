import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-log-user-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "hello");
  writeFileSync(join(folder, "users"), 'bob:secret\nev"il \\x:secret\n');
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

/** The lines of requests that gave these credentials, null for none. */
async function logged(credentials: readonly (string | null)[], ...args: readonly string[]): Promise<string[]> {
  const command = new RunningCommand(["site", "-p", "0", "--log-file", "a.log", ...args], { cwd: folder });
  running.push(command);
  const url = await command.url();
  for (const one of credentials) {
    const headers: Record<string, string> = one === null ? {} : { authorization: `Basic ${btoa(one)}` };
    await (await fetch(url, { headers })).text();
  }
  expect(await command.end("SIGTERM")).toBe(0);
  return readFileSync(join(folder, "a.log"), "utf8").trimEnd().split("\n");
}

describe("who asked, in the log of the command", () => {
  const tried = ["bob:secret", "bob:wrong", "hunter2:x", 'ev"il \\x:secret', null];
  const statuses = [200, 401, 401, 200, 401];

  it("is the name of a user in Apache's forms, and no other name", async () => {
    const lines = await logged(tried, "--auth", "@users", "--log", "combined");
    const shown = lines.map((line) =>
      /^127\.0\.0\.1 - (\S+) \[[^\]]*\] "GET \/ HTTP\/1\.1" (\d+) /.exec(line)?.slice(1),
    );
    const names = ["bob", "bob", "-", String.raw`ev\"il\x20\\x`, "-"];
    expect(shown).toEqual(names.map((name, index) => [name, String(statuses[index])]));
    expect(lines.join("\n")).not.toContain("hunter2");
  });

  it("is a member in JSON, and none without a name", async () => {
    const lines = await logged(tried, "--auth", "@users", "--log", "json");
    const records = lines.map((line) => JSON.parse(line) as { user?: string; status: number });
    const names = ["bob", "bob", undefined, 'ev"il \\x', undefined];
    expect(records.map(({ user, status }) => [user, status])).toEqual(
      names.map((name, index) => [name, statuses[index]]),
    );
  });

  it("is nobody where no name is asked for", async () => {
    const lines = await logged(["bob:secret"], "--log", "combined");
    expect(lines[0]).toMatch(/^127\.0\.0\.1 - - \[/);
  });
});
