/**
 * Clients who say nothing are dropped after 30 seconds.
 *
 *   node examples/idle.js                 or IDLE_MS=3000 node examples/idle.js
 *   telnet 127.0.0.1 8080                 and wait
 *
 * Only the client's time is counted. It is closed in silence where it has said nothing, and told 408 where it has begun a
 * request. A handler may think as long as it likes.
 */

import { Response, serve } from "fairlead";

const IDLE_MS = Number(process.env.IDLE_MS ?? 30_000);

const server = await serve({
  port: Number(process.env.PORT ?? 8080),
  timeouts: {
    // From the opening of a connection, or the first octet of a head, to the head's end
    headMs: IDLE_MS,
    // Between an answer and the next request
    keepAliveMs: IDLE_MS,
  },
  hooks: {
    onConnection: ({ remoteAddress }) => console.log(`${remoteAddress.port} came`),
    onConnectionClose: ({ remoteAddress }) => console.log(`${remoteAddress.port} is gone`),
  },
  fetch: () => new Response("I am here as long as you talk to me.\n"),
});

console.log(`Listening on ${server.url.href}`);
