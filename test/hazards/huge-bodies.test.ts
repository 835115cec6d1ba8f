/** Content that is too much, or never ends: refused by `limits.maxContentBytes`, buffered up to `maxBufferedBytes`, drained up to `maxDrainBytes`. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { MIB, startVictim, until } from "./support/victim.ts";

const limits = { maxContentBytes: 256 * 1024, maxBufferedBytes: 64 * 1024, maxDrainBytes: 32 * 1024 };
const read = async (request: globalThis.Request): Promise<Response> => new Response(await request.text());
const stream = async (request: globalThis.Request): Promise<Response> => {
  let bytes = 0;
  for await (const chunk of request.body ?? []) bytes += (chunk as Uint8Array).length;
  return new Response(String(bytes));
};
const CHUNK = `4000\r\n${"x".repeat(0x4000)}\r\n`;

describe("content", () => {
  it("that says to be too large is refused before anybody reads it", async () => {
    await using victim = await startVictim({ fetch: stream, limits });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1000 * MIB}\r\n\r\n`);
    await until(() => peer.status !== "");
    expect(peer.status).toBe("413");
    expect(victim.refusals).toEqual(["ERR_CONTENT_TOO_LARGE"]);
    expect(peer.text).toContain("Connection: close");
  });

  it("that waits for a word is refused without the word", async () => {
    await using victim = await startVictim({ fetch: stream, limits });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${MIB}\r\n\r\n`);
    await until(() => peer.status !== "");
    expect(peer.statuses).toEqual(["413"]);
  });

  it("without end is refused where the limit is, and its sender soon cut off", async () => {
    await using victim = await startVictim({ fetch: stream, limits, timeouts: { lingerMs: 1000 } });
    const peer = victim.dial("127.0.0.1", "stubborn");
    void peer.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let sent = 0; sent < 64 && peer.status === ""; sent++) await peer.send(CHUNK);
    await until(() => peer.status !== "");
    expect(peer.status).toBe("413");
    expect(victim.exchanges[0]?.content.received ?? 0).toBeLessThanOrEqual(limits.maxContentBytes + 64 * 1024);
    // It goes on regardless
    for (let round = 0; round < 100 && victim.server.connections > 0; round++) {
      void peer.send(CHUNK);
      await new Promise((resolve) => setImmediate(resolve));
      victim.time.advance(500);
    }
    expect(victim.server.connections).toBe(0);
  });

  it("is not gathered in memory beyond the limit of that", async () => {
    await using victim = await startVictim({ fetch: read, limits });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${128 * 1024}\r\n\r\n`);
    void peer.send("x".repeat(128 * 1024));
    await until(() => peer.status !== "");
    expect(peer.status).toBe("413");
    expect(victim.refusals).toEqual(["ERR_BUFFERED_CONTENT_TOO_LARGE"]);
  });

  it.each([
    [limits.maxBufferedBytes + 1, "limits.maxBufferedBytes"],
    [limits.maxContentBytes, "limits.maxBufferedBytes"],
    [limits.maxContentBytes + 1, "limits.maxBufferedBytes and limits.maxContentBytes"],
  ])("of %i declared octets is told by every option that would have to allow it", async (length, options) => {
    await using victim = await startVictim({ fetch: read, limits });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
    await until(() => peer.text.includes("would allow it"));
    expect([peer.status, /^ +option +(.*) would allow it$/m.exec(peer.text)?.[1]]).toEqual(["413", options]);
  });

  it.each([
    [64 * 1024, "limits.maxContentBytes"],
    [64 * 1024 + 1, "limits.maxContentBytes and limits.maxBufferedBytes"],
  ])("of %i declared octets is told so where the limit of all content is the tighter one", async (length, options) => {
    const turned = { maxContentBytes: 16 * 1024, maxBufferedBytes: 64 * 1024 };
    await using victim = await startVictim({ fetch: read, limits: turned });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
    await until(() => peer.text.includes("would allow it"));
    expect([peer.status, /^ +option +(.*) would allow it$/m.exec(peer.text)?.[1]]).toEqual(["413", options]);
    expect(victim.refusals).toEqual(["ERR_CONTENT_TOO_LARGE"]);
  });

  it("that nobody reads is drained within the limit, else the connection ends", async () => {
    await using victim = await startVictim({ limits, timeouts: { lingerMs: 1000 } });
    const small = victim.dial();
    await small.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${16 * 1024}\r\n\r\n${"x".repeat(16 * 1024)}`);
    await small.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => small.statuses.length === 2);
    expect(small.statuses).toEqual(["200", "200"]);
    const large = victim.dial();
    await large.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${128 * 1024}\r\n\r\n`);
    await until(() => large.status === "200");
    expect(large.text).toContain("Connection: close");
  });

  it("of which the handler wants only the beginning makes its sender wait", async () => {
    let taken = 0;
    await using victim = await startVictim({
      fetch: async (request) => {
        const reader = (request.body as ReadableStream<Uint8Array>).getReader();
        taken += (await reader.read()).value?.length ?? 0;
        return new Promise<Response>(() => {});
      },
      limits: { maxContentBytes: Infinity },
      timeouts: { minContentRate: 0 },
    });
    const peer = victim.dial();
    await peer.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1000 * MIB}\r\n\r\n`);
    let sent = 0;
    let isStuck = false;
    while (!isStuck && sent < 64 * MIB) {
      isStuck = !peer.socket.write(Buffer.alloc(MIB));
      sent += MIB;
      for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toBeGreaterThan(0);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    expect(victim.exchanges[0]?.content.received ?? 0).toBeLessThan(MIB);
  });
});
