/**
 * The built server as judges from outside see it: one resource of each kind that has rules of its own. Echoes content by
 * POST, PUT and PATCH at `/`, and fields at `/echo`, as public suites expect it. Usage: `node subject.js [folder of cert.pem and key.pem]`; prints its port.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App, Response, serve, serveStatic } from "fairlead";
import { basicAuth, cacheControl, compress, cors, etag } from "fairlead/middleware";
import { download, earlyHints, ranged, redirect, setCookie } from "fairlead/replies";

const folder = process.argv[2];
const text = "What is said once need not be said again. ".repeat(100);
const changed = new Date("2026-01-15T10:00:00Z");

const app = new App();
app.get("/", etag(), () => new Response("OK", { headers: { "last-modified": changed.toUTCString() } }));
app.on(["POST", "PUT", "PATCH"], "/", async (request) => new Response(await request.arrayBuffer()));
app.all("/echo", (request) => new Response([...request.headers].map((line) => line.join(": ")).join("\n")));
app.get("/cookie", (request) => {
  const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim());
  return new Response(pairs.filter((pair) => pair.includes("=")).join("\n"));
});
app.get("/only-get", () => new Response("nothing but GET and HEAD"));
app.get("/tagged", etag(), cacheControl(), () => new Response(text));
app.get("/coded", compress(), etag(), () => new Response(text));
app.get("/ranged", (request) => ranged(request, text, { etag: '"v1"', lastModified: changed, type: "text/plain" }));
app.get("/locked", basicAuth({ users: { ada: "secret" } }), () => new Response("inside"));
app.get("/shared", cors(), () => Response.json({ shared: true }));
app.get("/moved", () => redirect("/tagged", 301));
app.get("/saved", () => download(text, "naïve report.txt"));
app.get("/set", () => {
  const response = new Response("set");
  setCookie(response, "name", "some value", { maxAgeSeconds: 60 });
  return response;
});
app.get("/hinted", (_, context) => {
  const link = earlyHints(context, [{ href: "/style.css", rel: "preload", as: "style" }]);
  return new Response("soon", { headers: { link } });
});
app.get("/nothing", () => new Response(null, { status: 204 }));
app.get("/stream", () => {
  const pieces = ["one ", "two ", "three"];
  return new Response(
    new ReadableStream({
      async pull(controller) {
        // Not at once: what ends at once has a known length
        await new Promise((resolve) => setImmediate(resolve));
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(piece));
      },
    }),
  );
});
app.mount("/files", serveStatic(join(import.meta.dirname, "../../htdocs"), { prefix: "/files" }));

const pem = (name) => readFileSync(join(folder, name), "utf8");
const server = await serve({
  port: 0,
  fetch: app.fetch,
  ...(folder === undefined ? {} : { tls: { cert: pem("cert.pem"), key: pem("key.pem") } }),
});
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
