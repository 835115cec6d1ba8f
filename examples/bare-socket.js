/**
 * What HTTP is before a server knows it: text over a TCP socket.
 *
 *   node examples/bare-socket.js          then http://127.0.0.1:8080/harbour
 *
 * Many a tutorial begins like this, and each line with a number is wrong. docs/guides/from-the-socket-up.md has the bytes that
 * break it. It is here to be read and to be broken, and for nothing else.
 */

import { createServer } from "node:net";

const server = createServer((socket) => {
  // 1: a chunk is what one read happened to bring, which may be half a request, or two
  socket.on("data", (chunk) => {
    // 2: whatever came is taken for a request, however odd its head, and however long its body was to be
    const [head = "", body = ""] = chunk.toString().split("\r\n\r\n");
    const [method, path] = head.split(" ");
    if (method === "POST") {
      // 3: text that is no JSON throws, and a throw in here ends the process
      answer(socket, "application/json", JSON.stringify({ ...JSON.parse(body), id: 1 }));
    } else {
      // 4: the visitor's text becomes markup of our page
      answer(socket, "text/html", `<p>You asked for ${path}</p>\n`);
    }
  });
  // 5: nobody listens for "error", so that a client who resets the connection ends the process as well
  // 6: nobody looks at the clock, so that a client who says nothing stays for ever
});

/** Writes a response. */
function answer(socket, type, text) {
  // 7: characters are counted, but octets are sent
  socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
}

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}/`);
});
