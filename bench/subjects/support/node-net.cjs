/** `node node-net.cjs FOLDER --port N`: says the page of a folder to whoever asks anything; what no command can be faster than. */
const { readFileSync } = require("node:fs");
const { createServer } = require("node:net");
const { join } = require("node:path");

const [folder, , port] = process.argv.slice(2);
const page = readFileSync(join(folder, "index.html"));
const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n`;
const answer = Buffer.concat([Buffer.from(head), page]);
createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", () => socket.end(answer));
}).listen(Number(port), "127.0.0.1");
