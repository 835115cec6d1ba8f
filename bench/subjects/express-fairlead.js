/** Subject: an Express app on fairlead/node. */
import express from "express";
import { serve } from "../../dist/index.js";
import { nodeHandler } from "../../dist/node/index.js";

const app = express();
app.get("/users/:id", (request, response) => {
  response.type("text/plain").send(`Hello, ${request.params.id}!`);
});
const server = await serve({ fetch: nodeHandler(app), port: 0 });
console.log(JSON.stringify({ port: Number(server.url.port) }));
