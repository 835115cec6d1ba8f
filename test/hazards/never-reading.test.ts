/** Peers that send and never read: what is kept for them is bounded, and they are gone in time. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { MIB, startVictim, until } from "./support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("peers that never read", () => {
  it("and send requests on and on are made to wait, then cut off", async () => {
    const content = "x".repeat(16 * 1024);
    await using victim = await startVictim({
      fetch: () => new Response(content),
      timeouts: { minContentRate: 1000, contentGraceMs: 500 },
    });
    const peers = Array.from({ length: 10 }, () => victim.dial());
    for (const peer of peers) {
      peer.stopReading();
      void peer.send(GET.repeat(10_000));
    }
    const before = process.memoryUsage.rss();
    let last = -1;
    for (let turns = 0; turns < 200; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (victim.server.stats.requests !== last) turns = 0;
      last = victim.server.stats.requests;
    }
    expect(victim.server.stats.requests).toBeLessThan(100_000);
    // 1.6 GB of answers were asked for
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MIB);
    expect(await victim.ask()).toBe("200");
    victim.time.advance(2 * 6500);
    await until(() => victim.server.connections === 0);
    expect(victim.outcomes.filter((outcome) => outcome === "aborted").length).toBeLessThanOrEqual(10);
  });

  it("and were refused are gone after the lingering, though they go on sending", async () => {
    await using victim = await startVictim({ timeouts: { lingerMs: 1000 } });
    const peer = victim.dial();
    peer.stopReading();
    await peer.send("garbage\r\n\r\n");
    await until(() => victim.refusals.length === 1);
    for (let round = 0; round < 20 && victim.server.connections > 0; round++) {
      void peer.send("more garbage ".repeat(100));
      await new Promise((resolve) => setImmediate(resolve));
      victim.time.advance(500);
    }
    expect(victim.server.connections).toBe(0);
  });

  it("and end their side are answered, and forgotten when they do not take it", async () => {
    await using victim = await startVictim({
      fetch: ({ url }) => new Response(url.endsWith("ask") ? "served" : new Uint8Array(32 * MIB)),
      timeouts: { minContentRate: 1000, contentGraceMs: 500 },
    });
    const peer = victim.dial();
    peer.stopReading();
    await peer.send(GET);
    peer.socket.end();
    await until(() => victim.exchanges.length === 1);
    expect(await victim.ask()).toBe("200");
    // The first window counts what the systems on the way have taken
    victim.time.advance(2 * 6500);
    await until(() => victim.server.connections === 0);
  });
});
