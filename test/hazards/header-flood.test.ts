/** Heads, chunk lines and trailer sections without end: each has a limit, and what is refused costs no more than it. */
import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { startVictim, until } from "./support/victim.ts";

const limits = { maxHeadBytes: 4096, maxFields: 20, maxTargetBytes: 512, maxChunkLineBytes: 64, maxTrailerBytes: 1024 };
const read = async (request: globalThis.Request): Promise<Response> => new Response(await request.text());
const START = "GET / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("endless", () => {
  it.each<[string, string, string, string, string]>([
    ["field lines", START, "a: b\r\n", "431", "ERR_TOO_MANY_FIELDS"],
    ["long field lines", START, `x: ${"y".repeat(1000)}\r\n`, "431", "ERR_HEAD_TOO_LARGE"],
    ["a field line", `${START}Cookie: `, "crumbs;".repeat(100), "431", "ERR_HEAD_TOO_LARGE"],
    ["a field name", START, "name".repeat(100), "431", "ERR_HEAD_TOO_LARGE"],
    ["a target", "GET /", "a".repeat(100), "414", "ERR_TARGET_TOO_LONG"],
    ["a chunk-size", CHUNKED, "0".repeat(50), "400", "ERR_CHUNK_"],
    ["a chunk extension", `${CHUNKED}1;a=`, "b".repeat(50), "400", "ERR_CHUNK_LINE_TOO_LONG"],
    [
      "chunks of one octet with extensions",
      CHUNKED,
      "1;a=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\nx\r\n".repeat(1000),
      "400",
      "ERR_CHUNK_OVERHEAD",
    ],
    ["trailers", `${CHUNKED}0\r\n`, "x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(4), "431", "ERR_T"],
    ["empty lines", "", "\r\n".repeat(100), "431", "ERR_HEAD_TOO_LARGE"],
    ["garbage", "", "\u0000\u0001\u0002".repeat(100), "400", "ERR_"],
  ])("%s: refused at the limit", async (_, start, more, status, code) => {
    await using victim = await startVictim({ fetch: read, limits });
    const peer = victim.dial();
    await peer.send(start);
    let isOver = false;
    void peer.closed.then(() => (isOver = true));
    for (let sent = 0; sent < 2000 && victim.refusals.length === 0 && !isOver; sent++) {
      await Promise.race([peer.send(more), peer.closed]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => peer.status !== "" || isOver);
    expect(peer.status).toBe(status);
    expect(victim.refusals).toHaveLength(1);
    expect(victim.refusals[0]).toContain(code);
    expect(await victim.ask()).toBe("200");
  });

  it("says which option would allow it", async () => {
    await using victim = await startVictim({ limits });
    const peer = victim.dial();
    await peer.send(`${START}${"a: b\r\n".repeat(30)}\r\n`);
    await until(() => peer.text.includes("limits."));
    expect(peer.text).toContain("limits.maxFields");
  });
});
