/**
 * Subject: no server, but what a server on the streams of node:net cannot be cheaper than. It looks for the ends of heads and writes
 * answers that it knows by heart: nothing else is parsed, and nothing checked or limited. What is left is the kernel's and
 * node:net's.
 */
import { createServer } from "node:net";
import { answer } from "./floor-answers.js";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (piece) => answer(socket, piece));
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
