/**
 * What a client sees that is cut off: content whose end only the end of the connection tells must not look whole (RFC 9112 §8).
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { serve, type Server } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";

/** How a client's connection ended: in order, or with the code of an error. */
async function endOf(client: Socket): Promise<string> {
  client.resume();
  const error = once(client, "error").then(([reason]) => (reason as NodeJS.ErrnoException).code ?? "");
  const ended = once(client, "end").then(() => "in order");
  ended.catch(() => {});
  return Promise.race([error, ended]);
}

async function dial(server: Server): Promise<Socket> {
  const client = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  await once(client, "connect");
  return client;
}

it("breaks off content that ends with the connection, when the server is closed at once", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("the first half")),
  });
  const server = await serve({ port: 0, fetch: () => new Response(body) });
  const client = await dial(server);
  client.write("GET / HTTP/1.0\r\n\r\n");
  let heard = "";
  while (!heard.includes("the first half")) heard += String(((await once(client, "data")) as [Buffer])[0]);
  expect(heard).not.toMatch(/content-length|transfer-encoding/i);
  const end = endOf(client);
  server.closeNow();
  expect(await end).toBe("ECONNRESET");
});

it("ends a connection in order that has nothing under way, when the server is closed at once", async () => {
  const server = await serve({ port: 0, fetch: () => new Response("ok") });
  const client = await dial(server);
  client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(client, "data");
  const end = endOf(client);
  server.closeNow();
  expect(await end).toBe("in order");
  client.destroy();
});
