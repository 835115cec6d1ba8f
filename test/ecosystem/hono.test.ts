/** A Hono app, unchanged on `serve({ fetch: app.fetch })`: each answer is that which the app gives when it is called by itself. */
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { methodOverride } from "hono/method-override";
import { mount } from "hono/mount";
import { prettyJSON } from "hono/pretty-json";
import { proxy } from "hono/proxy";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { timeout } from "hono/timeout";
import { trimTrailingSlash } from "hono/trailing-slash";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BothWays, formOf, type OwnServer, type Question, streamOf } from "./both-ways.ts";

const LONG = JSON.stringify(Array.from({ length: 300 }, (_, id) => ({ id, word: `word ${id}` })));

function makeApp(): Hono {
  const app = new Hono();
  app.use(trimTrailingSlash());
  app.use(
    "/api/*",
    cors({ origin: ["https://a.example"], credentials: true, allowMethods: ["GET", "PUT"], maxAge: 60 }),
  );
  app.use("/zipped/*", compress());
  app.use("/tagged/*", etag());
  app.use("/small/*", bodyLimit({ maxSize: 10, onError: (context) => context.text("too much", 413) }));
  app.use("/secure/*", secureHeaders());
  app.use("/private/*", basicAuth({ username: "ada", password: "secret" }));
  app.use("/pretty/*", prettyJSON());
  app.use("/csrf/*", csrf());
  app.use("/patient/*", timeout(5000));
  app.use("/override", methodOverride({ app }));
  app.use("*", async (context, next) => {
    await next();
    context.res.headers.append("x-after", "1");
    context.header("x-after", "2", { append: true });
  });

  app.get("/", (context) => context.text("Hello, Wörld!"));
  app.get("/html", (context) => context.html("<p>ä</p>"));
  app.get("/users/:id{[0-9]+}", (context) => context.json(context.req.param()));
  app.get("/news/:year/:month?", (context) => context.json(context.req.param()));
  app.get("/files/*", (context) => context.text(context.req.path));
  app.get("/query", (context) =>
    context.json([context.req.query(), context.req.queries("a") ?? null, context.req.url]),
  );
  app.get("/fields", (context) => context.json([context.req.header("x-one"), context.req.header("X-TWO") ?? null]));
  app.all("/method", (context) => context.text(context.req.method));
  app.on("PURGE", "/method", (context) => context.text("purged"));

  app.post("/json", async (context) =>
    context.json({ got: await context.req.json<unknown>(), again: await context.req.text() }),
  );
  app.post("/text", async (context) => context.text(await context.req.text()));
  app.post("/bytes", async (context) => context.body(await context.req.arrayBuffer()));
  app.post("/blob", async (context) => {
    const blob = await context.req.blob();
    return context.json([blob.size, blob.type]);
  });
  app.post("/form", async (context) => {
    const form = await context.req.parseBody({ all: true });
    const file = form["file"];
    if (!(file instanceof File)) return context.json(form);
    return context.json([form["title"], file.name, file.type, await file.text()]);
  });
  app.post("/clone", async (context) => {
    const copy = context.req.raw.clone();
    return context.text(`${await context.req.text()}|${await copy.text()}`);
  });
  app.post("/echo", (context) => new Response(context.req.raw.body));
  app.post("/unread", (context) => context.text("not read"));

  app.get("/cookies", (context) => {
    setCookie(context, "a", "1 2", { path: "/", httpOnly: true });
    setCookie(context, "b", "ä", { maxAge: 10, secure: true, sameSite: "Strict" });
    deleteCookie(context, "c");
    return context.json(getCookie(context));
  });
  app.get("/signed", async (context) => {
    await setSignedCookie(context, "s", "value", "a secret");
    return context.json(await getSignedCookie(context, "a secret"));
  });

  app.get("/stream", (context) =>
    stream(context, async (out) => {
      for (const piece of ["one ", "two ", "three"]) await out.write(piece);
    }),
  );
  app.get("/stream-text", (context) =>
    streamText(context, async (out) => {
      await out.writeln("one");
      await out.writeln("two");
    }),
  );
  app.get("/events", (context) =>
    streamSSE(context, async (out) => {
      for (let id = 1; id <= 3; id++) await out.writeSSE({ id: String(id), event: "tick", data: `${id}\nmore` });
    }),
  );
  app.get(
    "/raw",
    () =>
      new Response("raw", {
        status: 203,
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ],
      }),
  );
  app.get("/raw-stream", () => new Response(streamOf("a", "b", "c"), { headers: { "content-type": "text/plain" } }));
  app.get("/raw-json", () => Response.json({ a: 1 }, { status: 201 }));
  app.get("/raw-redirect", () => Response.redirect("https://b.example/x", 307));
  app.get("/empty", (context) => context.body(null, 204));
  app.get("/redirect", (context) => context.redirect("/elsewhere?x=1", 301));
  app.get("/reset", (context) => {
    context.header("x-gone", "1");
    context.res = new Response("replaced", { status: 202 });
    return context.res;
  });

  app.get("/throw-http", () => {
    throw new HTTPException(418, { message: "short and stout" });
  });
  app.get("/throw-response", () => {
    throw new HTTPException(401, {
      res: new Response("no", { status: 401, headers: { "www-authenticate": "Basic" } }),
    });
  });
  app.get("/throw", () => {
    throw new Error("a secret");
  });
  app.get("/handled/:kind", (context) => {
    throw new TypeError(context.req.param("kind"));
  });
  app.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    return context.text(error instanceof TypeError ? `handled ${error.message}` : "failed", 500);
  });

  for (const prefix of ["/api", "/zipped", "/tagged", "/secure", "/private", "/pretty", "/patient"]) {
    app.get(`${prefix}/long`, (context) => context.body(LONG, 200, { "content-type": "application/json" }));
    app.get(`${prefix}/short`, (context) => context.json({ a: [1] }));
    app.get(`${prefix}/stream`, (context) => {
      context.header("content-type", "text/plain");
      return stream(context, async (out) => {
        for (let i = 0; i < 300; i++) await out.write(`line ${i}\n`);
      });
    });
  }
  app.post("/small/text", async (context) => context.text(await context.req.text()));
  app.post("/csrf/text", async (context) => context.text(await context.req.text()));
  app.delete("/override", (context) => context.text("deleted"));
  app.post("/override", (context) => context.text("posted"));

  const books = new Hono().basePath("/books");
  books.get("/", (context) => context.json([]));
  books.get("/:id", (context) => context.json({ id: context.req.param("id") }));
  books.notFound((context) => context.text("no such book", 404));
  app.route("/", books);
  app.all(
    "/mounted/*",
    mount((request) => new Response(`${request.method} ${new URL(request.url).pathname}`)),
  );
  app.notFound((context) => context.json({ missing: context.req.path }, 404));
  return app;
}

