/**
 * Whole journeys through serve() on real sockets, where the rooms must play together: slow peers, large content both ways,
 * early answers, files that change, upgrades, many connections.
 */

import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileSlice, Outcome, Refusal } from "../../src/http/exchange.ts";
import { type Server, serve, startServer } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";
import { ManualTime } from "./support/manual-time.ts";
import { readAll, until } from "./support/open-connections.ts";

const MIB = 1024 * 1024;

async function dial(server: Server, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const client = connect({ port: server.port, host: "127.0.0.1", ...options });
  await once(client, "connect");
  return client;
}

const GET_CLOSE = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

function contentOf(message: Buffer): Buffer {
  return message.subarray(message.indexOf("\r\n\r\n") + 4);
}

describe("a slow reader", () => {
  it("is cut off when it takes nothing for a minute, and the handler hears why", async () => {
    const time = new ManualTime();
    const reasons: unknown[] = [];
    const outcomes: Outcome[] = [];
    await using server = await startServer(
      {
        port: 0,
        hooks: { onResponse: (response) => outcomes.push(response.outcome) },
        fetch: (request) => {
          request.signal.addEventListener("abort", () => reasons.push(request.signal.reason));
          return new Response(
            new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(MIB)) }),
          );
        },
      },
      time,
    );
    const client = await dial(server);
    client.on("error", () => {});
    client.pause();
    client.write(GET_CLOSE);
    // The source is asked until the kernel takes no more
    await until(() => server.stats.requests === 1);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    time.advance(59_000);
    expect(server.connections).toBe(1);
    time.advance(62_000);
    await until(() => server.connections === 0);
    expect(outcomes).toEqual(["aborted"]);
    await until(() => reasons.length === 1);
    expect(reasons[0]).toMatchObject({ name: "AbortError", cause: { code: "ERR_SEND_TIMEOUT" } });
    client.destroy();
  });

  it("gets all when it is slow but not silent", async () => {
    const time = new ManualTime();
    await using server = await startServer({ port: 0, fetch: () => new Response(new Uint8Array(24 * MIB)) }, time);
    const client = await dial(server);
    client.pause();
    client.write(GET_CLOSE);
    await until(() => server.stats.requests === 1);
    let received = 0;
    let isOver = false;
    client.on("end", () => (isOver = true));
    // Reads a little, then half a minute passes
    while (!isOver) {
      const before = received;
      client.resume();
      await new Promise<void>((resolve) => {
        const take = (chunk: Buffer): void => {
          received += chunk.length;
          if (received - before < 2 * MIB) return;
          client.off("data", take);
          client.off("end", resolve);
          client.pause();
          resolve();
        };
        client.on("data", take);
        client.once("end", resolve);
      });
      time.advance(30_000);
    }
    expect(received).toBeGreaterThan(24 * MIB);
  });
});

