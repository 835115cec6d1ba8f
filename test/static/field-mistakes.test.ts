/**
 * What file servers in wide use get wrong, each as a question with the right answer and the name of who answers otherwise.
 * Seen on the tools' own releases of 2026: nginx 1.22, Caddy 2.6, serve 14.2, http-server 14.1, sirv 3.0, Express 5.3, Fastify
 * 5.12 with @fastify/static 10, Hono 4.13 with node-server 2.1, srvx 1.0, python 3.11.
 */
import { connect } from "node:net";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Served } from "./support/static-site.ts";
import { StaticSite } from "./support/static-site.ts";

const DIGITS = "0123456789".repeat(100);
const SCRIPT = "console.log('hello, world');\n".repeat(100);

let site: StaticSite;
let served: Served;
let spa: Served;

beforeAll(async () => {
  site = new StaticSite({
    "index.html": "<h1>home</h1>",
    "digits.txt": DIGITS,
    "app.js": SCRIPT,
    "app.js.gz": gzipSync(SCRIPT),
    "dir/index.html": "dir",
    ".env": "SECRET=1",
    ".well-known/acme-challenge/token": "token",
  });
  mkdirSync(join(site.base, "outside"));
  writeFileSync(join(site.base, "outside/secret.txt"), "secret");
  symlinkSync("../outside", join(site.www, "linkdir"));
  symlinkSync("../outside/secret.txt", join(site.www, "link.txt"));
  served = await site.serve();
  spa = await site.serve({ spa: true });
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
});

describe("ranges", () => {
  it("bytes=0-0 is one octet (sirv: the whole file as 206; serve-handler#160: 416)", async () => {
    const { status, headers, body } = await served.get("/digits.txt", { range: "bytes=0-0" });
    expect([status, body.toString(), headers["content-range"]]).toEqual([206, "0", "bytes 0-0/1000"]);
  });

  it("bytes=-5 is the last five (sirv: the first six; http-server: 416)", async () => {
    const { status, headers, body } = await served.get("/digits.txt", { range: "bytes=-5" });
    expect([status, body.toString(), headers["content-range"]]).toEqual([206, "56789", "bytes 995-999/1000"]);
  });

  it("bytes=0-0,5-6 is both parts (serve, http-server: the first only; sirv, Hono: the whole labelled 206)", async () => {
    const { status, headers, body } = await served.get("/digits.txt", { range: "bytes=0-0,5-6" });
    const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(headers["content-type"] ?? "")?.[1] ?? "none";
    const type = "Content-Type: text/plain; charset=utf-8\r\n";
    expect(status).toBe(206);
    expect(headers["content-range"]).toBeUndefined();
    expect(body.toString()).toBe(
      `--${boundary}\r\n${type}Content-Range: bytes 0-0/1000\r\n\r\n0` +
        `\r\n--${boundary}\r\n${type}Content-Range: bytes 5-6/1000\r\n\r\n56\r\n--${boundary}--\r\n`,
    );
    expect(headers["content-length"]).toBe(String(body.length));
  });

  it("beyond the end is 416 with Content-Range and without the file (serve: 416 and the file; http-server: no Content-Range)", async () => {
    const { status, headers, body } = await served.get("/digits.txt", { range: "bytes=1000-" });
    expect([status, headers["content-range"]]).toEqual([416, "bytes */1000"]);
    expect(body.toString()).not.toContain("0123456789");
  });

  it('If-Range: "nope" gets the whole (serve, http-server, sirv, Hono: 206, a download spliced of two versions)', async () => {
    const { status, body } = await served.get("/digits.txt", { "range": "bytes=500-", "if-range": '"nope"' });
    expect([status, body.length]).toEqual([200, 1000]);
  });
});

