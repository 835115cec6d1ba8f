/** The first lines name the port that sends plain HTTP on to HTTPS, as it is bound, to people and to programs. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunningCommand } from "./run-command.ts";

let folder = "";
let command: RunningCommand | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-redirect-"));
  mkdirSync(join(folder, "site"));
});

afterEach(async () => {
  await command?.end("SIGKILL");
  command = null;
  rmSync(folder, { recursive: true, force: true });
});

/** Somebody in front of it speaks HTTPS, so that no certificate is needed. */
function start(redirectFrom: Readonly<Record<string, unknown>> | null, ...args: string[]): RunningCommand {
  const config = { root: "site", port: 0, ...(redirectFrom === null ? {} : { redirectFrom }) };
  writeFileSync(join(folder, "fairlead.config.json"), JSON.stringify(config));
  command = new RunningCommand(args, { cwd: folder });
  return command;
}

async function expectRedirect(url: string): Promise<void> {
  const { status, headers } = await fetch(`${url}a?b`, { redirect: "manual" });
  expect([status, headers.get("location")]).toEqual([308, `https://${new URL(url).hostname}/a?b`]);
}

describe.each([
  ["alone", []],
  ["with --workers", ["--workers", "2"]],
])("the redirecting port, %s", (_how, more) => {
  it("is told as text, port 0 as the one that is bound", async () => {
    const running = start({ port: 0, toPort: 443 }, "--log", "text", ...more);
    const [, url = ""] = await running.until(/^fairlead: (http:\/\/127\.0\.0\.1:[1-9]\d*\/) is sent on to HTTPS$/m);
    await expectRedirect(url);
    expect(running.output).not.toContain(` at ${url}`);
  });

  it("is told in JSON", async () => {
    const running = start({ port: 0, toPort: 443, hostname: "0.0.0.0" }, ...more);
    const [line = ""] = await running.until(/.*"urls":.*\n/);
    const { urls, redirectFrom } = JSON.parse(line) as { urls: string[]; redirectFrom: string };
    expect(redirectFrom).toMatch(/^http:\/\/localhost:[1-9]\d*\/$/);
    expect(urls).not.toContain(redirectFrom);
    await expectRedirect(redirectFrom.replace("localhost", "127.0.0.1"));
  });

  it("is not told where there is none", async () => {
    const running = start(null, ...more);
    const [line = ""] = await running.until(/.*"urls":.*\n/);
    expect(JSON.parse(line)).not.toHaveProperty("redirectFrom");
  });
});
