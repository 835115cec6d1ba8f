import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeFile, Root } from "../../src/static/contain.ts";
import type { Found } from "../../src/static/contain.ts";

let base = "";
let root: Root;

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "fairlead-contain-"));
  mkdirSync(join(base, "www/sub"), { recursive: true });
  mkdirSync(join(base, "www-old"));
  mkdirSync(join(base, "outside"));
  writeFileSync(join(base, "secret.txt"), "secret");
  writeFileSync(join(base, "outside/secret.txt"), "secret");
  writeFileSync(join(base, "www-old/secret.txt"), "secret");
  writeFileSync(join(base, "www/page.html"), "page");
  writeFileSync(join(base, "www/sub/deep.txt"), "deep!");
  writeFileSync(join(base, "www/empty"), "");
  symlinkSync("page.html", join(base, "www/inside.html"));
  symlinkSync("sub", join(base, "www/inside-folder"));
  symlinkSync(join(base, "secret.txt"), join(base, "www/outside.txt"));
  symlinkSync("../outside", join(base, "www/outside-folder"));
  symlinkSync("../www-old", join(base, "www/sibling"));
  symlinkSync("/dev/zero", join(base, "www/zero"));
  symlinkSync("/", join(base, "www/everything"));
  symlinkSync("loop", join(base, "www/loop"));
  symlinkSync("nothing", join(base, "www/dangling"));
  root = new Root(join(base, "www"));
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

/** What was found, in a word, with the file closed again. */
async function kindOf(found: Found | null): Promise<string> {
  if (found === null) return "nothing";
  if (found.kind === "folder") return "folder";
  const text = readFileSync(found.handle.fd, "utf8").slice(0, 20);
  closeFile(found.handle);
  return `${found.name} ${found.sizeBytes} ${text}`;
}

describe("what lies inside", () => {
  it.each([
    [["page.html"], "page.html 4 page"],
    [["sub", "deep.txt"], "deep.txt 5 deep!"],
    [["empty"], "empty 0 "],
    [["inside.html"], "inside.html 4 page"],
    [["inside-folder", "deep.txt"], "deep.txt 5 deep!"],
    [[], "folder"],
    [["sub"], "folder"],
    [["inside-folder"], "folder"],
  ])("finds %j", async (names, expected) => {
    expect(await kindOf(await root.find(names))).toBe(expected);
  });
});

describe("links to hidden names inside", () => {
  // Hidden goes by the name that is asked for; a link has a name of its own, which somebody gave it
  it("lead there, as Kubernetes mounts its volumes and git-annex keeps its files", async () => {
    const folder = join(base, "volume");
    mkdirSync(join(folder, "..2026_11_21"), { recursive: true });
    writeFileSync(join(folder, "..2026_11_21/page.html"), "mounted");
    symlinkSync("..2026_11_21", join(folder, "..data"));
    symlinkSync("..data/page.html", join(folder, "page.html"));
    expect(await kindOf(await new Root(folder).find(["page.html"]))).toBe("page.html 7 mounted");
  });
});

describe("what a client shall not see", () => {
  it.each([
    ["a missing name", ["missing"]],
    ["a file in the place of a folder", ["page.html", "x"]],
    ["a link to a file outside", ["outside.txt"]],
    ["a file behind a link to a folder outside", ["outside-folder", "secret.txt"]],
    ["a link to a folder outside", ["outside-folder"]],
    ["a folder whose name begins like the root's", ["sibling", "secret.txt"]],
    ["the whole disk behind a link", ["everything", "etc", "passwd"]],
    ["a link to itself", ["loop"]],
    ["a link to nothing", ["dangling"]],
    ["a device", ["zero"]],
    ["a name that is too long", ["x".repeat(300)]],
    ["a path that is too long", Array.from({ length: 600 }, () => "long-name")],
    ["a name with NUL, were it to come so far", ["page.html\0"]],
  ])("does not find %s", async (_what, names) => {
    expect(await kindOf(await root.find(names))).toBe("nothing");
  });

  it("does not wait for the writer of a FIFO", async () => {
    expect(spawnSync("mkfifo", [join(base, "www/fifo")]).status).toBe(0);
    expect(await kindOf(await root.find(["fifo"]))).toBe("nothing");
  });

  it("does not find a socket", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(base, "www/socket"), resolve));
    expect(await kindOf(await root.find(["socket"]))).toBe("nothing");
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("under change", () => {
  it("never gives out a file from outside while a link is swapped back and forth (time of check, time of use)", async () => {
    const link = join(base, "www/swapped");
    symlinkSync("page.html", link);
    const end = new AbortController();
    const swap = (async () => {
      for (let i = 0; !end.signal.aborted; i++) {
        symlinkSync(i % 2 === 0 ? "../secret.txt" : "page.html", `${link}.new`);
        renameSync(`${link}.new`, link);
        await new Promise(setImmediate);
      }
    })();
    const seen = new Set<string>();
    for (let i = 0; i < 400; i++) seen.add(await kindOf(await root.find(["swapped"])));
    end.abort();
    await swap;
    expect([...seen].filter((kind) => kind.includes("secret"))).toEqual([]);
    expect(seen).toContain("swapped 4 page");
  });

  it("follows a root that is pointed to a new release", async () => {
    mkdirSync(join(base, "release-1"));
    mkdirSync(join(base, "release-2"));
    writeFileSync(join(base, "release-1/v"), "one");
    writeFileSync(join(base, "release-2/v"), "two");
    symlinkSync("release-1", join(base, "current"));
    const current = new Root(join(base, "current"));
    expect(await kindOf(await current.find(["v"]))).toBe("v 3 one");
    symlinkSync("release-2", join(base, "next"));
    renameSync(join(base, "next"), join(base, "current"));
    expect(await kindOf(await current.find(["v"]))).toBe("v 3 two");
    unlinkSync(join(base, "current"));
    expect(await kindOf(await current.find(["v"]))).toBe("nothing");
  });
});
