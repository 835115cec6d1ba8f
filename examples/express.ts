/**
 * An Express app, unchanged, on this server and not on node:http.
 *
 *   npx fairlead examples/express.ts
 *
 * In a program of your own: `await serveNode(app, { port: 8080 })`. `nodeHandler` makes a handler of any listener for
 * `(req, res)`, so that it can also be mounted below a path of an App while you move from one to the other.
 */

import express from "express";
import type { Handler } from "fairlead";
import { nodeHandler } from "fairlead/node";

const app = express();

app.use(express.json());
app.get("/", (_request, response) => void response.send("Hello from Express!\n"));
app.get("/users/:id", (request, response) => void response.json({ id: request.params.id, query: request.query }));
app.post("/book", (request, response) => void response.status(201).json({ ...(request.body as object), id: 1 }));

const handler: Handler = nodeHandler(app);

export default handler;
