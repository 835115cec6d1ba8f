import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { adminServer } from "../../src/observe/admin-server.ts";
import { healthHandler } from "../../src/server/health.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { type Server, serve, startServer } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";
import { ManualTime } from "./support/manual-time.ts";
import { until } from "./support/open-connections.ts";

const fetch = (): Response => new Response("app");
const PATHS = ["/healthz", "/readyz", "/"] as const;

/** One connection that stays. */
class Client {
  readonly socket: Socket;
  #text = "";
  #wake: () => void = () => {};
  readonly closed: Promise<unknown>;

  constructor(server: Server) {
    this.socket = connect(server.port, "127.0.0.1");
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    void this.closed.then(() => this.#wake());
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#wake();
    });
  }

  /** The head of the next answer, whose content is said to be so long. */
  async get(path: string, method = "GET"): Promise<string> {
    this.socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n");
      const head = this.#text.slice(0, end);
      const length = method === "HEAD" ? 0 : Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (end !== -1 && this.#text.length >= end + 4 + length) {
        this.#text = this.#text.slice(end + 4 + length);
        return head;
      }
      if (this.socket.destroyed) throw new Error("the connection is closed");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async status(path: string): Promise<number> {
    return Number((await this.get(path)).slice(9, 12));
  }
}

async function statuses(server: Server): Promise<number[]> {
  const client = new Client(server);
  const found: number[] = [];
  for (const path of PATHS) found.push(await client.status(path));
  client.socket.destroy();
  await client.closed;
  return found;
}

describe("health", () => {
  it("is told in front of the handler, and is no cache's", async () => {
    await using server = await serve({ fetch, port: 0, health: {} });
    expect(await statuses(server)).toEqual([200, 200, 200]);
    const client = new Client(server);
    expect(await client.get("/readyz", "HEAD")).toMatch(/^HTTP\/1\.1 200 [^]*Cache-Control: no-store/);
    client.socket.destroy();
  });

  it("is the handler's where nobody asked for it, for other paths, and for other methods", async () => {
    const asked: string[] = [];
    const app = (request: globalThis.Request): Response => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      return new Response(null, { status: 204 });
    };
    await using bare = await serve({ fetch: app, port: 0 });
    expect(await statuses(bare)).toEqual([204, 204, 204]);
    await using moved = await serve({ fetch: app, port: 0, health: { livePath: "/live", readyPath: "/ready" } });
    expect(await statuses(moved)).toEqual([204, 204, 204]);
    const client = new Client(moved);
    expect([await client.status("/live"), await client.status("/ready")]).toEqual([200, 200]);
    expect(await client.get("/live", "DELETE")).toContain(" 204 ");
    client.socket.destroy();
    expect(asked.filter((line) => line.includes("live") || line.includes("ready "))).toEqual(["DELETE /live"]);
  });

  it.each<[string, () => boolean | Promise<boolean>, number]>([
    ["agrees", () => true, 200],
    ["does not agree", () => false, 503],
    ["agrees later", () => Promise.resolve(true), 200],
    ["does not agree later", () => Promise.resolve(false), 503],
    [
      "throws",
      () => {
        throw new Error("no");
      },
      503,
    ],
    ["rejects", () => Promise.reject(new Error("no")), 503],
    ["says something else", (() => Promise.resolve("yes")) as unknown as () => boolean, 503],
  ])("asks the application: it %s", async (_, check, status) => {
    await using server = await serve({ fetch, port: 0, health: { check } });
    expect(await statuses(server)).toEqual([200, status, 200]);
  });

  it("can be told on another address", async () => {
    const server = await serve({ fetch, port: 0 });
    await using admin = await serve({ fetch: healthHandler(server), port: 0 });
    expect(await statuses(admin)).toEqual([200, 200, 404]);
    await server.close();
    expect(await statuses(admin)).toEqual([200, 503, 404]);
    await using both = await serve({ fetch: healthHandler([admin, server], { check: () => true }), port: 0 });
    expect(await statuses(both)).toEqual([200, 503, 404]);
  });

  it("is told at two paths, on another address too: at one nobody would learn that it is not ready", async () => {
    for (const health of [{ livePath: "/up", readyPath: "/up" }, { livePath: "/readyz" }, { readyPath: "/healthz" }]) {
      expect(() => healthHandler([], health)).toThrow("as livePath is, another path is allowed");
      await expect(adminServer({ port: 0, health })).rejects.toThrow("as livePath is, another path is allowed");
    }
  });

  it("has its usual paths on another address where none are given", async () => {
    const options = { livePath: undefined, readyPath: undefined, check: undefined };
    await using admin = await serve({ fetch: healthHandler([], options), port: 0 });
    expect(await statuses(admin)).toEqual([200, 200, 404]);
  });
});

async function startManual(options: Partial<ServeOptions>): Promise<{ server: Server; time: ManualTime }> {
  const time = new ManualTime();
  return { server: await startServer({ fetch, port: 0, health: {}, ...options }, time), time };
}

