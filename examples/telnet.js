/**
 * HTTP by hand, with telnet or netcat: a person types the request.
 *
 *   node examples/telnet.js --bare-lf
 *   nc 127.0.0.1 8080                     type  GET / HTTP/1.0  and press Enter twice
 *
 * telnet ends lines with CR LF, as HTTP does; netcat sends a bare LF, which is refused unless it is allowed by name. An answer
 * of unknown length goes out in chunks to HTTP/1.1, and until the connection closes to HTTP/1.0, which knows no chunks.
 */

import { Response, serve } from "fairlead";

const server = await serve({
  port: Number(process.env.PORT ?? 8080),
  // Never behind a proxy: where it sees one request, we could see two (request smuggling)
  allowBareLf: process.argv.includes("--bare-lf"),
  // People type slowly
  timeouts: { headMs: 120_000 },
  fetch: (request, context) => new Response(greet(`HTTP/${context.exchange.request.version}`, request.method)),
});

/** Some lines, each sent as it is made. */
async function* greet(version, method) {
  const encoder = new TextEncoder();
  for (const line of ["Ahoy!", `You speak ${version},`, `and ask to ${method}.`]) yield encoder.encode(`${line}\n`);
}

console.log(`Listening on ${server.url.href}`);
