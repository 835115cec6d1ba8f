import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import multipart from "@fastify/multipart";
import files from "@fastify/static";
import fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerFactory } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer } from "../../src/node/index.ts";
import { ask, type Question } from "./both-servers.ts";

let folder = "";

async function makeApi(serverFactory?: FastifyServerFactory): Promise<FastifyInstance> {
  const app = fastify(serverFactory === undefined ? {} : { serverFactory });
  await app.register(multipart, { limits: { fileSize: 200_000 } });
  await app.register(files, { root: folder, prefix: "/files/" });
  const log: string[] = [];
  app.addHook("onRequest", async (request) => void log.push(`request ${request.method}`));
  app.addHook("preHandler", async (_request, reply) => void reply.header("x-hook", "yes"));
  app.addHook("onSend", async (_request, _reply, payload) => (payload === '"seal"' ? '"sealed"' : payload));
  app.addHook("onResponse", async (_request, reply) => void log.push(`response ${reply.statusCode}`));
  app.get("/", async () => ({ hello: "wörld" }));
  app.get("/log", async () => log.splice(0).length > 0);
  app.get("/seal", async () => "seal");
  app.get<{ Params: { id: number } }>(
    "/users/:id",
    { schema: { params: { type: "object", properties: { id: { type: "integer" } } } } },
    ({ params, ip, hostname, protocol }) => Promise.resolve({ id: params.id, ip, host: hostname, protocol }),
  );
  const body = {
    type: "object",
    required: ["title"],
    properties: { title: { type: "string" }, pages: { type: "integer", minimum: 1 } },
  };
  app.post("/books", { schema: { body } }, async (request, reply) => {
    await reply.code(201).header("location", "/books/1").send(request.body);
  });
  const listParts = async (request: FastifyRequest): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const part of request.parts()) {
      if (part.type === "file") found.push([part.fieldname, part.filename, (await part.toBuffer()).length]);
      else found.push([part.fieldname, part.value]);
    }
    return found;
  };
  app.post("/upload", (request) => listParts(request));
  app.get("/stream", (_request, reply) => reply.type("text/plain").send(Readable.from(["a", "b", "c"])));
  app.get("/raw", (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(203, { "x-raw": ["1", "2"] });
    reply.raw.end("raw");
  });
  app.get("/throws", async () => {
    throw Object.assign(new Error("thrown"), { statusCode: 418 });
  });
  app.get("/cookies", (_request, reply) => reply.header("set-cookie", ["a=1", "b=2"]).send("set"));
  return app;
}

const EDGE = { "content-type": "multipart/form-data; boundary=edge" };
const JSON_TYPE = { "content-type": "application/json" };

function upload(content: string): string {
  return (
    '--edge\r\nContent-Disposition: form-data; name="title"\r\n\r\nA title\r\n' +
    `--edge\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${content}\r\n--edge--\r\n`
  );
}

const QUESTIONS: ReadonlyArray<readonly [string, Question]> = [
  ["JSON", { path: "/" }],
  ["HEAD", { path: "/", method: "HEAD" }],
  ["what a hook has changed", { path: "/seal" }],
  ["a param by its schema", { path: "/users/42", headers: { host: "e.org" } }],
  ["a param against its schema", { path: "/users/x" }],
  ["a body by its schema", { path: "/books", method: "POST", headers: JSON_TYPE, body: '{"title":"A","pages":"3"}' }],
  ["a body against its schema", { path: "/books", method: "POST", headers: JSON_TYPE, body: '{"pages":0}' }],
  ["malformed JSON", { path: "/books", method: "POST", headers: JSON_TYPE, body: "{" }],
  ["a body of an unknown type", { path: "/books", method: "POST", headers: { "content-type": "a/b" }, body: "x" }],
  [
    "a body above the limit",
    { path: "/books", method: "POST", headers: JSON_TYPE, body: `"${"x".repeat(1_100_000)}"` },
  ],
  ["an upload", { path: "/upload", method: "POST", headers: EDGE, body: upload("x".repeat(150_000)) }],
  ["an upload in chunks", { path: "/upload", method: "POST", headers: EDGE, body: [upload("1"), ""] }],
  ["an upload above its limit", { path: "/upload", method: "POST", headers: EDGE, body: upload("x".repeat(200_001)) }],
  ["a static file", { path: "/files/page.html" }],
  ["a range of a static file", { path: "/files/page.html", headers: { range: "bytes=0-3" } }],
  ["a static file that is not there", { path: "/files/none" }],
  ["a stream", { path: "/stream" }],
  ["a raw response", { path: "/raw" }],
  ["an error", { path: "/throws" }],
  ["cookies", { path: "/cookies" }],
  ["an unknown path", { path: "/unknown" }],
];

describe("a Fastify app", () => {
  let theirs: FastifyInstance;
  let ours: FastifyInstance;
  const portOf = (app: FastifyInstance): number => (app.server.address() as AddressInfo).port;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fairlead-fastify-"));
    await writeFile(join(folder, "page.html"), "<h1>Page</h1>");
    theirs = await makeApi();
    ours = await makeApi((handler) => createServer(handler) as unknown as Server);
    await theirs.listen({ port: 0, host: "127.0.0.1" });
    await ours.listen({ port: 0, host: "127.0.0.1" });
  });

  afterAll(async () => {
    await Promise.all([theirs.close(), ours.close()]);
    await rm(folder, { recursive: true });
  });

  it.each(QUESTIONS)("answers as on node:http: %s", async (_name, question) => {
    const [expected, answer] = await Promise.all([ask(portOf(theirs), question), ask(portOf(ours), question)]);
    expect(answer).toEqual(expected);
  });

  it("says where it listens, as on node:http", async () => {
    const app = fastify({ serverFactory: (handler) => createServer(handler) as unknown as Server });
    const said = await app.listen({ port: 0, host: "127.0.0.1" });
    expect(said).toBe(`http://127.0.0.1:${portOf(app)}`);
    await app.close();
  });

  it("says why it cannot listen, as on node:http", async () => {
    const app = fastify({ serverFactory: (handler) => createServer(handler) as unknown as Server });
    await expect(app.listen({ port: portOf(ours), host: "127.0.0.1" })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await app.close();
  });

  it("listens on all addresses of localhost, and closes them", async () => {
    const app = fastify({ serverFactory: (handler) => createServer(handler) as unknown as Server });
    app.get("/", async () => "here");
    await app.listen({ port: 0 });
    await expect(ask(portOf(app))).resolves.toMatchObject({ status: 200, body: "here" });
    await app.close();
    expect(app.server.listening).toBe(false);
  });
});
