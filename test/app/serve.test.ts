import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, expectTypeOf, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { constantResponse } from "../../src/app/constant-response.ts";
import { serve } from "../../src/app/serve.ts";
import { isLasting } from "../../src/http/lasting-octets.ts";
import { ranged } from "../../src/replies/ranged.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import type { Server } from "../../src/server/server.ts";
import { Response, takeAnswer } from "../../src/web/response.ts";

async function get(server: Server, path: string, init?: RequestInit): Promise<string> {
  const response = await fetch(`${server.url.origin}${path}`, init);
  return `${response.status} ${await response.text()}`;
}

describe("a table of routes", () => {
  it("has handlers, handlers by method and constant responses", async () => {
    await using server = await serve({
      port: 0,
      routes: {
        "/": new Response("hi"),
        "/book": {
          GET: () => Response.json({ title: "Emma" }),
          POST: async (request) => Response.json({ ...(await request.json<object>()), id: 1 }, { status: 201 }),
          DELETE: new Response(null, { status: 204 }),
        },
        "/users/:id": (_request, { params }) => {
          expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>();
          return new Response(params.id);
        },
      },
    });
    expect(await get(server, "/")).toBe("200 hi");
    expect(await get(server, "/", { method: "POST" })).toBe("200 hi");
    expect(await get(server, "/book")).toBe('200 {"title":"Emma"}');
    expect(await get(server, "/book", { method: "POST", body: '{"title":"Emma"}' })).toBe(
      '201 {"title":"Emma","id":1}',
    );
    expect(await get(server, "/book", { method: "DELETE" })).toBe("204 ");
    expect(await get(server, "/book", { method: "PATCH" })).toMatch(/^405 /);
    expect(await get(server, "/users/a%2Fb")).toBe("200 a/b");
    expect(await get(server, "/none")).toMatch(/^404 /);
  });

  it("leaves to fetch what it has no path for, with the options as this", async () => {
    const options = {
      port: 0,
      routes: { "/book": { GET: new Response("book") } },
      fetch(this: ServeOptions, request: globalThis.Request) {
        return new Response(`${new URL(request.url).pathname} ${this === options}`);
      },
    };
    await using server = await serve(options);
    expect(await get(server, "/book")).toBe("200 book");
    expect(await get(server, "/other")).toBe("200 /other true");
    expect(await get(server, "/book", { method: "POST" })).toMatch(/^405 /);
  });

  it("names in Allow what a path takes, and claims nothing for it where no path is served so (RFC 9110 §9.1)", async () => {
    await using server = await serve({ port: 0, routes: { "/orders": { POST: new Response("taken") } } });
    const ask = async (method: string): Promise<string> => {
      const asked = request(new URL("/orders", server.url), { method }).end();
      const [answer] = (await once(asked, "response")) as [IncomingMessage];
      answer.resume();
      return `${answer.statusCode} ${answer.headers.allow}`;
    };
    expect(await ask("GET")).toBe("405 POST, OPTIONS");
    expect(await ask("PROPFIND")).toBe("405 POST, OPTIONS");
    expect(await ask("OPTIONS")).toBe("204 POST, OPTIONS");
    expect(await ask("TRACE")).toBe("501 undefined");
    expect(await ask("BREW")).toBe("501 undefined");
  });

  it("goes together with an app", async () => {
    const app = new App().get("/app", () => new Response("app"));
    await using server = await serve({ ...app, port: 0, routes: { "/": new Response("table") } });
    expect([await get(server, "/"), await get(server, "/app")]).toEqual(["200 table", "200 app"]);
  });

  it("is not needed", async () => {
    await using server = await serve({ port: 0, fetch: () => new Response("fetch") });
    expect(await get(server, "/")).toBe("200 fetch");
  });

  it("tells observers the route", async () => {
    const routes: string[] = [];
    let told = (): void => {};
    const all = new Promise<void>((resolve) => (told = resolve));
    await using server = await serve({
      port: 0,
      routes: { "/users/:id": () => new Response("") },
      hooks: { onResponse: ({ route }) => (routes.push(route) === 2 ? told() : undefined) },
    });
    await get(server, "/users/7");
    await get(server, "/none");
    await all;
    expect(routes).toEqual(["/users/:id", ""]);
  });
});

