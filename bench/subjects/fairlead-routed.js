/** Subject: the same through App: three middleware, each of which looks at the request and passes it on, and one param. */
import { App, Response, serve } from "../../dist/index.js";

const init = { headers: { "x-one": "1", "x-two": "2", "x-three": "3" } };
const app = new App()
  .use((request, context, next) =>
    request.method === "TRACE" ? new Response(null, { status: 405 }) : next(request, context),
  )
  .use((request, context, next) => (context.encrypted ? new Response("https") : next(request, context)))
  .use((request, context, next) => (context.remoteAddress === null ? new Response("who?") : next(request, context)))
  .get("/users/:id", (request, { params }) => new Response(`Hello, ${params.id}!`, init));
const server = await serve({ ...app, port: 0 });
console.log(JSON.stringify({ port: Number(server.url.port) }));
