/** Subject: JSON, forms and uploads by Express with its own parsers and its compression middleware. */
import express from "express";
import { items } from "./library.js";
import { peer } from "./support/peers.js";

const app = express().disable("x-powered-by").disable("etag");
const list = (request, response) => {
  response.json(items(Number(request.query.items)));
};
app.get("/json", list);
app.get("/gzip", peer("compression")({ level: 6 }), list);
app.get("/search", (request, response) => {
  const { q, page } = /** @type {Record<string, string>} */ (request.query);
  response.type("text/plain").send(`${q}, page ${page}`);
});
app.post("/book", express.json(), (request, response) => {
  response.json({ ...request.body, id: 1 });
});
app.post("/form", express.urlencoded({ extended: false }), (request, response) => {
  response.type("text/plain").send(`${request.body.name}, ${request.body.age}`);
});
app.post("/upload", (request, response) => {
  let octets = 0;
  request.on("data", (piece) => (octets += piece.length));
  request.on("end", () => response.type("text/plain").send(String(octets)));
});
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
server.keepAliveTimeout = 75_000;