describe("validators", () => {
  it('If-None-Match: "x", <tag> is 304 (serve, http-server, sirv: 200; Hono: no tag at all)', async () => {
    const { headers } = await served.get("/digits.txt");
    expect(headers.etag).toMatch(/^"[^"]+"$/);
    const { status, body } = await served.get("/digits.txt", { "if-none-match": `"x", ${headers.etag}` });
    expect([status, body.length]).toEqual([304, 0]);
  });

  it("a 304 has the tag (serve, sirv: not; RFC 9110 §15.4.5)", async () => {
    const { headers } = await served.get("/app.js");
    const again = await served.get("/app.js", { "if-none-match": "*" });
    const kept = ["etag", "cache-control", "vary"] as const;
    expect(again.status).toBe(304);
    expect(kept.map((name) => again.headers[name])).toEqual(kept.map((name) => headers[name]));
    expect(again.headers.date).toMatch(/GMT$/);
  });

  it("each coding has a tag of its own, all say Vary (serve: one strong tag for all; http-server, nginx: no Vary; Hono: only on the coded)", async () => {
    const answers = await Promise.all(
      ["identity", "gzip", "br"].map((coding) => served.get("/app.js", { "accept-encoding": coding })),
    );
    expect(answers.map(({ headers }) => headers["content-encoding"])).toEqual([undefined, "gzip", "br"]);
    expect(answers.map(({ headers }) => headers.vary)).toEqual(Array(3).fill("accept-encoding"));
    const tags = answers.map(({ headers }) => headers.etag);
    expect(new Set(tags).size).toBe(3);
    expect((await served.get("/app.js", { "accept-encoding": "gzip", "if-none-match": tags[0] ?? "" })).status).toBe(
      200,
    );
  });

  it("Accept-Encoding: br;q=0, gzip is not br (sirv: br)", async () => {
    const { headers } = await served.get("/app.js", { "accept-encoding": "br;q=0, gzip" });
    expect(headers["content-encoding"]).toBe("gzip");
  });
});

describe("paths", () => {
  it("a missing script of a single-page app is 404 (serve -s: 200 text/html, serve#576)", async () => {
    const accept = "text/html,*/*;q=0.8";
    expect((await spa.get("/missing.js", { accept })).status).toBe(404);
    const page = await spa.get("/some/route", { accept });
    expect([page.status, page.body.toString(), page.headers.vary]).toEqual([200, "<h1>home</h1>", "accept"]);
  });

  it.each([
    ["/packages/@scope%2Fname", 200],
    ["/packages/@scope%2Fmain.js", 404],
    ["/packages/..%2F..%2Fetc", 404],
    ["/packages%2F.env", 404],
  ])("a route of a single-page app may hold an encoded slash: %s is %i", async (path, status) => {
    expect((await spa.get(path, { accept: "text/html" })).status).toBe(status);
    expect((await spa.get(path, { accept: "*/*" })).status).toBe(404);
    expect((await served.get(path, { accept: "text/html" })).status).toBe(404);
  });

  it.each(["/linkdir/secret.txt", "/link.txt", "/linkdir/", "/linkdir"])(
    "%s leads out and is 404 (serve looks at the last segment only; nginx, Caddy, http-server, sirv, Express, Fastify, Hono, python follow)",
    async (path) => {
      const { status, body } = await served.get(path);
      expect([status, body.toString().includes("secret")]).toEqual([404, false]);
    },
  );

  it("what is missing in a folder is 404 (srvx: 501 Server Entry Not Found)", async () => {
    expect((await served.get("/missing")).status).toBe(404);
  });

  it("/.well-known/ is served (Express: 404, so certificates over the folder fail)", async () => {
    const { status, body } = await served.get("/.well-known/acme-challenge/token");
    expect([status, body.toString()]).toEqual([200, "token"]);
  });

  it("/.env is 404 (nginx, Caddy, serve, http-server, Fastify, Hono, python, sirv --dev: 200)", async () => {
    expect((await served.get("/.env")).status).toBe(404);
  });

  it("%00 is 404 (serve, http-server, Caddy: 500; python: no answer)", async () => {
    expect((await served.get("/%00")).status).toBe(404);
    expect((await served.get("/digits.txt%00.png")).status).toBe(404);
  });

  it("a folder is redirected by its path alone (nginx behind another port or TLS: Location: http://localhost:4008/dir/)", async () => {
    const { status, headers } = await served.get("/dir", { host: "elsewhere.example:4008" });
    expect([status, headers.location]).toEqual([301, "/dir/"]);
  });
});

describe("messages", () => {
  it("POST on a file is 405 with Allow (serve, sirv: 200 with the file; Express, Fastify, Hono: 404; nginx, http-server: no Allow)", async () => {
    const { status, headers, body } = await served.ask("POST", "/digits.txt");
    expect([status, headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(body.toString()).not.toContain("0123456789");
  });

  it.each([
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "RFC 9112 §3.2"],
    ["a bad field", "GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", "RFC 9112 §5.1"],
  ])("%s is 400 and says why (every server on node:http: an empty body)", async (_what, request, rule) => {
    const socket = connect(served.port, "127.0.0.1");
    socket.end(request);
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain(rule);
  });
});

it("fails at none of that", () => {
  expect(site.faults).toEqual([]);
});
