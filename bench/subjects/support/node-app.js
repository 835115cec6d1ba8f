/** JSON, forms and uploads from node:http, as good as it does it: lengths declared, content collected once; gzip by who calls. */
import { createServer } from "node:http";
import { items } from "../library.js";

const PLAIN = "text/plain;charset=UTF-8";

function send(response, type, text) {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function collect(request, callback) {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => callback((pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)).toString()));
}

/**
 * @param {(text: string, callback: (bytes: Buffer) => void) => void} compress
 */
export function serveApp(compress) {
  const answers = {
    "/json": (request, response, query) =>
      send(response, "application/json", JSON.stringify(items(Number(query.get("items"))))),
    "/gzip": (request, response, query) => {
      compress(JSON.stringify(items(Number(query.get("items")))), (bytes) => {
        response.writeHead(200, {
          "content-type": "application/json",
          "content-encoding": "gzip",
          "vary": "Accept-Encoding",
          "content-length": bytes.length,
        });
        response.end(bytes);
      });
    },
    "/search": (request, response, query) => send(response, PLAIN, `${query.get("q")}, page ${query.get("page")}`),
    "/book": (request, response) =>
      collect(request, (text) => send(response, "application/json", JSON.stringify({ ...JSON.parse(text), id: 1 }))),
    "/form": (request, response) =>
      collect(request, (text) => {
        const fields = new URLSearchParams(text);
        send(response, PLAIN, `${fields.get("name")}, ${fields.get("age")}`);
      }),
    "/upload": (request, response) => {
      let octets = 0;
      request.on("data", (piece) => (octets += piece.length));
      request.on("end", () => send(response, PLAIN, String(octets)));
    },
  };

  const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
    answers[pathname](request, response, searchParams);
  });
  server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
}
