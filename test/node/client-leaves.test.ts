/** A client that leaves, a listener that gives up: what is emitted, in node:http's order, and that nothing is left behind. */
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { finished, Readable } from "node:stream";
import express from "express";
import { afterEach, describe, expect, it } from "vitest";
import { nodeHandler, type RequestListener } from "../../src/node/index.ts";
import type { Fault, ResponseInfo } from "../../src/server/hooks.ts";
import { serve } from "../../src/server/server.ts";

const closing: Array<() => unknown> = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const faults: Fault[] = [];
const responses: ResponseInfo[] = [];

/** Serves on both, one after the other; `tell` is called with the port of each. */
async function onBoth<T>(makeListener: () => RequestListener, act: (port: number) => Promise<T>): Promise<[T, T]> {
  faults.length = 0;
  responses.length = 0;
  const judge = http.createServer(makeListener() as http.RequestListener).listen(0, "127.0.0.1");
  await once(judge, "listening");
  const theirs = await act((judge.address() as AddressInfo).port);
  judge.closeAllConnections();
  judge.close();
  const server = await serve({
    port: 0,
    fetch: nodeHandler(makeListener()),
    hooks: { onFault: (fault) => faults.push(fault), onResponse: (info) => responses.push(info) },
  });
  const ours = await act(server.port);
  // Resolves only when no handler and no connection is left; a drain that had to cut off says so
  const summary = await server.close({ drainMs: 5000 });
  expect(summary).toMatchObject({ destroyedConnections: 0, abandonedPromises: 0 });
  return [theirs, ours];
}

/** Writes down what request and response emit. */
class Diary {
  readonly entries: string[] = [];
  readonly #over: Promise<void>;
  #tellOver: () => void = () => {};

  constructor() {
    this.#over = new Promise((resolve) => (this.#tellOver = resolve));
  }

  watch(request: IncomingMessage, response: ServerResponse): void {
    for (const event of ["aborted", "end", "error", "close"]) {
      request.on(event, (error?: NodeJS.ErrnoException) => {
        this.entries.push(`request ${event}${error?.code === undefined ? "" : ` ${error.code}`}`);
      });
    }
    for (const event of ["finish", "error", "close"]) response.on(event, () => this.entries.push(`response ${event}`));
    let missing = 2;
    const closed = (): void => {
      missing--;
      if (missing === 0) this.#tellOver();
    };
    request.on("close", closed);
    response.on("close", closed);
  }

  async read(): Promise<string[]> {
    await this.#over;
    await turn();
    return this.entries;
  }
}

/** Gives content as long as somebody wants it. */
class EndlessStream extends Readable {
  readonly #onDestroy: () => void;
  constructor(onDestroy: () => void) {
    super();
    this.#onDestroy = onDestroy;
  }
  override _read(): void {
    this.push(Buffer.alloc(16_384, "x"));
  }
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#onDestroy();
    callback(error);
  }
}

function send(port: number, text: string): net.Socket {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(text);
  return socket;
}

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart";

type Leave = (socket: net.Socket, request: IncomingMessage, response: ServerResponse) => unknown;

const ENDS: ReadonlyArray<readonly [string, string, Leave]> = [
  ["an answer", GET, (_socket, _request, response) => response.end("x")],
  ["an answer in pieces", GET, (_socket, _request, response) => response.write("x") && response.end("y")],
  [
    "an answer to content that was read",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfull",
    (_socket, request, response) => request.resume().on("end", () => response.end("x")),
  ],
  [
    "an answer to content that was not read",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfull",
    (_socket, _request, response) => response.end("x"),
  ],
  ["a client that leaves before the answer", GET, (socket) => socket.resetAndDestroy()],
  [
    "a client that leaves in the middle of the answer",
    GET,
    (socket, _request, response) => response.write("x", () => socket.resetAndDestroy()),
  ],
  [
    "a client that leaves in the middle of its content",
    POST,
    (socket, request) => request.once("data", () => socket.resetAndDestroy()),
  ],
  ["a client that leaves before its content is read", POST, (socket) => socket.resetAndDestroy()],
  ["a listener that destroys the response", GET, (_socket, _request, response) => response.destroy()],
  ["a listener that destroys the request", GET, (_socket, request) => request.destroy()],
  ["a listener that destroys the socket", GET, (_socket, request) => request.socket.destroy()],
];

