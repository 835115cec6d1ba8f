/** Tags that several processes give the same file: workers, a server after its restart, machines with copies. */
import { renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileResponse } from "../../src/replies/file-response.ts";
import { entityTag, versionOf } from "../../src/static/entity-tag.ts";
import type { Answer } from "./support/static-site.ts";
import { OLD, StaticSite } from "./support/static-site.ts";

/** In memory; from the descriptor, because it is too large for that. */
const SIZES: ReadonlyArray<readonly [string, number]> = [
  ["small", 3000],
  ["large", 2 * 1024 * 1024],
];

let site: StaticSite;
beforeEach(() => {
  site = new StaticSite({});
});
afterEach(() => site[Symbol.asyncDispose]());

/** What another process answers that sees the file for the first time. */
async function askAnew(path: string, fields: Record<string, string> = {}): Promise<Answer> {
  return (await site.serve()).ask("GET", path, fields);
}

/** Other content of the same size and time in the place of a file, as reproducible builds and archives leave it. */
function replace(name: string, content: Buffer): void {
  const beside = join(site.base, "beside");
  writeFileSync(beside, content);
  utimesSync(beside, OLD, OLD);
  renameSync(beside, join(site.www, name));
}

describe.each(SIZES)("a %s file", (_size, bytes) => {
  it("that is replaced by one of the same size and time has another tag, whoever sees which of both first", async () => {
    const [one, two] = [Buffer.alloc(bytes, "1"), Buffer.alloc(bytes, "2")];
    site.write("app.bin", one);
    const first = await askAnew("/app.bin");
    // The time at which a file became what it is has the resolution of a tick
    await sleep(20);
    replace("app.bin", two);
    const second = await askAnew("/app.bin");
    expect(second.body.equals(two)).toBe(true);
    expect(second.headers.etag).not.toBe(first.headers.etag);
    expect(first.headers["last-modified"]).toBe(second.headers["last-modified"]);
    const asked = await askAnew("/app.bin", { "if-none-match": String(first.headers.etag) });
    expect(asked.status).toBe(200);
    const part = await askAnew("/app.bin", { "range": "bytes=10-", "if-range": String(first.headers.etag) });
    expect(part.status).toBe(200);
  });

  it("has the same tag in every process", async () => {
    site.write("app.bin", Buffer.alloc(bytes, "1"));
    site.write("new.bin", Buffer.alloc(bytes, "1"), null);
    for (const path of ["/app.bin", "/new.bin"]) {
      const tags = [await askAnew(path), await askAnew(path)].map(({ headers }) => headers.etag);
      expect(tags[0]).toBe(tags[1]);
      expect((await askAnew(path, { "if-none-match": String(tags[0]) })).status).toBe(304);
    }
  });
});

it("that is small has the same tag wherever it is copied to with its time", async () => {
  const content = Buffer.from("the same\n".repeat(100));
  site.write("a/page.html", content);
  await sleep(20);
  site.write("b/page.html", content);
  const [a, b] = [await askAnew("/a/page.html"), await askAnew("/b/page.html")];
  expect(a.headers.etag).toBe(b.headers.etag);
});

it("has time and size for its tag where they tell it from others", () => {
  site.write("page.html", "<p>", null);
  const stats = statSync(join(site.www, "page.html"));
  const version = versionOf(stats, Buffer.from("<p>"), 60_000, false);
  expect(entityTag(version, 0)).toBe(`"${Math.round(stats.mtimeMs * 1000).toString(36)}-3"`);
  const whole = Object.assign(Object.create(stats) as typeof stats, { mtimeMs: 1e12, ctimeMs: 1e12 });
  const tags = [
    versionOf(whole, Buffer.from("<p>"), 60_000, false),
    // A clock of seconds: it may be written again within the same
    versionOf(whole, Buffer.from("<p>"), 500, false),
    versionOf(whole, Buffer.from("<a>"), 500, false),
    versionOf(whole, Buffer.from("<a>"), 60_000, true),
  ].map((one) => entityTag(one, 0));
  expect(new Set(tags).size).toBe(3);
  expect(tags[2]).toBe(tags[3]);
});

it("sent by fileResponse() has another tag when it was replaced by one of the same size and time", async () => {
  const request = new Request("http://localhost/");
  const tags: (string | null)[] = [];
  for (const content of ["one", "one", "two"]) {
    if (tags.length !== 1) {
      await sleep(20);
      replace("download.txt", Buffer.from(content));
    }
    const response = await fileResponse(request, join(site.www, "download.txt"));
    tags.push(response.headers.get("etag"));
    await response.text();
  }
  expect(tags[0]).toBe(tags[1]);
  expect(tags[2]).not.toBe(tags[0]);
  rmSync(join(site.www, "download.txt"));
});
