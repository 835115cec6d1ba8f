/** What is asked for again and again is answered from what was made before: the same octets, of the version that is there. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isLasting } from "../../src/http/lasting-octets.ts";
import { serve } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { type Response, takeAnswer } from "../../src/web/response.ts";
import type { Answer, Served } from "./support/static-site.ts";
import { StaticSite } from "./support/static-site.ts";

/** Octets whose period is no power of two. */
function octets(length: number, add = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + add) & 0xff;
  return bytes;
}

const FILE = octets(60_000);

let site: StaticSite;
let served: Served;

beforeEach(async () => {
  site = new StaticSite({ "a.bin": FILE, "b.bin": octets(5000, 1) });
  served = await site.serve();
});

afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

/** Asks on one connection, all at once, and reads to its end. */
async function burst(port: number, requests: readonly string[]): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1" });
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.write(requests.join(""));
  await once(socket, "close");
  return Buffer.concat(parts);
}

/** Splits whole answers with Content-Length. */
function split(stream: Buffer): Array<{ readonly head: string; readonly content: Buffer }> {
  const answers = [];
  for (let at = 0; at < stream.length;) {
    const end = stream.indexOf("\r\n\r\n", at) + 4;
    const head = stream.toString("latin1", at, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    answers.push({ head, content: stream.subarray(end, end + length) });
    at = end + length;
  }
  return answers;
}

describe("a file", () => {
  it("is whole each time, alone and in bursts, whole and in parts by turns", async () => {
    const ranges = [
      null,
      [0, 4999],
      [0, 4999],
      [0, 4999],
      // Begins where the one before does
      [0, 2999],
      [100, 4200],
      [100, 4200],
      [100, 4200],
      null,
      [59_000, 59_999],
    ];
    const requests: string[] = [];
    const expected: Buffer[] = [];
    for (let round = 0; round < 6; round++) {
      for (const range of ranges) {
        requests.push(
          `GET /a.bin HTTP/1.1\r\nHost: a\r\n${range === null ? "" : `Range: bytes=${range.join("-")}\r\n`}\r\n`,
        );
        const [first = 0, last = FILE.length - 1] = range ?? [];
        expected.push(FILE.subarray(first, last + 1));
      }
    }
    requests.push("GET /b.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expected.push(octets(5000, 1));
    for (let time = 0; time < 3; time++) {
      const answers = split(await burst(served.port, requests));
      expect(answers.length).toBe(expected.length);
      answers.forEach(({ content }, i) => expect(content.equals(expected[i] as Buffer)).toBe(true));
    }
  });

  it("is the new one within a second after it was replaced", async () => {
    const get = (): Promise<Answer> => served.get("/b.bin");
    for (let time = 0; time < 5; time++) expect((await get()).body.equals(octets(5000, 1))).toBe(true);
    site.write("b.bin", octets(5000, 2), null);
    const replacedMs = Date.now();
    let answer = await get();
    while (!answer.body.equals(octets(5000, 2))) {
      expect(answer.body.equals(octets(5000, 1))).toBe(true);
      expect(Date.now() - replacedMs).toBeLessThan(2000);
      answer = await get();
    }
  });

  it("reaches whoever reads slowly as it was, while the seconds pass for the others", async () => {
    const socket = connect({ port: served.port, host: "127.0.0.1" });
    const parts: Buffer[] = [];
    // More than the kernel takes for a peer that does not read
    const count = 400;
    socket.write("GET /a.bin HTTP/1.1\r\nHost: a\r\n\r\n".repeat(count - 1));
    socket.write("GET /a.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await once(socket, "readable");
    const dates = new Set<string>();
    while (dates.size < 3) {
      for (let time = 0; time < 4; time++) {
        const answer = await served.get("/a.bin");
        expect(answer.body.equals(FILE)).toBe(true);
        dates.add(answer.headers.date ?? "");
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    socket.on("data", (part: Buffer) => parts.push(part));
    await once(socket, "close");
    const answers = split(Buffer.concat(parts));
    expect(answers.length).toBe(count);
    for (const { head, content } of answers) {
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nDate: \w{3}, [^\r]* GMT\r\n/);
      expect(content.equals(FILE)).toBe(true);
    }
  });
});

describe("a part", () => {
  it("is kept once it was asked for a second time, and no part that was asked for once", async () => {
    const partOf = (range: string): Uint8Array => {
      const response = served.handler(new Request("http://a/a.bin", { headers: { range } }));
      return takeAnswer(response as Response).content as Uint8Array;
    };
    await served.get("/a.bin");
    const again = ["bytes=0-4999", "bytes=0-4999", "bytes=0-4999"].map(partOf);
    expect(again.map(isLasting)).toEqual([false, true, true]);
    expect(again[1]).toBe(again[2]);
    expect(["bytes=1-4999", "bytes=2-4999", "bytes=1-4999"].map(partOf).map(isLasting)).toEqual([false, false, false]);
  });
});

describe("content that middleware has got hold of", () => {
  it("is a copy: what is done to it reaches nobody else", async () => {
    const files = serveStatic(site.www);
    const server = await serve({
      port: 0,
      fetch: async (request, context) => {
        const response = await files(request, context);
        if (!request.url.endsWith("?spoil")) return response;
        (await response.clone().bytes()).fill(0);
        new Uint8Array(await response.clone().arrayBuffer()).fill(0);
        const body = response.body as ReadableStream<Uint8Array>;
        for await (const piece of body) piece.fill(0);
        return new globalThis.Response("spoilt");
      },
    });
    try {
      const get = async (query: string): Promise<Buffer> =>
        Buffer.from(await (await fetch(`http://127.0.0.1:${server.port}/b.bin${query}`)).arrayBuffer());
      for (let time = 0; time < 4; time++) {
        expect((await get("")).equals(octets(5000, 1))).toBe(true);
        expect((await get("?spoil")).toString()).toBe("spoilt");
      }
    } finally {
      await server.close();
    }
  });
});