describe("the end of a server", () => {
  it("begins with serving on while it says that it is not ready", async () => {
    const { server, time } = await startManual({ timeouts: { lameDuckMs: 5000 } });
    const idle = new Client(server);
    expect(await idle.status("/readyz")).toBe(200);
    const finished = server.close();
    expect([server.isReady, server.isClosing]).toEqual([false, true]);
    expect(await statuses(server)).toEqual([200, 503, 200]);
    expect(await idle.status("/")).toBe(200);
    time.advance(4999);
    expect(await statuses(server)).toEqual([200, 503, 200]);
    time.advance(1);
    await idle.closed;
    expect(await finished).toEqual({ durationMs: 5000, destroyedConnections: 0, abandonedPromises: 0 });
    await expect(statuses(server)).rejects.toThrow("the connection is closed");
  });

  it("is no news to who asks for readiness where another one serves already, until the end of all is asked for", async () => {
    const { server } = await startManual({ timeouts: { lameDuckMs: 5000 } });
    const [first, second] = [new Client(server), new Client(server)];
    for (const client of [first, second]) expect(await client.status("/readyz")).toBe(200);
    const finished = server.close({ lameDuckMs: 0, lastCallMs: 2000, isReplaced: true });
    expect([server.isReady, server.isClosing]).toEqual([true, true]);
    expect(await first.get("/readyz")).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close/);
    void server.close();
    expect(server.isReady).toBe(false);
    expect(await second.status("/readyz")).toBe(503);
    await finished;
  });

  it("is asked for by the signal too, also where another one serves already", async () => {
    const controller = new AbortController();
    const { server } = await startManual({ signal: controller.signal });
    const client = new Client(server);
    expect(await client.status("/readyz")).toBe(200);
    const finished = server.close({ lastCallMs: 2000, isReplaced: true });
    expect(server.isReady).toBe(true);
    controller.abort();
    expect(server.isReady).toBe(false);
    expect(await client.status("/readyz")).toBe(503);
    await finished;
  });

  it("can be brought nearer while it serves on", async () => {
    const { server, time } = await startManual({ timeouts: { lameDuckMs: 5000 } });
    const finished = server.close();
    time.advance(1000);
    void server.close({ lameDuckMs: 60_000 });
    expect(await statuses(server)).toEqual([200, 503, 200]);
    void server.close({ lameDuckMs: 0 });
    expect(await finished).toMatchObject({ durationMs: 1000 });
    expect(time.holdingTimers).toBe(0);
  });

  it("is at once where nobody is waited for", async () => {
    const { server, time } = await startManual({ timeouts: { lameDuckMs: 5000 } });
    void server.close();
    server.closeNow();
    expect(await server.finished).toMatchObject({ durationMs: 0 });
    expect(time.holdingTimers).toBe(0);
  });

  it("lets requests finish after the last one was taken in, and counts those that it cuts off", async () => {
    let answer: (response: Response) => void = () => {};
    const slow = (request: globalThis.Request): Response | Promise<Response> =>
      request.url.endsWith("/slow") ? new Promise((resolve) => (answer = resolve)) : new Promise(() => {});
    const begun: Array<() => void> = [];
    const { server, time } = await startManual({
      fetch: slow,
      timeouts: { lameDuckMs: 1000, drainMs: 3000 },
      hooks: { onRequest: () => begun.shift()?.() },
    });
    const ask = async (path: string): Promise<Client> => {
      const client = new Client(server);
      const isBegun = new Promise<void>((resolve) => begun.push(resolve));
      client.socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await isBegun;
      return client;
    };
    const patient = await ask("/slow");
    const forgotten = await ask("/never");
    const finished = server.close();
    time.advance(1000);
    const answered = once(patient.socket, "data") as Promise<[Buffer]>;
    answer(new Response("at last"));
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close[^]*at last$/);
    await patient.closed;
    time.advance(2999);
    await until(() => server.connections === 1);
    time.advance(1);
    await forgotten.closed;
    expect(await finished).toEqual({ durationMs: 4000, destroyedConnections: 1, abandonedPromises: 0 });
  });

  it.each([-1, Number.NaN, "5"])("refuses %s for the time to serve on", async (lameDuckMs) => {
    await using server = await serve({ fetch, port: 0 });
    await expect(server.close({ lameDuckMs: lameDuckMs as number })).rejects.toThrow("lameDuckMs is 0 or more");
  });
});

describe("overload", () => {
  it("is answered 503 with Retry-After while the event loop is late, but for questions after health", async () => {
    const refused: string[] = [];
    const { server, time } = await startManual({
      limits: { maxEventLoopDelayMs: 100 },
      hooks: { onRefusal: ({ error }) => refused.push(error.code) },
    });
    expect(await statuses(server)).toEqual([200, 200, 200]);
    // One long pause is no overload
    time.stall(300);
    expect(server.eventLoopDelayMs).toBeLessThan(100);
    expect(await statuses(server)).toEqual([200, 200, 200]);
    for (let turn = 0; turn < 10; turn++) time.stall(300);
    expect(server.eventLoopDelayMs).toBeGreaterThan(200);
    expect(await statuses(server)).toEqual([200, 200, 503]);
    const client = new Client(server);
    expect(await client.get("/")).toMatch(/Retry-After: \d+[^]*$/);
    await client.closed;
    expect(refused).toEqual(["ERR_OVERLOADED", "ERR_OVERLOADED"]);
    for (let turn = 0; turn < 20; turn++) time.advance(50);
    expect(server.eventLoopDelayMs).toBeLessThan(10);
    expect(await statuses(server)).toEqual([200, 200, 200]);
    await server.close();
    expect(time.timers).toBe(0);
  });

  it("is not looked for where nobody set a limit", async () => {
    const { server, time } = await startManual({});
    expect(time.timers).toBe(0);
    for (let turn = 0; turn < 10; turn++) time.stall(1000);
    expect(server.eventLoopDelayMs).toBe(0);
    expect(await statuses(server)).toEqual([200, 200, 200]);
    await server.close();
  });
});
