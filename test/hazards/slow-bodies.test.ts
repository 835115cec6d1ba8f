/** R-U-Dead-Yet: content that drips. It must come at `timeouts.minContentRate` once `contentGraceMs` is over. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { startVictim, until } from "./support/victim.ts";

const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
const timeouts = { minContentRate: 100, contentGraceMs: 2000, lingerMs: 100 };
const count = async (request: globalThis.Request): Promise<Response> =>
  new Response(String((await request.arrayBuffer()).byteLength));

describe("slow content", () => {
  it("is answered 408 when it drips below the least rate", async () => {
    await using victim = await startVictim({ fetch: count, timeouts });
    const peer = victim.dial();
    await peer.send(POST);
    await until(() => victim.exchanges.length === 1);
    for (let second = 0; second < 4; second++) {
      await peer.send("x");
      const received = second + 1;
      await until(() => victim.exchanges[0]?.content.received === received || victim.refusals.length > 0);
      victim.time.advance(1000);
    }
    await until(() => peer.status !== "");
    expect(peer.status).toBe("408");
    expect(victim.refusals).toEqual(["ERR_CONTENT_TIMEOUT"]);
  });

  it("is waited for as long as it keeps the rate", async () => {
    await using victim = await startVictim({ fetch: count, timeouts });
    const peer = victim.dial();
    await peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n");
    await until(() => victim.exchanges.length === 1);
    for (let second = 0; second < 20; second++) {
      await peer.send("x".repeat(150));
      const received = 150 * (second + 1);
      await until(() => victim.exchanges[0]?.content.received === received || victim.outcomes.length > 0);
      victim.time.advance(1000);
    }
    await until(() => peer.text.endsWith("3000"));
    expect(peer.status).toBe("200");
  });

  it("is not timed while the handler does not read", async () => {
    let read: () => void = () => {};
    const later = new Promise<void>((resolve) => {
      read = resolve;
    });
    await using victim = await startVictim({
      fetch: async (request) => {
        await later;
        return count(request);
      },
      timeouts,
    });
    const peer = victim.dial();
    await peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    await until(() => victim.exchanges.length === 1);
    victim.time.advance(60_000);
    read();
    await peer.send("four");
    await until(() => peer.text.endsWith("4"));
    expect(peer.status).toBe("200");
  });

  it("by the hundred keeps nobody else from being answered, and is all gone in time", async () => {
    await using victim = await startVictim({
      fetch: (request) => (request.method === "POST" ? count(request) : new Response("served")),
      timeouts,
    });
    const peers = Array.from({ length: 100 }, () => victim.dial());
    await Promise.all(peers.map((peer) => peer.send(POST)));
    await until(() => victim.exchanges.length === 100);
    expect(await victim.ask()).toBe("200");
    victim.time.advance(4000);
    await Promise.all(peers.map((peer) => peer.closed));
    expect(new Set(victim.refusals)).toEqual(new Set(["ERR_CONTENT_TIMEOUT"]));
    expect(victim.refusals).toHaveLength(100);
  });
});
