/**
 * A Hono app, unchanged: whatever has a `fetch` can be served.
 *
 *   npx fairlead examples/hono.ts
 *
 * In a program of your own: `await serve({ fetch: app.fetch, port: 8080 })`. The same goes for h3, itty-router and all others
 * that are written for web standards.
 */

import { Hono } from "hono";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";

const app: Hono = new Hono();

app.use(cors());
app.get("/", (context) => context.text("Hello from Hono!\n"));
app.get("/users/:id", (context) => context.json({ id: context.req.param("id"), query: context.req.query() }));
app.post("/book", async (context) => {
  const book = await context.req.json<object>().catch(() => {
    throw new HTTPException(400, { message: "that is no JSON\n" });
  });
  return context.json({ ...book, id: 1 }, 201);
});

export default app;
