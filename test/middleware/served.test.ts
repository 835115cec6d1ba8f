/** Middleware on true connections: what only a socket shows. */
import { once } from "node:events";
import { request as ask } from "node:http";
import { createGunzip } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bearer } from "../../src/middleware/bearer.ts";
import { compress } from "../../src/middleware/compress.ts";
import { timeout } from "../../src/middleware/timeout.ts";
import { serve, type Server } from "../../src/server/server.ts";
import type { Handler, Middleware } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";

function around(middleware: Middleware, handler: Handler): Promise<Server> {
  return serve({ port: 0, fetch: (request, context) => middleware(request, context, handler) });
}

/** A stream that a test feeds, and that says when it was cancelled. */
function tap(): { stream: ReadableStream; give: (text: string) => void; isCancelled: () => boolean } {
  let give: (text: string) => void = () => {};
  let isOver = false;
  const stream = new ReadableStream({
    start: (controller) => {
      give = (text) => {
        if (!isOver) controller.enqueue(Buffer.from(text));
      };
    },
    cancel: () => {
      isOver = true;
    },
  });
  return { stream, give, isCancelled: () => isOver };
}

describe("compress", () => {
  it("hands each event on as it comes, and lets go when the client leaves", async () => {
    const { stream, give, isCancelled } = tap();
    const handler: Handler = () => new Response(stream, { headers: { "content-type": "text/event-stream" } });
    await using server = await around(compress(), handler);
    const client = ask(server.url, { headers: { "accept-encoding": "gzip" } }).end();
    const [response] = (await once(client, "response")) as [
      NodeJS.ReadableStream & { headers: Record<string, string> },
    ];
    expect(response.headers["content-encoding"]).toBe("gzip");
    const events = response.pipe(createGunzip());
    for (const event of ["data: one\n\n", "data: two\n\n"]) {
      give(event);
      const [piece] = (await once(events, "data")) as [Buffer];
      expect(piece.toString()).toBe(event);
    }
    client.destroy();
    // A client that only ends its side may still read: that it has left shows when something is sent (docs/decisions/0005)
    while (!isCancelled()) {
      give("data: more\n\n");
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  });

  it("sends the length of what is coded, and HEAD none", async () => {
    const handler: Handler = () => Response.json("sea ".repeat(1000));
    await using server = await around(compress(), handler);
    const answer = await fetch(server.url, { headers: { "accept-encoding": "gzip" } });
    expect(Number(answer.headers.get("content-length"))).toBeLessThan(200);
    expect(await answer.json()).toBe("sea ".repeat(1000));
    const head = await fetch(server.url, { method: "HEAD", headers: { "accept-encoding": "gzip" } });
    expect([head.status, head.headers.get("content-encoding"), head.headers.get("content-length")]).toEqual([
      200,
      "gzip",
      null,
    ]);
  });

  it("takes no more of a source than a slow client takes of it", async () => {
    let given = 0;
    const piece = Buffer.alloc(64 * 1024);
    const source = (async function* give() {
      for (;;) {
        // Nothing that a coding makes smaller
        for (let i = 0; i < piece.length; i++) piece[i] = Math.floor(Math.random() * 256);
        given++;
        yield Buffer.from(piece);
      }
    })();
    const handler: Handler = () => new Response(source, { headers: { "content-type": "text/plain" } });
    await using server = await around(compress(), handler);
    const client = ask(server.url, { headers: { "accept-encoding": "gzip" } }).end();
    const [response] = (await once(client, "response")) as [NodeJS.ReadableStream];
    response.pause();
    // As soon as nothing is asked for any more: with a client that reads nothing, the buffers of two sockets are full
    let before = -1;
    while (before !== given) {
      before = given;
      for (let turn = 0; turn < 2000; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(given).toBeLessThan(400);
    client.destroy();
  });
});

describe("a refusal", () => {
  it("keeps the connection, and says why", async () => {
    await using server = await around(bearer({ tokens: ["a"] }), () => new Response("in"));
    const answer = await fetch(server.url);
    expect([answer.status, answer.headers.get("www-authenticate"), await answer.text()]).toEqual([
      401,
      'Bearer realm="restricted"',
      "401 Unauthorized\n\nThis needs a token.\n",
    ]);
  });
});

describe("timeout", () => {
  it("answers 503 with an id, as for any fault, and the server goes on", async () => {
    const faults: unknown[] = [];
    const limit = timeout({ ms: 5 });
    const handler: Handler = () => new Promise(() => {});
    await using server = await serve({
      port: 0,
      fetch: (request, context) => limit(request, context, handler),
      timeouts: { drainMs: 0 },
      hooks: { onFault: ({ error }) => void faults.push(error) },
    });
    const answer = await fetch(server.url);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("longer than 5 ms")]);
    expect(faults).toEqual([expect.objectContaining({ status: 503 })]);
  });
});
