/** Subject: the same floor under TLS, of node:tls. */
import { createServer } from "node:tls";
import { answer } from "./floor-answers.js";
import { cert, key } from "./tls-certificate.js";

const server = createServer({ cert, key, noDelay: true }, (socket) => {
  socket.on("data", (piece) => answer(socket, piece));
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
