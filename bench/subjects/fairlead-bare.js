/** Subject: the reference of the app profile: a bare handler that cuts its param out of the URL by the cheapest means. */
import { Response, serve } from "../../dist/index.js";

const init = { headers: { "x-one": "1", "x-two": "2", "x-three": "3" } };
const server = await serve({
  port: 0,
  fetch: ({ url }) => new Response(`Hello, ${url.slice(url.lastIndexOf("/") + 1)}!`, init),
});
console.log(JSON.stringify({ port: Number(server.url.port) }));
