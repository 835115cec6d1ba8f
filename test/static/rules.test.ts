import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRulesFile, readRules, Rules } from "../../src/static/rules.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-rules-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const asked = { names: ["a"], isFolderPath: false, search: "" };

describe("the rules of a folder", () => {
  it("are none where there are no files", () => {
    const rules = readRules(folder);
    expect([rules.redirectCount, rules.headerCount, rules.mistakes]).toEqual([0, 0, []]);
    expect([rules.find(asked), rules.findForced(asked), rules.changesFor(asked)]).toEqual([null, null, null]);
    expect([Rules.NONE.find(asked), Rules.NONE.changesFor(asked)]).toEqual([null, null]);
  });

  it("are read from both files", () => {
    writeFileSync(join(folder, "_redirects"), "/a /b\n/c /d 302!\n");
    writeFileSync(join(folder, "_headers"), "/a\n  X-A: 1\n");
    const rules = readRules(folder);
    expect([rules.redirectCount, rules.headerCount]).toEqual([2, 1]);
    expect(rules.find(asked)).toMatchObject({ kind: "redirect", location: "/b" });
    expect(rules.changesFor(asked)?.lines).toEqual(["X-A", "1"]);
  });

  it("stay the same object until a file changes", () => {
    writeFileSync(join(folder, "_redirects"), "/a /b\n");
    const first = readRules(folder);
    expect(readRules(folder, first)).toBe(first);
    writeFileSync(join(folder, "_redirects"), "/a /c\n");
    utimesSync(join(folder, "_redirects"), 1, 1);
    const second = readRules(folder, first);
    expect(second.find(asked)).toMatchObject({ location: "/c" });
    expect(readRules(folder, second)).toBe(second);
    rmSync(join(folder, "_redirects"));
    expect(readRules(folder, second).find(asked)).toBeNull();
  });

  it("stay as they were while a new version has mistakes, and say them once", () => {
    writeFileSync(join(folder, "_redirects"), "/a /b\n");
    const good = readRules(folder);
    writeFileSync(join(folder, "_redirects"), "/a\n/a /good\n/x /y 999\n");
    writeFileSync(join(folder, "_headers"), "nonsense\n");
    const bad = readRules(folder, good);
    expect(bad.mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(" ")))).toEqual([
      "_redirects:1:",
      "_redirects:3:",
      "_headers:1:",
    ]);
    expect(bad.find(asked)).toMatchObject({ location: "/b" });
    expect(readRules(folder, bad)).toBe(bad);
  });

  it("have their mistakes told in the order of the lines, and the first ones where there are many", () => {
    writeFileSync(join(folder, "_redirects"), "/a\n/b \u0001 /c\n/x /y 999\n");
    const inOrder = readRules(folder).mistakes.map((mistake) => mistake.slice(0, mistake.indexOf(" ")));
    expect(inOrder).toEqual(["_redirects:1:", "_redirects:2:", "_redirects:3:"]);
    writeFileSync(join(folder, "_redirects"), `/first\n${"/b \u0001 /c\n".repeat(30)}`);
    const many = readRules(folder).mistakes;
    expect([many.length, many[0]]).toEqual([20, expect.stringContaining("_redirects:1: ")]);
  });

  it("are not read from what is no regular file, without waiting for it", () => {
    mkdirSync(join(folder, "_headers"));
    spawnSync("mkfifo", [join(folder, "_redirects")]);
    expect(readRules(folder).mistakes).toEqual(["_redirects: is no regular file", "_headers: is no regular file"]);
  });

  it("are read only so far", () => {
    writeFileSync(join(folder, "_redirects"), "/a /b\n".repeat(100_000));
    expect(readRules(folder).mistakes).toEqual(["_redirects: the file has more than 262144 octets"]);
  });

  it("are themselves none of the client's business", () => {
    expect(isRulesFile(["_redirects"])).toBe(true);
    expect(isRulesFile(["_headers"])).toBe(true);
    expect(isRulesFile(["sub", "_headers"])).toBe(false);
    expect(isRulesFile([])).toBe(false);
  });
});
