import { Hono } from "hono";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { contextKey } from "../../src/web/context.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { ask } from "./support/ask-app.ts";

const show: Handler = (request, context) => {
  const { pathname, search } = new URL(request.url);
  return Response.json([request.method, pathname + search, context.exchange.request.target]);
};

describe("a mounted handler", () => {
  it.each([
    ["/docs", "/docs", "/"],
    ["/docs", "/docs/", "/"],
    ["/docs/", "/docs/a/b?x=/docs/", "/a/b?x=/docs/"],
    ["/docs", "/docs?x", "/?x"],
    ["/docs", "/docs/a%2Fb/%61", "/a%2Fb/%61"],
    ["/docs", "/%64ocs/a", "/a"],
    ["/docs", "/x/../docs/a", "/a"],
    ["/docs", "/docs//evil.example/x", "//evil.example/x"],
    ["/a/:b/c", "/a/x%2Fy/c/d", "/d"],
    ["/", "/docs/a", "/docs/a"],
  ])("at %s sees %s as %s", async (prefix, target, seen) => {
    expect(JSON.parse((await ask(new App().mount(prefix, show), `PATCH ${target}`)).text)).toEqual([
      "PATCH",
      seen,
      seen,
    ]);
  });

  it("is not asked outside of its prefix, nor where a route has the path", async () => {
    const app = new App()
      .mount("/docs", show)
      .get("/docs/own", () => new Response("own"))
      .get("/:x/:y", () => new Response("param"));
    expect((await ask(app, "/documents")).status).toBe(404);
    expect((await ask(app, "/docs/own")).text).toBe("own");
    expect(await ask(app, "POST /docs/own")).toMatchObject({ status: 405 });
    expect((await ask(app, "/docs/other")).text).toContain("/other");
  });

  it("reads the content, and shares what middleware keeps", async () => {
    const user = contextKey("user", "nobody");
    const inner: Handler = async (request, context) => new Response(`${context.get(user)}: ${await request.text()}`);
    const app = new App()
      .use(async (request, context, next) => {
        context.set(user, await request.clone().text());
        return next(request, context);
      })
      .mount("/in", { fetch: inner });
    expect((await ask(app, { method: "POST", target: "/in/x", content: "Ada" })).text).toBe("Ada: Ada");
  });

  it("is told the params of its prefix", async () => {
    const app = new App().mount("/t/:tenant", (_request, { params }) => Response.json(params));
    const { text, route } = await ask(app, "/t/acme/x");
    expect([text, route]).toEqual(['{"tenant":"acme"}', "/t/:tenant/*"]);
  });

  it("has its routes told to observers with the prefix, if it is an app itself", async () => {
    const inner = new App().get("/users/:id", (_request, { params }) => new Response(params.id));
    const app = new App().mount("/api", new App().mount("/v1", inner));
    expect(await ask(app, "/api/v1/users/7")).toMatchObject({ text: "7", route: "/api/v1/users/:id" });
  });

  it("hears that content breaks off which it gave to its exchange, of that exchange, before all is over", async () => {
    const told: unknown[] = [];
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("abc");
      throw new Error("midway");
    }
    const inner: Handler = (_request, { exchange }) => {
      exchange.onAbort(() => told.push("over"));
      const head = { status: 200, reason: "", fields: [] };
      const sent = exchange.respond(head, failing(), (broken, error) => told.push(broken === exchange, error));
      void Promise.resolve(sent).catch((error: unknown) => told.push(error));
      return undefined;
    };
    await using server = await serve({ ...new App().mount("/in", inner), port: 0, hooks: { onFault: () => {} } });
    const { body } = await fetch(new URL("/in/x", server.url));
    await expect(new Response(body).text()).rejects.toThrow("terminated");
    expect(told).toEqual([true, new Error("midway"), "over", new Error("midway")]);
  });

  it("is called as the method of its object", async () => {
    const object = {
      name: "it",
      fetch(this: { name: string }): Response {
        return new Response(this.name);
      },
    };
    expect((await ask(new App().mount("/x", object), "/x")).text).toBe("it");
  });

  it("that was told its prefix sees the whole path", async () => {
    const told = Object.assign((request: globalThis.Request) => new Response(new URL(request.url).pathname), {
      prefix: "/api/docs/",
    });
    const app = new App().group("/api", (api) => api.mount("/docs", told));
    expect((await ask(app, "/api/docs/x")).text).toBe("/api/docs/x");
    expect(() => new App().mount("/other", told)).toThrow("/api/docs");
  });

  it("gets a request of the platform where no server has brought it", async () => {
    const app = new App().mount(
      "/in",
      async (request) => new Response(`${new URL(request.url).pathname} ${await request.text()}`),
    );
    const response = await app.fetch(
      new globalThis.Request("http://example.com/in/x?y", { method: "POST", body: "hi" }),
    );
    expect(await response.text()).toBe("/x hi");
  });
});

describe("over a socket", () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-mount-"));
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "a.txt"), "a file");
  writeFileSync(join(folder, "secret.txt"), "a secret");
  writeFileSync(join(folder, "sub/index.html"), "<p>sub");
  afterAll(() => rmSync(folder, { recursive: true }));

  it("files, an app of Hono and routes live side by side", async () => {
    const hono = new Hono()
      .get("/hello/:name", (c) => c.text(`Hono greets ${c.req.param("name")}`))
      .post("/echo", async (c) => c.json(await c.req.json()));
    const app = new App()
      .get("/book", () => Response.json({ title: "Emma" }))
      .mount("/hono", hono)
      .mount("/files", serveStatic(folder, { prefix: "/files" }))
      .mount("/", serveStatic(folder))
      .use("/secret.txt", () => new Response("no", { status: 403 }));
    await using server = await serve({ ...app, port: 0 });
    const get = async (path: string, init?: RequestInit): Promise<string> => {
      const response = await fetch(`${server.url.origin}${path}`, init);
      return `${response.status} ${await response.text()}`;
    };
    expect(await get("/book")).toBe('200 {"title":"Emma"}');
    expect(await get("/a.txt")).toBe("200 a file");
    expect(await get("/files/a.txt")).toBe("200 a file");
    expect((await fetch(`${server.url.origin}/files/sub`, { redirect: "manual" })).headers.get("location")).toBe(
      "/files/sub/",
    );
    expect(() => new App().mount("/elsewhere", serveStatic(folder))).toThrow("/elsewhere");
    expect(await get("/hono/hello/Ada")).toBe("200 Hono greets Ada");
    expect(await get("/hono/echo", { method: "POST", body: '{"a":1}' })).toBe('200 {"a":1}');
    expect(await get("/book", { method: "POST" })).toMatch(/^405 /);
    expect(await get("/secret.txt")).toBe("403 no");
    expect(await get("//secret.txt")).toBe("403 no");
    expect(await get("/%73ecret.txt")).toBe("403 no");
    expect(await get("/none")).toMatch(/^404 /);
  });
});
