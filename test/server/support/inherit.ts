/** Run as a child: listens on descriptor 3, says so, and answers every connection until its standard input ends. */

import { Listener } from "../../../src/server/listener.ts";

const listener = await Listener.open(
  { kind: "fd", fd: 3, backlog: 511 },
  { onSocket: (socket) => void socket.end("inherited"), onAcceptError: () => {} },
);
process.stdout.write(`${listener.address.port}\n`);
process.stdin.resume().on("end", () => listener.close());
