/** Each case begins with modules of its own, and so with classes that nobody has looked behind yet. */

import { beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryExchange } from "./support/memory-exchange.ts";

const load = async () => ({
  headers: await import("../../src/web/headers.ts"),
  request: await import("../../src/web/request.ts"),
  response: await import("../../src/web/response.ts"),
  handler: await import("../../src/web/handler.ts"),
});

let web: Awaited<ReturnType<typeof load>>;
beforeEach(async () => {
  vi.resetModules();
  web = await load();
});

const TOUCHED = ["Request", "Response", "Headers", "FormData", "fetch"] as const;

/** Runs an act and tells which of the platform's classes it looked at. */
async function lookedAt(act: () => unknown): Promise<string[]> {
  const seen = new Set<string>();
  const originals = TOUCHED.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)!] as const);
  for (const [name, descriptor] of originals) {
    const value: unknown = Reflect.get(globalThis, name);
    Object.defineProperty(globalThis, name, {
      configurable: true,
      enumerable: descriptor.enumerable ?? false,
      get: () => (seen.add(name), value),
    });
  }
  try {
    await act();
  } finally {
    for (const [name, descriptor] of originals) Object.defineProperty(globalThis, name, descriptor);
  }
  return [...seen];
}

describe("the platform's fetch", () => {
  it("is not loaded by a day's work", async () => {
    const seen = await lookedAt(async () => {
      const { Response } = web.response;
      const handle = web.handler.createExchangeHandler(
        async (request) => {
          if (request.method === "GET") return new Response(`${request.url} ${request.headers.get("a")}`);
          const data = await request.json();
          return Response.json(data, { status: 201, headers: { "x-a": "1" } });
        },
        { maxBufferedBytes: 1000, onFault: () => {}, waitUntil: () => {} },
      );
      const requests = [
        {},
        { method: "POST", content: "[1]" },
        { method: "POST", content: "[" },
        { method: "OPTIONS", target: "*" },
      ];
      for (const request of requests) {
        const exchange = new MemoryExchange(request);
        handle(exchange);
        await exchange.answered;
        expect(exchange.status).toBeGreaterThan(0);
      }
      void new Response({ fd: 1, start: 0, length: 0, release() {} });
      void new Response(new ReadableStream());
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ["a response", () => new web.response.Response("x") instanceof globalThis.Response],
    ["a request", () => web.request.requestOf(new MemoryExchange(), 1) instanceof globalThis.Request],
    ["headers", () => new web.headers.Headers() instanceof globalThis.Headers],
    ["a request by our class", () => web.request.requestOf(new MemoryExchange(), 1) instanceof web.request.Request],
    ["a constructed request", () => new web.request.Request("http://localhost") instanceof globalThis.Request],
    [
      "a constructed request by our class",
      () => new web.request.Request("http://localhost") instanceof web.request.Request,
    ],
    ["our class", () => web.response.Response.prototype instanceof globalThis.Response],
    ["the tag", () => Object.prototype.toString.call(new web.response.Response()) === "[object Response]"],
    ["in", () => "toString" in new web.response.Response()],
    ["a constructed request's members", () => new web.request.Request("http://localhost/").url === "http://localhost/"],
    [
      "isPrototypeOf",
      () => Object.prototype.isPrototypeOf.call(globalThis.Response.prototype, new web.response.Response()),
    ],
  ])("is under %s at the first look", (_name, act) => {
    expect(act()).toBe(true);
  });
});
