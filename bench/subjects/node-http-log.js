/** Subject: node:http with a line of JSON per request, as ours has it, by pino to a file, gathered in memory as pino advises. */
import { createServer } from "node:http";
import pino from "pino";
import { logFile } from "./support/log-file.js";

const destination = pino.destination({ dest: logFile("node-http"), sync: false, minLength: 4096 });
const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
const body = "Hello, World!";
const fields = { "content-type": "text/plain", "content-length": body.length };
const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const beganMs = performance.now();
  response.on("finish", () => {
    log.info({
      remote: request.socket.remoteAddress,
      method: request.method,
      target: request.url,
      status: response.statusCode,
      bytes: body.length,
      durationMs: performance.now() - beganMs,
      version: request.httpVersion,
      host: request.headers.host,
      userAgent: request.headers["user-agent"],
    });
  });
  response.writeHead(200, fields);
  response.end(body);
});
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
