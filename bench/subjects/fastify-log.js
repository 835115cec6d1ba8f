/**
 * Subject: Fastify with its own logger, which writes two lines of JSON per request to a file, gathered in memory as pino's
 * document on asynchronous logging advises.
 */
import fastify from "fastify";
import pino from "pino";
import { logFile } from "./support/log-file.js";

const stream = pino.destination({ dest: logFile("fastify"), sync: false, minLength: 4096 });
const app = fastify({ keepAliveTimeout: 75_000, logger: { stream } });
app.get("/", (_request, reply) => {
  reply.header("content-type", "text/plain").send("Hello, World!");
});
await app.listen({ port: 0, host: "127.0.0.1" });
console.log(JSON.stringify({ port: app.server.address().port }));
