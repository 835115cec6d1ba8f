/** The global Response as ours: what application code can see of it. This file changes its process, and runs in one of its own. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, serve } from "../../src/server/server.ts";
import { platformRequest, platformResponse, replaceGlobals } from "../../src/web/platform.ts";
import { Request } from "../../src/web/request.ts";
import { isFastResponse, Response } from "../../src/web/response.ts";

const Platform = globalThis.Response;
const PlatformRequest = globalThis.Request;
const PATHS: Readonly<Record<string, () => globalThis.Response | Promise<globalThis.Response>>> = {
  "/text": () => new globalThis.Response("text"),
  "/json": () => globalThis.Response.json({ a: 1 }),
  "/form": () => new globalThis.Response(new URLSearchParams({ a: "1" })),
  "/platform": () => new Platform("platform"),
  "/copied": async () => new globalThis.Response(await (copied as Request).text()),
  "/stream": () => new globalThis.Response(new Blob(["stream"]).stream()),
};
let server: Server;
let copied: globalThis.Request | null = null;

beforeAll(async () => {
  server = await serve({
    port: 0,
    replaceGlobals: true,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "POST") copied = new globalThis.Request(request, { headers: { "x-copied": "yes" } });
      return pathname === "/passed-on" ? fetch(new URL("/text", request.url)) : (PATHS[pathname] as () => Response)();
    },
  });
});

afterAll(async () => {
  await server.close();
});

describe("the global Response", () => {
  it("is ours, and the platform's is still known", () => {
    expect(globalThis.Response).toBe(Response);
    expect(platformResponse()).toBe(Platform);
    expect(isFastResponse(new globalThis.Response("x"))).toBe(true);
  });

  it("stays the first that took its place", () => {
    replaceGlobals(PlatformRequest, Platform);
    expect(globalThis.Response).toBe(Response);
    expect(platformResponse()).toBe(Platform);
  });

  it("takes requests of ours, on every Node", async () => {
    const response = await fetch(new URL("/copied", server.url), { method: "POST", body: "content" });
    expect([copied?.headers.get("x-copied"), await response.text()]).toEqual(["yes", "content"]);
    expect(copied instanceof PlatformRequest && copied instanceof globalThis.Request).toBe(true);
    expect(globalThis.Request).toBe(Request);
    expect(platformRequest()).toBe(PlatformRequest);
  });

  it("is no name that a loop finds", () => {
    expect(Object.getOwnPropertyDescriptor(globalThis, "Response")).toMatchObject({
      enumerable: false,
      writable: true,
    });
  });

  it("knows every response as one", async () => {
    expect(new Platform("x") instanceof globalThis.Response).toBe(true);
    expect(new globalThis.Response("x") instanceof Platform).toBe(true);
    expect((await fetch("data:,x")) instanceof globalThis.Response).toBe(true);
    expect({} instanceof globalThis.Response).toBe(false);
  });

  it("makes a platform object where one is needed, and not itself again", async () => {
    const response = new globalThis.Response("body", { headers: { "x-a": "1" } });
    expect(await new globalThis.Response(response.body).text()).toBe("body");
    expect(globalThis.Response.error().type).toBe("error");
    expect(await new globalThis.Response(JSON.stringify({ a: 1 })).clone().json()).toEqual({ a: 1 });
    expect(await (await new globalThis.Response("x").blob()).text()).toBe("x");
  });

  it.each([
    ["/text", "text"],
    ["/json", '{"a":1}'],
    ["/form", "a=1"],
    ["/platform", "platform"],
    ["/stream", "stream"],
    ["/passed-on", "text"],
  ])("is sent like the other: %s", async (path, text) => {
    const response = await fetch(new URL(path, server.url));
    expect([response.status, await response.text()]).toEqual([200, text]);
  });
});
