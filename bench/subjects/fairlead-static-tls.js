/** Subject: a folder behind serveStatic() under TLS, with its defaults, on the built package. */
import { serve, serveStatic } from "../../dist/index.js";
import { certFile, keyFile } from "./tls-certificate.js";

const server = await serve({
  port: 0,
  tls: { certFile, keyFile },
  fetch: serveStatic(process.env.FAIRLEAD_BENCH_FOLDER),
});
console.log(JSON.stringify({ port: server.port }));
