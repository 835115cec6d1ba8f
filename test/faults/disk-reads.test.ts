/**
 * A disk that reads the beginning of a file and fails further on, as one with bad sectors does. No test can bring that about, so
 * the error is put in the place of the real read.
 */
import type * as fs from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openFiles } from "../static/support/open-files.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get, say } from "../hazards/support/asked.ts";

/** Reads end here, and fail if they begin here or behind it: what the kernel makes of a page that the disk cannot give. */
let goodBytes = Infinity;
let failures = 0;

/** The error of a read at a position, or null. */
function failureAt(position: unknown): Error | null {
  if (typeof position !== "number" || position < goodBytes) return null;
  failures++;
  return Object.assign(new Error("EIO: made up, read '/secret/path'"), { code: "EIO" });
}

function shortened(length: unknown, position: unknown): number {
  return Math.min(Number(length), goodBytes - Number(position));
}

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const read = (...words: unknown[]): void => {
    const error = failureAt(words[4]);
    const done = words.at(-1) as (error: Error) => void;
    if (error === null) (real.read as (...words: unknown[]) => void)(...words.with(3, shortened(words[3], words[4])));
    else setImmediate(() => done(error));
  };
  return { ...real, default: { ...real, read }, read };
});

afterEach(() => {
  goodBytes = Infinity;
  failures = 0;
});

const LARGE_BYTES = 3 * 2 ** 20;
const SMALL_BYTES = 400 * 1024;
const FAILS_AT = 300 * 1024;
const FILES = { "large.bin": Buffer.alloc(LARGE_BYTES, "abcdefg"), "small.bin": Buffer.alloc(SMALL_BYTES, "abcdefg") };
const LARGE_TEXT = { "large.txt": Buffer.alloc(LARGE_BYTES, "What is said once need not be said again. ") };

describe("a disk that fails in the middle of a file", () => {
  it.each<[what: string, path: string, fields: Record<string, string>]>([
    ["the whole file", "/large.bin", {}],
    ["a part", "/large.bin", { Range: "bytes=1000-2000000" }],
    ["several parts", "/large.bin", { Range: "bytes=0-100,1000000-2000000" }],
    ["content that is compressed on its way", "/large.txt", { "Accept-Encoding": "gzip" }],
  ])("breaks the answer visibly off: %s", async (_what, path, fields) => {
    await using site = new StaticSite({ ...FILES, ...LARGE_TEXT });
    const served = await site.serve({ compress: true });
    goodBytes = FAILS_AT;
    const lines = Object.entries(fields).map((pair) => `${pair.join(": ")}\r\n`);
    const head = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines.join("")}\r\n`;
    const { responses, text } = await say(served.port, head, ["GET"]);
    expect(failures).toBeGreaterThan(0);
    expect(responses.map(({ status, isWhole }) => [status < 300, isWhole])).toEqual([[true, false]]);
    expect(text).not.toContain("secret");
    expect(site.faults).toMatchObject([{ code: "EIO" }]);
    // Nothing of it is kept: the disk is well again, and so is the answer
    goodBytes = Infinity;
    const again = await get(served.port, path, fields);
    expect([again.status < 300, again.faults]).toEqual([true, []]);
    await expect.poll(() => openFiles(site.www), { timeout: 2000 }).toEqual([]);
  });

  it("answers 500 where nothing has left yet, and keeps nothing of it", async () => {
    await using site = new StaticSite(FILES);
    const served = await site.serve();
    goodBytes = FAILS_AT;
    const answer = await get(served.port, "/small.bin");
    expect([answer.status, answer.faults, answer.text.includes("secret")]).toEqual([500, [], false]);
    expect(site.faults).toMatchObject([{ code: "EIO" }]);
    goodBytes = Infinity;
    expect((await get(served.port, "/small.bin")).text).toHaveLength(SMALL_BYTES);
    await expect.poll(() => openFiles(site.www), { timeout: 2000 }).toEqual([]);
  });
});
