import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND } from "./run-command.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-closed-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "hello");
});

afterAll(() => {
  chmodSync(join(folder, "site"), 0o755);
  rmSync(folder, { recursive: true, force: true });
});

// To root nothing is closed
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [COMMAND, ...words], {
    cwd: folder,
    encoding: "utf8",
    timeout: 20_000,
    ...nobody,
  });
}

function canRun(): boolean {
  return process.platform !== "win32" && spawnSync(process.execPath, [COMMAND, "--version"], nobody).status === 0;
}

describe.skipIf(!canRun())("a folder that is closed to the user", () => {
  // 0o444: its names can be read, and nothing in it opened
  it.each([
    ["check", 0o000, []],
    ["check", 0o444, []],
    ["check", 0o000, ["--no-rules"]],
    ["fetch", 0o000, ["/"]],
  ])("is told as such, and nothing of its rules: %s, mode %i %j", (verb, mode, more) => {
    chmodSync(join(folder, "site"), mode);
    const { status, stderr } = run(verb, "site", ...more);
    expect(stderr).toContain(`the folder ${join(folder, "site")} cannot be read (EACCES)\n`);
    expect(stderr).toContain("Let the user that runs this read and enter it, as with chmod; ls -ld shows who may");
    expect(stderr).not.toMatch(/_redirects|_headers|--no-rules/);
    expect(status).toBe(1);
  });

  it("is served where it can be entered and not listed", () => {
    chmodSync(join(folder, "site"), 0o711);
    expect(run("fetch", "site", "/")).toMatchObject({ status: 0, stdout: "hello" });
  });
});

describe.skipIf(!canRun())("rules that are closed to the user", () => {
  it("are told to be let read, and mistakes in others to be mended", () => {
    chmodSync(join(folder, "site"), 0o755);
    writeFileSync(join(folder, "site/_redirects"), "/old /new\n", { mode: 0o000 });
    const { status, stderr } = run("fetch", "site", "/");
    writeFileSync(join(folder, "site/_headers"), "X-A: 1\n");
    const both = run("check", "site").stderr;
    rmSync(join(folder, "site/_redirects"));
    rmSync(join(folder, "site/_headers"));
    expect(status).toBe(1);
    expect(stderr).toContain("fairlead: site/_redirects: cannot be read (EACCES)\n");
    expect(stderr).toMatch(/\n {2}Let the user that runs this read it, as with chmod; .*--no-rules\n$/);
    expect(stderr).not.toContain("Mend");
    expect(both).toMatch(/Let the user[^]*_headers:1: [^]*Mend them, or/);
  });
});

it.skipIf(!canRun())("a folder below that is closed to the user is told by explain, and as a warning", () => {
  chmodSync(join(folder, "site"), 0o755);
  mkdirSync(join(folder, "site/private"));
  writeFileSync(join(folder, "site/private/page.html"), "secret");
  chmodSync(join(folder, "site/private"), 0o000);
  const { stdout, stderr } = run("explain", "site", "/private/page.html");
  chmodSync(join(folder, "site/private"), 0o755);
  expect(stdout).toContain(`${join(folder, "site/private")} cannot be entered by the user that runs this`);
  expect(stdout).toContain("404 Not Found");
  expect(stderr).toContain("FAIRLEAD_UNREADABLE");
});

describe.skipIf(!canRun())("a single file that is closed to the user", () => {
  it.each([
    ["", ["film.pdf", "-p", "0"]],
    ["check", ["check", "film.pdf"]],
    ["fetch", ["fetch", "film.pdf", "/"]],
  ])("is told at the start: %s", (_verb, words) => {
    rmSync(join(folder, "film.pdf"), { force: true });
    writeFileSync(join(folder, "film.pdf"), "hello");
    chmodSync(join(folder, "film.pdf"), 0o000);
    const { status, stderr } = run(...words);
    expect(stderr).toContain(`the file ${join(folder, "film.pdf")} cannot be read (EACCES)\n`);
    expect(stderr).toContain("Let the user that runs this read it, as with chmod; ls -ld shows who may");
    expect(status).toBe(1);
  });
});
