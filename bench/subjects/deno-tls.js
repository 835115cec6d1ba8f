/** Subject: Deno.serve() with a handler, under TLS. */
import { cert, key } from "./support/deno-certificate.js";

const init = { headers: { "content-type": "text/plain" } };
const onListen = ({ port }) => console.log(JSON.stringify({ port }));
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen, cert, key }, () => new Response("Hello, World!", init));