describe("request and response end as on node:http", () => {
  it.each(ENDS)("after %s", async (_name, text, leave) => {
    let client: net.Socket | null = null;
    let diary = new Diary();
    const listener = (): RequestListener => (request, response) => {
      diary.watch(request, response);
      leave(client as net.Socket, request, response);
    };
    const [theirs, ours] = await onBoth(listener, async (port) => {
      diary = new Diary();
      client = send(port, text);
      const entries = await diary.read();
      client.destroy();
      return entries;
    });
    // Which of two objects comes first may differ where both are told of one thing; what each is told, and in which order, may not
    for (const who of ["request", "response"]) {
      const of = (entries: readonly string[]): string[] => entries.filter((entry) => entry.startsWith(who));
      expect(of(ours)).toEqual(of(theirs));
    }
    expect(faults).toEqual([]);
  });
});

describe("after the client has left", () => {
  it("fails writes without throwing, as on node:http", async () => {
    const listener = (): RequestListener => (_request, response) => {
      response.write("x");
      response.on("close", () => {
        const log: unknown[] = [response.destroyed, response.writableEnded, response.closed];
        log.push(response.write("y", (error) => log.push((error as NodeJS.ErrnoException).code)));
        response.end("z");
        setImmediate(() => tell(log));
      });
    };
    let tell: (log: unknown) => void = () => {};
    const results = await onBoth(listener, async (port) => {
      const told = new Promise((resolve) => (tell = resolve));
      const client = send(port, GET);
      client.once("data", () => client.resetAndDestroy());
      return await told;
    });
    expect(results[1]).toEqual(results[0]);
  });

  it("tells finished() of request and response", async () => {
    let tell: (codes: unknown) => void = () => {};
    const listener = (): RequestListener => (request, response) => {
      const codes: unknown[] = [];
      const add = (error?: NodeJS.ErrnoException | null): void => {
        codes.push(error?.code);
        if (codes.length === 2) tell(codes);
      };
      finished(request, add);
      finished(response, add);
    };
    const [theirs, ours] = await onBoth(listener, async (port) => {
      const told = new Promise<unknown[]>((resolve) => (tell = resolve as (codes: unknown) => void));
      const client = send(port, POST);
      client.on("connect", () => setImmediate(() => client.resetAndDestroy()));
      return await told;
    });
    expect(new Set(ours)).toEqual(new Set(theirs));
  });

  it("stops a stream that was piped to it", async () => {
    const destroyed: string[] = [];
    const listener = (): RequestListener => {
      const app = express();
      app.get("/", (_request, response) => {
        const endless = new EndlessStream(() => destroyed.push("stream"));
        response.on("close", () => endless.destroy());
        endless.pipe(response);
      });
      return app;
    };
    await onBoth(listener, async (port) => {
      const client = send(port, GET);
      await once(client, "data");
      const before = destroyed.length;
      client.resetAndDestroy();
      while (destroyed.length === before) await turn();
    });
    expect(destroyed).toEqual(["stream", "stream"]);
    expect(responses.map(({ outcome }) => outcome)).toEqual(["aborted"]);
  });

  it("keeps no more of an answer than the peer may take", async () => {
    const results: boolean[] = [];
    await onBoth(
      () => (_request, response) => {
        let count = 0;
        while (response.write(Buffer.alloc(8_192, "x")) && count < 10_000) count++;
        results.push(count < 10_000, response.writableNeedDrain, response.writableLength > 0);
        response.once("drain", () => response.end("y"));
      },
      async (port) => {
        const client = send(port, GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        client.resume();
        await once(client, "close");
      },
    );
    expect(results).toEqual([true, true, true, true, true, true]);
  });
});
