/** ranged() and fileResponse(): ranges and preconditions for any body of known size. */
import { type FileHandle, mkdtemp, open, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FileSlice } from "../../src/http/exchange.ts";
import { fileResponse, openFile, ranged, type RangedBody, type RangedOptions } from "../../src/replies/index.ts";
import { request, startTestServer, type TestResponse } from "../../src/testing/index.ts";
import { takeAnswer } from "../../src/web/response.ts";
import { ManualTime } from "./support/manual-time.ts";

const TEXT = "0123456789";
const time = new ManualTime();
let folder = "";
let path = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fairlead-ranged-"));
  path = join(folder, "digits.txt");
  await writeFile(path, TEXT);
  const past = new Date(time.nowMs() - 3_600_000);
  await utimes(path, past, past);
});
const opened: FileHandle[] = [];
afterEach(() => Promise.all(opened.splice(0).map((handle) => handle.close())));
afterAll(() => rm(folder, { recursive: true }));

/** A slice of a larger file, counted. */
async function sliceOfFile(): Promise<{ slice: FileSlice; released: () => number }> {
  const larger = join(folder, "larger.txt");
  await writeFile(larger, `ab${TEXT}cd`);
  const handle = await open(larger);
  opened.push(handle);
  let count = 0;
  const slice: FileSlice = { fd: handle.fd, start: 2, length: 10, isIntact: () => true, release: () => void count++ };
  return { slice, released: () => count };
}

function ask(
  body: RangedBody,
  headers: Record<string, string> = {},
  options: RangedOptions = {},
  method = "GET",
): Promise<TestResponse> {
  return request((asked) => ranged(asked, body, { time, ...options }), "/", { headers, method });
}

const kinds: readonly (readonly [string, () => RangedBody | Promise<RangedBody>])[] = [
  ["text", () => TEXT],
  ["bytes", () => new TextEncoder().encode(TEXT)],
  ["a buffer", () => new TextEncoder().encode(TEXT).buffer],
  ["a Blob", () => new Blob([TEXT])],
  ["part of a file", async () => (await sliceOfFile()).slice],
  ["a file", async () => (await openFile(path)).slice],
  ["text by slices", () => ({ size: 10, slice: (start: number, end: number) => TEXT.slice(start, end) })],
  ["text by and by", () => ({ size: 10, slice: async (start: number, end: number) => TEXT.slice(start, end) })],
  ["streams", () => ({ size: 10, slice: (start: number, end: number) => new Blob([TEXT]).slice(start, end).stream() })],
  [
    "a generator",
    () => ({
      size: 10,
      slice: async function* (start: number, end: number) {
        for (const digit of TEXT.slice(start, end)) yield digit;
      },
    }),
  ],
  [
    "Blobs by and by",
    () => ({ size: 10, slice: async (start: number, end: number) => new Blob([TEXT]).slice(start, end) }),
  ],
];

describe.each(kinds)("ranges of %s", (_, make) => {
  it("gives the whole without Range", async () => {
    const response = await ask(await make());
    expect([response.status, await response.text()]).toEqual([200, TEXT]);
    expect([response.headers.get("content-length"), response.headers.get("accept-ranges")]).toEqual(["10", "bytes"]);
  });

  it("gives a part", async () => {
    const response = await ask(await make(), { range: "bytes=2-5" });
    expect([response.status, response.headers.get("content-range"), await response.text()]).toEqual([
      206,
      "bytes 2-5/10",
      "2345",
    ]);
    expect([response.headers.get("content-length"), response.faults]).toEqual(["4", []]);
  });

  it("gives several parts", async () => {
    const response = await ask(await make(), { range: "bytes=0-1,8-" }, { type: "text/plain" });
    const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(response.headers.get("content-type") ?? "")?.[1];
    const text = await response.text();
    expect(response.status).toBe(206);
    expect(text).toBe(
      `--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01` +
        `\r\n--${boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--${boundary}--\r\n`,
    );
    expect([response.headers.get("content-length"), response.faults]).toEqual([String(text.length), []]);
  });

  it("says what there is where no range is in it", async () => {
    const response = await ask(await make(), { range: "bytes=10-" });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */10"]);
  });

  it("gives HEAD the fields of the whole", async () => {
    const response = await ask(await make(), { range: "bytes=0-1" }, {}, "HEAD");
    expect([response.status, response.headers.get("content-length"), response.body]).toEqual([200, "10", null]);
  });
});