describe("content of requests", () => {
  it("arrives whole, however large, and is not piled up", async () => {
    let most = 0;
    await using server = await serve({
      port: 0,
      limits: { maxContentBytes: 64 * MIB },
      fetch: async (request) => {
        let bytes = 0;
        if (request.body !== null) {
          for await (const chunk of request.body as ReadableStream<Uint8Array>) {
            most = Math.max(most, chunk.length);
            bytes += chunk.length;
          }
        }
        return new Response(String(bytes));
      },
    });
    const response = await fetch(server.url, { method: "POST", body: new Uint8Array(48 * MIB) });
    expect(await response.text()).toBe(String(48 * MIB));
    expect(most).toBeLessThanOrEqual(64 * 1024);
  });

  it("that nobody reads makes the peer wait, and goes on when somebody does", async () => {
    let read: () => void = () => {};
    const wanted = new Promise<void>((resolve) => (read = resolve));
    await using server = await serve({
      port: 0,
      fetch: async (request) => {
        await wanted;
        return new Response(String((await request.arrayBuffer()).byteLength));
      },
      limits: { maxContentBytes: Infinity, maxBufferedBytes: Infinity },
    });
    const client = await dial(server);
    const length = 24 * MIB;
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
    for (let i = 0; i < 24; i++) client.write(Buffer.alloc(MIB));
    await until(() => server.stats.requests === 1);
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(client.writableLength).toBeGreaterThan(8 * MIB);
    read();
    expect(String(contentOf(await readAll(client)))).toBe(String(length));
  });

  it("that is too large is refused while it still comes, and the client can read that", async () => {
    const refusals: Refusal[] = [];
    await using server = await serve({
      port: 0,
      hooks: { onRefusal: (refusal) => refusals.push(refusal) },
      limits: { maxContentBytes: 1000, maxBufferedBytes: Infinity },
      fetch: async (request) => new Response(await request.text()),
    });
    for (const framing of ["Content-Length: 10000000", "Transfer-Encoding: chunked"]) {
      const client = await dial(server);
      client.on("error", () => {});
      client.write(`POST / HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`);
      client.write("989680\r\n");
      const piece = Buffer.alloc(10_000);
      const pour = setInterval(() => client.write(piece), 1);
      let heard = "";
      client.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
      await until(() => heard.includes("ERR_CONTENT_TOO_LARGE"));
      clearInterval(pour);
      client.destroy();
      expect(heard).toMatch(/^HTTP\/1.1 413 /);
    }
    expect(refusals.map((refusal) => refusal.error.code)).toEqual(["ERR_CONTENT_TOO_LARGE", "ERR_CONTENT_TOO_LARGE"]);
  });

  it("that breaks off aborts the handler's reading", async () => {
    let failure: unknown = null;
    await using server = await serve({
      port: 0,
      fetch: async (request) => {
        try {
          return new Response(await request.text());
        } catch (error) {
          failure = error;
          throw error;
        }
      },
    });
    const client = await dial(server);
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    await until(() => server.stats.requests === 1);
    client.destroy();
    await until(() => failure !== null);
    await until(() => server.connections === 0);
    expect(failure).toBeInstanceOf(Error);
  });
});