const form = (): FormData => formOf({ title: "Kon-Tiki & ä" }, ["raft – é.txt", "logs"]);
const json = { "content-type": "application/json" };

const QUESTIONS: readonly Question[] = [
  "/",
  "/html",
  "/users/42",
  "/users/x",
  "/news/2026",
  "/news/2026/11",
  "/files/a/b%20c",
  "/files/%C3%A4",
  "/query?a=1&a=2&b=%C3%A4+c",
  "/users/42/",
  "/none",
  "/%zz",
  "//double",
  "/books",
  "/books/7",
  "/books/7/x",
  "/cookies",
  "/signed",
  "/stream",
  "/stream-text",
  "/events",
  "/raw",
  "/raw-stream",
  "/raw-json",
  "/raw-redirect",
  "/empty",
  "/redirect",
  "/reset",
  "/throw-http",
  "/throw-response",
  "/throw",
  "/handled/well",
  "/mounted/a/b?c=d",
  "/api/long",
  "/zipped/long",
  "/zipped/short",
  "/tagged/short",
  "/tagged/stream",
  "/secure/short",
  "/private/short",
  "/pretty/short?pretty",
  "/patient/stream",
].map((path): Question => ({ path }));

const MORE: readonly Question[] = [
  { path: "/fields", headers: { "x-one": "1", "x-two": "a, b" } },
  { path: "/cookies", headers: { cookie: "a=1; b=%C3%A4; c=rub bish; ;=" } },
  { path: "/signed", headers: { cookie: "s=value.forged" } },
  { path: "/", method: "HEAD" },
  { path: "/zipped/long", method: "HEAD", headers: { "accept-encoding": "gzip" } },
  { path: "/none", method: "HEAD" },
  ...["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({ path: "/method", method })),
  { path: "/json", method: "POST", headers: json, body: () => '{"a":[1,"ä"]}' },
  { path: "/json", method: "POST", headers: json, body: () => '{"a":' },
  { path: "/json", method: "POST", headers: json },
  { path: "/json", method: "POST", headers: json, body: () => streamOf('{"a"', ":1}") },
  { path: "/text", method: "POST", body: () => "ä".repeat(100_000) },
  { path: "/bytes", method: "POST", body: () => new Uint8Array([0, 255, 13, 10, 0]) },
  { path: "/blob", method: "POST", headers: { "content-type": "image/png" }, body: () => new Uint8Array(1000) },
  { path: "/form", method: "POST", body: () => new URLSearchParams("a=1&a=2&b=%C3%A4") },
  { path: "/form", method: "POST", body: form },
  {
    path: "/form",
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=x" },
    body: () => "rubbish",
  },
  { path: "/clone", method: "POST", body: () => "twice" },
  { path: "/clone", method: "POST", body: () => streamOf("twice ", "streamed") },
  { path: "/echo", method: "POST", body: () => streamOf("a".repeat(70_000), "b") },
  { path: "/unread", method: "POST", body: () => "x".repeat(1000) },
  { path: "/small/text", method: "POST", body: () => "short" },
  { path: "/small/text", method: "POST", body: () => "much too long" },
  { path: "/small/text", method: "POST", body: () => streamOf("also much ", "too long") },
  {
    path: "/csrf/text",
    method: "POST",
    headers: { "content-type": "text/plain", "origin": "https://evil.example" },
    body: () => "x",
  },
  { path: "/override", method: "POST", body: () => new URLSearchParams("a=b") },
  { path: "/mounted/x", method: "POST", body: () => "y" },
  { path: "/private/short", headers: { authorization: `Basic ${btoa("ada:secret")}` } },
  { path: "/private/short", headers: { authorization: `Basic ${btoa("ada:wrong")}` } },
  { path: "/api/short", headers: { origin: "https://a.example" } },
  { path: "/api/short", headers: { origin: "https://evil.example" } },
  {
    path: "/api/short",
    method: "OPTIONS",
    headers: {
      "origin": "https://a.example",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-a",
    },
  },
  ...["gzip", "deflate", "br", "gzip;q=0"].map((coding) => ({
    path: "/zipped/long",
    headers: { "accept-encoding": coding },
  })),
  { path: "/zipped/stream", headers: { "accept-encoding": "gzip" } },
  { path: "/zipped/short", headers: { "accept-encoding": "gzip" } },
];

/** The app on the server that Hono has for Node. */
async function startOwn(app: Hono): Promise<OwnServer> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => new Promise((done) => server.close(done)) };
}

