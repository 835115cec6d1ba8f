import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import express, { type NextFunction, type Request, type Response } from "express";
import session from "express-session";
import multer from "multer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Both, type Question, startBoth } from "./both-servers.ts";

declare module "express-session" {
  interface SessionData {
    views: number;
  }
}

let folder = "";

/** What a small site is made of. */
function makeSite(): express.Express {
  const app = express();
  app.set("trust proxy", "loopback");
  app.use((request, _response, next) => {
    request.app.locals["seen"] = request.originalUrl;
    next();
  });
  app.use(session({ secret: "of the tests", resave: false, saveUninitialized: false }));
  app.use("/files", express.static(folder, { extensions: ["html"], maxAge: "1h" }));
  app.get("/", (_request, response) => void response.send("Hello, Wörld!"));
  app.get("/json", (_request, response) => void response.json({ list: [1, 2, 3], text: "ä" }));
  app.get("/views", (request, response) => {
    request.session.views = (request.session.views ?? 0) + 1;
    response.type("text").send(String(request.session.views));
  });
  app.post("/echo", express.json(), express.urlencoded({ extended: true }), express.text(), (request, response) => {
    response
      .status(201)
      .json({ type: request.headers["content-type"] ?? null, body: (request.body ?? null) as unknown });
  });
  app.post("/upload", multer({ limits: { fileSize: 100_000 } }).any(), (request, response) => {
    const files = (request.files ?? []) as Express.Multer.File[];
    response.json({
      files: files.map(({ originalname, size, mimetype, buffer }) => [originalname, size, mimetype, buffer.at(-1)]),
      fields: { ...(request.body as object) },
    });
  });
  app.get("/file", (_request, response) => response.sendFile(join(folder, "long.txt")));
  app.get("/missing-file", (_request, response) => response.sendFile(join(folder, "none.txt")));
  app.get("/download", (_request, response) => response.download(join(folder, "page.html"), "naïve.html"));
  app.get("/redirect", (_request, response) => response.redirect("/json?x=1"));
  app.get("/cookies", (_request, response) => {
    response.cookie("a", "1", { httpOnly: true }).cookie("b", "2 3").clearCookie("c").send("set");
  });
  app.get("/about-you", (request, response) => {
    const { ip, ips, protocol, secure, hostname, subdomains, path, query, xhr, fresh } = request;
    response.json({
      ip,
      ips,
      protocol,
      secure,
      hostname,
      subdomains,
      path,
      query,
      xhr,
      fresh,
      agent: request.get("x-agent"),
    });
  });
  app.get("/prototypes", (request, response) => {
    response.json([
      request instanceof http.IncomingMessage,
      response instanceof http.ServerResponse,
      response.headersSent,
    ]);
  });
  app.get("/stream", async (_request, response) => {
    response.type("text/plain");
    for (let i = 0; i < 5; i++) {
      response.write(`line ${i}\n`);
      await turn();
    }
    response.end();
  });
  app.get("/format", (_request, response) => {
    response.format({ text: () => response.send("text"), json: () => response.json({ a: "json" }) });
  });
  app.get("/status", (_request, response) => response.sendStatus(418));
  app.get("/empty", (_request, response) => void response.status(204).end());
  app.get("/not-modified", (_request, response) => void response.set("ETag", '"x"').send("content"));
  app.get("/throws", () => {
    throw Object.assign(new Error("no tea"), { status: 418 });
  });
  app.get("/rejects", async () => {
    await turn();
    throw new Error("later");
  });
  app.get("/next", (_request, _response, next) => next(Object.assign(new Error("given on"), { statusCode: 503 })));
  const users = express.Router({ mergeParams: true });
  users.param("id", (_request, _response, next, id) => next(/^\d+$/.test(String(id)) ? undefined : "route"));
  users.route("/:id").get((request, response) => void response.json({ params: request.params, base: request.baseUrl }));
  app.use("/groups/:group/users", users);
  const inner = express();
  inner.get("/where", (request, response) => void response.json([request.url, request.originalUrl, request.baseUrl]));
  app.use("/inner", inner);
  app.use(
    (
      error: Error & { status?: number; statusCode?: number },
      request: Request,
      response: Response,
      next: NextFunction,
    ) => {
      if (response.headersSent || request.path === "/missing-file") return next(error);
      response
        .status(error.status ?? error.statusCode ?? 500)
        .type("html")
        .send(`<h1>${error.message}</h1>`);
    },
  );
  return app;
}

