/** Subject: Bun.serve() with a fetch handler. */
const init = { headers: { "content-type": "text/plain" } };
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 75,
  fetch: () => new Response("Hello, World!", init),
});
console.log(JSON.stringify({ port: server.port }));
