import { constants, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveStatic } from "../../src/static/serve-static.ts";
import { request } from "../../src/testing/request.ts";
import { Response } from "../../src/web/response.ts";
import { openFiles } from "./support/open-files.ts";
import { open, opendir, readlink, realpath, stat } from "../../src/static/descriptor.ts";

let folder = "";
let file = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-descriptor-"));
  file = join(folder, "file.txt");
  writeFileSync(file, "0123456789");
  symlinkSync("file.txt", join(folder, "link"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a descriptor", () => {
  it("reads by position, up to the end", async () => {
    const descriptor = await open(file, constants.O_RDONLY);
    const target = Buffer.alloc(6, ".");
    expect(await descriptor.read(target, 1, 4, 2)).toBe(4);
    expect(target.toString()).toBe(".2345.");
    expect(await descriptor.read(target, 0, 6, 8)).toBe(2);
    expect(await descriptor.read(target, 0, 6, 10)).toBe(0);
    expect((await descriptor.stat()).size).toBe(10);
    await descriptor.close();
  });

  it("is closed once: by then its number may be another's", async () => {
    const first = await open(file, constants.O_RDONLY);
    await first.close();
    const second = await open(file, constants.O_RDONLY);
    expect(second.fd).toBe(first.fd);
    await first.close();
    await expect(first.stat()).rejects.toThrow("the file is closed");
    await expect(first.read(Buffer.alloc(1), 0, 1, 0)).rejects.toThrow("the file is closed");
    expect((await second.stat()).size).toBe(10);
    await second.close();
  });
});

async function collect(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  for (let turn = 0; turn < 3; turn++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.skipIf(process.platform !== "linux")("what nobody closes", () => {
  it("is closed when nobody holds it any more, and not before", async () => {
    const held = await open(file, constants.O_RDONLY);
    for (let i = 0; i < 5; i++) await open(file, constants.O_RDONLY);
    await expect
      .poll(async () => {
        await collect();
        return openFiles(folder).length;
      })
      .toBe(1);
    expect((await held.stat()).size).toBe(10);
    await held.close();
    expect(openFiles(folder)).toEqual([]);
  });

  it("is not closed under a call that nobody holds it for", async () => {
    const target = Buffer.alloc(10);
    const counts = Array.from({ length: 20 }, async () => {
      const read = (await open(file, constants.O_RDONLY)).read(target, 0, 10, 0);
      await collect();
      return read;
    });
    expect(await Promise.all(counts)).toEqual(Array.from({ length: 20 }, () => 10));
  });

  it("is a response that was made and not sent, too", async () => {
    for (let i = 0; i < 8; i++) writeFileSync(join(folder, `large${i}`), Buffer.alloc(2 ** 21));
    const handler = serveStatic(folder, { maxCacheEntries: 1 });
    for (let i = 0; i < 8; i++) {
      const response = await request(async (...words) => {
        expect((await handler(...words)).status).toBe(200);
        return new Response("another");
      }, `/large${i}`);
      expect(await response.text()).toBe("another");
    }
    await expect
      .poll(async () => {
        await collect();
        return openFiles(folder).length;
      })
      .toBeLessThanOrEqual(1);
  });

  it("is not what is let go of where somebody's function throws", async () => {
    writeFileSync(join(folder, "large"), Buffer.alloc(2 ** 21));
    const handler = serveStatic(folder, {
      cacheControl: () => {
        throw new Error("boom");
      },
    });
    const before = openFiles(folder).length;
    for (let i = 0; i < 5; i++) expect((await request(handler, "/large")).status).toBe(500);
    await expect.poll(() => openFiles(folder).length).toBe(before);
  });
});

describe("a close", () => {
  it("waits for what is under way", async () => {
    const descriptor = await open(file, constants.O_RDONLY);
    const order: string[] = [];
    const reading = descriptor.read(Buffer.alloc(4), 0, 4, 0).then(() => order.push("read"));
    const closing = descriptor.close().then(() => order.push("closed"));
    await Promise.all([reading, closing]);
    expect(order).toEqual(["read", "closed"]);
  });
});

describe("paths", () => {
  it("are looked at, followed and gone through", async () => {
    const link = join(folder, "link");
    expect((await stat(link)).isFile()).toBe(true);
    expect(await readlink(link)).toBe(readlinkSync(link));
    expect(await realpath(link)).toBe(await realpath(file));
    const names: string[] = [];
    for await (const { name } of await opendir(folder, 1)) names.push(name);
    expect(names).toEqual(expect.arrayContaining(["file.txt", "link"]));
  });

  it.each<[string, (path: string) => Promise<unknown>]>([
    ["open", (path) => open(path, constants.O_RDONLY)],
    ["stat", stat],
    ["realpath", realpath],
    ["readlink", readlink],
    ["opendir", (path) => opendir(path, 1)],
  ])("of nothing fail with what the system says: %s", async (_name, ask) => {
    await expect(ask(join(folder, "missing"))).rejects.toMatchObject({ code: "ENOENT" });
    // It must not be thrown at who asks
    await expect(ask("a\0b")).rejects.toMatchObject({ code: "ERR_INVALID_ARG_VALUE" });
  });
});
