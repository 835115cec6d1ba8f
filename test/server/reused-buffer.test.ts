/** One buffer for all answers: what a client reads slowly is what it was answered with, whatever the next one is answered with. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";

it("is copied for each response, so that a slow reader gets no octet of another's", async () => {
  const buffer = Buffer.alloc(8_000_000);
  let count = 0;
  const server = await serve({
    port: 0,
    fetch: () => {
      buffer.fill(0x41 + count++);
      return new Response(buffer);
    },
  });
  try {
    const slow = connect({ port: server.port, host: "127.0.0.1" });
    slow.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await once(slow, "readable");
    const other = Buffer.from(await (await fetch(server.url)).arrayBuffer());
    expect(other.equals(Buffer.alloc(8_000_000, "B"))).toBe(true);
    const parts: Buffer[] = [];
    slow.on("data", (part: Buffer) => parts.push(part));
    await once(slow, "close");
    const stream = Buffer.concat(parts);
    expect(stream.subarray(stream.indexOf("\r\n\r\n") + 4).equals(Buffer.alloc(8_000_000, "A"))).toBe(true);
  } finally {
    await server.close();
  }
});
