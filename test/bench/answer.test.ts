/** What is wrong with a greeting: told as soon as it can be known, so that a wrong answer holds nobody up. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { faultOf, openAsker } from "../../bench/answer.ts";

const HEAD =
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sun, 22 Nov 2026 20:00:00 GMT\r\nContent-Length: 13\r\n\r\n";

describe("a greeting", () => {
  it("is waited for until it is whole, and right then", () => {
    const answer = `${HEAD}Hello, World!`;
    for (let end = 0; end < answer.length; end++) expect(faultOf(answer.slice(0, end))).toBe(undefined);
    expect(faultOf(answer)).toBe(null);
  });

  it.each([
    { why: "another content of the same length", answer: `${HEAD}Hello, Wrong!`, fault: "content" },
    { why: "more than was asked for", answer: `${HEAD}Hello, World!HTTP/1.1`, fault: "content" },
    { why: "another length", answer: HEAD.replace("13", "12"), fault: "content-length" },
    {
      why: "chunks",
      answer: HEAD.replace("Content-Length: 13", "Transfer-Encoding: chunked"),
      fault: "content-length",
    },
    { why: "another status", answer: HEAD.replace("200 OK", "500 No"), fault: "status line HTTP/1.1 500" },
  ])("is wrong with $why, whatever comes behind it", ({ answer, fault }) => {
    expect(faultOf(answer)).toContain(fault);
  });
});

describe("a connection that asks", () => {
  it("says so where it was closed between two questions, and waits for nothing", async () => {
    const server = createServer((socket) => socket.on("data", () => socket.end(`${HEAD}Hello, World!`)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { ask, socket } = await openAsker((server.address() as AddressInfo).port);
    await ask();
    if (!socket.closed) await once(socket, "close");
    await expect(ask()).rejects.toThrow("connection closed");
    server.close();
  });

  it("says the error that ended it", async () => {
    const server = createServer((socket: Socket) => socket.on("data", () => socket.resetAndDestroy()));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { ask } = await openAsker((server.address() as AddressInfo).port);
    await expect(ask()).rejects.toThrow("ECONNRESET");
    server.close();
  });
});
