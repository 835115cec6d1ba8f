import { once } from "node:events";
import type http from "node:http";
import net, { type AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import express from "express";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createServer, nodeHandler, type UpgradeListener } from "../../src/node/index.ts";
import type { Fault } from "../../src/server/hooks.ts";
import { serve, type Server } from "../../src/server/server.ts";

const closing: Array<() => unknown> = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const faults: Fault[] = [];

async function serveUpgrades(upgrade: UpgradeListener): Promise<Server> {
  faults.length = 0;
  const listener: http.RequestListener = (request, response) => response.end(`plain ${request.url}`);
  const server = await serve({
    port: 0,
    fetch: nodeHandler(listener, { upgrade }),
    hooks: { onFault: (fault) => faults.push(fault) },
  });
  closing.push(() => server.close({ drainMs: 500 }));
  return server;
}

/** What a client gets that asks for another protocol over a bare socket, and what it says behind. */
async function converse(port: number, head: string, behind = ""): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  let text = "";
  socket.on("data", (piece: string) => (text += piece));
  socket.on("error", () => (text += "<reset>"));
  socket.write(`GET /chat HTTP/1.1\r\nHost: a\r\n${head}\r\n${behind}`);
  await new Promise((resolve) => socket.on("close", resolve));
  return text;
}

const ASKING = "Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n";

function attach(wss: WebSocketServer): void {
  wss.on("connection", (socket, request) => {
    socket.send(`hello ${request.url} from ${request.socket.remoteAddress}`);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}

describe("ws on our server", () => {
  it("speaks over a server that it attaches itself to", async () => {
    const server = createServer(express().get("/", (_request, response) => void response.send("page")));
    const wss = new WebSocketServer({ server: server as unknown as http.Server, path: "/live" });
    attach(wss);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("page");
    const client = new WebSocket(`ws://127.0.0.1:${port}/live`);
    const [hello] = (await once(client, "message")) as [Buffer];
    expect(hello.toString()).toBe("hello /live from 127.0.0.1");
    const large = Buffer.alloc(3_000_000, "abc");
    client.send(large);
    const [echo] = (await once(client, "message")) as [Buffer];
    expect(echo.equals(large)).toBe(true);
    const closed = once([...wss.clients][0] as WebSocket, "close");
    client.close(4001, "enough");
    expect((await closed)[0]).toBe(4001);
    await once(client, "close");
  });

  it("refuses a path that it does not serve", async () => {
    const server = createServer();
    const wss = new WebSocketServer({ server: server as unknown as http.Server, path: "/live" });
    attach(wss);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/other`);
    const [error] = (await once(client, "error")) as [Error];
    expect(error.message).toBe("Unexpected server response: 400");
  });

  it("speaks through nodeHandler(), beside plain requests", async () => {
    const wss = new WebSocketServer({ noServer: true });
    attach(wss);
    const server = await serveUpgrades((request, socket, head) =>
      wss.handleUpgrade(request, socket, head, (client) => wss.emit("connection", client, request)),
    );
    expect(await (await fetch(new URL("/x", server.url))).text()).toBe("plain /x");
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/y`);
    await once(client, "message");
    client.terminate();
    await once([...wss.clients][0] as WebSocket, "close");
    expect(faults).toEqual([]);
  });
});

describe("the socket of an upgrade", () => {
  it("carries bytes both ways, from those behind the head on, and ends with both sides", async () => {
    const server = await serveUpgrades((_request, socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-Own: 1\r\n\r\nfirst,",
      );
      socket.on("data", (bytes: Buffer) => socket.end(bytes.toString().toUpperCase()));
    });
    const text = await converse(server.port, ASKING, "ping");
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(text).toContain("X-Own: 1\r\n");
    expect(text.split("\r\n\r\n")[1]).toBe("first,PING");
    expect(faults).toEqual([]);
  });

  it("takes an answer that comes in pieces", async () => {
    const server = await serveUpgrades(async (_request, socket) => {
      for (const piece of [
        "HTTP/1.1 101 Switching",
        " Protocols\r\nUpgrade: ec",
        "ho\r\nConnection: Upgrade\r\n\r",
        "\nhi",
      ]) {
        socket.write(piece);
        await turn();
      }
      socket.end();
      socket.resume();
    });
    expect((await converse(server.port, ASKING)).split("\r\n\r\n")[1]).toBe("hi");
  });

  it.each([
    [
      "end()",
      (socket: net.Socket) => socket.end("HTTP/1.1 401 Not You\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"),
    ],
    [
      "write() and destroy()",
      (socket: net.Socket) => {
        socket.write("HTTP/1.1 401 Not You\r\nConnection: close\r\n\r\n");
        socket.write("no");
        socket.destroy();
      },
    ],
  ])("sends a refusal that was written with %s", async (_name, refuse) => {
    const server = await serveUpgrades((_request, socket) => refuse(socket as net.Socket));
    const text = await converse(server.port, ASKING);
    expect(text).toMatch(/^HTTP\/1\.1 401 Not You\r\n/);
    expect(text).toMatch(/\r\n\r\nno$/);
    expect(faults).toEqual([]);
  });

  it.each([
    ["no HTTP", "HELLO\r\n\r\n"],
    ["a line without colon", "HTTP/1.1 101 Switching Protocols\r\nUpgrade\r\n\r\n"],
    ["a protocol that was not asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\n\r\n"],
    ["a control character in a field", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nX: a\x01b\r\n\r\n"],
  ])("answers 500 when the listener answers with %s", async (_name, answer) => {
    const server = await serveUpgrades((_request, socket) => void socket.write(answer));
    expect(await converse(server.port, `${ASKING}Connection: close\r\n`)).toMatch(/^HTTP\/1\.1 500 /);
    expect(faults).toHaveLength(1);
  });

  it("drops the connection when the listener destroys it without a word", async () => {
    const server = await serveUpgrades((_request, socket) => void socket.destroy());
    expect(await converse(server.port, ASKING)).toBe("<reset>");
    expect(faults).toEqual([]);
  });

  it("is destroyed when the client leaves before the answer", async () => {
    let tellLeft: () => void = () => {};
    const left = new Promise<void>((resolve) => (tellLeft = resolve));
    const server = await serveUpgrades((_request, socket) => void socket.on("close", tellLeft));
    const socket = net.connect(server.port, "127.0.0.1", () => {
      socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${ASKING}\r\n`, () => socket.resetAndDestroy());
    });
    await left;
    expect(faults).toEqual([]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("not today"))],
    [
      "throws",
      () => {
        throw new Error("not today");
      },
    ],
  ])("answers 500 when the listener %s", async (_name, listener) => {
    const server = await serveUpgrades(listener);
    expect(await converse(server.port, `${ASKING}Connection: close\r\n`)).toMatch(/^HTTP\/1\.1 500 /);
    expect(faults).toHaveLength(1);
  });
});

describe("a request that asks for an upgrade", () => {
  it.each([
    ["without the connection option", "Upgrade: echo\r\nConnection: close\r\n"],
    ["without Upgrade", "Connection: upgrade, close\r\n"],
  ])("is plain %s", async (_name, head) => {
    const server = await serveUpgrades((_request, socket) => void socket.destroy());
    expect(await converse(server.port, head)).toMatch(/\r\n\r\nplain \/chat$/);
  });

  it("is plain where nobody listens for upgrades", async () => {
    const server = createServer((_request, response) => response.end("plain"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    expect(await converse(port, "Connection: close, Upgrade\r\nUpgrade: echo\r\n")).toMatch(/\r\n\r\nplain$/);
  });
});