describe("preconditions", () => {
  const options: RangedOptions = {
    etag: '"v1"',
    lastModified: new Date("2026-11-20T08:00:00Z"),
    headers: { "cache-control": "max-age=60", "content-language": "en" },
  };
  it.each<[Record<string, string>, number]>([
    [{ "if-none-match": '"v1"' }, 304],
    [{ "if-none-match": '"v2"' }, 200],
    [{ "if-modified-since": "Fri, 20 Nov 2026 08:00:00 GMT" }, 304],
    [{ "if-match": '"v2"' }, 412],
    [{ "if-match": '"v1"', "range": "bytes=0-1" }, 206],
    [{ "if-range": '"v1"', "range": "bytes=0-1" }, 206],
    [{ "if-range": '"v2"', "range": "bytes=0-1" }, 200],
    [{ range: "bytes=rubbish" }, 200],
    [{ range: `bytes=${"0-0,".repeat(1000)}1-1` }, 200],
  ])("answers %j with %d", async (headers, status) => {
    expect((await ask(TEXT, headers, options)).status).toBe(status);
  });

  it("tells in a 304 what matters to a cache", async () => {
    const response = await ask(TEXT, { "if-none-match": '"v1"' }, options);
    const { date: _date, ...lines } = Object.fromEntries(response.headers);
    expect(lines).toEqual({ "cache-control": "max-age=60", "etag": '"v1"' });
  });

  it("never says that something was changed in the future", async () => {
    const response = await ask(TEXT, {}, { lastModified: time.nowMs() + 1e9 });
    expect(response.headers.get("last-modified")).toBe("Sat, 21 Nov 2026 08:00:00 GMT");
  });
});

describe("what is wrong", () => {
  it.each<[string, unknown, object, string]>([
    ["a stream", new ReadableStream(), {}, "its size must be known"],
    ["null", null, {}, "its size must be known"],
    ["a negative size", { size: -1, slice: () => "" }, {}, "its size must be known"],
    ["a tag without quotation marks", TEXT, { etag: "v1" }, "quotation marks"],
    ["no date", TEXT, { lastModified: new Date("x") }, "lastModified"],
    ["CR LF in the type", TEXT, { type: "text/plain\r\nx: y" }, "a media type is allowed"],
    ["CR LF in a field", TEXT, { headers: { "x-a": "a\r\nb" } }, "invalid character"],
    [
      "fields that are not the caller's",
      TEXT,
      { headers: { "Content-Length": "3", "etag": '"a"' } },
      "must not have content-length\n  headers: must not have etag",
    ],
    ["an unknown option", TEXT, { eTag: '"a"' }, "did you mean etag"],
  ])("throws for %s", (_, body, options, message) => {
    const asked = new Request("http://localhost/", { headers: { range: "bytes=0-1,3-4" } });
    expect(() => ranged(asked, body as RangedBody, options)).toThrow(message);
  });

  it.each<[string, () => Promise<string>, string]>([
    ["bytes=0-3", async () => "x", "octets"],
    ["bytes=0-3,6-7", async () => "x", "a part ended short"],
    ["bytes=0-3,6-7", async () => "x".repeat(100), "a part is longer"],
    ["bytes=0-3,6-7", () => Promise.reject(new Error("no tape")), "no tape"],
  ])("is told, and never sent as if it were whole (%s, %s)", async (range, slice, message) => {
    const response = await ask({ size: 10, slice }, { range });
    const text = await response.text().catch(() => "broken off");
    await response.finished;
    expect([
      response.status === 500 || text === "broken off",
      response.faults.map(({ error }) => String(error)),
    ]).toEqual([true, [expect.stringContaining(message)]]);
  });
});

