/** Subject: a folder behind serveStatic() with its defaults, on the built package. */
import { serve, serveStatic } from "../../dist/index.js";

const server = await serve({ port: 0, fetch: serveStatic(process.env.FAIRLEAD_BENCH_FOLDER) });
console.log(JSON.stringify({ port: Number(server.url.port) }));
