/** Subject: the hello-world answer from an App with a route. */
import { App, Response, serve } from "../../dist/index.js";

const init = { headers: { "content-type": "text/plain" } };
const app = new App().get("/", () => new Response("Hello, World!", init));
const server = await serve({ ...app, port: 0, limits: { maxConnections: 20_000 } });
console.log(JSON.stringify({ port: Number(server.url.port) }));