describe("constant responses with a validator", () => {
  const SAVED = "Sat, 21 Nov 2026 08:00:00 GMT";
  const headers = { "etag": '"v1"', "cache-control": "no-cache", "content-language": "en" };
  const routes = () => ({
    "/tagged": new Response("tagged", { headers }),
    "/dated": globalThis.Response.json({ dated: true }, { headers: { "last-modified": SAVED } }),
    "/both": new Response("both", { headers: { ...headers, "last-modified": SAVED } }),
    "/plain": new Response("plain"),
    "/gone": new Response("gone", { status: 410, headers }),
  });

  it.each<[string, string, Record<string, string>, number]>([
    ["GET", "/tagged", {}, 200],
    ["GET", "/tagged", { "if-none-match": '"v1"' }, 304],
    ["HEAD", "/tagged", { "if-none-match": 'W/"v1", "v0"' }, 304],
    ["GET", "/tagged", { "if-none-match": '"v2"' }, 200],
    ["GET", "/tagged", { "if-match": '"v2"' }, 412],
    ["POST", "/tagged", { "if-none-match": '"v1"' }, 412],
    ["GET", "/dated", { "if-modified-since": SAVED }, 304],
    ["GET", "/dated", { "if-modified-since": "Sat, 21 Nov 2026 07:59:59 GMT" }, 200],
    ["GET", "/both", { "if-none-match": '"v2"', "if-modified-since": SAVED }, 200],
    ["GET", "/plain", { "if-none-match": "*", "if-match": '"x"' }, 200],
    ["GET", "/gone", { "if-none-match": '"v1"' }, 410],
  ])("answer %s %s with %j by %i", async (method, path, asked, status) => {
    await using server = await serve({ port: 0, routes: routes() });
    for (let time = 0; time < 2; time++) {
      const response = await fetch(`${server.url.origin}${path}`, { method, headers: asked });
      expect(response.status).toBe(status);
      if (status === 304) expect(await response.text()).toBe("");
    }
  });

  it("say in a 304 what a client may keep, and nothing of the content", async () => {
    await using server = await serve({ port: 0, routes: routes() });
    const asked = { headers: { "if-none-match": '"v1"' } };
    const response = await fetch(`${server.url.origin}/both`, asked);
    const names = [...response.headers.keys()].filter((name) => !["connection", "date", "keep-alive"].includes(name));
    expect(names).toEqual(["cache-control", "etag"]);
  });
});

