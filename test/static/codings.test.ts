import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isCompressible } from "../../src/http/content-coding.ts";
import { Acceptances, BR, GZIP, IDENTITY, ZSTD } from "../../src/static/coding.ts";
import { compress, isPacked } from "../../src/static/compress.ts";
import type { Answer, Served } from "./support/static-site.ts";
import { OLD, StaticSite } from "./support/static-site.ts";

const TEXT = "The wind had dropped, and all at once the sea was still.\n".repeat(200);
const SIBLING = `/* made ahead */${TEXT}`;

let site: StaticSite;
let served: Served;

beforeAll(async () => {
  site = new StaticSite({
    "page.html": TEXT,
    "tiny.txt": "tiny",
    "noise.txt": Buffer.from(Array.from({ length: 4000 }, (_, i) => 33 + ((i * i * 7919 + i * 104_729) % 90))),
    "photo.jpg": TEXT,
    "data.bin": TEXT,
    "data.bin.gz": gzipSync(SIBLING),
    "app.js": TEXT,
    "app.js.br": brotliCompressSync(SIBLING),
    "app.js.gz": gzipSync(SIBLING),
    "app.js.zst": "pretended to be zstd",
    "stale.js": TEXT,
    "big.json": JSON.stringify(Array.from({ length: 60_000 }, (_, i) => ({ id: i, name: "entry" }))),
  });
  site.write("stale.js.gz", gzipSync("before"), new Date("2023-01-01"));
  served = await site.serve();
});

afterAll(() => site[Symbol.asyncDispose]());

function ask(path: string, acceptEncoding: string, more: Record<string, string> = {}): Promise<Answer> {
  return served.get(path, { "accept-encoding": acceptEncoding, ...more });
}

describe("what a request takes", () => {
  it.each<[string | null, readonly number[]]>([
    [null, [IDENTITY]],
    ["", [IDENTITY]],
    ["gzip", [GZIP, IDENTITY]],
    ["gzip, deflate, br, zstd", [BR, ZSTD, GZIP, IDENTITY]],
    ["gzip;q=1, br;q=0.5", [GZIP, BR, IDENTITY]],
    ["br;q=0, gzip", [GZIP, IDENTITY]],
    ["*", [BR, ZSTD, GZIP, IDENTITY]],
    ["*;q=0, gzip", [GZIP]],
    ["identity;q=0", []],
    ["identity;q=0, br", [BR]],
    ["identity, gzip;q=0.5", [IDENTITY]],
    ["x-gzip", [GZIP, IDENTITY]],
    ["nonsense;;q, gzip", [GZIP, IDENTITY]],
  ])("%j", (field, order) => {
    const acceptances = new Acceptances();
    expect(acceptances.of(field)).toEqual(order);
    expect(acceptances.of(field)).toBe(acceptances.of(field));
  });
});

describe("media types", () => {
  it.each([
    ["text/html; charset=utf-8", true, false],
    ["application/json", true, false],
    ["image/svg+xml", true, false],
    ["application/wasm", true, false],
    ["font/ttf", true, false],
    ["application/octet-stream", false, false],
    ["image/png", false, true],
    ["video/mp4", false, true],
    ["font/woff2", false, true],
    ["application/zip", false, true],
  ])("%s: compressed on the fly %s, packed already %s", (type, isText, isDone) => {
    expect([isCompressible(type), isPacked(type)]).toEqual([isText, isDone]);
  });
});

