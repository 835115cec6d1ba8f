/**
 * The other end of the wire: sends what it is given, octet for octet, and prints what comes back.
 *
 *   printf 'GET / HTTP/1.0\r\n\r\n' | node examples/talk.js http://127.0.0.1:8080
 *
 * netcat does the same where there is one. It knows nothing of HTTP, so that it can say what no client would.
 */

import { connect } from "node:net";

const { hostname, port } = new URL(process.argv[2] ?? "http://127.0.0.1:8080");
const socket = connect(Number(port), hostname);

socket.on("error", (error) => console.error(error.message));
process.stdin.pipe(socket);
socket.pipe(process.stdout);
