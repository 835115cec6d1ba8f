/** Subject: the hello-world handler with the access log on, a line of JSON per request to a file. */
import { Response, serve } from "../../dist/index.js";
import { accessLog } from "../../dist/observe/index.js";
import { logFile } from "./support/log-file.js";

const init = { headers: { "content-type": "text/plain" } };
const server = await serve({
  port: 0,
  limits: { maxConnections: 20_000 },
  fetch: () => new Response("Hello, World!", init),
  hooks: accessLog({ destination: logFile("fairlead"), format: "json" }),
});
console.log(JSON.stringify({ port: Number(server.url.port) }));
