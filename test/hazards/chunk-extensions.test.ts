/** Chunk extensions: unread, checked, and bounded by `limits.maxChunkLineBytes` and by the content that comes with them (RFC 9112 §7.1.1). */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { startVictim, until } from "./support/victim.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const echo = async (request: globalThis.Request): Promise<Response> => new Response(await request.text());

describe("chunk extensions", () => {
  it.each(["a", "a=b", 'a="b;c\\"d"', 'a=" \t"', " ; a = b", "a;b;c=d;e", `a=${"b".repeat(200)}`])(
    "are passed over: %j",
    async (extension) => {
      await using victim = await startVictim({ fetch: echo });
      const peer = victim.dial();
      const line = extension.startsWith(" ") ? extension : `;${extension}`;
      await peer.send(`${HEAD}5${line}\r\nhello\r\n0${line}\r\n\r\n`);
      await until(() => peer.status !== "");
      expect([peer.status, peer.text.endsWith("hello"), victim.refusals]).toEqual(["200", true, []]);
    },
  );

  it.each([
    [";", "ERR_CHUNK_EXTENSION"],
    [";=b", "ERR_CHUNK_EXTENSION"],
    [";a=", "ERR_CHUNK_EXTENSION"],
    [';a="b', "ERR_CHUNK_EXTENSION"],
    [";a=b c", "ERR_CHUNK_EXTENSION"],
    [";a\0", "ERR_CHUNK_EXTENSION"],
    [";a\n", "ERR_BARE_LF"],
    [";a\r", "ERR_BARE_CR"],
    [`;a=${"b".repeat(300)}`, "ERR_CHUNK_LINE_TOO_LONG"],
    [";a".repeat(200), "ERR_CHUNK_LINE_TOO_LONG"],
  ])("that are none, or too long, are refused: %j", async (line, code) => {
    await using victim = await startVictim({ fetch: echo });
    const peer = victim.dial();
    await peer.send(`${HEAD}5${line}\r\nhello\r\n0\r\n\r\n`);
    await until(() => peer.status !== "");
    expect([peer.statuses, victim.refusals]).toEqual([["400"], [code]]);
  });

  it("that are most of what comes are refused long before the content is much", async () => {
    await using victim = await startVictim({ fetch: echo });
    const peer = victim.dial();
    const chunk = `1;${"a".repeat(240)}\r\nx\r\n`;
    await peer.send(HEAD);
    await peer.send(chunk.repeat(200));
    await until(() => peer.status !== "");
    expect([peer.status, victim.refusals]).toEqual(["400", ["ERR_CHUNK_OVERHEAD"]]);
    // 16 KiB of lines
    expect(victim.exchanges[0]?.content.received).toBeLessThan(100);
  });

  it("that never end do not grow", async () => {
    await using victim = await startVictim({ fetch: echo });
    const peer = victim.dial();
    await peer.send(`${HEAD}5;`);
    for (let sent = 0; peer.status === "" && sent < 64; sent++) await peer.send("a".repeat(16));
    await until(() => peer.status !== "");
    expect([peer.status, victim.refusals]).toEqual(["400", ["ERR_CHUNK_LINE_TOO_LONG"]]);
  });
});
