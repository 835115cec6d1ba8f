/** Subject: Fastify with one route, its defaults but for the idle time of connections. */
import fastify from "fastify";

const app = fastify({ keepAliveTimeout: 75_000 });
app.get("/", (_request, reply) => {
  reply.header("content-type", "text/plain").send("Hello, World!");
});
await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ port: app.server.address().port }));