describe("on the fly", () => {
  it.each<[string, (bytes: Buffer) => Buffer]>([
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ])("%s: the same content, smaller, under a tag of its own", async (coding, decode) => {
    const plain = await ask("/page.html", "identity");
    const coded = await ask("/page.html", coding);
    expect(coded.headers["content-encoding"]).toBe(coding);
    expect(decode(coded.body).equals(plain.body)).toBe(true);
    expect(coded.body.length).toBeLessThan(plain.body.length / 5);
    expect(coded.headers["content-length"]).toBe(String(coded.body.length));
    expect(coded.headers.etag).not.toBe(plain.headers.etag);
    expect(coded.headers["content-type"]).toBe(plain.headers["content-type"]);
    expect([coded.headers.vary, plain.headers.vary]).toEqual(["accept-encoding", "accept-encoding"]);
  });

  it("large text is compressed too, once for all who wait", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask("/big.json", "gzip")));
    expect(new Set(answers.map(({ body }) => body.toString("base64"))).size).toBe(1);
    expect(gunzipSync(answers[0]!.body).equals((await ask("/big.json", "identity")).body)).toBe(true);
  });

  it("ranges and validators are those of the coding", async () => {
    const whole = await ask("/page.html", "br");
    const part = await ask("/page.html", "br", { range: "bytes=10-19" });
    expect([part.status, part.headers["content-encoding"], part.headers.etag]).toEqual([206, "br", whole.headers.etag]);
    expect(part.body.equals(whole.body.subarray(10, 20))).toBe(true);
    expect(part.headers["content-range"]).toBe(`bytes 10-19/${whole.body.length}`);
    const gzip = await ask("/page.html", "gzip", { "range": "bytes=10-19", "if-range": whole.headers.etag ?? "" });
    expect([gzip.status, gunzipSync(gzip.body).toString()]).toEqual([200, TEXT]);
    expect((await ask("/page.html", "br", { "if-none-match": whole.headers.etag ?? "" })).status).toBe(304);
  });

  it.each([
    ["/tiny.txt", "too small to gain"],
    ["/photo.jpg", "compressed by its nature"],
  ])("%s is not: %s", async (path) => {
    const { headers } = await ask(path, "br, gzip");
    expect([headers["content-encoding"], headers.vary]).toEqual([undefined, undefined]);
  });

  it("what does not get smaller is sent as it is", async () => {
    expect(await compress(Buffer.from("zq1"), GZIP)).toBeNull();
    const { status, body } = await ask("/noise.txt", "br, gzip");
    expect([status, body.length > 0]).toEqual([200, true]);
  });

  it("HEAD says what GET would", async () => {
    const get = await ask("/page.html", "br");
    const head = await served.ask("HEAD", "/page.html", { "accept-encoding": "br" });
    const { date: _get, ...ofGet } = get.headers;
    const { date: _head, ...ofHead } = head.headers;
    expect([ofHead, head.body.length]).toEqual([ofGet, 0]);
  });

  it("is off where that is said", async () => {
    const plain = await site.serve({ compress: false });
    const { headers } = await plain.get("/page.html", { "accept-encoding": "br" });
    expect([headers["content-encoding"], headers.vary]).toEqual([undefined, undefined]);
  });
});

