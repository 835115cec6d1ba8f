/** An answer that cannot be sent is a 500 in its place, and that has the fields that middleware sets on every answer. */
import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { HttpError } from "../../src/http/errors.ts";
import { cors } from "../../src/middleware/cors.ts";
import { requestId } from "../../src/middleware/request-id.ts";
import { responseHeaders } from "../../src/middleware/response-headers.ts";
import { request, startTestServer } from "../../src/testing/index.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";

function failingStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.error(new Error("no database")),
  });
}

const within = responseHeaders({ "x-within": "1" });

const read = new Response("read");
await read.text();

const UNSENDABLE: readonly (readonly [what: string, handler: Handler, status: number])[] = [
  ["a stream that fails at once", () => new Response(failingStream()), 500],
  ["the same of the platform", () => new globalThis.Response(failingStream()), 500],
  ["a stream that fails at once by an HttpError", () => new Response(refusingStream()), 409],
  ["a declared length that is wrong", () => new Response("three", { headers: { "content-length": "3" } }), 500],
  ["content that was read", () => read, 500],
  ["the same, later", () => Promise.resolve(read), 500],
  ["text for a response", (() => "text") as unknown as Handler, 500],
  ["the same, later", (() => Promise.resolve("text")) as unknown as Handler, 500],
  ["no response", () => undefined, 500],
  ["the same, later", () => Promise.resolve(undefined), 500],
];

function refusingStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.error(new HttpError(409, "no tea left")),
  });
}

describe.each(UNSENDABLE)("%s", (_what, handler, status) => {
  const app = new App()
    .use(cors())
    .use(responseHeaders({ "x-order": "outer" }))
    .use(requestId())
    .use(responseHeaders({ "x-order": "inner", "x-inner": "1" }))
    .get("/", handler)
    .mount("/below", { fetch: handler })
    .mount("/within", { fetch: (asked, context) => within(asked, context, handler) });

  it.each(["/", "/below", "/within"])("is answered with the fields of middleware at %s", async (path) => {
    const answer = await request(app, path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("x-request-id")).toMatch(/./);
    expect([answer.headers.get("x-order"), answer.headers.get("x-inner")]).toEqual(["outer", "1"]);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(answer.headers.get("x-within")).toBe(path === "/within" ? "1" : null);
  });

  it("is so on a connection", async () => {
    await using server = await startTestServer(app.fetch);
    const answer = await server.fetch("/");
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([status, "*"]);
    await answer.text();
  });

  it.each([
    ["onError", handler],
    ["an onError that waits", async (...given: Parameters<Handler>) => handler(...given)],
  ] as const)("is so where %s gives it", async (_who, give) => {
    const failing = new App()
      .use(cors())
      .onError((_error, asked, context) => give(asked, context) as globalThis.Response)
      .get("/", () => {
        throw new Error("no handler");
      });
    const answer = await request(failing, "/");
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([status, "*"]);
  });
});
