import { getEventListeners, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { readListenArguments } from "../../src/node/listen-arguments.ts";
import { createServer, type NodeServer } from "../../src/node/index.ts";
import { ask } from "./both-servers.ts";

const open: NodeServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, "close");
  }
});

async function listening(server: NodeServer, ...args: unknown[]): Promise<number> {
  open.push(server);
  server.listen(...(args.length === 0 ? [0, "127.0.0.1"] : args));
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

const hello = (_request: IncomingMessage, response: ServerResponse): unknown => response.end("hello");

describe("createServer()", () => {
  it("serves its listener, and those that come later", async () => {
    const server = createServer(hello);
    const port = await listening(server);
    expect((await ask(port)).body).toBe("hello");
    server.removeAllListeners("request");
    server.on("request", (_request: unknown, response: ServerResponse) => response.end("another"));
    expect((await ask(port)).body).toBe("another");
  });

  it("says where it listens only while it does", async () => {
    const server = createServer(hello);
    expect([server.listening, server.address()]).toEqual([false, null]);
    const port = await listening(server);
    expect(server.address()).toEqual({ address: "127.0.0.1", family: "IPv4", port });
    server.close();
    expect([server.listening, server.address()]).toEqual([false, null]);
    await once(server, "close");
  });

  it("listens everywhere where nothing else is said, as node:http", async () => {
    const server = createServer(hello);
    const port = await listening(server, 0);
    expect(["::", "0.0.0.0"]).toContain((server.address() as AddressInfo).address);
    expect((await ask(port)).body).toBe("hello");
  });

  it("listens on a unix socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fairlead-node-"));
    const path = join(folder, "socket");
    const server = createServer((request, response) => response.end(String(request.socket.remoteFamily)));
    await listening(server, path);
    expect(server.address()).toBe(path);
    const [response] = (await once(http.get({ socketPath: path, agent: false }), "response")) as [IncomingMessage];
    const [body] = (await once(response, "data")) as [Buffer];
    expect([response.statusCode, body.toString()]).toEqual([200, "undefined"]);
    await rm(folder, { recursive: true });
  });

  it("closes when its signal aborts, and can listen again", async () => {
    const server = createServer(hello);
    const controller = new AbortController();
    await listening(server, { port: 0, host: "127.0.0.1", signal: controller.signal });
    controller.abort();
    await once(server, "close");
    const port = await listening(server);
    expect((await ask(port)).body).toBe("hello");
  });

  it("calls back when it listens and when it is closed", async () => {
    const server = createServer(hello);
    await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, resolve));
    expect(() => server.listen(0)).toThrow(/more than once/);
    const error = await new Promise((resolve) => server.close(resolve));
    expect(error).toBeUndefined();
    const again = await new Promise<Error | undefined>((resolve) => server.close(resolve));
    expect(again).toMatchObject({ code: "ERR_SERVER_NOT_RUNNING" });
  });

  it("that is closed before it listens does not serve on for its last grace", async () => {
    const server = createServer({ timeouts: { lameDuckMs: 60_000 } }, hello);
    server.listen(0, "127.0.0.1");
    // A minute is longer than this test may take
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(server.listening).toBe(false);
  });

  it.each([
    ["closed", (server: NodeServer) => new Promise<void>((resolve) => server.close(() => resolve()))],
    ["disposed of", (server: NodeServer) => server[Symbol.asyncDispose]()],
    [
      "closed by its signal",
      (server: NodeServer, controller: AbortController) => {
        controller.abort();
        return once(server, "close");
      },
    ],
  ])("that is %s before it listens never does, as node:http's", async (_how, close) => {
    const server = createServer(hello);
    const events: string[] = [];
    for (const name of ["listening", "error", "close"]) server.on(name, () => events.push(name));
    const controller = new AbortController();
    server.listen({ port: 0, host: "127.0.0.1", signal: controller.signal });
    await close(server, controller);
    await turn();
    expect([events, server.listening, server.address()]).toEqual([["close"], false, null]);
    const port = await listening(server);
    expect((await ask(port)).body).toBe("hello");
  });

  it.each([
    ["ours", createServer],
    ["node:http's", http.createServer],
  ])("calls back among the listeners of close, in the order in which they came: %s", async (_whose, create) => {
    const server = (create as typeof http.createServer)();
    const told: unknown[] = [];
    server.on("close", () => told.push("before"));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    server.close((...errors) => told.push(errors));
    server.on("close", () => told.push("behind"));
    await once(server, "close");
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    server.close();
    await once(server, "close");
    expect(told).toEqual(["before", [], "behind", "before", "behind"]);
  });

  it("that is closed before it listens says why it could not have", async () => {
    const port = await listening(createServer(hello));
    const server = createServer(hello);
    const codes: unknown[] = [];
    server.on("error", (error: NodeJS.ErrnoException) => codes.push(error.code));
    server.listen(port, "127.0.0.1");
    const told = await new Promise((resolve) => server.close(resolve));
    expect([...codes, told]).toMatchObject(["EADDRINUSE", { code: "ERR_SERVER_NOT_RUNNING" }]);
    expect(server.listenerCount("close")).toBe(0);
  });

  it("hears of its signal no longer than it lives", async () => {
    const { signal } = new AbortController();
    const server = createServer(hello);
    for (let times = 0; times < 2; times++) {
      await listening(server, { port: 0, host: "127.0.0.1", signal });
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      server.close();
      await once(server, "close");
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
    }
  });

  it("emits the system's error when it cannot listen", async () => {
    const port = await listening(createServer(hello));
    const server = createServer(hello).listen(port, "127.0.0.1");
    const [error] = (await once(server, "error")) as [NodeJS.ErrnoException];
    expect([error.code, error.syscall, server.listening]).toEqual(["EADDRINUSE", "listen", false]);
  });

  it("throws for options that are none, before it listens", () => {
    expect(() => createServer({ limits: { maxHeadByte: 1 } } as never)).toThrow(/maxHeadBytes/);
  });

  it("takes limits of ours, and node:http's timeouts and counts", async () => {
    const server = createServer({ limits: { maxContentBytes: 10 } }, (request, response) => {
      request.resume().on("end", () => response.end("read"));
    });
    server.maxRequestsPerSocket = 1;
    server.keepAliveTimeout = 0;
    server.headersTimeout = 1000;
    const port = await listening(server);
    expect((await ask(port, { method: "POST", body: "x".repeat(11) })).status).toBe(413);
    const [response] = (await once(http.get({ port, agent: new http.Agent({ keepAlive: true }) }), "response")) as [
      IncomingMessage,
    ];
    response.resume();
    expect(response.headers.connection).toBe("close");
  });

  it("finishes what is under way before it is closed", async () => {
    let respond: () => void = () => {};
    const server = createServer((_request, response) => {
      respond = () => response.end("finished");
      server.emit("asked");
    });
    const port = await listening(server);
    const answer = ask(port);
    await once(server, "asked");
    let isClosed = false;
    server.close(() => (isClosed = true));
    await turn();
    expect(isClosed).toBe(false);
    const closed = once(server, "close");
    respond();
    expect((await answer).body).toBe("finished");
    await closed;
  });

  it("cuts off what is under way when it is told to", async () => {
    const server: NodeServer = createServer(() => server.emit("asked"));
    const port = await listening(server);
    const answer = ask(port);
    await once(server, "asked");
    server.close();
    server.closeAllConnections();
    expect((await answer).isBroken).toBe(true);
  });

  it("emits connections, and their sockets close with them", async () => {
    const server = createServer((request, response) => response.end(String(request.socket === seen[0])));
    const seen: net.Socket[] = [];
    server.on("connection", (socket: net.Socket) => seen.push(socket));
    const port = await listening(server);
    expect((await ask(port)).body).toBe("true");
    expect(seen).toHaveLength(1);
    if (!(seen[0] as net.Socket).destroyed) await once(seen[0] as net.Socket, "close");
  });

  it("leaves a wait for 100 to who listens for it", async () => {
    const server = createServer(hello);
    server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      request.pipe(response);
    });
    const port = await listening(server);
    const request = http.request({ port, method: "POST", headers: { expect: "100-continue" }, agent: false });
    request.flushHeaders();
    await once(request, "continue");
    request.end("content");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const [body] = (await once(response, "data")) as [Buffer];
    expect(body.toString()).toBe("content");
  });

  it("says how many connections there are", async () => {
    const server = createServer((_request, response) => {
      server.getConnections((_error, count) => response.end(String(count)));
    });
    expect((await ask(await listening(server))).body).toBe("1");
  });
});