describe("files", () => {
  it.each<[string, Record<string, string>, string, RangedOptions]>([
    ["the whole", {}, "GET", {}],
    ["a part", { range: "bytes=1-2" }, "GET", {}],
    ["parts", { range: "bytes=1-2,4-5" }, "GET", {}],
    ["HEAD", {}, "HEAD", {}],
    ["304", { "if-none-match": "*" }, "GET", { etag: '"a"' }],
    ["412", { "if-match": '"b"' }, "GET", { etag: '"a"' }],
    ["416", { range: "bytes=10-" }, "GET", {}],
    ["a mistake", {}, "GET", { etag: "a" }],
  ])("are released once, whatever is answered: %s", async (_, headers, method, options) => {
    const { slice, released } = await sliceOfFile();
    const response = await ask(slice, headers, options, method);
    await response.text();
    await response.finished;
    expect(released()).toBe(1);
  });

  it("are released once where nobody reads the parts, or leaves between them", async () => {
    for (const pieces of [0, 1, 2]) {
      const { slice, released } = await sliceOfFile();
      const asked = new Request("http://localhost/", { headers: { range: "bytes=0-1,4-5" } });
      const reader = (ranged(asked, slice).body as ReadableStream<Uint8Array>).getReader();
      for (let i = 0; i < pieces; i++) await reader.read();
      await reader.cancel();
      await new Promise((resolve) => setImmediate(resolve));
      expect(released()).toBe(1);
    }
  });

  it.each([
    ["the slice is there", "bytes=0-4"],
    ["it goes on", "bytes=0-4"],
    ["the slice of a part is there", "bytes=0-4,6-9"],
    ["a part goes on", "bytes=0-4,6-9"],
  ])("let go of what a slice function opened when the client leaves before %s", async (when, range) => {
    let isCancelled = false;
    let give: (stream: ReadableStream) => void = () => {};
    const got = new Promise<ReadableStream>((resolve) => (give = resolve));
    const stream = new ReadableStream({ cancel: () => void (isCancelled = true) }, { highWaterMark: 0 });
    const asked = new Request("http://localhost/", { headers: { range } });
    const response = ranged(asked, { size: 10, slice: () => got });
    const pieces = (takeAnswer(response).content as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    // The frame of the first part
    if (range.includes(",")) await pieces.next();
    void pieces.next().catch(() => {});
    if (when.endsWith("on")) give(stream);
    await turn();
    void pieces.return?.().catch(() => {});
    give(stream);
    await turn();
    expect(isCancelled).toBe(true);
  });

  it("are answered with validators, by path, URL or handle, over a true socket", async () => {
    const handle = await open(path);
    await using server = await startTestServer((asked) => {
      const kind = new URL(asked.url).pathname;
      const files = new Map<string, URL | FileHandle>([
        ["/handle", handle],
        ["/url", new URL(`file://${path}`)],
      ]);
      const file = files.get(kind) ?? path;
      return fileResponse(asked, file, { type: "text/plain", time });
    });
    for (const kind of ["/path", "/url", "/handle"]) {
      const whole = await server.fetch(kind);
      expect([whole.status, await whole.text(), whole.headers.get("content-type")]).toEqual([200, TEXT, "text/plain"]);
      expect(whole.headers.get("last-modified")).toBe("Sat, 21 Nov 2026 07:00:00 GMT");
      const etag = whole.headers.get("etag") as string;
      expect(etag).toMatch(/^"[0-9a-z]+-a\.[0-9a-z]+"$/);
      expect((await server.fetch(kind, { headers: { "if-none-match": etag } })).status).toBe(304);
      const part = await server.fetch(kind, { headers: { "range": "bytes=-3", "if-range": etag } });
      expect([part.status, await part.text()]).toEqual([206, "789"]);
      const parts = await server.fetch(kind, { headers: { range: "bytes=0-0,9-9" } });
      expect([parts.status, await parts.text()]).toEqual([206, expect.stringContaining("\r\n\r\n9\r\n--")]);
    }
    expect(server.faults).toEqual([]);
    expect((await handle.stat()).size).toBe(10);
    await handle.close();
  });

  it("that were changed just now have a weak tag", async () => {
    const { slice, etag, mtimeMs } = await openFile(path, time.nowMs() - 3_599_000);
    slice.release();
    expect([etag.slice(0, 3), mtimeMs]).toEqual(['W/"', time.nowMs() - 3_600_000]);
  });

  it.each(["missing.txt", "", "digits.txt/x"])("that are not there are 404 (%j)", async (name) => {
    const response = await request((asked) => fileResponse(asked, join(folder, name)), "/");
    expect([response.status, response.faults]).toEqual([404, []]);
    expect(await response.text()).not.toContain(folder);
  });

  it("leave no descriptor behind", async () => {
    const count = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const before = await count().catch(() => 0);
    for (let i = 0; i < 20; i++) {
      await (await request((asked) => fileResponse(asked, path), "/", { headers: { range: "bytes=99-" } })).text();
      await request((asked) => fileResponse(asked, folder), "/");
      await (await request((asked) => fileResponse(asked, path, { etag: "wrong" }), "/")).text();
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(await count().catch(() => 0)).toBeLessThan(before + 10);
  });
});
