/** Request and response member by member: what a listener sees and what a client gets are those of node:http. */
import { pipeline, Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { type Both, type Question, startBoth } from "./both-servers.ts";

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Writes down what an act throws. */
function attempt(log: unknown[], act: () => unknown): void {
  try {
    const result = act();
    log.push(typeof result === "object" && result !== null ? "ok" : (result ?? null));
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    log.push(`${name} ${code}`);
  }
}

function later(response: ServerResponse, log: unknown[]): void {
  response.setHeader("x-log", JSON.stringify(log));
  response.end(JSON.stringify(log));
}

/** What each listener does, and how it is asked. The answers of both servers must be one. */
const LISTENERS: Readonly<Record<string, readonly [Listener, Question?]>> = {
  "an answer of nothing": [(_request, response) => response.end()],
  "text": [(_request, response) => response.end("text ä")],
  "text in another encoding": [(_request, response) => response.end("ff00", "hex")],
  "latin1 text": [(_request, response) => response.end("\xe4", "latin1")],
  "bytes": [(_request, response) => response.end(new Uint8Array([65, 66]))],
  "HEAD with content": [
    (_request, response) => response.setHeader("content-length", 4).end("text"),
    { method: "HEAD" },
  ],
  "HEAD with written content": [
    (_request, response) => {
      response.write("one");
      response.end("two");
    },
    { method: "HEAD" },
  ],
  "204 with content": [
    (_request, response) => {
      response.statusCode = 204;
      response.write("one");
      response.end("two");
    },
  ],
  "304 with content": [(_request, response) => response.writeHead(304, { etag: '"a"' }).end("text")],
  "a status without phrase": [(_request, response) => response.writeHead(299).end()],
  "a phrase of its own": [
    (_request, response) => {
      response.statusCode = 404;
      response.statusMessage = "Not Here";
      response.end();
    },
  ],
  "writeHead with phrase and object": [
    (_request, response) => response.writeHead(201, "Made", { "X-One": 1, "set-cookie": ["a", "b"] }).end("x"),
  ],
  "writeHead with a flat list": [
    (_request, response) => response.writeHead(200, ["X-One", "1", "X-Two", "2"] as never).end("x"),
  ],
  "writeHead with repeated names": [
    (_request, response) => response.writeHead(200, ["X-One", "1", "X-One", "2"] as never).end("x"),
  ],
  "writeHead over fields set before": [
    (_request, response) => {
      response.setHeader("X-One", "old");
      response.setHeader("x-two", ["a", "b"]);
      response.writeHead(200, { "x-one": "new" });
      response.end("x");
    },
  ],
  "fields in all their forms": [
    (_request, response) => {
      const log: unknown[] = [];
      response.setHeader("X-Number", 1);
      response.setHeader("X-List", ["a", "b"]);
      response.appendHeader("x-list", "c");
      response.setHeader("X-Gone", "1");
      response.removeHeader("x-gone");
      log.push(
        response.getHeader("x-number"),
        response.getHeaders(),
        response.getHeaderNames(),
        response.hasHeader("X-LIST"),
      );
      later(response, log);
    },
  ],
  "setHeaders": [(_request, response) => response.setHeaders(new Map([["x-a", "1"]])).end("x")],
  "fields that are wrong": [
    (_request, response) => {
      const log: unknown[] = [];
      attempt(log, () => response.setHeader("a b", "1"));
      attempt(log, () => response.setHeader("a", "1\r\n2"));
      attempt(log, () => response.setHeader("a", undefined as never));
      attempt(log, () => response.writeHead(99));
      attempt(log, () => response.writeHead(1000));
      attempt(log, () => response.writeHead(200, "a\nb"));
      attempt(log, () => response.writeHead(200, { "a b": "1" }));
      attempt(log, () => response.write(null));
      attempt(log, () => response.write(1));
      attempt(log, () => response.addTrailers({ "a b": "1" }));
      response.statusMessage = "OK";
      later(response, log);
    },
  ],
  "acts behind the head": [
    (_request, response) => {
      const log: unknown[] = [];
      response.writeHead(200);
      log.push(response.headersSent);
      attempt(log, () => response.setHeader("a", "1"));
      attempt(log, () => response.appendHeader("a", "1"));
      attempt(log, () => response.removeHeader("a"));
      attempt(log, () => response.writeHead(200));
      response.end(JSON.stringify(log));
    },
  ],
  "states": [
    (_request, response) => {
      const { statusCode, headersSent, writableEnded, writableFinished, writableLength, writable, destroyed } =
        response;
      const log: unknown[] = [
        statusCode,
        headersSent,
        writableEnded,
        writableFinished,
        writableLength,
        writable,
        destroyed,
      ];
      log.push(response.writableObjectMode, response.writableCorked, response.sendDate, response.strictContentLength);
      log.push(response.socket === response.req.socket, Reflect.get(response, "connection") === response.socket);
      later(response, log);
    },
  ],
  "pieces": [
    async (_request, response) => {
      response.write("one ");
      response.write("74776f20", "hex");
      await turn();
      response.write(Buffer.from("three "));
      response.end("four");
    },
  ],
  "callbacks": [
    async (_request, response) => {
      const log: string[] = [];
      await new Promise<void>((resolve) => {
        response.write("a", () => log.push("first"));
        response.write("b", "utf8", () => {
          log.push("second");
          resolve();
        });
      });
      response.end(log.join());
    },
  ],
  "a declared length": [
    async (_request, response) => {
      response.writeHead(200, { "content-length": "6" });
      response.write("one");
      await turn();
      response.end("two");
    },
  ],
  "flushed fields": [
    async (_request, response) => {
      response.setHeader("x-early", "1");
      response.flushHeaders();
      await turn();
      response.end(String(response.headersSent));
    },
  ],
  "flushed fields without content": [
    async (_request, response) => {
      response.statusCode = 204;
      response.flushHeaders();
      await turn();
      response.end();
    },
  ],
  "a pipeline": [(_request, response) => void pipeline(Readable.from(["a", "b"]), response, () => {})],
  "a pipe with backpressure": [
    (_request, response) => Readable.from(Array.from({ length: 40 }, () => "x".repeat(50_000))).pipe(response),
  ],
  "trailers": [
    (_request, response) => {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("content");
      response.addTrailers({ "x-sum": "7" });
      response.end();
    },
    { headers: { te: "trailers" } },
  ],
  "interim answers": [
    (_request, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ "link": ["</a.css>; rel=preload", "</b.css>; rel=preload"], "x-hint": "1" });
      response.end("done");
    },
  ],
  "the request": [
    (request, response) => {
      const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, destroyed } = request;
      const others: unknown[] = [Reflect.get(request, "upgrade"), Reflect.get(request, "aborted")];
      response.end(
        JSON.stringify([method, url, httpVersion, httpVersionMajor, httpVersionMinor, destroyed, ...others]),
      );
    },
    { method: "PATCH", path: "/a/%20b?c=d", body: "x" },
  ],
  "the request's fields": [
    (request, response) => {
      const withoutPort = JSON.stringify([request.headers, request.headersDistinct, request.rawHeaders]).replaceAll(
        /127\.0\.0\.1:\d+/g,
        "HOST",
      );
      response.end(withoutPort);
    },
    {
      headers: {
        "X-Many": ["a", "b"],
        "Cookie": ["a=1", "b=2"],
        "Set-Cookie": ["x", "y"],
        "User-Agent": ["one", "two"],
        "Accept": "*/*",
        "X-Empty": "",
      },
    },
  ],
  "the request's content": [
    async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const log = [Buffer.concat(pieces).toString(), request.complete, request.readableEnded, request.trailers];
      response.end(JSON.stringify(log));
    },
    { method: "POST", body: ["one", "two", "three"] },
  ],
  "the request's text": [
    (request, response) => {
      let text = "";
      request.setEncoding("utf8");
      request.on("data", (piece: string) => (text += piece)).on("end", () => response.end(text));
    },
    { method: "POST", body: "ä".repeat(100_000) },
  ],
  "content read late": [
    async (request, response) => {
      for (let i = 0; i < 3; i++) await turn();
      request.pipe(response);
    },
    { method: "POST", body: "late".repeat(50_000) },
  ],
  "content unread": [(_request, response) => response.end("no, thanks"), { method: "POST", body: "x".repeat(10_000) }],
  "content of nothing": [
    (request, response) => {
      request.on("data", () => response.write("never")).on("end", () => response.end("ended"));
    },
  ],
  "the socket": [
    (request, response) => {
      const { socket } = request;
      const { remoteAddress, remoteFamily, localAddress, destroyed, writable, readable } = socket;
      const log = [
        remoteAddress,
        remoteFamily,
        localAddress,
        destroyed,
        writable,
        readable,
        "encrypted" in socket && socket.encrypted,
      ];
      log.push(
        typeof socket.remotePort,
        socket.setNoDelay() === socket,
        socket.setKeepAlive() === socket,
        socket.readyState,
      );
      response.end(JSON.stringify(log));
    },
  ],
  "end again": [
    (_request, response) => {
      response.end("once");
      response.end();
    },
  ],
};

describe("request and response", () => {
  let both: Both;

  beforeAll(async () => {
    both = await startBoth(() => (request, response) => {
      const name = String(request.headers["x-listener"]);
      delete request.headers["x-listener"];
      const listener = LISTENERS[name]?.[0];
      return listener?.(request, response);
    });
  });

  it.each(Object.keys(LISTENERS))("are as on node:http: %s", async (name) => {
    const question = LISTENERS[name]?.[1] ?? {};
    const { theirs, ours } = await both.ask({ ...question, headers: { "x-listener": name, ...question.headers } });
    expect(ours).toEqual(theirs);
    expect(both.faults).toEqual([]);
  });
});