describe("timeouts", () => {
  it("tells the response, which can still answer", async () => {
    const server = createServer((_request, response) => {
      response.setTimeout(5, () => response.writeHead(503).end("too long"));
    });
    expect(await ask(await listening(server))).toMatchObject({ status: 503, body: "too long" });
  });

  it("tells the request as long as its content comes", async () => {
    const server = createServer((request, response) => {
      request.resume();
      request.setTimeout(5, () => response.writeHead(408).end("too slow"));
    });
    const port = await listening(server);
    const socket = net.connect(port, "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\npart");
    const [text] = (await once(socket, "data")) as [Buffer];
    expect(text.toString()).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
  });

  it("tells the server", async () => {
    const server = createServer(() => {});
    server.setTimeout(5, (socket) => (socket as net.Socket).destroy());
    expect((await ask(await listening(server))).isBroken).toBe(true);
  });

  it("destroys the connection where nobody wants to know", async () => {
    const server = createServer((request) => void request.socket.setTimeout(5));
    expect((await ask(await listening(server))).isBroken).toBe(true);
  });

  it("does nothing once it was taken back", async () => {
    const seen: string[] = [];
    const server = createServer(async (request, response) => {
      request.socket.setTimeout(1, () => seen.push("timeout"));
      request.socket.setTimeout(0);
      await new Promise<void>((resolve) => response.setTimeout(5, resolve));
      response.end("answered");
    });
    expect((await ask(await listening(server))).body).toBe("answered");
  });
});

const PLACES: ReadonlyArray<readonly [readonly unknown[], unknown]> = [
  [
    [],
    [
      { port: 0, hostname: "::" },
      { port: 0, hostname: "0.0.0.0" },
    ],
  ],
  [[80, "a"], [{ port: 80, hostname: "a" }]],
  [["8080", "a", 5], [{ port: 8080, hostname: "a", backlog: 5 }]],
  [
    [80, undefined, 7],
    [
      { port: 80, hostname: "::", backlog: 7 },
      { port: 80, hostname: "0.0.0.0", backlog: 7 },
    ],
  ],
  [["/run/a"], [{ unix: "/run/a" }]],
  [[{ path: "/run/a" }], [{ unix: "/run/a" }]],
  [[{ port: 1, host: "b", path: undefined }], [{ port: 1, hostname: "b" }]],
  [[{ fd: 3 }], [{ fd: 3 }]],
];

describe("the forms of listen()", () => {
  it.each(PLACES)("%j", (args, places) => {
    expect(readListenArguments(args).places).toEqual(places);
    const callback = (): void => {};
    expect(readListenArguments([...args, callback])).toMatchObject({ places, callback });
  });

  it.each([[[-1]], [[65_536]], [[1.5]], [[""]], [[true]], [[{ port: "x" }]]])("refuses %j", (args) => {
    expect(() => readListenArguments(args)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARG_VALUE" }));
  });
});
