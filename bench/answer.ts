/**
 * Asks a subject over a raw socket and checks every octet that matters of its answer: a server that answers fast and wrong
 * has no place in a table. Used before, during and after each load.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/** Says what is wrong with an answer, or null. */
function faultOf(answer: string): string | null {
  const [head = "", body] = answer.split("\r\n\r\n");
  if (!head.startsWith("HTTP/1.1 200 ")) return `status line ${head.split("\r\n")[0]}`;
  if (body !== "Hello, World!") return `content ${JSON.stringify(body)}`;
  for (const field of [/^content-type: text\/plain/im, /^date: \w{3}, /im, /^content-length: 13$/im]) {
    if (!field.test(head)) return `no ${field.source}`;
  }
  return null;
}

/** Opens a connection that asks one request after the other and stays open. */
export async function openAsker(port: number): Promise<{ ask: () => Promise<void>; socket: Socket }> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let received = "";
  let settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  const finish = (error: Error | null): void => {
    const waiting = settle;
    settle = null;
    received = "";
    if (error === null) waiting?.resolve();
    else waiting?.reject(error);
  };
  socket.setEncoding("latin1");
  socket.on("error", finish);
  socket.on("close", () => finish(new Error("connection closed")));
  socket.on("data", (text: string) => {
    received += text;
    if (!received.endsWith("Hello, World!")) return;
    const fault = faultOf(received);
    finish(fault === null ? null : new Error(`wrong answer: ${fault}`));
  });
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      socket.write(REQUEST);
    });
  return { ask, socket };
}
