/** Subject: a Hono app on Fairlead. */
import { Hono } from "hono";
import { serve } from "../../dist/index.js";

const app = new Hono();
app.get("/users/:id", (context) => context.text(`Hello, ${context.req.param("id")}!`));
const server = await serve({ fetch: app.fetch, port: 0, replaceGlobals: true });
console.log(JSON.stringify({ port: Number(server.url.port) }));
