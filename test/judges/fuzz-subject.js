/**
 * The built server as hostile traffic sees it: a handler of each kind, an access log on to a file, metrics, and small deadlines,
 * so that what waits for them comes to pass. Usage: `node --expose-gc fuzz-subject.js folder`, with an IPC channel; the folder
 * has `www`. Tells over it where it listens, what it has open, and what went wrong that no handler meant.
 *
 * Paths that are numbers, as fuzz/connection draws them, lead to the kinds of handlers in turn. Each answer of a handler says
 * the method (X-Method: to HEAD there is no content) and whether it may be broken off (X-Breaks).
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { getHeapCodeStatistics } from "node:v8";
import { App, Response, serve, serveStatic } from "fairlead";
import { readJson, readMultipart } from "fairlead/bodies";
import { compress, etag, responseHeaders } from "fairlead/middleware";
import { accessLog, joinHooks, metrics } from "fairlead/observe";
import { eventStream, ranged } from "fairlead/replies";

const [folder] = process.argv.slice(2);
const BLOCK = new Uint8Array(32 * 1024).fill(0x2e);
const BLOCKS = 12;
const EVENTS = 6;
const SENTENCE = "What is said once need not be said again. ".repeat(200);
const BREAKS = { "x-breaks": "yes" };
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function* blocks(until) {
  for (let i = 0; i < BLOCKS; i++) {
    if (i === until) throw new Error("as it should, within content");
    if (i % 4 === 3) await after(5);
    yield BLOCK;
  }
}

async function digest(request) {
  const hash = createHash("sha256");
  for await (const piece of request.body ?? []) hash.update(piece);
  return new Response(hash.digest("hex"));
}

async function form(request) {
  const parts = [];
  for await (const part of readMultipart(request)) {
    let bytes = 0;
    for await (const piece of part.stream()) bytes += piece.length;
    parts.push({ name: part.name, filename: part.filename, bytes });
  }
  return Response.json(parts);
}

const events = (request) =>
  eventStream(request, async (channel) => {
    for (let id = 1; id <= EVENTS; id++) {
      await channel.send({ id: String(id), data: `event ${id}` });
      await after(20);
    }
  });

function tunnel(_request, context) {
  const { readable, writable } = context.upgrade();
  context.waitUntil(readable.pipeTo(writable).catch(() => {}));
}

const hello = () => new Response("Hello, World!");
const echoJson = async (request) => Response.json(await readJson(request));
const echo = (request) => new Response(request.body ?? "", { headers: BREAKS });
const throwing = () => {
  throw new Error("as it should");
};
const broken = () => new Response(blocks(5), { headers: BREAKS });
const late = async () => {
  await after(20);
  return new Response("late");
};
const rejecting = async (request) => {
  await request.arrayBuffer();
  throw new Error("as it should, after content");
};
const streamed = () => new Response(blocks(-1));
const parts = (request) => ranged(request, SENTENCE, { etag: '"v1"', type: "text/plain" });
const BY_NUMBER = [hello, echoJson, echo, digest, throwing, late, parts, hello, broken, rejecting, streamed, form];

const app = new App();
const ofHead = responseHeaders({ "X-Method": "HEAD" });
app.use((request, context, next) =>
  request.method === "HEAD" ? ofHead(request, context, next) : next(request, context),
);
app.get("/", hello);
app.post("/json", echoJson);
app.post("/digest", digest);
app.post("/form", form);
app.get("/events", events);
app.get("/tunnel", tunnel);
app.get("/parts", parts);
app.get("/coded", compress(), etag(), () => new Response(SENTENCE));
app.all("/:number", (request, context) => {
  const { upgrade } = Object.fromEntries(request.headers);
  if (upgrade === "echo" && context.params.number === "3") return tunnel(request, context);
  const kind = BY_NUMBER[Number(context.params.number) % BY_NUMBER.length] ?? hello;
  return kind(request, context);
});
app.mount("/files", serveStatic(join(folder, "www"), { prefix: "/files", listing: true, compress: true }));

const counts = metrics();
const log = accessLog({ destination: join(folder, "access.log"), format: "json", fields: ["user-agent"] });
/** What no handler meant, by its words. */
const faults = new Map();
const server = await serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: app.fetch,
  limits: { maxContentBytes: 300_000 },
  timeouts: { headMs: 2000, keepAliveMs: 2000, contentGraceMs: 1000, handlerMs: 10_000 },
  hooks: joinHooks(
    {
      onFault({ error }) {
        const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (!String(error?.message).startsWith("as it should")) faults.set(words, (faults.get(words) ?? 0) + 1);
      },
    },
    log,
    counts.hooks,
  ),
});
counts.watchLog(log);

/** Of the server's own metrics: what is open now, and how much was asked. */
async function told() {
  const text = await counts.render();
  const sumOf = (name) =>
    [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  return {
    connections: sumOf("fairlead_connections_open"),
    inFlight: sumOf("fairlead_http_requests_in_flight"),
    dropped: log.droppedLines,
  };
}

process.on("warning", (warning) => faults.set(`warning: ${warning.message}`, 1));
async function answer({ id, wish }) {
  if (wish === "close") {
    await server.close();
    process.disconnect();
    return;
  }
  if (wish === "collect") {
    // What is let go of in a callback of the first collection goes with a later one
    for (let times = 0; times < 4; times++) {
      globalThis.gc();
      await after(50);
    }
  }
  const { code_and_metadata_size: code, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
  process.send({
    id,
    memory: process.memoryUsage(),
    codeBytes: code + bytecode,
    stats: server.stats,
    faults: [...faults],
    ...(await told()),
  });
}
process.on("message", (question) => void answer(question));
process.send({ port: server.port });
