import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";

it("forwards what fetch brought, though it has taken the coding off", async () => {
  const text = "the same again and again, ".repeat(100);
  await using upstream = await serve({
    port: 0,
    fetch: () =>
      new Response(gzipSync(text), { headers: { "content-encoding": "gzip", "content-type": "text/plain" } }),
  });
  await using server = await serve({ port: 0, fetch: () => fetch(upstream.url) });
  const answer = await fetch(server.url);
  expect(answer.headers.get("content-encoding")).toBeNull();
  expect(await answer.text()).toBe(text);
});

it("answers 500 when the first piece of a stream fails, and breaks off when a later one does", async () => {
  const later = async function* (): AsyncGenerator<string> {
    yield "first";
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error("late");
  };
  const faults: string[] = [];
  await using server = await serve({
    port: 0,
    hooks: { onFault: ({ id, error }) => faults.push(`${id === "" ? "no id" : "id"} ${(error as Error).message}`) },
    fetch: (request) =>
      new URL(request.url).pathname === "/late"
        ? new Response(later())
        : new Response(new ReadableStream({ pull: () => Promise.reject(new Error("early")) })),
  });
  expect((await fetch(new URL("/early", server.url))).status).toBe(500);
  await expect(fetch(new URL("/late", server.url)).then((answer) => answer.text())).rejects.toThrow(
    /terminated|fetch failed/,
  );
  expect(faults).toEqual(["id early", "id late"]);
});
