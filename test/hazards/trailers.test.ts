/** Trailer sections: bounded, checked, and never what a head is: framing, routing, credentials (RFC 9110 §6.5.1, RFC 9112 §7.1.2). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeHandler } from "../../src/node/index.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";
import { get, say } from "./support/asked.ts";
import { startVictim, until } from "./support/victim.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n";
const seen = async (request: globalThis.Request): Promise<Response> => {
  await request.text();
  return Response.json([...request.headers].map(([name]) => name));
};

let server: Server;
beforeAll(async () => {
  server = await serve({ port: 0, fetch: seen });
});
afterAll(() => server.closeNow());

describe("a trailer section", () => {
  it.each(["X-Checksum: 1", "Digest: a\r\nX-B: c", "x:", "Server-Timing: a"])(
    "is read and changes nothing of the request: %j",
    async (lines) => {
      const { responses, faults } = await say(server.port, `${HEAD}${lines}\r\n\r\n`, ["POST"]);
      expect([responses[0]?.content.toString(), faults]).toEqual(['["connection","host","transfer-encoding"]', []]);
    },
  );

  it.each([
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Host: evil",
    "Authorization: Basic YTpi",
    "Cookie: a=b",
    "Content-Type: text/html",
    "Content-Encoding: gzip",
    "Content-Range: bytes 0-1/2",
    "Cache-Control: no-store",
    "Expect: 100-continue",
    "If-None-Match: *",
    "Range: bytes=0-1",
    "TE: trailers",
    "Trailer: a",
    "Connection: keep-alive",
    "Set-Cookie: a=b",
    "CoNtEnT-LeNgTh: 5",
  ])("must not hold what frames, routes, modifies or authenticates: %s", async (line) => {
    const { responses } = await say(server.port, `${HEAD}${line}\r\n\r\n`, ["POST"]);
    expect(responses.map(({ status }) => status)).toEqual([400]);
  });

  it.each([
    ["of too many octets", `X: ${"a".repeat(9000)}`, 431],
    ["of too many lines", "X: a\r\n".repeat(101).trimEnd(), 431],
    ["with a bare LF", "X: a\nY: b", 400],
    ["with a bare CR", "X: a\rY: b", 400],
    ["with NUL", "X: a\0", 400],
    ["with a folded line", "X: a\r\n b", 400],
    ["with a space before the colon", "X : a", 400],
    ["without a colon", "X", 400],
    ["without a name", ": a", 400],
  ])("%s is refused", async (_, lines, status) => {
    const { responses } = await say(server.port, `${HEAD}${lines}\r\n\r\n`, ["POST"]);
    expect(responses.map((response) => response.status)).toEqual([status]);
  });

  it("without end does not grow", async () => {
    await using victim = await startVictim({ fetch: seen });
    const peer = victim.dial();
    await peer.send(HEAD);
    for (let sent = 0; peer.status === "" && sent < 200; sent++) await peer.send(`X-${sent}: ${"a".repeat(1000)}\r\n`);
    await until(() => peer.status !== "");
    expect([peer.status, victim.refusals]).toEqual(["431", ["ERR_TRAILERS_TOO_LARGE"]]);
  });

  it("that never comes to its end is a slow body", async () => {
    await using victim = await startVictim({ fetch: seen, timeouts: { minContentRate: 100, contentGraceMs: 2000 } });
    const peer = victim.dial();
    await peer.send(HEAD);
    await until(() => victim.exchanges.length === 1);
    expect(await victim.ask()).toBe("200");
    victim.time.advance(4000);
    await until(() => peer.status !== "");
    expect([peer.status, victim.refusals]).toEqual(["408", ["ERR_CONTENT_TIMEOUT"]]);
  });
});

describe("trailers of an answer", () => {
  it("are not sent to who has not asked for them", async () => {
    await using node = await serve({
      port: 0,
      fetch: nodeHandler((_, response) => {
        response.write("hello");
        response.addTrailers({ "x-checksum": "1" });
        response.end();
      }),
    });
    const plain = await say(node.port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", ["GET"]);
    expect([plain.responses[0]?.trailers, plain.faults]).toEqual([[], []]);
    const asking = await say(node.port, "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n", [
      "GET",
    ]);
    expect([asking.responses[0]?.trailers, asking.faults]).toEqual([[["x-checksum", "1"]], []]);
    expect((await get(node.port, "/", { TE: "trailers" }, "HEAD")).faults).toEqual([]);
  });
});
