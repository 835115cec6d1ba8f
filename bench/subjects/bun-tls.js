/** Subject: Bun.serve() with a fetch handler, under TLS. */
const init = { headers: { "content-type": "text/plain" } };
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 75,
  tls: { cert: Bun.file(process.env.FAIRLEAD_BENCH_CERT), key: Bun.file(process.env.FAIRLEAD_BENCH_KEY) },
  fetch: () => new Response("Hello, World!", init),
});
console.log(JSON.stringify({ port: server.port }));
