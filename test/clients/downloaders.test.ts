/** Programs that fetch large files: wget that goes on where it stopped or asks for the time, aria2 in eight pieces at once. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { OLD } from "../static/support/static-site.ts";
import { areMissing, run, runWell } from "./support/program.ts";
import { WatchedSite } from "./support/watched-site.ts";

const MIB = 1024 * 1024;
/** The same at each run, and no two places alike. */
const LARGE = Buffer.concat(
  Array.from({ length: (12 * MIB) / 64 }, (_, i) => createHash("sha512").update(String(i)).digest()),
);
const PAGE = '<!doctype html><link rel=stylesheet href="style.css"><a href="deep/two.html">two</a>';

let site: WatchedSite;
beforeAll(async () => {
  site = await WatchedSite.open({
    "large.bin": LARGE,
    "index.html": PAGE,
    "style.css": "a{color:red}",
    "deep/two.html": "<a href='../index.html'>one</a><img src='dot.gif'>",
    "deep/dot.gif": "GIF89a",
  });
});
afterAll(() => site[Symbol.asyncDispose]());
beforeEach(() => site.forget());

describe.skipIf(areMissing({ wget: "wget" }))("wget", () => {
  let work = "";
  beforeAll(() => {
    work = site.folder("wget");
  });

  function wget(...args: string[]): Promise<Buffer> {
    return runWell("wget", ["--no-config", "--no-proxy", "--tries=1", ...args], { cwd: work });
  }

  it.each([
    ["nothing", 0, 200],
    ["half", LARGE.length / 2, 206],
    ["all but an octet", LARGE.length - 1, 206],
  ])("-c goes on with %s of a file", async (_what, have, status) => {
    writeFileSync(join(work, "large.bin"), LARGE.subarray(0, have));
    await wget("-c", site.url("/large.bin"));
    expect(readFileSync(join(work, "large.bin")).equals(LARGE)).toBe(true);
    expect(site.notes).toMatchObject([{ status, contentBytes: LARGE.length - have }]);
  });

  it("-c has nothing left to do with a whole file", async () => {
    writeFileSync(join(work, "large.bin"), LARGE);
    await wget("-c", site.url("/large.bin"));
    expect(site.notes).toMatchObject([{ status: 416 }]);
    expect(statSync(join(work, "large.bin")).size).toBe(LARGE.length);
  });

  it("-N downloads once, until the file is newer", async () => {
    const download = (): Promise<Buffer> => wget("-N", site.url("/style.css"));
    await download();
    expect(statSync(join(work, "style.css")).mtimeMs).toBe(OLD.getTime());
    await download();
    expect(site.notes.map(({ status }) => status)).toEqual([200, 304]);
    site.files.write("style.css", "a{color:blue}", new Date(OLD.getTime() + 60_000));
    await expect
      .poll(async () => {
        await download();
        return readFileSync(join(work, "style.css"), "utf8");
      })
      .toBe("a{color:blue}");
  });

  it("-r mirrors the site", async () => {
    await wget("-r", "-p", "-nH", "-P", "mirror", site.url("/"));
    for (const name of ["index.html", "style.css", "deep/two.html", "deep/dot.gif"]) {
      expect(existsSync(join(work, "mirror", name)), name).toBe(true);
    }
    // All but its question for robots.txt was there
    expect(site.notes.filter(({ status }) => status !== 200).map(({ target }) => target)).toEqual(["/robots.txt"]);
  });
});

describe.skipIf(areMissing({ aria2c: "aria2" }))("aria2c", () => {
  let work = "";
  beforeAll(() => {
    work = site.folder("aria2");
  });

  const SEGMENTS = ["--no-conf=true", "-x8", "-s8", "-k1M", "--file-allocation=none", "--quiet=true"];

  it("fetches a file in eight segments at once, whole and equal", async () => {
    await runWell("aria2c", [...SEGMENTS, site.url("/large.bin")], { cwd: work });
    expect(readFileSync(join(work, "large.bin")).equals(LARGE)).toBe(true);
    const parts = site.notes.filter(({ status }) => status === 206);
    expect(new Set(parts.map(({ range }) => range)).size).toBeGreaterThanOrEqual(7);
  });

  it("compares a checksum, and downloads nothing twice with --conditional-get", async () => {
    const digest = createHash("sha256").update(LARGE).digest("hex");
    await runWell(
      "aria2c",
      [...SEGMENTS, "--allow-overwrite=true", `--checksum=sha-256=${digest}`, site.url("/large.bin")],
      {
        cwd: work,
      },
    );
    site.forget();
    const again = ["--conditional-get=true", "--allow-overwrite=true", site.url("/large.bin")];
    await run("aria2c", [...SEGMENTS, ...again], { cwd: work });
    expect(site.notes.map(({ status }) => status)).toEqual([304]);
  });
});

it("made nothing fail", () => {
  expect(site.faults).toEqual([]);
});
