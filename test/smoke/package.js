/**
 * Uses the installed package as a stranger would: `node package.js FOLDER`, where FOLDER/node_modules has it.
 *
 * Plain JavaScript on nothing but Node, so that it runs on every version of Node there is. Ends with status 1 at the first
 * thing that is not as it should be.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import { connect, Socket } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import * as zlib from "node:zlib";

const folder = resolve(process.argv[2] ?? ".");
const entry = createRequire(join(folder, "smoke.js")).resolve("fairlead");
const { App, HttpError, Response: FastResponse, serve, serveStatic } = await import(pathToFileURL(entry).href);

/** Sends bytes on a connection of their own and says all that comes back until it closes. */
async function exchangeBytes(port, text) {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  let received = "";
  socket.on("data", (part) => (received += part));
  socket.write(text);
  await once(socket, "close");
  return received;
}

/** Asks three times on one connection, one request at a time; says what the server's socket has read as a stream. */
async function streamedReads(port) {
  const { push } = Socket.prototype;
  const pieces = [];
  Socket.prototype.push = function (piece, ...rest) {
    if (this.server && piece !== null) pieces.push(String(piece));
    return push.call(this, piece, ...rest);
  };
  const socket = connect(port, "127.0.0.1");
  for (const path of ["/1", "/2", "/3"]) {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await once(socket, "data");
  }
  socket.destroy();
  Socket.prototype.push = push;
  return pieces.map((piece) => piece.split(" ")[1]);
}

