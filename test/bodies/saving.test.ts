/** Uploads to disk: there whole or not at all, under names that lead nowhere else, never over another file. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gzipSync } from "node:zlib";
import { readMultipart, type SavedFile, saveTo } from "../../src/bodies/index.ts";
import { MemoryContent } from "../web/support/memory-exchange.ts";
import { failureOf, requestOver, requestWith, requestWithout } from "./support/content-request.ts";
import { formOf, MULTIPART_TYPE, part, type SentPart } from "./support/multipart.ts";

let outside = "";
let folder = "";
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "fairlead-saving-"));
  folder = join(outside, "uploads");
  mkdirSync(folder);
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

const names = (): string[] => readdirSync(folder).toSorted();
const text = (name: string): string => readFileSync(join(folder, name), "utf8");

async function saveAll(parts: SentPart[], target: string = folder, options = {}): Promise<SavedFile[]> {
  const saved: SavedFile[] = [];
  for await (const one of readMultipart(requestWith(MULTIPART_TYPE, formOf(parts)))) {
    saved.push(await one.saveTo(target, options));
  }
  return saved;
}

describe("a part", () => {
  it("is saved under its safe name", async () => {
    const [saved] = await saveAll([part("a", "content", "C:\\dir\\emma.txt")]);
    expect(saved).toEqual({ path: join(folder, "emma.txt"), name: "emma.txt", size: 7 });
    expect([names(), text("emma.txt")]).toEqual([["emma.txt"], "content"]);
  });

  it.each([
    "../evil.txt",
    "..\\evil.txt",
    "/etc/evil.txt",
    "....//evil.txt",
    "a/../../evil.txt",
    ".evil.txt",
    "evil.txt.",
  ])("called %s stays in its folder", async (original) => {
    await saveAll([part("a", "content", original)]);
    expect(names()).toEqual(["evil.txt"]);
    expect(readdirSync(outside)).toEqual(["uploads"]);
  });

  it("gets a number where its name is taken", async () => {
    writeFileSync(join(folder, "a.txt"), "old");
    const saved = await saveAll([part("x", "1", "a.txt"), part("x", "2", "a.txt"), part("x", "3", ""), part("x", "4")]);
    expect(saved.map(({ name }) => name)).toEqual(["a-2.txt", "a-3.txt", "unnamed", "unnamed-2"]);
    expect([text("a.txt"), text("a-2.txt"), text("a-3.txt")]).toEqual(["old", "1", "2"]);
  });

  it("gets a random name where twenty are taken", async () => {
    const saved = await saveAll(Array.from({ length: 23 }, (_, i) => part("x", String(i), "a.txt")));
    expect(new Set(saved.map(({ name }) => name)).size).toBe(23);
    expect(saved.at(-1)?.name).toMatch(/^a-[0-9a-f]{18}\.txt$/);
  });

  it("follows no link that has its name", async () => {
    const victim = join(outside, "victim");
    writeFileSync(victim, "old");
    symlinkSync(victim, join(folder, "a.txt"));
    symlinkSync(join(outside, "nowhere"), join(folder, "b.txt"));
    const saved = await saveAll([part("x", "1", "a.txt"), part("x", "2", "b.txt")]);
    expect(saved.map(({ name }) => name)).toEqual(["a-2.txt", "b-2.txt"]);
    expect(readFileSync(victim, "utf8")).toBe("old");
    expect(existsSync(join(outside, "nowhere"))).toBe(false);
    await saveAll([part("x", "3", "a.txt")], folder, { overwrite: true });
    expect(lstatSync(join(folder, "a.txt")).isFile()).toBe(true);
    expect(readFileSync(victim, "utf8")).toBe("old");
  });

  it("saved to a path is exactly there, once", async () => {
    const path = join(folder, "exact.bin");
    expect(await saveAll([part("a", "1", "b.txt")], path)).toEqual([{ path, name: "exact.bin", size: 1 }]);
    const error = await failureOf(saveAll([part("a", "2", "b.txt")], path));
    expect(error).toMatchObject({ status: 409, code: "ERR_FILE_EXISTS" });
    expect([names(), text("exact.bin")]).toEqual([["exact.bin"], "1"]);
    await saveAll([part("a", "3", "b.txt")], path, { overwrite: true });
    expect([names(), text("exact.bin")]).toEqual([["exact.bin"], "3"]);
  });

  it("saved to no folder fails, and leaves nothing", async () => {
    for (const target of [join(folder, "none/a.txt"), join(folder, "none/")]) {
      expect(await failureOf(saveAll([part("a", "1", "b.txt")], target))).toMatchObject({ code: "ENOENT" });
    }
    for (const target of ["", "a\0b"]) {
      expect(await failureOf(saveAll([part("a", "1", "b.txt")], target))).toBeInstanceOf(TypeError);
    }
    expect(names()).toEqual([]);
  });

  it("is removed when another took its name meanwhile", async () => {
    const content = new MemoryContent(null);
    const path = join(folder, "a.txt");
    const form = formOf([part("a", "12345", "a.txt")]);
    const parts = readMultipart(requestOver(MULTIPART_TYPE, content, null));
    content.feed(form.subarray(0, -14));
    const { value } = await parts.next();
    const saving = failureOf(value!.saveTo(path));
    await untilThere();
    writeFileSync(path, "other");
    content.feed(form.subarray(-14)).end();
    expect(await saving).toMatchObject({ code: "ERR_FILE_EXISTS" });
    expect([names(), text("a.txt")]).toEqual([["a.txt"], "other"]);
  });
});

/** The file under way has been made. */
async function untilThere(): Promise<void> {
  while (names().length === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe("an upload that breaks", () => {
  it.each([
    ["in its content", -15, new Error("the peer left")],
    ["in its last boundary", -3, new Error("the peer left")],
    ["as too large", -15, null],
  ])("off %s leaves no file", async (_, end, reason) => {
    const content = new MemoryContent(null);
    const form = formOf([part("a", "x".repeat(1000), "a.txt")]);
    const parts = readMultipart(requestOver(MULTIPART_TYPE, content, null), { maxPartBytes: 2000 });
    content.feed(form.subarray(0, end));
    const { value } = await parts.next();
    const saving = failureOf(value!.saveTo(folder).then(() => parts.next()));
    await untilThere();
    if (reason === null) content.feed("y".repeat(2000));
    else content.feed(reason);
    const error = await saving;
    if (reason === null) expect(error).toMatchObject({ code: "ERR_PART_TOO_LARGE" });
    else expect(error).toBe(reason);
    // All of it had come before the last boundary was cut short: the file is whole, the form is not
    expect(names()).toEqual(end === -3 ? ["a.txt"] : []);
  });

  it("leaves no file of a form that ends too early", async () => {
    const form = formOf([part("a", "x".repeat(1000), "a.txt")]);
    const parts = readMultipart(requestWith(MULTIPART_TYPE, [form.subarray(0, 300), form.subarray(300, -20)]));
    const { value } = await parts.next();
    expect(await failureOf(value!.saveTo(folder))).toMatchObject({ status: 400, code: "ERR_MULTIPART" });
    expect(names()).toEqual([]);
  });

  it("is shown under a hidden name only, until it is whole", async () => {
    const content = new MemoryContent(null);
    const saving = saveTo(requestOver(null, content, null), join(folder, "a.txt"));
    content.feed("123");
    await untilThere();
    expect(names()).toEqual([expect.stringMatching(/^\.upload-[0-9a-f]{24}\.part$/)]);
    content.feed("45").end();
    expect(await saving).toMatchObject({ size: 5 });
    expect([names(), text("a.txt")]).toEqual([["a.txt"], "12345"]);
  });
});

describe("a raw upload", () => {
  it("becomes a file, with progress", async () => {
    const seen: [number, number | null][] = [];
    const request = requestWith("image/png", ["123", "45"], { method: "PUT", length: true });
    const options = { onProgress: (received: number, declared: number | null) => void seen.push([received, declared]) };
    expect(await saveTo(request, join(folder, "a.png"), options)).toEqual({
      path: join(folder, "a.png"),
      name: "a.png",
      size: 5,
    });
    expect(seen).toEqual([
      [3, 5],
      [5, 5],
    ]);
  });

  it("of nothing is an empty file", async () => {
    await saveTo(requestWithout(null, { method: "PUT" }), join(folder, "a"));
    expect(text("a")).toBe("");
  });

  it("is refused in part, coded, and above its limit", async () => {
    const path = join(folder, "a");
    const partial = requestWith(null, "1", { fields: [["content-range", "bytes 0-0/9"]] });
    expect(await failureOf(saveTo(partial, path))).toMatchObject({ status: 400 });
    const fields: [string, string][] = [["content-encoding", "gzip"]];
    expect(await failureOf(saveTo(requestWith(null, gzipSync("12345"), { fields }), path))).toMatchObject({
      status: 415,
    });
    for (const length of [true, false]) {
      const error = await failureOf(saveTo(requestWith(null, ["123", "4"], { length }), path, { maxBytes: 3 }));
      expect(error).toMatchObject({ status: 413, code: "ERR_UPLOAD_TOO_LARGE" });
    }
    expect(names()).toEqual([]);
    await saveTo(requestWith(null, gzipSync("12345"), { fields }), path, { decompress: true });
    expect(text("a")).toBe("12345");
  });

  it("ends with what its listener throws", async () => {
    const content = new MemoryContent(null).feed("123");
    const onProgress = (): void => {
      throw new RangeError("enough");
    };
    const error = await failureOf(saveTo(requestOver(null, content, null), join(folder, "a"), { onProgress }));
    expect(error).toBeInstanceOf(RangeError);
    expect([names(), content.isCancelled]).toEqual([[], true]);
  });
});
