/** Listings in a content coding: negotiated, whole after decoding, and let go of with their reader. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BR, type Coding, GZIP, IDENTITY, ZSTD } from "../../src/static/coding.ts";
import { codePieces, listingCoding } from "../../src/static/listing-coding.ts";
import { Request } from "../../src/web/request.ts";
import { type Served, StaticSite } from "./support/static-site.ts";

const MANY = 3000;

let site: StaticSite;
let served: Served;

beforeAll(async () => {
  site = new StaticSite({ "readme.txt": "read me" });
  mkdirSync(join(site.www, "many"));
  for (let i = 0; i < MANY; i++) writeFileSync(join(site.www, "many", `a file with the number ${i}.txt`), "x");
  served = await site.serve({ listing: true });
});

afterAll(() => site[Symbol.asyncDispose]());

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  identity: (bytes) => bytes,
};

describe("a listing", () => {
  it.each([
    ["gzip", "gzip"],
    ["gzip, deflate", "gzip"],
    ["gzip, deflate, br, zstd", "br"],
    ["br;q=0.5, gzip", "gzip"],
    ["gzip;q=0, *", "br"],
    ["zstd", "identity"],
    ["identity", "identity"],
    ["", "identity"],
  ])("to who takes %j is coded by %s, as a page and as JSON", async (taken, coding) => {
    for (const accept of ["text/html", "application/json"]) {
      const plain = await served.get("/many/", { accept });
      const { status, headers, body } = await served.get("/many/", { accept, "accept-encoding": taken });
      expect([status, headers["content-encoding"] ?? "identity"]).toEqual([200, coding]);
      expect([headers["vary"], plain.headers["vary"]]).toEqual(["accept, accept-encoding", "accept, accept-encoding"]);
      expect(DECODERS[coding]?.(body).equals(plain.body)).toBe(true);
      if (coding !== "identity") expect(body.length).toBeLessThan(plain.body.length / 8);
    }
  });

  it("has the same fields for HEAD", async () => {
    const asked = { "accept": "text/html", "accept-encoding": "gzip" };
    const [get, head] = [await served.get("/many/", asked), await served.ask("HEAD", "/many/", asked)];
    const names = ["content-encoding", "content-type", "vary", "cache-control"];
    expect(head.body.length).toBe(0);
    expect(names.map((name) => head.headers[name])).toEqual(names.map((name) => get.headers[name]));
    expect(head.headers["content-encoding"]).toBe("gzip");
  });

  it("has its coding from the option compress, as explain tells", async () => {
    const asked = new Request("http://a.example/many/", { headers: { "accept-encoding": "gzip" } });
    const { fields } = await served.handler.explain(asked);
    const origins = fields.map(({ name, origin }) => `${name.toLowerCase()}: ${origin}`);
    expect(origins).toContain("content-encoding: option compress");
    expect(origins).toContain("cache-control: option listing");
  });

  it("is not coded with compress: false", async () => {
    const { headers } = await (
      await site.serve({ listing: true, compress: false })
    ).get("/many/", {
      "accept": "text/html",
      "accept-encoding": "gzip",
    });
    expect([headers["content-encoding"], headers["vary"]]).toEqual([undefined, "accept"]);
  });
});

describe("the coding of a listing", () => {
  it.each<[readonly Coding[], Coding]>([
    [[BR, ZSTD, GZIP, IDENTITY], BR],
    [[ZSTD, GZIP, IDENTITY], GZIP],
    [[ZSTD, IDENTITY], IDENTITY],
    [[IDENTITY], IDENTITY],
    // Nothing that we make is taken: better the listing than a refusal (RFC 9110 §12.5.3)
    [[], IDENTITY],
  ])("for %j is %i", (order, coding) => {
    expect(listingCoding(order)).toBe(coding);
  });
});

describe("pieces in a coding", () => {
  it.each([BR, GZIP] as const)("stop being made when nobody reads on (%i)", async (coding) => {
    let isReturned = false;
    let made = 0;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield `line ${made++} ${Math.random()}\n`.repeat(50);
      } finally {
        isReturned = true;
      }
    }
    const coded = codePieces(endless(), coding);
    expect((await coded.next()).value?.length).toBeGreaterThan(0);
    await coded.return(undefined);
    const madeAtReturn = made;
    while (!isReturned) await new Promise((resolve) => setImmediate(resolve));
    expect(made - madeAtReturn).toBeLessThan(100);
  });

  it.each([BR, GZIP] as const)("fail with what making them throws (%i)", async (coding) => {
    async function* failing(): AsyncGenerator<string> {
      yield "a line";
      await Promise.resolve();
      throw new Error("the disk is gone");
    }
    await expect(async () => {
      for await (const piece of codePieces(failing(), coding)) expect(piece).toBeInstanceOf(Uint8Array);
    }).rejects.toThrow("the disk is gone");
  });
});
