/** Slow read: answers that are not taken. A peer must take `timeouts.minContentRate` over a window of twelve graces. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { MIB, startVictim, until } from "./support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const timeouts = { minContentRate: 1000, contentGraceMs: 500 };
/** Twelve graces, of which the first may count what the systems on the way have taken; and the sweep's half second. */
const WINDOW_MS = 2 * 6500;

describe("slow readers", () => {
  it.each<[string, () => Response]>([
    ["one large value", () => new Response(new Uint8Array(64 * MIB))],
    ["a stream", () => new Response(endless())],
  ])("of %s are cut off", async (_, respond) => {
    await using victim = await startVictim({ fetch: respond, timeouts });
    const peer = victim.dial();
    peer.stopReading();
    await peer.send(GET);
    // All that the two systems hold between them is full
    await until(() => victim.exchanges.length === 1);
    await settle(() => victim.exchanges[0]?.contentBytesSent ?? 0);
    victim.time.advance(WINDOW_MS);
    await until(() => victim.server.connections === 0);
    expect(peer.text).toBe("");
  });

  it("make a stream wait: no more is pulled than fits on the way", async () => {
    let pulled = 0;
    await using victim = await startVictim({
      fetch: () => new Response(endless((bytes) => (pulled += bytes))),
      timeouts: { minContentRate: 0 },
    });
    const peer = victim.dial();
    peer.stopReading();
    await peer.send(GET);
    await until(() => pulled > 0);
    await settle(() => pulled);
    // The buffers of the loopback, both sides, take some MiB; nothing else may
    expect(pulled).toBeLessThan(16 * MIB);
    const held = pulled;
    peer.socket.resume();
    await until(() => pulled > held + MIB);
  });

  it("who take what they can are not cut off", async () => {
    await using victim = await startVictim({ fetch: () => new Response(endless()), timeouts });
    const peer = victim.dial();
    peer.stopReading();
    await peer.send(GET);
    await until(() => victim.exchanges.length === 1);
    const sent = (): number => victim.exchanges[0]?.contentBytesSent ?? 0;
    for (let round = 0; round < 10; round++) {
      await settle(sent);
      const before = sent();
      peer.socket.resume();
      // As much as makes room on this side: how much that is, the two systems decide between them
      await until(() => sent() > before);
      peer.stopReading();
      victim.time.advance(3000);
    }
    expect(victim.outcomes).toEqual([]);
    expect(victim.server.connections).toBe(1);
  });
});

function endless(onPull: (bytes: number) => void = () => {}): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const piece = new Uint8Array(64 * 1024);
      onPull(piece.length);
      controller.enqueue(piece);
    },
  });
}

/** Waits until a number has stood still for a hundred turns of the event loop. */
async function settle(read: () => number): Promise<void> {
  let last = -1;
  for (let turns = 0; turns < 100; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (read() !== last) turns = 0;
    last = read();
  }
}
