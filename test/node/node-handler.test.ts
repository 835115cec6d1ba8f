import { once } from "node:events";
import net from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import express from "express";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mounted } from "../../src/app/mount.ts";
import { nodeHandler, type RequestListener, serveNode } from "../../src/node/index.ts";
import type { Fault } from "../../src/server/hooks.ts";
import { request } from "../../src/testing/index.ts";
import type { Handler } from "../../src/web/handler.ts";
import { ask } from "./both-servers.ts";

describe("nodeHandler()", () => {
  it("makes a handler that can be asked without a socket", async () => {
    const app = express();
    app.post(
      "/echo",
      express.json(),
      (incoming, response) => void response.status(201).json({ got: incoming.body as unknown }),
    );
    const response = await request(nodeHandler(app), "/echo", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"a":1}',
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual({ got: { a: 1 } });
    expect(response.faults).toEqual([]);
  });

  it("shows what is below its prefix when it is mounted", async () => {
    const handler = mounted(
      "/old",
      nodeHandler((incoming, response) => response.end(`at ${incoming.url}`)),
    );
    expect(await (await request(handler, "/old/page?a=1")).text()).toBe("at /page?a=1");
  });

  it("stands behind middleware", async () => {
    const inner = nodeHandler((_incoming, response) => response.end("inner"));
    const handler: Handler = (incoming, context) => inner(incoming, context);
    expect(await (await request(handler, "/")).text()).toBe("inner");
  });

  it.each([
    ["no function", () => nodeHandler({} as never), /function \(req, res\)/],
    ["an unknown option", () => nodeHandler(() => {}, { upgrades: () => {} } as never), /did you mean upgrade/],
    [
      "an upgrade that is no function",
      () => nodeHandler(() => {}, { upgrade: true as never }),
      /upgrade: .* was given, a function is allowed/,
    ],
  ])("throws for %s", (_name, make, message) => {
    expect(make).toThrow(message);
  });
});

