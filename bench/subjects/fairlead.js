/** Subject: a hello-world fetch handler on the built package. Says its port as a line of JSON. */
import { Response, serve } from "../../dist/index.js";

const init = { headers: { "content-type": "text/plain" } };
const server = await serve({
  port: 0,
  limits: { maxConnections: 20_000 },
  fetch: () => new Response("Hello, World!", init),
});
console.log(JSON.stringify({ port: Number(server.url.port) }));
