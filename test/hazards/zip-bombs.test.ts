/**
 * Compression against us. In: a few octets that stand for gigabytes, undone only where `decompress` asks for it, and within bounds.
 * Out: requests that would have us compress without end, or keep the results without end.
 */
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readJson, readMultipart, saveTo } from "../../src/bodies/index.ts";
import { serve } from "../../src/app/serve.ts";
import { compress } from "../../src/middleware/index.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get, say } from "./support/asked.ts";
import { MIB } from "./support/victim.ts";

const ZEROS = Buffer.alloc(64 * MIB, 0x20);
const BOMBS = {
  gzip: gzipSync(ZEROS),
  deflate: deflateSync(ZEROS),
  br: brotliCompressSync(ZEROS),
};

/** A coded POST, and what came of it. */
async function post(
  handler: Handler,
  coding: string,
  content: Buffer,
  type = "application/json",
): Promise<[number, number]> {
  await using server = await serve({ port: 0, fetch: handler });
  const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Encoding: ${coding}\r\nContent-Length: ${content.length}\r\n\r\n`;
  const before = process.memoryUsage();
  const { responses } = await say(server.port, Buffer.concat([Buffer.from(head), content]), ["POST"]);
  const after = process.memoryUsage();
  return [responses[0]?.status ?? 0, after.arrayBuffers - before.arrayBuffers];
}

const READERS: Readonly<Record<string, Handler>> = {
  "readJson": async (request) => Response.json(await readJson(request, { decompress: true })),
  "readJson without limit": async (request) =>
    Response.json(await readJson(request, { decompress: true, maxBytes: Infinity })),
  "saveTo": async (request) => {
    await saveTo(request, "/dev/null/none", { decompress: true, maxBytes: MIB });
    return new Response("saved");
  },
};

describe("a bomb that comes in", () => {
  it.each(
    Object.keys(BOMBS).flatMap((coding) =>
      ["readJson", "readJson without limit"].map((reader) => [coding, reader] as const),
    ),
  )("as %s is refused by %s long before it is undone", async (coding, reader) => {
    const [status, bytes] = await post(READERS[reader] as Handler, coding, BOMBS[coding as keyof typeof BOMBS]);
    expect(status).toBe(413);
    expect(bytes).toBeLessThan(8 * MIB);
  });

  it("within a bomb is not undone twice", async () => {
    const [status] = await post(READERS["readJson"] as Handler, "gzip, gzip", gzipSync(BOMBS.gzip));
    expect(status).toBe(415);
  });

  it.each(["gzip", "br", "deflate"])(
    "as %s is left as it is where nobody has asked for it to be undone",
    async (coding) => {
      const [status] = await post(async (request) => Response.json(await readJson(request)), coding, BOMBS.br);
      expect(status).toBe(415);
      const [plain, bytes] = await post(
        async (request) => new Response(String((await request.arrayBuffer()).byteLength)),
        coding,
        BOMBS.br,
      );
      expect([plain, bytes < MIB]).toEqual([200, true]);
    },
  );

  it.each<[string, Buffer]>([
    ["cut short", gzipSync(Buffer.alloc(1000, "a")).subarray(0, 20)],
    ["followed by something else", Buffer.concat([gzipSync("1"), Buffer.from("garbage")])],
    ["none at all", Buffer.from("garbage")],
    ["empty", Buffer.alloc(0)],
  ])("that is %s is the client's mistake", async (_, content) => {
    const [status] = await post(READERS["readJson"] as Handler, "gzip", content);
    expect(status).toBe(400);
  });

  it("in a part of a form stays as it is", async () => {
    let length = 0;
    const part = Buffer.concat([
      Buffer.from('--x\r\nContent-Disposition: form-data; name="f"; filename="a.gz"\r\nContent-Encoding: gzip\r\n\r\n'),
      BOMBS.br,
      Buffer.from("\r\n--x--\r\n"),
    ]);
    const [status] = await post(
      async (request) => {
        for await (const one of readMultipart(request)) length += (await one.bytes()).length;
        return new Response("");
      },
      "identity",
      part,
      "multipart/form-data; boundary=x",
    );
    expect([status, length]).toEqual([200, BOMBS.br.length]);
  });
});

describe("compression on the way out", () => {
  it("keeps no more in memory than the cache may have, whatever is asked for", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`${index}.txt`, Buffer.alloc(100_000, `text ${index} `)]),
    );
    await using site = new StaticSite(files);
    const served = await site.serve({ maxCacheBytes: MIB });
    for (const coding of ["gzip", "br", "gzip;q=0.5, br;q=0.4", "*", "identity"]) {
      for (const name of Object.keys(files)) await get(served.port, `/${name}`, { "Accept-Encoding": coding });
    }
    expect(served.handler.stats().bytes).toBeLessThanOrEqual(MIB);
  });

  it("is made once, however many ask at once", async () => {
    await using site = new StaticSite({ "a.txt": Buffer.alloc(900_000, "some text ") });
    const served = await site.serve();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => get(served.port, "/a.txt", { "Accept-Encoding": "br" })),
    );
    expect(new Set(answers.map(({ fields }) => fields["content-encoding"]))).toEqual(new Set(["br"]));
    expect(served.handler.stats().entries).toBe(1);
  });

  it("leaves large files alone", async () => {
    await using site = new StaticSite({ "large.txt": Buffer.alloc(9 * MIB, "a") });
    const served = await site.serve();
    const { fields } = await get(served.port, "/large.txt", { "Accept-Encoding": "gzip" }, "HEAD");
    expect([fields["content-encoding"], fields["content-length"]]).toEqual([undefined, String(9 * MIB)]);
  });

  it("of a stream without end goes no faster than its reader takes it", async () => {
    let made = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (; made < 4000; made++) yield Buffer.alloc(64 * 1024, made % 256);
    };
    const inner = compress({ minBytes: 0 });
    await using server = await serve({
      port: 0,
      fetch: (request, context) =>
        inner(request, context, () => new Response(endless() as never, { headers: { "content-type": "text/plain" } })),
    });
    const { connect } = await import("node:net");
    const socket = connect({ port: server.port, host: "127.0.0.1" }).pause();
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n");
    let last = -1;
    while (made === 0 || made !== last) {
      last = made;
      for (let turns = 0; turns < 500; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
    expect(made).toBeLessThan(1000);
  });

  it("of hostile wishes is still right", async () => {
    await using site = new StaticSite({ "a.txt": Buffer.alloc(9000, "some text ") });
    const served = await site.serve();
    for (const wish of [
      "gzip".repeat(1000),
      "gzip, ".repeat(1500),
      `gzip;q=${"0".repeat(3000)}`,
      "*;q=0.001".repeat(500),
      "gzip;q=1;q=0",
      "x-gzip",
    ]) {
      const { status, fields, text } = await get(served.port, "/a.txt", { "Accept-Encoding": wish });
      const bytes = Buffer.from(text, "latin1");
      expect(status).toBe(200);
      expect((fields["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).length).toBe(9000);
    }
  });
});