/** Here middleware of Hono makes a new Request of the one that it got. */
const COPIES: readonly Question[] = [
  { path: "/small/text", method: "POST", body: () => streamOf("also ", "short") },
  { path: "/override", method: "POST", body: () => new URLSearchParams("_method=DELETE") },
];

/** From Node 24 on the platform's Request takes nothing but its own: see native(). Where it does, this is to fail no more. */
const fails = Number(process.versions.node.split(".")[0]) >= 24;

/**
 * What its own server answers otherwise than the app itself: octets and streams are said to be text there, and a streamed body
 * under bodyLimit fails.
 */
const OWN_WAYS = new Set(["/stream", "/bytes", "/echo", "/small/text"]);

describe.each([
  ["called by itself", null],
  ["on @hono/node-server", startOwn],
])("a Hono app, here and %s", (_, start) => {
  const app = makeApp();
  let both: BothWays;
  beforeAll(async () => {
    both = await BothWays.open(app.fetch, start === null ? null : await start(app));
  });
  afterAll(async () => both[Symbol.asyncDispose]());

  it.each([...QUESTIONS, ...MORE].filter(({ path }) => start === null || !OWN_WAYS.has(path)))(
    "answers alike: %j",
    async (question) => {
      const direct = await both.direct(question);
      expect(await both.served(question)).toEqual(direct);
      expect([both.server.faults, both.server.refusals]).toEqual([[], []]);
    },
  );

  it("answers 304 to who has the tag", async () => {
    const { fields } = await both.direct({ path: "/tagged/long" });
    const etag = fields.find((line) => line.startsWith("etag: "))?.slice("etag: ".length) ?? "";
    const question = { path: "/tagged/long", headers: { "if-none-match": etag } };
    const answer = await both.served(question);
    expect(answer.status).toBe(304);
    expect(answer).toEqual(await both.direct(question));
  });
});

describe("a Hono app", () => {
  it.each(COPIES)("answers alike where the request is copied: %j", { fails }, async (question) => {
    await using both = await BothWays.open(makeApp().fetch);
    expect(await both.served(question)).toEqual(await both.direct(question));
  });

  it("sends a request on to another server", async () => {
    await using both = await BothWays.open(makeApp().fetch);
    const front = new Hono();
    front.all("/to/:path", (context) => proxy(new URL(context.req.param("path"), both.server.url), context.req));
    front.all("/raw/:path", (context) =>
      fetch(new URL(context.req.param("path"), both.server.url), context.req.raw as RequestInit),
    );
    await using way = await BothWays.open(front.fetch);
    for (const question of [
      { path: "/to/query?x=1" },
      { path: "/to/json", method: "POST", headers: json, body: () => '{"a":1}' },
      { path: "/to/echo", method: "POST", body: () => streamOf("a", "b") },
      { path: "/to/none" },
      { path: "/raw/query?x=1" },
      { path: "/raw/json", method: "POST", headers: json, body: () => '{"a":1}' },
    ]) {
      const direct = await way.direct(question);
      expect(await way.served(question)).toEqual(direct);
    }
    expect(way.server.faults).toEqual([]);
  });

  it("tells a stream that its client has left", async () => {
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => (leave = resolve));
    const app = new Hono().get("/", (context) =>
      stream(context, async (out) => {
        out.onAbort(leave);
        await out.write("first");
        await left;
      }),
    );
    await using way = await BothWays.open(app.fetch);
    const client = connect(way.server.port, "127.0.0.1");
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(client, "data");
    client.resetAndDestroy();
    await expect(left).resolves.toBeUndefined();
  });
});
