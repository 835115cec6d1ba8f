/** Subject: JSON, forms and uploads by Hono on its own Node server, with its own middleware for gzip. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { items } from "./library.js";

const app = new Hono();
const list = (context) => context.json(items(Number(context.req.query("items"))));
app.get("/json", list);
app.get("/gzip", compress({ encoding: "gzip" }), list);
app.get("/search", (context) => context.text(`${context.req.query("q")}, page ${context.req.query("page")}`));
app.post("/book", async (context) => context.json({ ...(await context.req.json()), id: 1 }));
app.post("/form", async (context) => {
  const { name, age } = /** @type {Record<string, string>} */ (await context.req.parseBody());
  return context.text(`${name}, ${age}`);
});
app.post("/upload", async (context) => {
  let octets = 0;
  for await (const piece of context.req.raw.body) octets += piece.length;
  return context.text(String(octets));
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", serverOptions: { keepAliveTimeout: 75_000 } }, ({ port }) =>
  console.log(JSON.stringify({ port })),
);