function multipart(parts: ReadonlyArray<readonly [name: string, filename: string | null, content: string]>): Question {
  const body = parts.map(([name, filename, content]) => {
    const file = filename === null ? "" : `; filename="${filename}"\r\nContent-Type: text/plain`;
    return `--edge\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
  });
  return {
    method: "POST",
    path: "/upload",
    headers: { "content-type": "multipart/form-data; boundary=edge" },
    body: `${body.join("")}--edge--\r\n`,
  };
}

const JSON_TYPE = { "content-type": "application/json" };

const QUESTIONS: ReadonlyArray<readonly [string, Question]> = [
  ["text", { path: "/" }],
  ["HEAD", { path: "/", method: "HEAD" }],
  ["OPTIONS", { path: "/json", method: "OPTIONS" }],
  ["JSON", { path: "/json" }],
  ["a JSON body", { method: "POST", path: "/echo", headers: JSON_TYPE, body: '{"a":[1,{"b":null}]}' }],
  ["a JSON body in chunks", { method: "POST", path: "/echo", headers: JSON_TYPE, body: ['{"a":', "[1,2]", "}"] }],
  [
    "a form",
    {
      method: "POST",
      path: "/echo",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "a[b]=1&c=%C3%A4",
    },
  ],
  [
    "a text body",
    { method: "POST", path: "/echo", headers: { "content-type": "text/plain" }, body: "ä".repeat(20_000) },
  ],
  ["malformed JSON", { method: "POST", path: "/echo", headers: JSON_TYPE, body: '{"a":' }],
  [
    "a JSON body above the parser's limit",
    { method: "POST", path: "/echo", headers: JSON_TYPE, body: `"${"x".repeat(200_000)}"` },
  ],
  ["an empty body", { method: "POST", path: "/echo", headers: JSON_TYPE, body: "" }],
  [
    "an upload",
    multipart([
      ["title", null, "A title"],
      ["one", "a.txt", "x".repeat(70_000)],
      ["two", "b.txt", ""],
    ]),
  ],
  ["an upload above its limit", multipart([["one", "a.txt", "x".repeat(100_001)]])],
  ["a static file", { path: "/files/page.html" }],
  ["a static file by its short name", { path: "/files/page" }],
  ["a static file that is not there", { path: "/files/none" }],
  ["a static path that leads out", { path: "/files/..%2f..%2fetc/passwd" }],
  ["a file", { path: "/file" }],
  ["a file's head", { path: "/file", method: "HEAD" }],
  ["a range", { path: "/file", headers: { range: "bytes=100-199" } }],
  ["the end of a file", { path: "/file", headers: { range: "bytes=-5" } }],
  ["a range that is not there", { path: "/file", headers: { range: "bytes=9999999-" } }],
  ["a file that sendFile() does not find", { path: "/missing-file" }],
  ["a download", { path: "/download" }],
  ["a redirect", { path: "/redirect", headers: { accept: "text/html" } }],
  ["cookies", { path: "/cookies" }],
  [
    "facts of the request",
    { path: "/about-you?a=1&b[]=2", headers: { "host": "a.b.example.com:81", "x-agent": "me" } },
  ],
  [
    "facts by a trusted proxy",
    {
      path: "/about-you",
      headers: { "x-forwarded-for": "192.0.2.1, 127.0.0.1", "x-forwarded-proto": "https", "x-forwarded-host": "e.org" },
    },
  ],
  ["repeated fields", { path: "/about-you", headers: { "x-agent": ["one", "two"] } }],
  ["Node's classes", { path: "/prototypes" }],
  ["a stream", { path: "/stream" }],
  ["a stream's head", { path: "/stream", method: "HEAD" }],
  ["a negotiated format", { path: "/format", headers: { accept: "application/json" } }],
  ["a negotiated format that is not there", { path: "/format", headers: { accept: "image/png" } }],
  ["a status alone", { path: "/status" }],
  ["204", { path: "/empty" }],
  ["304", { path: "/not-modified", headers: { "if-none-match": '"x"' } }],
  ["an error thrown", { path: "/throws" }],
  ["an error rejected", { path: "/rejects" }],
  ["an error given to next", { path: "/next" }],
  ["params of two routers", { path: "/groups/g%20h/users/42" }],
  ["a param that is refused", { path: "/groups/g/users/x" }],
  ["an app in an app", { path: "/inner/where?x" }],
  ["an unknown path", { path: "/unknown/%3Cb%3E", headers: { accept: "text/html" } }],
  ["an unknown method of a path", { path: "/json", method: "DELETE" }],
];

/** Where the packages stand in stacks, and how deep, is no part of an answer. */
function withoutStack(answer: Answer): Answer {
  if (!answer.body.includes("<br> &nbsp;")) return answer;
  const headers = answer.headers.filter((line) => !line.startsWith("content-length:"));
  return { ...answer, headers, body: answer.body.replace(/<br> &nbsp;[^]*?<\/pre>/, "</pre>") };
}

describe("an Express app", () => {
  let both: Both;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fairlead-express-"));
    await writeFile(join(folder, "page.html"), "<h1>Page</h1>");
    await writeFile(join(folder, "long.txt"), "0123456789".repeat(30_000));
    both = await startBoth(makeSite);
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each(QUESTIONS)("answers as on node:http: %s", async (_name, question) => {
    const { theirs, ours } = await both.ask(question);
    expect(withoutStack(ours)).toEqual(withoutStack(theirs));
    expect(both.faults).toEqual([]);
  });

  it("keeps a session", async () => {
    const first = await both.ask({ path: "/views" });
    const cookies = [first.theirs, first.ours].map(
      ({ headers }) => /^set-cookie: ([^;]+)/.exec(headers.find((line) => line.startsWith("set-cookie")) ?? "")?.[1],
    );
    expect(cookies[1]).toMatch(/^connect\.sid=/);
    for (const visit of ["2", "3"]) {
      const { ours } = await both.ask({ path: "/views", headers: { cookie: cookies[1] ?? "" } });
      expect(ours.body).toBe(visit);
    }
  });
});
