/** Subject: a hello-world fetch handler under TLS, on the built package. */
import { Response, serve } from "../../dist/index.js";
import { certFile, keyFile } from "./tls-certificate.js";

const init = { headers: { "content-type": "text/plain" } };
const server = await serve({ port: 0, tls: { certFile, keyFile }, fetch: () => new Response("Hello, World!", init) });
console.log(JSON.stringify({ port: server.port }));