describe("constant responses", () => {
  const headers = { "content-type": "text/html", "x-a": "1" };
  it.each<[string, () => globalThis.Response, string, string | null]>([
    ["text", () => new Response("grüße", { headers }), "grüße", "text/html"],
    ["octets", () => new Response(Buffer.from("octets"), { headers }), "octets", "text/html"],
    ["a blob", () => new Response(new Blob(["a ", "blob"], { type: "text/x" })), "a blob", "text/x"],
    ["nothing", () => new Response(null, { headers }), "", "text/html"],
    ["JSON", () => Response.json([1]), "[1]", "application/json"],
    ["the platform's text", () => new globalThis.Response("native", { headers }), "native", "text/html"],
    ["the platform's JSON", () => globalThis.Response.json({}), "{}", "application/json"],
    ["a stream that is all there", () => new Response(new Blob(["now"]).stream()), "now", null],
  ])("of %s are sent any number of times", async (_name, make, text, contentType) => {
    await using server = await serve({ port: 0, routes: { "/": make() } });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(server.url);
      expect([response.status, await response.text(), response.headers.get("content-type")]).toEqual([
        200,
        text,
        contentType,
      ]);
      expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
    }
    const head = await fetch(server.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("keep status and reason phrase", async () => {
    const made = new Response("short and stout", { status: 418, statusText: "Teapot", headers });
    await using server = await serve({ port: 0, routes: { "/": made } });
    const { status, statusText, headers: sent } = await fetch(server.url);
    expect([status, statusText, sent.get("x-a"), sent.get("content-type")]).toEqual([418, "Teapot", "1", "text/html"]);
  });

  it("are not changed by what is done to the response afterwards", async () => {
    const made = new Response("hi", { headers });
    await using server = await serve({ port: 0, routes: { "/": made } });
    made.headers.set("x-a", "2");
    expect((await fetch(server.url)).headers.get("x-a")).toBe("1");
  });

  it("are not changed by what is done to their octets, before or after they were sent", async () => {
    const octets = Buffer.alloc(5000, "a");
    const made = new Response(octets);
    const parts = ranged(new Request("http://a/"), octets);
    await using server = await serve({ port: 0, routes: { "/": made, "/ranged": parts } });
    octets.fill(0);
    for (let time = 0; time < 4; time++) {
      expect(await get(server, "/")).toBe(`200 ${"a".repeat(5000)}`);
      expect(await get(server, "/ranged")).toBe(`200 ${"a".repeat(5000)}`);
      new Uint8Array(await made.clone().arrayBuffer()).fill(0);
    }
  });

  it.each<[string, globalThis.Response]>([
    ["text", new Response("a".repeat(5000))],
    ["octets", new Response(Buffer.alloc(5000, "a"))],
    ["text with a reason phrase", new Response("a".repeat(5000), { statusText: "Fine" })],
    ["octets with a reason phrase", new Response(Buffer.alloc(5000, "a"), { statusText: "Fine" })],
    ["the platform's octets", new globalThis.Response(Buffer.alloc(5000, "a"), { statusText: "Fine" })],
  ])("of %s may be joined to their head", async (_name, made) => {
    const { content } = takeAnswer(await constantResponse(made));
    expect(content instanceof Uint8Array && isLasting(content)).toBe(true);
  });
});

describe("mistakes", () => {
  const endless = (): ReadableStream => new ReadableStream({ pull: () => new Promise(() => {}) });
  async function* pieces(): AsyncGenerator<string> {
    yield "a";
  }
  const file = { fd: 0, start: 0, length: 1, released: 0, release: (): void => void file.released++ };

  it("are told all at once, with those of the other options, before anything listens", async () => {
    const used = new Response("used");
    await used.text();
    const routes = {
      "no-slash": new Response(""),
      "/stream": new Response(endless()),
      "/native": new globalThis.Response(endless()),
      "/pieces": new Response(pieces()),
      "/file": new Response(file),
      "/used": used,
      "/error": Response.error(),
      "/text": "hello",
      "/empty": {},
      "/lower": { get: () => new Response("") },
      "/value": { GET: 1 },
      "/:a": () => new Response(""),
      "/:b": () => new Response(""),
    };
    const error = await serve({ routes, port: -1 } as unknown as ServeOptions).catch(
      (reason: unknown) => reason as Error,
    );
    expect(error).toMatchObject({ name: "ServerError", code: "ERR_OPTIONS" });
    for (const pattern of Object.keys(routes)) {
      if (pattern !== "/:a") expect((error as Error).message).toContain(`routes[${JSON.stringify(pattern)}]: `);
    }
    expect((error as Error).message).not.toContain('routes["/:a"]');
    expect((error as Error).message).toContain("port: -1");
    expect(file.released).toBe(1);
  });

  it("are all that is heard, whatever becomes of content that is let go of", async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown): void => void rejections.push(reason);
    const failing = {
      [Symbol.asyncIterator]: () => ({ ...pieces(), return: () => Promise.reject(new Error("cannot be let go of")) }),
    } as unknown as AsyncIterable<string>;
    process.on("unhandledRejection", note);
    try {
      const started = serve({ port: 0, routes: { "/": new Response(failing) } });
      await expect(started).rejects.toThrow("what is made piece by piece can be sent once");
      await turn();
    } finally {
      process.off("unhandledRejection", note);
    }
    expect(rejections).toEqual([]);
  });

  it.each([[null], [[]], ["/"]])("are told for routes %j", async (routes) => {
    await expect(serve({ routes, port: 0 } as unknown as ServeOptions)).rejects.toThrow("an object is allowed");
  });

  it("are told for a fetch that is none", async () => {
    await expect(serve({ routes: {}, fetch: 1, port: 0 } as unknown as ServeOptions)).rejects.toThrow("fetch: 1");
  });
});
