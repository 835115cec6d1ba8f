/** Subject: a folder behind Bun.serve(), a route for each file. */
import { fileRoutes } from "./support/bun-files.js";

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 75,
  routes: fileRoutes(process.env.FAIRLEAD_BENCH_FOLDER),
  fetch: () => new Response("not found\n", { status: 404 }),
});
console.log(JSON.stringify({ port: server.port }));
