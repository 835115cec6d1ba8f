/**
 * A file that changes while it is answered with: the whole old version, or a message that is visibly broken off; never octets
 * of two versions, never a length that is not kept, never a crash. And a change is seen within a second.
 */
import { once } from "node:events";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer, Served } from "./support/static-site.ts";
import { StaticSite } from "./support/static-site.ts";

const MIB = 1024 * 1024;
/** More than the kernel takes for a peer that does not read. */
const LARGE = 24 * MIB;
const SMALL = 900 * 1024;

let site: StaticSite;
let served: Served;

beforeEach(async () => {
  site = new StaticSite({ "large.bin": Buffer.alloc(LARGE, "a"), "small.bin": Buffer.alloc(SMALL, "a") });
  served = await site.serve();
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

/** What came of a response. */
interface Received {
  readonly declared: number;
  readonly body: Buffer;
}

/** Asks, and reads nothing but the beginning until `goOn` is called. */
async function askSlowly(path: string, fields = ""): Promise<{ goOn: () => Promise<Received> }> {
  const socket: Socket = connect({ port: served.port, host: "127.0.0.1" });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`);
  const parts: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.on("error", () => {}).on("close", () => resolve()));
  await once(socket, "readable");
  const first = socket.read(1024) as Buffer | null;
  if (first !== null) parts.push(first);
  const goOn = async (): Promise<Received> => {
    socket.on("data", (part: Buffer) => parts.push(part));
    await closed;
    const all = Buffer.concat(parts);
    const end = all.indexOf("\r\n\r\n");
    const declared = Number(/content-length: (\d+)/i.exec(all.subarray(0, end).toString("latin1"))?.[1] ?? NaN);
    return { declared, body: all.subarray(end + 4) };
  };
  return { goOn };
}

/** Whether all octets are the same, and which. */
function letterOf(body: Buffer): string {
  const letter = body.subarray(0, 1);
  return body.equals(Buffer.alloc(body.length, letter)) ? letter.toString("latin1") : "mixed";
}

/** Descriptors of this process that lead below the folder, deleted files too. */
function openFiles(): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(site.www) ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe.each([
  ["large.bin", LARGE],
  ["small.bin", SMALL],
])("%s, while it is read slowly", (name, size) => {
  it("replaced: the old version is sent whole, the next answer is the new one", async () => {
    const download = await askSlowly(`/${name}`);
    writeFileSync(join(site.www, "new"), Buffer.alloc(size, "b"));
    renameSync(join(site.www, "new"), join(site.www, name));
    const { declared, body } = await download.goOn();
    expect([declared, body.length, letterOf(body)]).toEqual([size, size, "a"]);
    await expect.poll(async () => letterOf((await served.get(`/${name}`)).body), { timeout: 1500 }).toBe("b");
  });

  it("deleted: the old version is sent whole, then it is 404", async () => {
    const download = await askSlowly(`/${name}`);
    unlinkSync(join(site.www, name));
    const { body } = await download.goOn();
    expect([body.length, letterOf(body)]).toEqual([size, "a"]);
    await expect.poll(async () => (await served.get(`/${name}`)).status, { timeout: 1500 }).toBe(404);
  });
});

describe("a large file that is written to in its place, while it is read slowly", () => {
  it.each<[string, (path: string) => void]>([
    ["truncated", (path) => truncateSync(path, 1000)],
    ["emptied and written anew", (path) => writeFileSync(path, Buffer.alloc(LARGE, "b"))],
    ["emptied and written anew, longer", (path) => writeFileSync(path, Buffer.alloc(LARGE + MIB, "b"))],
    ["overwritten at its end", (path) => writeAt(path, LARGE - 10, "bbbbbbbbbb")],
    ["overwritten at its beginning", (path) => writeAt(path, 0, "bbbbbbbbbb")],
    ["appended to", (path) => appendFileSync(path, "b")],
  ])("%s: the message is broken off", async (_how, change) => {
    const download = await askSlowly("/large.bin");
    change(join(site.www, "large.bin"));
    const { declared, body } = await download.goOn();
    expect(declared).toBe(LARGE);
    expect(body.length).toBeLessThan(LARGE);
    // The server lives, and answers with what there is now
    const now = await served.get("/large.bin");
    expect(now.status).toBe(200);
    expect(Number(now.headers["content-length"])).toBe(now.body.length);
  });

  it("overwritten: a part and several parts are broken off too", async () => {
    for (const range of [`bytes=0-${LARGE - 2}`, `bytes=0-${LARGE / 2},${LARGE / 2 + 100}-`]) {
      site.write("large.bin", Buffer.alloc(LARGE, "a"));
      const download = await askSlowly("/large.bin", `Range: ${range}\r\n`);
      writeAt(join(site.www, "large.bin"), LARGE - 10, "bbbbbbbbbb");
      const { declared, body } = await download.goOn();
      expect(body.length).toBeLessThan(declared);
    }
  });
});

it.each([
  ["a part", `bytes=0-${LARGE - 2}`],
  ["several parts", `bytes=0-${LARGE / 2},${LARGE / 2 + 100}-`],
])("a large file that is truncated is nobody's mistake: %s", async (_what, range) => {
  const download = await askSlowly("/large.bin", `Range: ${range}\r\n`);
  truncateSync(join(site.www, "large.bin"), 1000);
  const { declared, body } = await download.goOn();
  expect(body.length).toBeLessThan(declared);
  expect(site.faults).toEqual([expect.objectContaining({ code: "ERR_FILE_CHANGED" })]);
});

describe("a small file that is written to in its place", () => {
  it("is answered with as it was while it is read slowly, however it is changed", async () => {
    const download = await askSlowly("/small.bin");
    writeAt(join(site.www, "small.bin"), SMALL - 10, "bbbbbbbbbb");
    truncateSync(join(site.www, "small.bin"), 10);
    const { body } = await download.goOn();
    expect([body.length, letterOf(body)]).toEqual([SMALL, "a"]);
  });

  it("never comes in two versions, while it is written without end", async () => {
    const path = join(site.www, "small.bin");
    const end = new AbortController();
    const writing = (async () => {
      for (let i = 0; !end.signal.aborted; i++) {
        const letter = String.fromCharCode(97 + (i % 26));
        writeFileSync(`${path}.new`, Buffer.alloc(SMALL, letter));
        renameSync(`${path}.new`, path);
        await new Promise(setImmediate);
      }
    })();
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const { status, body } = await served.get("/small.bin");
      seen.add(status === 200 && body.length === SMALL ? letterOf(body) : `${status}, ${body.length} octets`);
    }
    end.abort();
    await writing;
    expect([...seen].filter((letter) => letter.length > 1)).toEqual([]);
  });
});

describe("a change", () => {
  const CHANGES: readonly [string, () => void][] = [
    ["a file of the same length and time", () => site.write("page.html", "bbbb")],
    ["a shorter file", () => site.write("page.html", "b", null)],
    ["a file written in its place", () => writeAt(join(site.www, "page.html"), 0, "bbbb")],
    ["an older file", () => site.write("page.html", "bbbb", new Date("2001-01-01"))],
    ["a link to another file", () => link("page.html", "other.html")],
  ];

  it.each(CHANGES)("to %s is seen within a second", async (_what, change) => {
    site.write("page.html", "aaaa");
    site.write("other.html", "bbbb");
    expect((await served.get("/page.html")).body.toString()).toBe("aaaa");
    const tag = (await served.get("/page.html")).headers.etag ?? "";
    change();
    const body = async (): Promise<string> => (await served.get("/page.html")).body.toString();
    await expect.poll(body, { timeout: 1200, interval: 20 }).toMatch(/^b+$/);
    expect((await served.get("/page.html")).headers.etag).not.toBe(tag === "" ? "none" : "");
  });

  it("to a sibling of the same length and time is another version by its tag", async () => {
    const get = (): Promise<Answer> => served.get("/app.js", { "accept-encoding": "gzip" });
    site.write("app.js", "plain ".repeat(50));
    site.write("app.js.gz", gzipSync("one one one"));
    const { headers, body } = await get();
    site.write("app.js.gz", gzipSync("two two two"));
    await expect.poll(async () => gunzipSync((await get()).body).toString(), { timeout: 1200 }).toBe("two two two");
    const now = await get();
    expect([headers["content-encoding"], body.length]).toEqual(["gzip", now.body.length]);
    expect(now.headers.etag).not.toBe(headers.etag);
    // The one whose tag did not change did not change
    expect((await get()).headers.etag).toBe(now.headers.etag);
  });

  it("to a link that leads out is seen within a second, and shows nothing", async () => {
    site.write("page.html", "aaaa");
    writeFileSync(join(site.base, "secret.html"), "secret");
    expect((await served.get("/page.html")).status).toBe(200);
    link("page.html", "../secret.html");
    await expect.poll(async () => (await served.get("/page.html")).status, { timeout: 1200 }).toBe(404);
  });

  it("from nothing is seen at once", async () => {
    expect((await served.get("/late.html")).status).toBe(404);
    site.write("late.html", "late");
    expect((await served.get("/late.html")).status).toBe(200);
  });

  it("of a folder on the way is seen within a second", async () => {
    mkdirSync(join(site.www, "v1"));
    mkdirSync(join(site.www, "v2"));
    site.write("v1/page.html", "one");
    site.write("v2/page.html", "two");
    symlinkSync("v1", join(site.www, "current"));
    expect((await served.get("/current/page.html")).body.toString()).toBe("one");
    link("current", "v2");
    await expect
      .poll(async () => (await served.get("/current/page.html")).body.toString(), { timeout: 1200 })
      .toBe("two");
  });
});

describe.skipIf(process.platform !== "linux")("descriptors", () => {
  it("of a large file are shared while it is asked for, and given back in silence", async () => {
    const downloads = await Promise.all([1, 2, 3, 4].map(() => askSlowly("/large.bin")));
    expect(openFiles()).toHaveLength(1);
    unlinkSync(join(site.www, "large.bin"));
    const all = await Promise.all(downloads.map((download) => download.goOn()));
    expect(all.map(({ body }) => body.length)).toEqual(Array(4).fill(LARGE));
    await expect.poll(openFiles).toEqual([]);
  });
});

function writeAt(path: string, position: number, text: string): void {
  const fd = openSync(path, "r+");
  writeSync(fd, text, position);
  closeSync(fd);
}

/** Points a name elsewhere in one step. */
function link(name: string, target: string): void {
  symlinkSync(target, join(site.www, "link.new"));
  rmSync(join(site.www, name), { recursive: true });
  renameSync(join(site.www, "link.new"), join(site.www, name));
  utimesSync(site.www, new Date(), new Date());
}
