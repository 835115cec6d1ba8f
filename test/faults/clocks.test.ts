/** Clocks that jump: deadlines and caches go by time that only grows; the wall clock is for Date alone. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get } from "../hazards/support/asked.ts";
import { startVictim, until } from "../hazards/support/victim.ts";

const YEAR_MS = 365 * 86_400_000;

describe.each([
  ["ahead", YEAR_MS],
  ["back", -YEAR_MS],
  ["back before 1970", -100 * YEAR_MS],
])("a wall clock set %s", (_, jumpMs) => {
  it("closes no connection, and keeps none open", async () => {
    await using victim = await startVictim({ timeouts: { keepAliveMs: 10_000 } });
    const peer = victim.dial();
    await peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => peer.status !== "");
    victim.time.wall += jumpMs;
    victim.time.advance(5000);
    expect(await victim.ask()).toBe("200");
    await peer.send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => peer.statuses.length === 2);
    victim.time.advance(11_000);
    await peer.closed;
    expect([peer.statuses, victim.refusals]).toEqual([["200", "200"], []]);
  });

  it("gives answers the date that it shows", async () => {
    await using victim = await startVictim();
    victim.time.wall += jumpMs;
    const { fields } = await get(victim.server.port, "/");
    expect(fields["date"]).toBe(new Date(victim.time.wall).toUTCString());
  });

  it("breaks no download off", async () => {
    let go: () => void = () => {};
    const later = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("one ");
      await later;
      yield Buffer.from("two");
    };
    await using victim = await startVictim({ fetch: () => new Response(slow() as never) });
    const peer = victim.dial();
    await peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await until(() => peer.text.includes("one"));
    victim.time.wall += jumpMs;
    victim.time.advance(1000);
    go();
    await until(() => peer.text.endsWith("0\r\n\r\n"));
    expect(victim.outcomes).toEqual(["complete"]);
  });

  it("serves no file older than a second", async () => {
    await using site = new StaticSite({ "a.txt": "old" });
    let jumped = 0;
    let elapsed = 0;
    const time = { nowMs: () => Date.now() + jumped, elapsedMs: () => elapsed, after: () => () => {} };
    const handler = serveStatic(site.www, { time });
    await using victim = await startVictim({ fetch: handler });
    expect((await get(victim.server.port, "/a.txt")).text).toBe("old");
    jumped = jumpMs;
    site.write("a.txt", "newer", null);
    elapsed += 1100;
    await get(victim.server.port, "/a.txt");
    const seen = async (): Promise<string> => (await get(victim.server.port, "/a.txt")).text;
    let text = await seen();
    for (let tries = 0; tries < 20 && text !== "newer"; tries++) text = await seen();
    expect(text).toBe("newer");
  });
});
