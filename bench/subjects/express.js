/** Subject: Express with one route; without the fields that tell its name and a hash of the content, which nobody else has. */
import express from "express";

const app = express().disable("x-powered-by").disable("etag");
app.get("/", (_request, response) => {
  response.type("text/plain").send("Hello, World!");
});
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
server.keepAliveTimeout = 75_000;
