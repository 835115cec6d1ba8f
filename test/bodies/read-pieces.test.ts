/** Content looked at as it comes: without a wire, and over true connections with the memory that they lend. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { readPieces } from "../../src/bodies/index.ts";
import { HttpError } from "../../src/http/errors.ts";
import { type Server, serve } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { MemoryContent } from "../web/support/memory-exchange.ts";
import { failureOf, requestOver, requestWith, requestWithout } from "./support/content-request.ts";

const MIB = 1024 * 1024;
const ignore = (): void => {};
const throwing = (): void => {
  throw new RangeError("enough");
};

describe("pieces", () => {
  it("come in order, and are counted", async () => {
    const seen: string[] = [];
    const request = requestWith("text/plain", ["one", "two", "three"]);
    expect(await readPieces(request, (piece) => void seen.push(Buffer.from(piece).toString()))).toBe(11);
    expect(seen).toEqual(["one", "two", "three"]);
    expect(request.bodyUsed).toBe(true);
    expect((await failureOf(request.text())).name).toBe("TypeError");
  });

  it("come when they come", async () => {
    const content = new MemoryContent(null);
    const seen: number[] = [];
    const reading = readPieces(requestOver(null, content, null), ({ length }) => void seen.push(length));
    content.feed("four");
    expect(seen).toEqual([4]);
    content.feed("fifty").end();
    expect(await reading).toBe(9);
  });

  it.each<[string, () => Request]>([
    ["without content", () => requestWithout(null)],
    ["with an empty one", () => requestWith(null, [])],
    ["that are GET", () => requestWith(null, "ignored", { method: "GET" })],
    ["of the platform without content", () => new Request("http://a.example/")],
  ])("of requests %s are none", async (_what, make) => {
    expect(await readPieces(make(), () => expect.unreachable())).toBe(0);
  });

  it.each<[string, () => Request]>([
    ["the platform", () => new Request("http://a.example/", { method: "POST", body: "content" })],
    [
      "which the body was asked for",
      () => {
        const request = requestWith(null, ["con", "tent"]);
        expect(request.body).not.toBeNull();
        return request;
      },
    ],
    ["which there is a clone", () => requestWith(null, "content").clone()],
  ])("are also those of a request of %s", async (_what, make) => {
    const seen: string[] = [];
    const request = make();
    expect(await readPieces(request, (piece) => void seen.push(Buffer.from(piece).toString()))).toBe(7);
    expect(seen.join("")).toBe("content");
    expect(request.bodyUsed).toBe(true);
  });

  it("behind a coding are those of the content", async () => {
    const text = "over and over ".repeat(1000);
    const request = requestWith(null, gzipSync(text), { fields: [["content-encoding", "gzip"]] });
    const seen: string[] = [];
    await readPieces(request, (piece) => void seen.push(Buffer.from(piece).toString()), { decompress: true });
    expect(seen.join("")).toBe(text);
  });
});

describe("what is refused", () => {
  it("is content that was read before", async () => {
    const request = requestWith(null, "x");
    await request.text();
    await expect(readPieces(request, ignore)).rejects.toThrow(/already been read/);
    const twice = requestWith(null, "x");
    await readPieces(twice, ignore);
    await expect(readPieces(twice, ignore)).rejects.toThrow(/already been read/);
  });

  it("is a coding that is not undone", async () => {
    const request = requestWith(null, gzipSync("x"), { fields: [["content-encoding", "gzip"]] });
    expect(await failureOf(readPieces(request, ignore))).toMatchObject({ code: "ERR_CONTENT_CODING", status: 415 });
  });

  it("is too much, unread where it is declared", async () => {
    let seen = 0;
    const declared = requestWith(null, "12345", { length: true, fields: [] });
    const failure = await failureOf(readPieces(declared, () => void seen++, { maxBytes: 4 }));
    expect([failure["code"], failure["status"], seen]).toEqual(["ERR_UPLOAD_TOO_LARGE", 413, 0]);
    const content = new MemoryContent(null);
    content.feed("123", "45", "6").end();
    const counted = await failureOf(readPieces(requestOver(null, content, null), () => void seen++, { maxBytes: 4 }));
    expect([counted["code"], seen, content.isCancelled]).toEqual(["ERR_UPLOAD_TOO_LARGE", 1, true]);
    expect(await readPieces(requestWith(null, "1234"), ignore, { maxBytes: 4 })).toBe(4);
  });

  it.each<[string, (request: Request) => Promise<number>, RegExp]>([
    ["no function", (request) => readPieces(request, null as never), /must be a function/],
    ["an option that there is not", (request) => readPieces(request, ignore, { maxbytes: 1 } as object), /maxbytes/],
    ["an option of the wrong kind", (request) => readPieces(request, ignore, { maxBytes: -1 }), /maxBytes/],
  ])("is %s", async (_what, act, message) => {
    await expect(act(requestWith(null, "x"))).rejects.toThrow(message);
  });
});

describe("a function that fails", () => {
  it.each([
    ["on the wire's memory", false],
    ["on the body's pieces", true],
  ])("ends the reading with what it has thrown: %s", async (_what, isBodyAsked) => {
    const content = new MemoryContent(null);
    const request = requestOver(null, content, null);
    if (isBodyAsked) expect(request.body).not.toBeNull();
    let calls = 0;
    content.feed("one", "two").end();
    const reading = readPieces(request, () => {
      calls++;
      throw new RangeError("enough");
    });
    await expect(reading).rejects.toThrow(new RangeError("enough"));
    expect([calls, content.isCancelled]).toEqual([1, true]);
  });

  it("is one that gives back a promise: its piece would be gone, whatever becomes of it", async () => {
    const take = (): unknown => Promise.reject(new Error("of nobody's"));
    const reading = readPieces(requestWith(null, ["one", "two"]), take);
    await expect(reading).rejects.toThrow(/may not be async/);
    const foreign = (): unknown => runInNewContext("Promise.reject(new Error('of another realm'))");
    await expect(readPieces(requestWith(null, ["one", "two"]), foreign)).rejects.toThrow(/may not be async/);
  });
});

describe("a request that was cloned", () => {
  const zeros = gzipSync(Buffer.alloc(10 * MIB));

  it.each<[string, (request: Request) => Promise<number>, RegExp]>([
    ["a function that throws", (request) => readPieces(request, throwing), /enough/],
    ["a promise", (request) => readPieces(request, () => Promise.resolve() as unknown), /may not be async/],
    ["too much", (request) => readPieces(request, ignore, { maxBytes: 1 }), /more than 1 octets/],
  ])("does not wait for its twin: %s", async (_what, act, message) => {
    const request = requestWith(null, ["one", "two"]);
    const twin = request.clone();
    await expect(act(request)).rejects.toThrow(message);
    expect(await twin.text()).toBe("onetwo");
  });

  it("does not wait for its twin: a bomb", async () => {
    const request = requestWith(null, zeros, { fields: [["content-encoding", "gzip"]] });
    request.clone();
    const failure = await failureOf(readPieces(request, ignore, { decompress: true }));
    expect(failure).toMatchObject({ code: "ERR_DECODED_CONTENT_TOO_LARGE" });
  });
});

describe("a request of the platform whose stream is anybody's", () => {
  const over = (...pieces: unknown[]): Request =>
    new Request("http://a.example/", {
      method: "POST",
      duplex: "half",
      body: ReadableStream.from(pieces) as ReadableStream,
    });

  it("gives no empty piece", async () => {
    const lengths: number[] = [];
    const request = over(new Uint8Array(0), Buffer.from("ab"), new Uint8Array(0));
    expect(await readPieces(request, ({ length }) => void lengths.push(length))).toBe(2);
    expect(lengths).toEqual([2]);
  });

  it.each([["text"], [new ArrayBuffer(2)], [{}]])(
    "gives nothing but octets, so that they can be counted",
    async (piece) => {
      await expect(readPieces(over(piece), () => expect.unreachable())).rejects.toThrow(TypeError);
    },
  );
});

describe("over a connection", () => {
  let server: Server | null = null;
  const faults: unknown[] = [];
  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = null;
    faults.length = 0;
  });

  async function start(fetch: Handler, maxContentBytes: number = 64 * MIB): Promise<string> {
    const hooks = { onFault: ({ error }: { readonly error: unknown }) => void faults.push(error) };
    server = await serve({ port: 0, fetch, limits: { maxContentBytes }, hooks });
    return server.url.href;
  }

  const octets = Buffer.alloc(5 * MIB, "0123456789");

  it.each([
    ["by length", () => octets],
    ["in chunks", () => ReadableStream.from([octets.subarray(0, 100), octets.subarray(100)])],
  ])("all octets are there, in memory that is used again: %s", async (_how, content) => {
    const memory = new Set<ArrayBufferLike>();
    const url = await start(async (request) => {
      const hash = createHash("sha256");
      const count = await readPieces(request, (piece) => {
        memory.add(piece.buffer);
        hash.update(piece);
      });
      return new Response(`${count} ${hash.digest("hex")}`);
    });
    const response = await fetch(url, { method: "POST", body: content(), duplex: "half" });
    expect(await response.text()).toBe(`${octets.length} ${createHash("sha256").update(octets).digest("hex")}`);
    // It has grown as larger pieces came; a buffer each would be eighty
    expect(memory.size).toBeLessThan(16);
    expect(faults).toEqual([]);
  });

  it.each<[string, (piece: Uint8Array) => unknown]>([
    ["transferred", (piece) => structuredClone(piece, { transfer: [piece.buffer as ArrayBuffer] })],
    [
      "given to a byte stream",
      (piece) => new ReadableStream({ type: "bytes", start: (controller) => controller.enqueue(piece) }),
    ],
    ["written to", (piece) => piece.fill(0)],
  ])("a piece that is %s harms nobody", async (_what, harm) => {
    const url = await start(
      async (request) => new Response(String(await readPieces(request, (piece) => void harm(piece)))),
    );
    const ask = async (): Promise<string> => (await fetch(url, { method: "POST", body: octets })).text();
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array.from({ length: 3 }, () => String(octets.length)));
    expect(faults).toEqual([]);
  });

  it("what is thrown is the answer, and the next request is served", async () => {
    const url = await start(async (request) => {
      await readPieces(request, () => {
        throw new HttpError(422);
      });
      return new Response("never");
    });
    expect((await fetch(url, { method: "POST", body: "x".repeat(300_000) })).status).toBe(422);
    expect((await fetch(url, { method: "POST", body: "y" })).status).toBe(422);
  });

  it("the server's limit holds", async () => {
    const url = await start(async (request) => new Response(String(await readPieces(request, ignore))), 1000);
    const body = (): ReadableStream => ReadableStream.from([Buffer.alloc(2000)]);
    const response = await fetch(url, { method: "POST", body: body(), duplex: "half" });
    expect([response.status, faults]).toEqual([413, []]);
  });

  it("a client that leaves ends it", async () => {
    const failures: unknown[] = [];
    let seen = 0;
    const url = await start(async (request) => {
      await readPieces(request, ({ length }) => void (seen += length)).catch((error) => failures.push(error));
      return new Response("too late");
    });
    const client = connect(Number(new URL(url).port), "127.0.0.1");
    await once(client, "connect");
    client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nten octets");
    await expect.poll(() => seen).toBe(10);
    client.destroy();
    await expect.poll(() => failures).toMatchObject([{ code: "ERR_CONTENT_INCOMPLETE" }]);
  });
});
