import { constants, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe("paths", () => {
  it("are looked at, followed and gone through", async () => {
    const link = join(folder, "link");
    expect((await stat(link)).isFile()).toBe(true);
    expect(await readlink(link)).toBe(readlinkSync(link));
    expect(await realpath(link)).toBe(await realpath(file));
    const names: string[] = [];
    for await (const { name } of await opendir(folder, 1)) names.push(name);
    expect(names.toSorted()).toEqual(["file.txt", "link"]);
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
