/** Subject: an Express app on node:http. */
import express from "express";

const app = express();
app.get("/users/:id", (request, response) => {
  response.type("text/plain").send(`Hello, ${request.params.id}!`);
});
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
server.keepAliveTimeout = 75_000;