describe("siblings on the disk", () => {
  it.each([
    ["br, gzip, zstd", "br"],
    ["gzip, zstd", "zstd"],
    ["gzip", "gzip"],
    ["zstd;q=0.5, gzip", "gzip"],
  ])("Accept-Encoding: %s gets %s", async (field, coding) => {
    const { headers, body } = await ask("/app.js", field);
    expect(headers["content-encoding"]).toBe(coding);
    expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
    if (coding === "br") expect(brotliDecompressSync(body).toString()).toBe(SIBLING);
    if (coding === "gzip") expect(gunzipSync(body).toString()).toBe(SIBLING);
  });

  it("stand beside what is not text too", async () => {
    const { headers, body } = await ask("/data.bin", "gzip");
    expect([headers["content-encoding"], gunzipSync(body).toString()]).toEqual(["gzip", SIBLING]);
    expect((await ask("/data.bin", "identity")).headers.vary).toBe("accept-encoding");
  });

  it("that are empty are being written, and are not sent", async () => {
    site.write("soon.js", TEXT);
    site.write("soon.js.br", "");
    const { headers, body } = await ask("/soon.js", "br");
    expect([headers["content-encoding"], brotliDecompressSync(body).toString()]).toEqual(["br", TEXT]);
  });

  it("are told of by explain", async () => {
    const { steps } = await served.handler.explain(new Request("http://localhost/app.js"));
    const siblings = steps.filter(({ outcome }) => outcome === "sibling").map(({ why }) => why);
    expect(siblings).toEqual([".br", ".zst", ".gz"].map((end) => `${site.www}/app.js${end} (option precompressed)`));
    const asked = new Request("http://localhost/app.js", { headers: { "accept-encoding": "br" } });
    const { fields } = await served.handler.explain(asked);
    expect(fields.find(({ name }) => name === "content-length")?.origin).toBe("the file's size in br");
  });

  it("that are older than the file are of a version before, and are not sent", async () => {
    expect(gunzipSync((await ask("/stale.js", "gzip")).body).toString()).toBe(TEXT);
  });

  it("are files of their own, too", async () => {
    const { headers, body } = await ask("/app.js.gz", "gzip");
    expect([headers["content-encoding"], headers["content-type"]]).toEqual([undefined, "application/gzip"]);
    expect(gunzipSync(body).toString()).toBe(SIBLING);
  });

  it("are seen within a second when they come, change and go", async () => {
    site.write("late.js", TEXT);
    const text = async (): Promise<string> => gunzipSync((await ask("/late.js", "gzip")).body).toString();
    expect(await text()).toBe(TEXT);
    site.write("late.js.gz", gzipSync("one"), OLD);
    await expect.poll(text, { timeout: 1300 }).toBe("one");
    site.write("late.js.new", gzipSync("two"), OLD);
    renameSync(join(site.www, "late.js.new"), join(site.www, "late.js.gz"));
    await expect.poll(text, { timeout: 1300 }).toBe("two");
    rmSync(join(site.www, "late.js.gz"));
    await expect.poll(text, { timeout: 1300 }).toBe(TEXT);
  });

  it("are not looked for where that is said", async () => {
    const plain = await site.serve({ precompressed: false });
    const { body } = await plain.get("/app.js", { "accept-encoding": "gzip" });
    expect(gunzipSync(body).toString()).toBe(TEXT);
  });
});

it("counts what was made in the bound of the cache", async () => {
  const ample = new StaticSite({ "big.json": JSON.stringify(Array.from({ length: 20_000 }, (_, i) => i * 7919)) });
  const wide = await ample.serve();
  const bytes: number[] = [];
  for (const coding of ["identity", "gzip", "br"]) {
    const { body } = await wide.get("/big.json", { "accept-encoding": coding });
    bytes.push(wide.handler.stats().bytes);
    if (bytes.length > 1) expect(bytes.at(-1)! - bytes.at(-2)!).toBe(body.length);
  }
  await ample[Symbol.asyncDispose]();
  // A bound that has room for the file, and not for its codings
  const small = new StaticSite({ "big.json": JSON.stringify(Array.from({ length: 20_000 }, (_, i) => i * 7919)) });
  const narrow = await small.serve({ maxCacheBytes: bytes[0]! * 4, maxCacheEntries: 8 });
  for (let i = 0; i < 9; i++) {
    small.write(`big${i}.json`, JSON.stringify(Array.from({ length: 20_000 }, (_, j) => j * 7919 + i)));
    for (const coding of ["gzip", "br"]) {
      expect((await narrow.get(`/big${i}.json`, { "accept-encoding": coding })).status).toBe(200);
      expect(narrow.handler.stats().bytes).toBeLessThanOrEqual(bytes[0]! * 4);
    }
  }
  await small[Symbol.asyncDispose]();
});

it("takes nothing but a coding where identity is forbidden, and says so where there is none (RFC 9110 §12.5.3)", async () => {
  expect((await ask("/page.html", "identity;q=0, gzip")).headers["content-encoding"]).toBe("gzip");
  const { status, headers, rawHeaders } = await ask("/data.bin", "identity;q=0, br");
  expect([status, headers.vary]).toEqual([406, "accept, accept-encoding"]);
  expect(rawHeaders.filter((name) => name.toLowerCase() === "vary")).toHaveLength(1);
});
