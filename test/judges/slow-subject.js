/**
 * The built server as anybody would start it, with the defaults: a small answer, a large one that is the same for all (a
 * constant: of bytes given to each Response anew, each slow reader would hold a copy), and content that is read.
 */
import { Response, serve } from "fairlead";

const large = new Uint8Array(1024 * 1024);
const server = await serve({
  port: 0,
  routes: { "/large": new Response(large) },
  fetch: async (request) => {
    if (request.method === "POST") return new Response(String((await request.arrayBuffer()).byteLength));
    return new Response("Hello, World!");
  },
});
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
