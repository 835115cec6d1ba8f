/** decompress: true undoes what is declared, within bounds; bombs and damage are answers, never memory. */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readForm, readJson, readMultipart } from "../../src/bodies/index.ts";
import { MemoryContent } from "../web/support/memory-exchange.ts";
import { failureOf, requestOver, requestWith } from "./support/content-request.ts";
import { cut, formOf, MULTIPART_TYPE, part } from "./support/multipart.ts";

const JSON_TYPE = "application/json";
const on = { decompress: true };
const coded = (coding: string, ...pieces: (Uint8Array | string)[]): ReturnType<typeof requestWith> =>
  requestWith(JSON_TYPE, pieces, { fields: [["content-encoding", coding]] });

describe("coded content", () => {
  it.each([
    ["gzip", gzipSync],
    ["X-GZIP", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ])("in %s is undone", async (coding, encode) => {
    const bytes = encode(JSON.stringify({ a: "x".repeat(5000) }));
    expect(await readJson(coded(coding, bytes), on)).toEqual({ a: "x".repeat(5000) });
    expect(await readJson(coded(coding, ...cut(bytes, [1, 2, 9, 20])), on)).toEqual({ a: "x".repeat(5000) });
  });

  it.each(["zstd", "gzip, br", "compress"])("in %s is refused, and what is taken is said", async (coding) => {
    expect(await failureOf(readJson(coded(coding, "{}"), on))).toMatchObject({
      status: 415,
      code: "ERR_CONTENT_CODING",
      headers: { "accept-encoding": "gzip, deflate, br" },
    });
  });

  it("may be a form, or the parts of one", async () => {
    const fields: [string, string][] = [["content-encoding", "gzip"]];
    const form = await readForm(requestWith("application/x-www-form-urlencoded", gzipSync("a=1"), { fields }), on);
    expect(form.get("a")).toBe("1");
    const seen: (number | null)[][] = [];
    const options = {
      ...on,
      onProgress: (received: number, declared: number | null) => void seen.push([received, declared]),
    };
    const content = gzipSync(formOf([part("a", "1")]));
    for await (const one of readMultipart(requestWith(MULTIPART_TYPE, content, { fields, length: true }), options)) {
      expect([one.name, await one.text()]).toEqual(["a", "1"]);
    }
    expect(seen.at(-1)).toEqual([formOf([part("a", "1")]).length, null]);
  });
});

describe("damage", () => {
  const whole = gzipSync(JSON.stringify(Array.from({ length: 500 }, (_, i) => i * 7919)));
  it.each([
    ["cut short", "gzip", whole.subarray(0, -9)],
    ["another format", "br", whole],
    ["no format", "gzip", Buffer.from("{}")],
    ["deflate without its wrapper", "deflate", deflateRawSync("{}")],
    ["nothing", "gzip", Buffer.from("x").subarray(1)],
    ["a wrong checksum", "gzip", Buffer.concat([whole.subarray(0, -8), Buffer.alloc(8)])],
  ])("is 400: %s", async (_, coding, bytes) => {
    const error = await failureOf(readJson(coded(coding, bytes), on));
    expect(error["status"]).toBe(400);
    expect(["ERR_CODED_CONTENT", "ERR_CONTENT_MISSING"]).toContain(error["code"]);
  });

  it("of the connection stays what it is", async () => {
    const content = new MemoryContent(null);
    const fields: [string, string][] = [["content-encoding", "gzip"]];
    const reading = failureOf(readJson(requestOver(JSON_TYPE, content, null, { fields }), on));
    content.feed(whole.subarray(0, 20), new RangeError("the peer left"));
    expect(await reading).toBeInstanceOf(RangeError);
  });
});

describe("a bomb", () => {
  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
  ])("of zeros is refused by its ratio, after little: %s", async (coding, encode) => {
    const bomb = encode(Buffer.alloc(32 * 1024 * 1024));
    const error = await failureOf(readJson(coded(coding, bomb), { ...on, maxBytes: 1024 ** 3 }));
    expect(error).toMatchObject({ status: 413, code: "ERR_DECODED_CONTENT_TOO_LARGE" });
    expect(error.message).toContain("100 times");
  });

  it("is bounded by what comes out", async () => {
    const bytes = gzipSync(JSON.stringify("ab".repeat(100)));
    expect(await failureOf(readJson(coded("gzip", bytes), { ...on, maxBytes: 100 }))).toMatchObject({
      status: 413,
      code: "ERR_DECODED_CONTENT_TOO_LARGE",
    });
  });

  it("may not be one: short content that is all alike", async () => {
    const text = "x".repeat(60_000);
    expect(await readJson(coded("gzip", gzipSync(JSON.stringify(text))), on)).toBe(text);
  });
});
