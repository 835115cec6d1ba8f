import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileSlice } from "../../src/http/exchange.ts";
import { streamOfFile } from "../../src/web/file-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
const path = join(folder, "file");

beforeAll(() => writeFileSync(path, Buffer.alloc(300_000, "x")));
afterAll(() => rmSync(folder, { recursive: true }));

/** A slice that counts what matters: how often it is released, and whether that happens under a running read. */
function openSlice(length: number): FileSlice & { releases: number; whenReleased: Promise<void> } {
  const fd = openSync(path, "r");
  let released: () => void = () => {};
  const slice = {
    fd,
    start: 0,
    length,
    releases: 0,
    whenReleased: new Promise<void>((resolve) => (released = resolve)),
    release() {
      slice.releases++;
      if (slice.releases === 1) closeSync(fd);
      released();
    },
  };
  return slice;
}

describe("a file as a stream", () => {
  it("is released once when it has been read", async () => {
    const slice = openSlice(300_000);
    let length = 0;
    for await (const bytes of streamOfFile(slice)) length += bytes.length;
    await slice.whenReleased;
    expect([length, slice.releases]).toEqual([300_000, 1]);
  });

  it("is released once, behind the read, when it is cancelled while it reads", async () => {
    const slice = openSlice(300_000);
    const reader = streamOfFile(slice).getReader();
    const read = reader.read().catch(() => null);
    await reader.cancel();
    await read;
    await slice.whenReleased;
    expect(slice.releases).toBe(1);
  });

  it("is released once when it turns out shorter than promised", async () => {
    const slice = openSlice(400_000);
    const reader = streamOfFile(slice).getReader();
    const drain = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    await expect(drain()).rejects.toThrow("shorter than promised");
    await slice.whenReleased;
    expect(slice.releases).toBe(1);
  });
});
