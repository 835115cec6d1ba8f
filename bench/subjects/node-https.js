/** Subject: the same answer from node:https, as good as it does it. */
import { createServer } from "node:https";
import { cert, key } from "./tls-certificate.js";

const body = "Hello, World!";
const fields = { "content-type": "text/plain", "content-length": body.length };
const server = createServer({ cert, key, keepAliveTimeout: 75_000 }, (request, response) => {
  response.writeHead(200, fields);
  response.end(body);
});
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
