/** An itty-router app, unchanged on `serve({ fetch: router.fetch })`: each answer is that which it gives when it is called by itself. */
import * as ittyRouter from "itty-router";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AppFetch, BothWays, formOf, type Question, streamOf } from "./both-ways.ts";

/** What a handler of its gets: the request, and what middleware has put on it. */
interface IttyRequest extends globalThis.Request {
  readonly id: string;
  readonly params: object;
  readonly query: object;
  readonly cookies?: object;
  readonly content: unknown;
}

type IttyHandler = (request: IttyRequest) => unknown;

type IttyRouter = { readonly fetch: AppFetch } & Record<
  "get" | "post" | "all",
  (path: string, ...handlers: readonly IttyHandler[]) => IttyRouter
>;

/** Its declarations name each other without endings, which Node's resolution does not find. */
interface Itty {
  readonly AutoRouter: (options: object) => IttyRouter;
  readonly Router: (options: object) => IttyRouter;
  readonly cors: (options: object) => { readonly preflight: IttyHandler; readonly corsify: IttyHandler };
  readonly withContent: IttyHandler;
  readonly withCookies: IttyHandler;
  readonly json: (value: unknown) => globalThis.Response;
  readonly html: (value: string) => globalThis.Response;
  readonly text: (value: string) => globalThis.Response;
  readonly status: (status: number) => globalThis.Response;
  readonly error: (status: number, value: object) => globalThis.Response;
}

const { AutoRouter, cors, error, html, json, Router, status, text, withContent, withCookies } =
  ittyRouter as unknown as Itty;

function makeApp(): AppFetch {
  const { preflight, corsify } = cors({ origin: "https://a.example", allowMethods: ["GET", "PUT"], maxAge: 60 });
  const router = AutoRouter({ before: [preflight, withCookies], finally: [corsify] });
  const books = Router({ base: "/books" });
  books.get("/", () => json([])).get("/:id", ({ params }) => json(params));
  router
    .get("/", () => "Hello, Wörld!")
    .get("/json", () => ({ a: [1, "ä"] }))
    .get("/html", () => html("<p>ä</p>"))
    .get("/users/:id", ({ id }) => ({ id }))
    .get("/greedy/:path+", ({ params }) => params)
    .get("/optional/:a?", ({ params }) => params)
    .get("/named/:file.:ext", ({ params }) => params)
    .get("/query", ({ query, url }) => [query, url])
    .get("/cookies", ({ cookies }) => cookies ?? {})
    .get("/fields", (request) => [request.headers.get("x-one"), request.headers.get("X-TWO")])
    .all("/method", ({ method }) => text(method))
    .post("/content", withContent, async ({ content }) => ({ content: contentOf(await content) }))
    .post("/json", async (request) => ({ got: await request.json() }))
    .post("/text", async (request) => text(await request.text()))
    .post("/echo", (request) => new Response(request.body))
    .post("/form", async (request) => {
      const form = await request.formData();
      return Promise.all(
        [...form].map(async ([name, value]) => [name, value instanceof File ? await value.text() : value]),
      );
    })
    .get("/stream", () => new Response(streamOf("one ", "two ", "three")))
    .get("/status", () => status(204))
    .get(
      "/raw",
      () =>
        new Response("raw", {
          status: 202,
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
        }),
    )
    .get("/redirect", () => Response.redirect("https://b.example/x", 307))
    .get("/error", () => error(418, { stout: true }))
    .get("/throw", () => {
      throw new Error("failed");
    })
    .all("/books/*", books.fetch);
  return router.fetch;
}

/** Whatever withContent made of it. */
function contentOf(content: unknown): unknown {
  return content instanceof FormData ? [...content.keys()] : content;
}

const QUESTIONS: readonly Question[] = [
  "/",
  "/json",
  "/html",
  "/users/42",
  "/users/a%20b",
  "/greedy/a/b/c",
  "/optional",
  "/optional/1",
  "/named/a.txt",
  "/query?a=1&a=2&b=%C3%A4+c",
  "/cookies",
  "/stream",
  "/status",
  "/raw",
  "/redirect",
  "/error",
  "/throw",
  "/none",
  "/%zz",
  "/books",
  "/books/7",
  "//double",
].map((path): Question => ({ path }));

const MORE: readonly Question[] = [
  { path: "/fields", headers: { "x-one": "1", "x-two": "a, b" } },
  { path: "/cookies", headers: { cookie: "a=1; b=%C3%A4; c=rub bish; ;=" } },
  ...["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => ({ path: "/method", method })),
  { path: "/content", method: "POST", body: () => '{"a":[1,"ä"]}' },
  { path: "/content", method: "POST", body: () => "no JSON" },
  { path: "/content", method: "POST", body: () => formOf({ a: "1" }) },
  { path: "/json", method: "POST", body: () => streamOf('{"a"', ":1}") },
  { path: "/text", method: "POST", body: () => "ä".repeat(100_000) },
  { path: "/echo", method: "POST", body: () => streamOf("a".repeat(70_000), "b") },
  { path: "/form", method: "POST", body: () => new URLSearchParams("a=1&a=2&b=%C3%A4") },
  { path: "/form", method: "POST", body: () => formOf({ title: "Kon-Tiki & ä" }, ["raft – é.txt", "logs"]) },
  { path: "/json", headers: { origin: "https://a.example" } },
  {
    path: "/json",
    method: "OPTIONS",
    headers: { "origin": "https://a.example", "access-control-request-method": "PUT" },
  },
];

describe("an itty-router app", () => {
  let both: BothWays;
  beforeAll(async () => {
    both = await BothWays.open(makeApp());
  });
  afterAll(async () => both[Symbol.asyncDispose]());

  it.each([...QUESTIONS, ...MORE])("answers alike: %j", async (question) => {
    const direct = await both.direct(question);
    expect(await both.served(question)).toEqual(direct);
    expect([both.server.faults, both.server.refusals]).toEqual([[], []]);
  });

  it("answers 400, where it is 500 elsewhere, to JSON that is none", async () => {
    const question = { path: "/json", method: "POST", body: () => '{"a":' };
    const statuses = [await both.direct(question), await both.served(question)].map(
      ({ content }) => (JSON.parse(content) as { status: number }).status,
    );
    expect(statuses).toEqual([500, 400]);
  });
});
