/** Subject: a Hono app on its own Node server. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();
app.get("/users/:id", (context) => context.text(`Hello, ${context.req.param("id")}!`));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1", serverOptions: { keepAliveTimeout: 75_000 } }, ({ port }) =>
  console.log(JSON.stringify({ port })),
);
