/** What the floor knows by heart: the answers to GET / and to GET /users/:name. The date is made once a second. */
const END_OF_HEAD = "\r\n\r\n";
/** Of "GET /users/". */
const PREFIX_BYTES = 11;

let start = "";
function refresh() {
  start = `HTTP/1.1 200 OK\r\nDate: ${new Date().toUTCString()}\r\nContent-Type: text/plain\r\nContent-Length: `;
  setTimeout(refresh, 1000).unref();
}
refresh();

/**
 * Answers every request that the piece holds whole, and looks no further into it than that takes.
 *
 * @param {import("node:net").Socket} socket
 * @param {Buffer} piece
 */
export function answer(socket, piece) {
  const isLast = piece.includes("Connection: close");
  const text = isLast ? answerTo(piece).replace("\r\n", "\r\nConnection: close\r\n") : answerTo(piece);
  let answers = "";
  for (let at = piece.indexOf(END_OF_HEAD); at !== -1; at = piece.indexOf(END_OF_HEAD, at + 4)) answers += text;
  socket.write(answers, "latin1");
  if (isLast) socket.end();
}

/** @param {Buffer} piece */
function answerTo(piece) {
  if (piece[5] !== 0x75) return `${start}13${END_OF_HEAD}Hello, World!`;
  const name = piece.latin1Slice(PREFIX_BYTES, piece.indexOf(0x20, PREFIX_BYTES));
  return `${start}${name.length + 8}${END_OF_HEAD}Hello, ${name}!`;
}
