import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { serve } from "../../src/server/server.ts";

it("answers a client that has ended its side, however long the answer takes", async () => {
  let answer: (response: Response) => void = () => {};
  await using server = await serve({ port: 0, fetch: () => new Promise((resolve) => (answer = resolve)) });
  const client = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  client.end("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  let heard = "";
  client.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
    // Asked whether it is still there: it is
    if (heard.includes("102 Processing")) answer(new Response("late"));
  });
  await once(client, "end");
  expect(heard).toMatch(/^HTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*late$/);
});

it("aborts the signal of a request whose client has left without a reset", async () => {
  let leave: () => void = () => {};
  const left = new Promise<unknown>((resolve) => {
    leave = () => resolve(null);
  });
  let isServed: () => void = () => {};
  const served = new Promise<void>((resolve) => (isServed = resolve));
  await using server = await serve({
    port: 0,
    fetch: (request) => {
      isServed();
      return new Promise((_resolve, reject) => {
        request.signal.addEventListener("abort", () => {
          leave();
          reject(request.signal.reason as Error);
        });
      });
    },
  });
  const controller = new AbortController();
  const failure = fetch(server.url, { signal: controller.signal }).catch((error: unknown) => error);
  await served;
  controller.abort();
  await left;
  expect(await failure).toMatchObject({ name: "AbortError" });
});

it.each(["destroy", "resetAndDestroy"] as const)(
  "aborts the signal of a request on a kept connection whose client leaves by %s, before content that nobody has read",
  async (leave) => {
    let isServed: () => void = () => {};
    const served = new Promise<void>((resolve) => (isServed = resolve));
    let hear: (reason: unknown) => void = () => {};
    const heard = new Promise<unknown>((resolve) => (hear = resolve));
    await using server = await serve({
      port: 0,
      fetch: (request) => {
        if (request.method === "GET") return new Response("kept");
        return new Promise((_resolve, reject) => {
          request.signal.addEventListener("abort", () => {
            hear(request.signal.reason);
            reject(request.signal.reason as Error);
          });
          isServed();
        });
      },
    });
    const client = connect({ port: server.port, host: "127.0.0.1" });
    client.on("error", () => {});
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(client, "data");
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n${"x".repeat(50_000)}`);
    await served;
    client[leave]();
    expect(await heard).toBeInstanceOf(Error);
  },
);
