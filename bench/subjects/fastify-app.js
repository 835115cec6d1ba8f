/** Subject: JSON, forms and uploads by Fastify with its own plugins. */
import fastify from "fastify";
import { items } from "./library.js";
import { peer } from "./support/peers.js";

const app = fastify({ keepAliveTimeout: 75_000, bodyLimit: 64 * 1024 * 1024 });
await app.register(peer("@fastify/compress"), { global: false, encodings: ["gzip"], zlibOptions: { level: 6 } });
await app.register(peer("@fastify/formbody"));
// Uploads are read as they come
app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

const list = (request, reply) => {
  reply.send(items(Number(request.query.items)));
};
app.get("/json", list);
app.get("/gzip", { compress: { encodings: ["gzip"], zlibOptions: { level: 6 } } }, list);
app.get("/search", (request, reply) => {
  reply.send(`${request.query.q}, page ${request.query.page}`);
});
app.post("/book", (request, reply) => {
  reply.send({ ...request.body, id: 1 });
});
app.post("/form", (request, reply) => {
  reply.send(`${request.body.name}, ${request.body.age}`);
});
app.post("/upload", (request, reply) => {
  let octets = 0;
  request.raw.on("data", (piece) => (octets += piece.length));
  request.raw.on("end", () => {
    reply.send(String(octets));
  });
});
await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ port: app.server.address().port }));
