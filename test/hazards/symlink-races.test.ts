/**
 * Symlink races: links and folders that are swapped between a look and the opening (time of check, time of use) never lead out of
 * the root. The swap happens at the moment when it hurts most, and thousands of times at any moment.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { closeFile, Root } from "../../src/static/contain.ts";
import type * as fs from "../../src/static/descriptor.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get, getAll } from "./support/asked.ts";

/** Called before the call of the file system that is named. */
let before: Partial<Record<"stat" | "open" | "realpath" | "readlink", () => void>> = {};

vi.mock("../../src/static/descriptor.ts", async (original) => {
  const real = await original<typeof fs>();
  const hooked = (name: "stat" | "open" | "realpath" | "readlink"): unknown => {
    const call = real[name] as (...words: unknown[]) => unknown;
    return (...words: unknown[]) => {
      const act = before[name];
      delete before[name];
      act?.();
      return call(...words);
    };
  };
  return {
    ...real,
    stat: hooked("stat"),
    open: hooked("open"),
    realpath: hooked("realpath"),
    readlink: hooked("readlink"),
  };
});

const SECRET = "TOP SECRET";
let site: StaticSite;

beforeEach(() => {
  before = {};
  site = new StaticSite({ "page.txt": "public", "folder/page.txt": "public" });
  mkdirSync(join(site.base, "outside"));
  writeFileSync(join(site.base, "outside/page.txt"), SECRET);
});
afterEach(async () => site[Symbol.asyncDispose]());

/** Puts a link out of the root where a file was. */
function swapFile(): void {
  const link = join(site.www, "new");
  symlinkSync(join(site.base, "outside/page.txt"), link);
  renameSync(link, join(site.www, "page.txt"));
}

/** Puts the file back. */
function swapFileBack(): void {
  const file = join(site.www, "new");
  writeFileSync(file, "public");
  renameSync(file, join(site.www, "page.txt"));
}

/** Puts a link out of the root where a folder was. */
function swapFolder(): void {
  renameSync(join(site.www, "folder"), join(site.www, "old"));
  symlinkSync(join(site.base, "outside"), join(site.www, "folder"));
}

/** Puts the folder back. */
function swapFolderBack(): void {
  rmSync(join(site.www, "folder"));
  renameSync(join(site.www, "old"), join(site.www, "folder"));
}

describe.each([
  ["a file", swapFile, swapFileBack, ["page.txt"]],
  ["a folder", swapFolder, swapFolderBack, ["folder", "page.txt"]],
] as const)("%s that becomes a link", (_, swap, swapBack, names) => {
  it("for the moment of the opening only leads nowhere outside", async () => {
    const root = new Root(site.www);
    const back = once(swapBack);
    before = { open: swap, readlink: back, realpath: back };
    const found = await root.find(names);
    expect(found).toBeNull();
  });

  it.each(["stat", "open", "readlink", "realpath"] as const)("before %s leads nowhere outside", async (call) => {
    const root = new Root(site.www);
    before[call] = swap;
    const found = await root.find(names);
    if (found === null) return;
    if (found.kind === "folder") throw new Error("a folder was found");
    const text = readFileSync(found.handle.fd, "utf8");
    closeFile(found.handle);
    expect(text).toBe("public");
  });

  it.each(["stat", "open", "readlink"] as const)("before %s is no secret to a client either", async (call) => {
    const served = await site.serve();
    before[call] = swap;
    const answer = await get(served.port, `/${names.join("/")}`);
    expect([200, 404]).toContain(answer.status);
    expect(answer.text).not.toContain(SECRET);
    expect((await get(served.port, `/${names.join("/")}`)).text).not.toContain(SECRET);
  });
});

/** A function that does something the first time only. */
function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

it("swapping without end never leads outside", async () => {
  const served = await site.serve({ maxCacheEntries: 0, listing: true });
  const page = join(site.www, "page.txt");
  const folder = join(site.www, "folder");
  let isOut = false;
  let swaps = 0;
  const swap = (): void => {
    rmSync(page);
    if (isOut) writeFileSync(page, "public");
    else symlinkSync(join(site.base, "outside/page.txt"), page);
    renameSync(folder, join(site.www, isOut ? "link" : "real"));
    if (isOut) renameSync(join(site.www, "real"), folder);
    else symlinkSync(join(site.base, "outside"), folder);
    if (isOut) rmSync(join(site.www, "link"));
    isOut = !isOut;
    swaps++;
  };
  const targets = Array.from(
    { length: 60 },
    (_, index) => ["/page.txt", "/folder/page.txt", "/folder/"][index % 3] as string,
  );
  let isDone = false;
  const asking = Promise.all([1, 2, 3, 4].map(() => getAll(served.port, targets))).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    swap();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const answers = (await asking).flat();
  expect(swaps).toBeGreaterThan(20);
  expect(answers.filter(({ text }) => text.includes(SECRET))).toEqual([]);
  expect(answers.filter(({ status }) => ![200, 301, 404, 308].includes(status)).map(({ status }) => status)).toEqual(
    [],
  );
  expect(new Set(answers.map(({ status }) => status)).size).toBeGreaterThan(1);
});