describe("a file as content", () => {
  let folder = "";
  const bytes = Buffer.alloc(3 * MIB + 17);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + (i >> 8) * 13) & 0xff;
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  function slice(name: string, start: number, length: number, onRelease: () => void): FileSlice {
    const fd = openSync(join(folder, name), "r");
    return {
      fd,
      start,
      length,
      release() {
        closeSync(fd);
        onRelease();
      },
    };
  }

  it("is sent whole or in part, on one connection one after the other", async () => {
    writeFileSync(join(folder, "file"), bytes);
    let releases = 0;
    const parts = [
      [0, bytes.length],
      [5, 1000],
      [MIB, MIB + 1],
      [7, 0],
    ] as const;
    await using server = await serve({
      port: 0,
      fetch: (request) => {
        const [start, length] = parts[Number(new URL(request.url).pathname.slice(1))] as readonly [number, number];
        return new Response(slice("file", start, length, () => releases++));
      },
    });
    const client = await dial(server);
    const get = (index: number): string =>
      `GET /${index} HTTP/1.1\r\nHost: x\r\n${index === 3 ? "Connection: close\r\n" : ""}\r\n`;
    client.write(parts.map((_, index) => get(index)).join(""));
    let rest = await readAll(client);
    for (const [start, length] of parts) {
      const content = contentOf(rest);
      expect(rest.subarray(0, rest.length - content.length).toString()).toContain(`Content-Length: ${length}\r\n`);
      expect(content.subarray(0, length).equals(bytes.subarray(start, start + length))).toBe(true);
      rest = content.subarray(length);
    }
    expect(rest.length).toBe(0);
    expect(releases).toBe(parts.length);
  });

  it("that is truncated while it is sent breaks the connection instead of looking whole", async () => {
    const path = join(folder, "shrinking");
    writeFileSync(path, Buffer.alloc(40 * MIB));
    let releases = 0;
    const outcomes: Outcome[] = [];
    await using server = await serve({
      port: 0,
      hooks: { onResponse: (response) => outcomes.push(response.outcome), onFault: () => {} },
      fetch: () => new Response(slice("shrinking", 0, 40 * MIB, () => releases++)),
    });
    const client = await dial(server);
    client.pause();
    client.write(GET_CLOSE);
    await until(() => server.stats.requests === 1);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    truncateSync(path, MIB);
    let received = 0;
    client.on("error", () => {});
    client.on("data", (chunk: Buffer) => (received += chunk.length));
    const closed = new Promise((resolve) => client.once("close", resolve));
    client.resume();
    await closed;
    await until(() => outcomes.length === 1 && releases === 1);
    expect(received).toBeLessThan(40 * MIB);
    expect(outcomes).toEqual(["broken"]);
  });

  it("is released when the client leaves in the middle", async () => {
    writeFileSync(join(folder, "left"), Buffer.alloc(40 * MIB));
    let releases = 0;
    const faults: unknown[] = [];
    const outcomes: Outcome[] = [];
    await using server = await serve({
      port: 0,
      hooks: {
        onFault: (fault) => faults.push(fault.error),
        onResponse: (response) => outcomes.push(response.outcome),
      },
      fetch: () => new Response(slice("left", 0, 40 * MIB, () => releases++)),
    });
    const client = await dial(server);
    client.write(GET_CLOSE);
    await once(client, "data");
    client.destroy();
    await until(() => server.connections === 0 && releases === 1);
    expect(releases).toBe(1);
    expect(outcomes).toEqual(["aborted"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(faults).toEqual([]);
  });

  it("is not sent to HEAD, but released", async () => {
    writeFileSync(join(folder, "head"), bytes);
    let releases = 0;
    await using server = await serve({
      port: 0,
      fetch: () => new Response(slice("head", 0, bytes.length, () => releases++)),
    });
    const response = await fetch(server.url, { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe(String(bytes.length));
    expect(releases).toBe(1);
  });
});

describe("connections", () => {
  it("carry another protocol after an upgrade, and hold back the end of close() until it ends", async () => {
    await using server = await serve({
      port: 0,
      fetch: (_, context) => {
        const tunnel = context.upgrade();
        context.waitUntil(tunnel.readable.pipeTo(tunnel.writable));
        return undefined;
      },
    });
    const client = await dial(server);
    client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ");
    let heard = "";
    client.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
    await until(() => heard.includes("early "));
    expect(heard).toMatch(/^HTTP\/1.1 101 /);
    const large = "x".repeat(MIB);
    client.write(large);
    await until(() => heard.endsWith(large));
    let isClosed = false;
    const closed = server.close().then(() => (isClosed = true));
    client.write("last words");
    await until(() => heard.endsWith("last words"));
    expect(isClosed).toBe(false);
    client.end();
    await closed;
  });

  it("by the hundred, with bursts each, get their own answers in their order", async () => {
    await using server = await serve({ port: 0, fetch: (request) => new Response(`<${new URL(request.url).search}>`) });
    const heard = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const client = await dial(server);
        const requests = Array.from({ length: 20 }, (__, i) => `GET /?${n}-${i} HTTP/1.1\r\nHost: x\r\n\r\n`).join("");
        // In pieces that no request ends with
        for (let at = 0; at < requests.length; at += 97) client.write(requests.slice(at, at + 97));
        client.end();
        return String(await readAll(client)).match(/<[^>]*>/g);
      }),
    );
    heard.forEach((answers, n) => expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => `<?${n}-${i}>`)));
    expect(server.stats.requests).toBe(2000);
  });

  it("that are reset in the middle of everything leave nothing behind", async () => {
    await using server = await serve({
      port: 0,
      fetch: async (request) => {
        await request.text();
        return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }));
      },
      hooks: { onFault: (fault) => expect.unreachable(String(fault.error)) },
    });
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const client = await dial(server);
        client.on("error", () => {});
        const closed = new Promise((resolve) => client.once("close", resolve));
        if (i % 4 > 0) client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
        if (i % 4 > 1) client.write("abc");
        if (i % 4 > 2) await once(client, "data");
        client.resetAndDestroy();
        await closed;
      }),
    );
    await until(() => server.connections === 0);
    expect(server.stats.acceptedConnections).toBe(100);
  });
});
