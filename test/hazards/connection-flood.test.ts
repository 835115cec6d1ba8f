/** Many connections of one address, bounded by `limits.maxConnectionsPerAddress`: others keep their room. */
import { describe, expect, it } from "vitest";
import { startVictim, until } from "./support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("connections of one address", () => {
  it("beyond the limit are answered 503, those of another address are served", async () => {
    await using victim = await startVictim({
      hostname: "0.0.0.0",
      limits: { maxConnectionsPerAddress: 5 },
    });
    const peers = Array.from({ length: 30 }, () => victim.dial("127.0.0.2"));
    await until(() => victim.server.stats.refusedConnections === 25);
    expect(victim.server.connections).toBe(5);
    const other = victim.dial("127.0.0.3");
    await other.send(GET);
    await until(() => other.status !== "");
    expect(other.status).toBe("200");
    await until(() => peers.filter((peer) => peer.status === "503").length === 25);
    expect(new Set(victim.refusals)).toEqual(new Set(["ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS"]));
  });

  it("are let in again when others have gone", async () => {
    await using victim = await startVictim({ limits: { maxConnectionsPerAddress: 2 } });
    const [first] = [victim.dial(), victim.dial()];
    await until(() => victim.server.connections === 2);
    expect(await victim.ask()).toBe("503");
    first?.socket.destroy();
    await until(() => victim.server.connections === 1);
    expect(await victim.ask()).toBe("200");
  });

  it("that only knock are turned away with bounded means", async () => {
    await using victim = await startVictim({ limits: { maxConnections: 1 }, timeouts: { headMs: 60_000 } });
    victim.dial();
    await until(() => victim.server.connections === 1);
    const knocking = Array.from({ length: 400 }, () => {
      const peer = victim.dial();
      peer.stopReading();
      return peer;
    });
    await until(() => victim.server.stats.refusedConnections === 400);
    expect(victim.server.connections).toBe(1);
    // Those who do not read the answer are cut off with it
    victim.time.advance(3000);
    for (const peer of knocking) peer.socket.resume();
    await Promise.all(knocking.map((peer) => peer.closed));
    expect(knocking.filter((peer) => !["", "503"].includes(peer.status))).toEqual([]);
  });
});
