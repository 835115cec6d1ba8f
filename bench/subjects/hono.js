/** Subject: Hono on its own Node server, one route. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();
app.get("/", (context) => context.text("Hello, World!"));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", serverOptions: { keepAliveTimeout: 75_000 } }, ({ port }) =>
  console.log(JSON.stringify({ port })),
);
