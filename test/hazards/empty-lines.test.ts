/** Empty lines before a request: a few are passed over (RFC 9112 §2.2), a flood counts as head: in octets, and in time. */
import { describe, expect, it } from "vitest";
import { startVictim, until } from "./support/victim.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

describe("empty lines", () => {
  it("are passed over before a request, and between two", async () => {
    await using victim = await startVictim();
    const peer = victim.dial();
    await peer.send(`\r\n\r\n${GET}\r\n${GET}`);
    await until(() => peer.statuses.length === 2);
    expect([peer.statuses, victim.refusals]).toEqual([["200", "200"], []]);
  });

  it("without end are refused where the limit of a head is", async () => {
    await using victim = await startVictim();
    const peer = victim.dial();
    let sent = 0;
    for (; peer.status === "" && sent < 256 * 1024; sent += 2000) await peer.send("\r\n".repeat(1000));
    await until(() => peer.status !== "");
    expect([peer.status, victim.refusals]).toEqual(["431", ["ERR_HEAD_TOO_LARGE"]]);
  });

  it("do not keep a connection alive", async () => {
    await using victim = await startVictim({ timeouts: { headMs: 5000, keepAliveMs: 10_000 } });
    const peer = victim.dial();
    await until(() => victim.server.connections === 1);
    for (let second = 0; second < 12 && victim.server.connections > 0; second++) {
      void peer.send("\r\n");
      expect(await victim.ask()).toBe("200");
      victim.time.advance(1000);
    }
    await peer.closed;
    expect(victim.refusals.every((code) => code === "ERR_HEAD_TIMEOUT")).toBe(true);
  });

  it.each(["\n", "\r", "\r\n\n", "\n\r\n", "\r\r\n", " \r\n", "\0\r\n"])(
    "of another kind are refused: %j",
    async (line) => {
      await using victim = await startVictim();
      const peer = victim.dial();
      await peer.send(`${line}${GET}`);
      await until(() => peer.status !== "");
      expect(peer.statuses).toEqual(["400"]);
    },
  );
});
