/**
 * Subject: the same answer from node:http, as good as it does it: Content-Length declared, keep-alive by default, Date by
 * default. Its idle time is that of ours, or the connections of the idle profile would be gone before they are counted.
 */
import { createServer } from "node:http";

const body = "Hello, World!";
const fields = { "content-type": "text/plain", "content-length": body.length };
const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  response.writeHead(200, fields);
  response.end(body);
});
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