async function checkLibrary() {
  const server = await serve({
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/native") return new globalThis.Response("native");
      if (pathname === "/teapot") throw new HttpError(418, "short and stout");
      if (request.method === "POST") return FastResponse.json({ ...(await request.json()), id: 1 }, { status: 201 });
      return new FastResponse("Hello, World!");
    },
  });
  try {
    const at = (path) => new URL(path, server.url);
    const hello = await fetch(at("/"));
    assert.equal(await hello.text(), "Hello, World!");
    assert.ok(hello.headers.get("date"));
    assert.equal(await (await fetch(at("/native"))).text(), "native");
    assert.equal((await fetch(at("/teapot"))).status, 418);
    const made = await fetch(at("/book"), { method: "POST", body: '{"title":"Emma"}' });
    assert.deepEqual([made.status, await made.json()], [201, { title: "Emma", id: 1 }]);
    assert.equal((await fetch(at("/book"), { method: "POST", body: "{" })).status, 400);
    const stream = new Blob(['{"title":', '"Streamed"}']).stream();
    const streamed = await fetch(at("/book"), { method: "POST", body: stream, duplex: "half" });
    assert.deepEqual(await streamed.json(), { title: "Streamed", id: 1 });
    const port = Number(server.url.port);
    const two = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert.equal((await exchangeBytes(port, two)).match(/HTTP\/1\.1 200 /g)?.length, 2);
    assert.match(await exchangeBytes(port, "GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 [^]*ERR_HOST_MISSING/);
    assert.deepEqual(await streamedReads(port), ["/1"], "from the second read on into the shared buffer");
  } finally {
    await server.close();
  }
}

/** Starts the command and says the origin it serves at, with a function that ends it gracefully. */
async function startCommand(words) {
  const main = join(folder, "node_modules/fairlead/dist/cli/start.cjs");
  const child = spawn(process.execPath, [main, ...words, "--port", "0"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const origin = await new Promise((found, failed) => {
    const hear = (line) => {
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
      if (match !== null) found(match[0]);
    };
    createInterface(child.stdout).on("line", hear);
    createInterface(child.stderr).on("line", hear);
    child.once("exit", (status) => failed(new Error(`fairlead ${words.join(" ")} ended with ${status}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
  };
  return { origin, stop };
}

async function checkCommand() {
  const main = join(folder, "node_modules/fairlead/dist/cli/start.cjs");
  assert.match(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" }), /\d+\.\d+\.\d+/);
  mkdirSync(join(folder, "htdocs"), { recursive: true });
  writeFileSync(join(folder, "htdocs/index.html"), "<p>home</p>");
  writeFileSync(
    join(folder, "app.ts"),
    "export const fetch = (request: Request): Response => new Response(request.method);\n",
  );
  const site = await startCommand(["./htdocs"]);
  assert.equal(await (await fetch(site.origin)).text(), "<p>home</p>");
  assert.equal((await fetch(`${site.origin}/..%2fapp.ts`)).ok, false);
  await site.stop();
  const app = await startCommand(["app.ts"]);
  assert.equal(await (await fetch(app.origin)).text(), "GET");
  await app.stop();
}

/** Codings that are made on the fly; Zstandard where this Node has it (22.15 and later, and not 23.0 to 23.7). */
async function checkCodings() {
  const site = join(folder, "codings");
  mkdirSync(site, { recursive: true });
  const text = JSON.stringify(Array.from({ length: 5000 }, (_, index) => ({ id: index, name: `name ${index}` })));
  writeFileSync(join(site, "data.json"), text);
  const server = await serve({ port: 0, fetch: serveStatic(site) });
  const port = Number(server.url.port);
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const hasZstd = major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15);
  assert.equal(typeof zlib.zstdDecompressSync === "function", hasZstd);
  try {
    const tags = new Set();
    for (const [coding, decode] of [
      ["zstd", zlib.zstdDecompressSync],
      ["br", zlib.brotliDecompressSync],
      ["gzip", zlib.gunzipSync],
    ]) {
      // Twice: made, then from the cache
      for (let round = 0; round < 2; round++) {
        const { headers, body } = await askFor(port, "/data.json", { "accept-encoding": coding });
        const isMade = decode !== undefined;
        assert.equal(headers["content-encoding"], isMade ? coding : undefined);
        assert.equal(Number(headers["content-length"]), body.length);
        assert.equal(headers.vary, "accept-encoding");
        assert.ok(isMade ? body.length < text.length / 2 : body.length === text.length);
        assert.equal((isMade ? decode(body) : body).toString(), text);
        tags.add(headers.etag);
        const part = await askFor(port, "/data.json", { "accept-encoding": coding, "range": "bytes=10-19" });
        assert.deepEqual([part.status, part.body], [206, body.subarray(10, 20)]);
        const again = { "accept-encoding": coding, "if-none-match": headers.etag };
        assert.equal((await askFor(port, "/data.json", again)).status, 304);
      }
    }
    assert.equal(tags.size, 3);
  } finally {
    await server.close();
  }
}

/** Asks, without a client that decodes. */
async function askFor(port, path, headers) {
  const sent = get({ host: "127.0.0.1", port, path, headers, agent: false });
  const [response] = await once(sent, "response");
  const parts = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) };
}

/** Every path of the package can be imported, and an app with a handler in a thread answers. */
async function checkRooms() {
  const load = async (room) => import(pathToFileURL(createRequire(entry).resolve(`fairlead/${room}`)).href);
  const { workerHandler } = await load("workers");
  const { compress } = await load("middleware");
  const { readJson } = await load("bodies");
  const { redirect } = await load("replies");
  const { nodeHandler } = await load("node");
  const { request } = await load("testing");
  writeFileSync(
    join(folder, "heavy.ts"),
    "export default (r: Request): Response => new Response(`thread ${r.method}`);\n",
  );
  const threads = workerHandler(pathToFileURL(join(folder, "heavy.ts")), { threads: 1 });
  const app = new App()
    .use(compress())
    .get("/heavy", threads)
    .post("/json", async (asked) => FastResponse.json(await readJson(asked)))
    .get("/old", () => redirect("/new"))
    .mount(
      "/node",
      nodeHandler((_, response) => response.end("from (req, res)")),
    );
  assert.equal(await (await request(app, "/heavy")).text(), "thread GET");
  assert.deepEqual(
    await (
      await request(app, "/json", { method: "POST", headers: { "content-type": "application/json" }, body: "[1]" })
    ).json(),
    [1],
  );
  assert.equal((await request(app, "/old", { redirect: "manual" })).headers.get("location"), "/new");
  assert.equal(await (await request(app, "/node")).text(), "from (req, res)");
  await threads.close();
}

await checkLibrary();
await checkRooms();
await checkCodings();
await checkCommand();
