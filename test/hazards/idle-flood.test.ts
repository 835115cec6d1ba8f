/** Connections that do nothing: bounded in number by `limits.maxConnections`, in time by `headMs` and `keepAliveMs`. */
import { describe, expect, it } from "vitest";
import { startVictim, until } from "./support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("idle connections", () => {
  it("are closed after keepAliveMs, without a word", async () => {
    await using victim = await startVictim({ timeouts: { keepAliveMs: 10_000, headMs: 5000 } });
    const peers = Array.from({ length: 50 }, () => victim.dial());
    await Promise.all(peers.map((peer) => peer.send(GET)));
    await until(() => peers.every((peer) => peer.status === "200"));
    victim.time.advance(9000);
    expect(victim.server.connections).toBe(50);
    victim.time.advance(2000);
    await Promise.all(peers.map((peer) => peer.closed));
    expect(peers.flatMap((peer) => peer.statuses).filter((status) => status !== "200")).toEqual([]);
    expect(victim.refusals).toEqual([]);
  });

  it("up to the limit leave everybody else a 503 that says when to come back, and room once they are gone", async () => {
    await using victim = await startVictim({ limits: { maxConnections: 20 }, timeouts: { headMs: 5000 } });
    const idle = Array.from({ length: 20 }, () => victim.dial());
    await until(() => victim.server.connections === 20);
    const late = victim.dial();
    await late.send(GET);
    await late.closed;
    expect(late.text).toMatch(/^HTTP\/1\.1 503 [^]*Retry-After: \d+\r\n/);
    expect(victim.refusals).toEqual(["ERR_TOO_MANY_CONNECTIONS"]);
    victim.time.advance(6000);
    await Promise.all(idle.map((peer) => peer.closed));
    await until(() => victim.server.connections === 0);
    expect(await victim.ask()).toBe("200");
    expect(victim.server.stats).toMatchObject({ refusedConnections: 1, openConnections: expect.any(Number) as number });
  });

  it("keep no timer each: one clock sweeps them all, and stops when they are gone", async () => {
    await using victim = await startVictim({ timeouts: { headMs: 5000 } });
    expect(victim.time.timers).toBe(0);
    const peers = Array.from({ length: 100 }, () => victim.dial());
    await until(() => victim.server.connections === 100);
    expect(victim.time.timers).toBe(1);
    victim.time.advance(6000);
    await Promise.all(peers.map((peer) => peer.closed));
    await until(() => victim.server.connections === 0);
    victim.time.advance(1000);
    expect(victim.time.timers).toBe(0);
  });
});