const FAILING: ReadonlyArray<readonly [string, RequestListener]> = [
  [
    "throws",
    () => {
      throw new Error("no secret for clients");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no secret for clients"))],
  [
    "rejects later",
    async () => {
      await turn();
      throw new Error("no secret for clients");
    },
  ],
  [
    "declares another length than it gives",
    (_incoming, response) => response.writeHead(200, { "content-length": 3 }).end("secret"),
  ],
  [
    "declares another length than it gives, later",
    async (_incoming, response) => {
      await turn();
      response.setHeader("content-length", "no number");
      response.end("secret");
    },
  ],
];

describe("a listener that fails", () => {
  it.each(FAILING)("is answered with 500 when it %s", async (_name, listener) => {
    const response = await request(nodeHandler(listener), "/");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    expect(response.faults).toHaveLength(1);
  });

  it.each([
    ["throws", "sync"],
    ["rejects", "async"],
  ])("breaks off an answer under way when it %s", async (_name, kind) => {
    const faults: Fault[] = [];
    const closed: string[] = [];
    const listener: RequestListener = async (_incoming, response) => {
      response.on("close", () => closed.push("close"));
      response.write("begun");
      if (kind === "async") await turn();
      throw new Error("broken");
    };
    await using server = await serveNode(listener, { port: 0, hooks: { onFault: (fault) => faults.push(fault) } });
    const answer = await ask(server.port);
    expect(answer.isBroken).toBe(true);
    expect(faults.map(({ error }) => (error as Error).message)).toEqual(["broken"]);
    expect(closed).toEqual(["close"]);
  });

  it("is reported, and harms nothing, when it fails behind its answer", async () => {
    const faults: Fault[] = [];
    const listener: RequestListener = async (_incoming, response) => {
      response.end("whole");
      await turn();
      throw new Error("too late");
    };
    await using server = await serveNode(listener, { port: 0, hooks: { onFault: (fault) => faults.push(fault) } });
    await expect(ask(server.port)).resolves.toMatchObject({ status: 200, body: "whole", isBroken: false });
    while (faults.length === 0) await turn();
    expect(faults.map(({ error }) => (error as Error).message)).toEqual(["too late"]);
  });

  it("breaks off an answer that is shorter than declared", async () => {
    const faults: Fault[] = [];
    const listener: RequestListener = async (_incoming, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("short");
      await turn();
      response.end();
    };
    await using server = await serveNode(listener, { port: 0, hooks: { onFault: (fault) => faults.push(fault) } });
    await expect(ask(server.port)).resolves.toMatchObject({ isBroken: true });
    expect(faults).toHaveLength(1);
  });
});

describe("content that the wire refuses", () => {
  const read: RequestListener = (incoming, response) => {
    incoming.resume().on("end", () => response.end("all of it"));
  };

  it("is answered by the wire when it is too large, and the request is aborted", async () => {
    const seen: unknown[] = [];
    const listener: RequestListener = (incoming, response) => {
      incoming.on("aborted", () => seen.push("aborted"));
      incoming.on("error", (error: NodeJS.ErrnoException) => seen.push(error.code));
      response.on("close", () => seen.push("close"));
      return read(incoming, response);
    };
    await using server = await serveNode(listener, { port: 0, limits: { maxContentBytes: 1000 } });
    const answer = await ask(server.port, { method: "POST", body: ["x".repeat(800), "y".repeat(800)] });
    expect(answer.status).toBe(413);
    expect(answer.body).toContain("ERR_CONTENT_TOO_LARGE");
    expect(new Set(seen)).toEqual(new Set(["aborted", "ERR_CONTENT_TOO_LARGE", "close"]));
  });

  it("is answered by the wire when its chunks are malformed", async () => {
    await using server = await serveNode(read, { port: 0 });
    const socket = net.connect(server.port, "127.0.0.1");
    let text = "";
    socket.on("data", (piece) => (text += piece.toString()));
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nz\r\n");
    await once(socket, "end");
    socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("request and response of one connection", () => {
  it("share a socket, and nothing else", async () => {
    const sockets = new Set<unknown>();
    const listener: RequestListener = (incoming, response) => {
      sockets.add(incoming.socket);
      const left = Object.keys(response.getHeaders());
      response.setHeader("x-path", incoming.url ?? "");
      response.end(`${incoming.url} ${left.join()}`);
    };
    await using server = await serveNode(listener, { port: 0 });
    const socket = net.connect(server.port, "127.0.0.1");
    socket.write("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let text = "";
    socket.on("data", (piece) => (text += piece.toString()));
    await once(socket, "end");
    socket.destroy();
    expect(text.match(/X-Path: .*|x-path: .*|\/[ab] $/gm)?.map((line) => line.trim())).toContain("x-path: /b");
    expect(text).toMatch(/\r\n\r\n\/a HTTP/);
    expect(text).toMatch(/\r\n\r\n\/b $/);
    expect(sockets.size).toBe(1);
  });

  it("keeps the order of pipelined answers that come at different times", async () => {
    const listener: RequestListener = async (incoming, response) => {
      if (incoming.url === "/slow") await turn();
      response.write(`<${incoming.url}`);
      await turn();
      response.end(">");
    };
    await using server = await serveNode(listener, { port: 0 });
    const socket = net.connect(server.port, "127.0.0.1");
    const head = "HTTP/1.0\r\n\r\n";
    socket.write(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast ${head}`);
    let text = "";
    socket.on("data", (piece) => (text += piece.toString()));
    await once(socket, "end");
    socket.destroy();
    expect(text.indexOf("</slow")).toBeGreaterThan(0);
    expect(text.indexOf("</fast")).toBeGreaterThan(text.indexOf("</slow"));
  });

  it("give back any content, however it is cut", async () => {
    await using server = await serveNode((incoming, response) => void incoming.pipe(response), { port: 0 });
    const pieces = fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 2000 }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(pieces, async (body) => {
        const answer = await ask(server.port, { method: "POST", body });
        expect(Buffer.from(answer.body).equals(Buffer.from(body.join("")))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
