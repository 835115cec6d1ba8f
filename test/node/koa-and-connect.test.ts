import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import connect from "connect";
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import { beforeAll, describe, expect, it } from "vitest";
import type { RequestListener } from "../../src/node/index.ts";
import { type Both, type Question, startBoth } from "./both-servers.ts";

function makeKoa(): RequestListener {
  const app = new Koa({ proxy: true, keys: ["of the tests"] });
  app.silent = true;
  app.use(async (context, next) => {
    await next();
    context.set("x-status", String(context.status));
  });
  app.use(bodyParser({ enableTypes: ["json", "form", "text"] }));
  app.use(async (context) => {
    switch (context.path) {
      case "/text":
        context.body = "text ä";
        break;
      case "/json":
        context.body = { ip: context.ip, secure: context.secure, host: context.host, query: context.query };
        break;
      case "/echo":
        context.status = 201;
        context.body = { body: context.request.body, type: context.request.type };
        break;
      case "/buffer":
        context.body = Buffer.from([1, 2, 3]);
        break;
      case "/stream":
        context.type = "text/plain";
        context.body = Readable.from(["one ", "two ", "three"]);
        break;
      case "/broken-stream":
        context.body = Readable.from(failing());
        break;
      case "/cookie":
        context.cookies.set("name", "value", { signed: true });
        context.body = "set";
        break;
      case "/null":
        context.body = null;
        break;
      case "/redirect":
        context.redirect("/text");
        break;
      case "/throw":
        await turn();
        context.throw(422, "not that");
        break;
      case "/fault":
        throw new Error("a secret");
      case "/bypass":
        context.respond = false;
        context.res.writeHead(202, "Taken", [["x-own", "1"]]);
        context.res.end("by hand");
        break;
      default:
        break;
    }
  });
  return app.callback();
}

function* failing(): Generator<string> {
  yield "begun";
  throw new Error("broken");
}

const JSON_TYPE = { "content-type": "application/json" };

const TO_KOA: ReadonlyArray<readonly [string, Question]> = [
  ["text", { path: "/text" }],
  ["HEAD", { path: "/text", method: "HEAD" }],
  ["JSON and facts", { path: "/json?a=1", headers: { "host": "e.org:81", "x-forwarded-for": "192.0.2.7" } }],
  ["a JSON body", { path: "/echo", method: "POST", headers: JSON_TYPE, body: ['{"a":', "1}"] }],
  [
    "a form",
    { path: "/echo", method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "a=1" },
  ],
  ["malformed JSON", { path: "/echo", method: "POST", headers: JSON_TYPE, body: "{" }],
  ["bytes", { path: "/buffer" }],
  ["a stream", { path: "/stream" }],
  ["a stream's head", { path: "/stream", method: "HEAD" }],
  ["cookies", { path: "/cookie" }],
  ["no content", { path: "/null" }],
  ["a redirect", { path: "/redirect" }],
  ["an error that is an answer", { path: "/throw" }],
  ["an error that is none", { path: "/fault" }],
  ["a response by hand", { path: "/bypass" }],
  ["an unknown path", { path: "/unknown" }],
];

describe("a Koa app", () => {
  let both: Both;

  beforeAll(async () => {
    both = await startBoth(makeKoa);
  });

  it.each(TO_KOA)("answers as on node:http: %s", async (_name, question) => {
    const { theirs, ours } = await both.ask(question);
    expect(ours).toEqual(theirs);
    expect(both.faults).toEqual([]);
  });

  it("breaks off a response whose stream fails", async () => {
    const { theirs, ours } = await both.ask({ path: "/broken-stream" });
    expect(theirs.isBroken).toBe(true);
    expect(ours.isBroken).toBe(true);
  });
});

function makeConnect(): RequestListener {
  const app = connect();
  app.use((request, response, next) => {
    response.setHeader("x-seen", request.url ?? "");
    next();
  });
  app.use("/below", (request, response) => response.end(`${request.url} of ${request.originalUrl}`));
  app.use("/echo", (request, response) => {
    response.writeHead(200, { "content-type": request.headers["content-type"] ?? "text/plain" });
    request.pipe(response);
  });
  app.use("/throw", () => {
    throw Object.assign(new Error("thrown"), { status: 409 });
  });
  app.use("/handled", (_request, _response, next) => next(new Error("given on")));
  app.use("/handled", ((error: Error, _request, response, _next) => {
    response.statusCode = 500;
    response.end(`handled ${error.message}`);
  }) as connect.ErrorHandleFunction);
  return app;
}

const TO_CONNECT: ReadonlyArray<readonly [string, Question]> = [
  ["a path below", { path: "/below/x?y" }],
  ["content piped back", { path: "/echo", method: "POST", body: "x".repeat(300_000) }],
  [
    "content piped back in chunks",
    { path: "/echo", method: "PUT", headers: { "content-type": "a/b" }, body: ["one", "two"] },
  ],
  ["an error", { path: "/throw" }],
  ["an error that is handled", { path: "/handled" }],
  ["an unknown path", { path: "/unknown" }],
  ["an unknown path with content", { path: "/unknown", method: "POST", body: "unread" }],
];

describe("a Connect stack", () => {
  let both: Both;

  beforeAll(async () => {
    // finalhandler prints the stack of errors only outside of production; the answers are the same without
    both = await startBoth(makeConnect);
  });

  it.each(TO_CONNECT)("answers as on node:http: %s", async (_name, question) => {
    const { theirs, ours } = await both.ask(question);
    const cut = (text: string): string => text.replace(/<br> &nbsp;[^]*/, "");
    expect({ ...ours, headers: [], body: cut(ours.body) }).toEqual({ ...theirs, headers: [], body: cut(theirs.body) });
    const names = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith("content-length"));
    expect(names(ours.headers)).toEqual(names(theirs.headers));
    expect(both.faults).toEqual([]);
  });
});
