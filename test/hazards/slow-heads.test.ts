/** Slowloris: heads that never end. Each may take `timeouts.headMs` in all, however busily it drips. */
import { describe, expect, it } from "vitest";
import { startVictim, until } from "./support/victim.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: a\r\n";

describe("slow heads", () => {
  it("are answered 408 when their time is over, however often a byte comes", async () => {
    await using victim = await startVictim({ timeouts: { headMs: 5000 } });
    const peer = victim.dial();
    await peer.send(HEAD);
    await victim.ask();
    for (let second = 1; second < 5; second++) {
      victim.time.advance(1000);
      await peer.send(`X-${second}: drip\r\n`);
    }
    expect(peer.text).toBe("");
    victim.time.advance(1500);
    await peer.closed;
    expect(peer.status).toBe("408");
    expect(victim.refusals).toEqual(["ERR_HEAD_TIMEOUT"]);
    expect(victim.exchanges.map(({ request }) => request.target)).toEqual(["/ask"]);
  });

  it("that do not even begin are closed in silence", async () => {
    await using victim = await startVictim({ timeouts: { headMs: 5000 } });
    const peer = victim.dial();
    await until(() => victim.server.connections === 1);
    victim.time.advance(4500);
    expect(victim.server.connections).toBe(1);
    victim.time.advance(1000);
    await peer.closed;
    expect(peer.text).toBe("");
  });

  it("by the hundred keep nobody else from being answered, and are all gone in time", async () => {
    await using victim = await startVictim({ timeouts: { headMs: 5000 } });
    const peers = Array.from({ length: 200 }, () => victim.dial());
    await Promise.all(peers.map((peer) => peer.send(HEAD)));
    await until(() => victim.server.connections === 200);
    expect(await victim.ask()).toBe("200");
    victim.time.advance(6000);
    await Promise.all(peers.map((peer) => peer.closed));
    expect(new Set(peers.map((peer) => peer.status))).toEqual(new Set(["408"]));
    await until(() => victim.server.connections === 0);
    expect(await victim.ask()).toBe("200");
  });

  it("in front of a second request have the same time as the first", async () => {
    await using victim = await startVictim({ timeouts: { headMs: 5000, keepAliveMs: 60_000 } });
    const peer = victim.dial();
    await peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => peer.status === "200");
    victim.time.advance(20_000);
    await peer.send(HEAD);
    await until(() => victim.server.stats.requests === 1);
    await victim.ask();
    victim.time.advance(6000);
    await peer.closed;
    expect(peer.statuses).toEqual(["200", "408"]);
  });
});
