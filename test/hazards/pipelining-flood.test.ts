/** Requests without end on one connection: no more are taken on than answers are read. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { MIB, startVictim, until } from "./support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("pipelined requests", () => {
  it("are all answered, in order, when their sender reads", async () => {
    let serial = 0;
    await using victim = await startVictim({ fetch: () => new Response(`<${serial++}>`) });
    const peer = victim.dial();
    await peer.send(GET.repeat(20_000));
    await until(() => peer.text.endsWith("<19999>"));
    expect([...peer.text.matchAll(/<(\d+)>/g)].map(([, number]) => Number(number))).toEqual(
      Array.from({ length: 20_000 }, (_, index) => index),
    );
  });

  it("wait when their sender does not read the answers", async () => {
    const content = new Uint8Array(64 * 1024);
    await using victim = await startVictim({
      fetch: () => new Response(content),
      timeouts: { minContentRate: 1000, contentGraceMs: 500 },
    });
    const peer = victim.dial();
    peer.stopReading();
    void peer.send(GET.repeat(50_000));
    await until(() => victim.server.stats.requests > 0);
    let last = -1;
    for (let turns = 0; turns < 200; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (victim.server.stats.requests !== last) turns = 0;
      last = victim.server.stats.requests;
    }
    // What the systems hold on the way, and one read's worth of requests
    expect(victim.server.stats.requests * content.length).toBeLessThan(200 * MIB);
    expect(victim.server.stats.requests).toBeLessThan(5000);
    expect(await victim.ask()).toBe("200");
    victim.time.advance(2 * 6500);
    await until(() => victim.server.connections === 0);
  });

  it("wait for a slow answer before them: one request at a time is under way", async () => {
    const waiting: Array<(response: Response) => void> = [];
    await using victim = await startVictim({ fetch: () => new Promise<Response>((resolve) => waiting.push(resolve)) });
    const peer = victim.dial();
    await peer.send(GET.repeat(1000));
    await until(() => waiting.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(waiting).toHaveLength(1);
    waiting[0]?.(new Response("first"));
    await until(() => waiting.length === 2);
    await until(() => peer.statuses.length === 1);
  });

  it("end at maxRequestsPerConnection", async () => {
    await using victim = await startVictim({ limits: { maxRequestsPerConnection: 3 } });
    const peer = victim.dial();
    await peer.send(GET.repeat(10));
    await peer.closed;
    expect(peer.statuses).toEqual(["200", "200", "200"]);
    expect(peer.text.match(/Connection: close/g)).toHaveLength(1);
  });
});
