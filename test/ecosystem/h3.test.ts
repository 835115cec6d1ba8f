/** An h3 app (2.x), unchanged on `serve({ fetch: app.fetch })`: each answer is that which the app gives when it is called by itself. */
import {
  basicAuth,
  deleteCookie,
  EventStream,
  getCookie,
  getQuery,
  getRouterParams,
  H3,
  handleCors,
  HTTPError,
  onError,
  onResponse,
  parseCookies,
  readBody,
  redirect,
  serve,
  setCookie,
  withBase,
} from "h3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BothWays, formOf, type Question, streamOf } from "./both-ways.ts";

function makeApp(): H3 {
  const app = new H3({ silent: true });
  app.use(onResponse((response) => response.headers.append("x-after", "1")));
  app.use(onError((error) => (error.message === "handled" ? new Response("handled", { status: 409 }) : undefined)));
  app.use("/private/**", basicAuth({ username: "ada", password: "secret" }));
  app.get("/", () => "Hello, Wörld!");
  app.get("/json", () => ({ a: [1, "ä"] }));
  app.get("/nothing", () => null);
  app.get("/bytes", () => new Uint8Array([0, 255, 13, 10]));
  app.get("/blob", () => new Blob(["blob"], { type: "text/css" }));
  app.get("/users/:id", (event) => getRouterParams(event));
  app.get("/files/**:rest", (event) => getRouterParams(event, { decode: true }));
  app.get("/query", (event) => [getQuery(event), event.req.url]);
  app.get("/fields", (event) => [event.req.headers.get("x-one"), event.req.headers.get("X-TWO")]);
  app.all("/method", (event) => event.req.method);
  app.post("/json", async (event) => ({ got: await readBody(event) }));
  app.post("/text", (event) => event.req.text());
  app.post("/echo", (event) => new Response(event.req.body));
  app.post("/form", async (event) => {
    const form = await event.req.formData();
    return Promise.all(
      [...form].map(async ([name, value]) => [name, value instanceof File ? await value.text() : value]),
    );
  });
  app.get("/cookies", (event) => {
    setCookie(event, "a", "1 2", { path: "/", httpOnly: true });
    setCookie(event, "b", "ä", { maxAge: 10, secure: true, sameSite: "strict" });
    deleteCookie(event, "c");
    return [parseCookies(event), getCookie(event, "a")];
  });
  app.get("/status", (event) => {
    event.res.status = 203;
    event.res.headers.set("x-made", "yes");
    return "made";
  });
  app.get(
    "/raw",
    () =>
      new Response("raw", {
        status: 202,
        headers: [
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ],
      }),
  );
  app.get("/redirect", () => redirect("/elsewhere?x=1", 301));
  app.get("/stream", () => streamOf("one ", "two ", "three"));
  app.get("/events", (event) => {
    const events = new EventStream(event);
    void (async () => {
      for (let id = 1; id <= 3; id++) await events.push({ id: String(id), event: "tick", data: `${id}\nmore` });
      await events.close();
    })();
    return events;
  });
  app.all("/cors", (event) => {
    const answered = handleCors(event, {
      origin: ["https://a.example"],
      methods: ["PUT"],
      exposeHeaders: ["x-after"],
      credentials: true,
      maxAge: "60",
    });
    return answered === false ? "read" : answered;
  });
  app.get("/private/page", () => "members");
  app.get("/throw-http", () => {
    throw new HTTPError({ status: 418, statusText: "Teapot", message: "short and stout", data: { stout: true } });
  });
  app.get("/throw", () => {
    throw new Error("a secret");
  });
  app.get("/handled", () => {
    throw new Error("handled");
  });
  const books = new H3().get("/", () => []).get("/:id", (event) => ({ id: event.context.params?.["id"] }));
  app.mount("/books", books);
  app.all(
    "/based/**",
    withBase(
      "/based",
      new H3().get("/x", (event) => event.url.pathname),
    ),
  );
  return app;
}

const json = { "content-type": "application/json" };

const QUESTIONS: readonly Question[] = [
  "/",
  "/json",
  "/nothing",
  "/bytes",
  "/blob",
  "/users/42",
  "/users/%C3%A4",
  "/files/a/b%20c",
  "/query?a=1&a=2&b=%C3%A4+c",
  "/query?",
  "/none",
  "/%zz",
  "//double",
  "/cookies",
  "/status",
  "/raw",
  "/redirect",
  "/stream",
  "/events",
  "/throw-http",
  "/throw",
  "/handled",
  "/books",
  "/books/7",
  "/books/7/x",
  "/based/x",
  "/private/page",
  "/cors",
].map((path): Question => ({ path }));

const MORE: readonly Question[] = [
  { path: "/fields", headers: { "x-one": "1", "x-two": "a, b" } },
  { path: "/cookies", headers: { cookie: "a=1; b=%C3%A4; c=rub bish; ;=" } },
  { path: "/", method: "HEAD" },
  { path: "/none", method: "HEAD" },
  ...["POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({ path: "/method", method })),
  { path: "/json", method: "DELETE" },
  { path: "/json", method: "POST", headers: json, body: () => '{"a":[1,"ä"]}' },
  { path: "/json", method: "POST", headers: json, body: () => '{"a":' },
  { path: "/json", method: "POST", headers: json, body: () => streamOf('{"a"', ":1}") },
  { path: "/json", method: "POST", body: () => new URLSearchParams("a=1&b=%C3%A4") },
  { path: "/json", method: "POST" },
  { path: "/text", method: "POST", body: () => "ä".repeat(100_000) },
  { path: "/echo", method: "POST", body: () => streamOf("a".repeat(70_000), "b") },
  { path: "/form", method: "POST", body: () => new URLSearchParams("a=1&a=2&b=%C3%A4") },
  { path: "/form", method: "POST", body: () => formOf({ title: "Kon-Tiki & ä" }, ["raft – é.txt", "logs"]) },
  { path: "/private/page", headers: { authorization: `Basic ${btoa("ada:secret")}` } },
  { path: "/private/page", headers: { authorization: `Basic ${btoa("ada:wrong")}` } },
  { path: "/cors", headers: { origin: "https://a.example" } },
  {
    path: "/cors",
    method: "OPTIONS",
    headers: { "origin": "https://a.example", "access-control-request-method": "PUT" },
  },
];

describe("an h3 app", () => {
  let both: BothWays;
  beforeAll(async () => {
    const app = makeApp();
    const own = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
    await own.ready();
    const { origin } = new URL(own.url ?? "");
    both = await BothWays.open((request) => app.fetch(request), { origin, close: () => own.close(true) });
  });
  afterAll(async () => both[Symbol.asyncDispose]());

  it.each([...QUESTIONS, ...MORE])("answers alike: %j", async (question) => {
    const direct = await both.direct(question);
    expect(await both.served(question)).toEqual(direct);
    expect([both.server.faults, both.server.refusals]).toEqual([[], []]);
  });

  it("answers 400, where it is 500 elsewhere, to a form that is none", async () => {
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    const question = { path: "/form", method: "POST", headers, body: () => "rubbish" };
    expect([(await both.direct(question)).status, (await both.served(question)).status]).toEqual([500, 400]);
  });
});
