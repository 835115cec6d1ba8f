/** Subject: a folder behind @fastify/static, with the fields that ours sends. */
import fastifyStatic from "@fastify/static";
import fastify from "fastify";

const app = fastify({ keepAliveTimeout: 75_000 });
app.register(fastifyStatic, {
  root: process.env.FAIRLEAD_BENCH_FOLDER,
  preCompressed: true,
  cacheControl: false,
  setHeaders: (reply) => {
    reply.header("cache-control", "no-cache").header("x-content-type-options", "nosniff");
  },
});
await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ port: app.server.address().port }));
