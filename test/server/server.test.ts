import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { ServerError } from "../../src/http/errors.ts";
import type { ConnectionInfo, Exchange, Refusal } from "../../src/http/exchange.ts";
import type { CloseSummary, Fault, Hooks, ResponseInfo } from "../../src/server/hooks.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve, type Server, startServer } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { ManualTime } from "./support/manual-time.ts";
import { readAll, until } from "./support/open-connections.ts";

const run = promisify(execFile);
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((each) => each.address === "::1"));

function hello(options: Partial<ServeOptions> = {}): Promise<Server> {
  return serve({ fetch: () => new Response("hello"), port: 0, ...options });
}

async function dial(server: Server, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const client = connect({ port: server.port, host: "127.0.0.1", ...options });
  await once(client, "connect");
  return client;
}

/** Resolves when `client` has heard `text`. */
async function hear(client: Socket, text: string): Promise<string> {
  let heard = "";
  while (!heard.includes(text)) heard += String(((await once(client, "data")) as [Buffer])[0]);
  return heard;
}

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const GET_CLOSE = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

describe("serve", () => {
  it("answers requests of an ordinary client", async () => {
    await using server = await hello();
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("hello");
    expect(Math.abs(Date.parse(response.headers.get("date") ?? "") - new Date().getTime())).toBeLessThan(2000);
  });

  it("answers curl, over HTTP/1.1 and HTTP/1.0, GET, HEAD and POST", async () => {
    await using server = await serve({
      port: 0,
      fetch: async (request) => new Response(`${request.method} ${await request.text()}`),
    });
    const curl = async (...args: string[]): Promise<string> =>
      (await run("curl", ["-s", "-m", "10", ...args, server.url.href])).stdout;
    expect(await curl()).toBe("GET ");
    expect(await curl("-0")).toBe("GET ");
    expect(await curl("-I")).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(await curl("-d", "a=1")).toBe("POST a=1");
    expect(await curl("-H", "Transfer-Encoding: chunked", "-d", "b=2")).toBe("POST b=2");
    expect(await curl("-H", "Expect: 100-continue", "-d", "c=3")).toBe("POST c=3");
    expect(server.stats.requests).toBe(6);
  });

  it("is what it says it is", async () => {
    await using server = await hello();
    expect(server.url.href).toBe(`http://127.0.0.1:${server.port}/`);
    expect(server.address).toEqual({ address: "127.0.0.1", port: server.port, family: "IPv4" });
    expect(server.hostname).toBe("127.0.0.1");
    expect(server.connections).toBe(0);
    expect(server.isClosing).toBe(false);
    const client = await dial(server);
    await until(() => server.connections === 1);
    client.destroy();
    await until(() => server.connections === 0);
    expect(server.stats).toEqual({
      openConnections: 0,
      acceptedConnections: 1,
      refusedConnections: 0,
      acceptErrors: 0,
      failedHandshakes: 0,
      requests: 0,
    });
  });

  it.each([
    ["0.0.0.0", /^http:\/\/localhost:\d+\/$/],
    ["localhost", /^http:\/\/localhost:\d+\/$/],
  ])("shows %s as a place that a browser can go to", async (hostname, url) => {
    await using server = await hello({ hostname });
    expect(server.url.href).toMatch(url);
  });

  it.skipIf(!hasIpv6)("listens on IPv6 and shows it in brackets", async () => {
    await using server = await hello({ hostname: "::1" });
    expect(server.url.href).toBe(`http://[::1]:${server.port}/`);
    expect(await (await fetch(server.url)).text()).toBe("hello");
  });

  it.skipIf(!hasIpv6)("shows IPv4 peers of an IPv6 listener by their IPv4 address", async () => {
    await using server = await serve({
      port: 0,
      hostname: "::",
      fetch: (_, context) => new Response(context.exchange.connection.remoteAddress.address),
    });
    expect(server.url.hostname).toBe("localhost");
    expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe("127.0.0.1");
  });

  it("serves on a unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    const path = join(folder, "a b?#.sock");
    const server = await serve({ fetch: () => new Response("hello"), unix: path });
    expect(server.port).toBe(0);
    expect(server.hostname).toBe("");
    expect(server.url.protocol).toBe("unix:");
    expect(decodeURIComponent(server.url.pathname)).toBe(path);
    const { stdout } = await run("curl", ["-s", "-m", "10", "--unix-socket", path, "http://x/"]);
    expect(stdout).toBe("hello");
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it("rejects with all mistakes at once", async () => {
    const wrong = { port: -1, hostname: "" } as unknown as ServeOptions;
    await expect(serve(wrong)).rejects.toThrow(/3 options are invalid:\n {2}fetch: .*\n {2}port: .*\n {2}hostname: /);
  });

  it("rejects where it cannot listen", async () => {
    await using server = await hello();
    const error: unknown = await hello({ port: server.port }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ code: "ERR_LISTEN_IN_USE" });
  });

  it("answers a pipelined burst in order", async () => {
    let count = 0;
    await using server = await serve({ port: 0, fetch: () => new Response(`<${count++}>`) });
    const client = await dial(server);
    client.write(GET.repeat(9) + GET_CLOSE);
    const heard = String(await readAll(client));
    expect(heard.match(/<\d>/g)).toEqual(Array.from({ length: 10 }, (_, i) => `<${i}>`));
  });

  it("explains refusals, or not", async () => {
    for (const explainRefusals of [true, false]) {
      await using server = await hello({ explainRefusals });
      const client = await dial(server);
      client.write("GET / HTTP/1.1\r\n\r\n");
      const heard = String(await readAll(client));
      expect(heard).toMatch(/^HTTP\/1.1 400 /);
      expect(heard).toContain("ERR_HOST_MISSING");
      expect(heard.includes("RFC 9112")).toBe(explainRefusals);
    }
  });

  it("answers 503 with Retry-After where there are too many connections", async () => {
    await using server = await hello({ limits: { maxConnections: 1 } });
    const first = await dial(server);
    await until(() => server.connections === 1);
    const { stdout } = await run("curl", ["-si", "-m", "10", server.url.href]);
    expect(stdout).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    expect(stdout).toMatch(/^Retry-After: \d+\r$/m);
    expect(stdout).toMatch(/^Connection: close\r$/m);
    expect(stdout).toMatch(/^Date: /m);
    expect(stdout).toContain("ERR_TOO_MANY_CONNECTIONS");
    expect(stdout).toContain("limits.maxConnections");
    expect(server.stats).toMatchObject({ refusedConnections: 1, openConnections: 1 });
    first.destroy();
  });

  it("drops a connection that says nothing, by the clock", async () => {
    const time = new ManualTime();
    await using server = await startServer(
      { port: 0, fetch: () => new Response("x"), timeouts: { headMs: 3000 } },
      time,
    );
    const silent = await dial(server);
    await until(() => server.connections === 1);
    time.advance(2_400);
    expect(server.connections).toBe(1);
    time.advance(1_200);
    expect((await readAll(silent)).length).toBe(0);
    const slow = await dial(server);
    await until(() => server.connections === 1);
    await new Promise((resolve) => slow.write("GET / HT", resolve));
    // On loopback the octets are there when they are written; a turn of the loop reads them
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    time.advance(4_000);
    expect(String(await readAll(slow))).toMatch(/^HTTP\/1.1 408 /);
  });
});

/** An observer as people write it who keep state. */
class RequestCounts implements Hooks {
  #requests = 0;
  // At run time as public as any: what TypeScript calls private
  private lastStatus = 0;
  /** As hooks begin, but not named as one is. */
  online = 0;
  #address = "";
  /** A function, and no hook. */
  readonly note = (status: number): void => void (this.lastStatus = status);

  get requests(): number {
    return this.#requests;
  }

  get address(): string {
    return this.#address;
  }

  get status(): number {
    return this.lastStatus;
  }

  onConnection(): void {
    this.online++;
  }

  onRequest(): void {
    this.#requests++;
  }

  onResponse({ status }: ResponseInfo): void {
    this.note(status);
  }

  onConnectionClose(connection: ConnectionInfo): void {
    this.#address = connection.remoteAddress.address;
  }
}

describe("hooks", () => {
  it("tell the story of a request", async () => {
    const story: string[] = [];
    let info: ResponseInfo | null = null;
    let summary: CloseSummary | null = null;
    const server = await hello({
      hooks: {
        onListen: (listening) => story.push(`listen ${listening.url.port !== ""}`),
        onConnection: (connection) => story.push(`connection from ${connection.remoteAddress.address}`),
        onRequest: (exchange: Exchange) => story.push(`request ${exchange.request.target}`),
        onResponse: (response) => {
          info = response;
          story.push("response");
        },
        onConnectionClose: (_, error) => story.push(`connection closed ${String(error)}`),
        onClose: (closed) => {
          summary = closed;
          story.push("close");
        },
      },
    });
    const client = await dial(server);
    client.end(GET_CLOSE);
    await readAll(client);
    await server.close();
    expect(story).toEqual([
      "listen true",
      "connection from 127.0.0.1",
      "request /",
      "response",
      "connection closed null",
      "close",
    ]);
    expect(info).toMatchObject({ outcome: "complete", status: 200, contentBytes: 5, route: "" });
    expect((info as unknown as ResponseInfo).durationMs).toBeGreaterThan(0);
    expect(summary).toMatchObject({ destroyedConnections: 0, abandonedPromises: 0 });
  });

  it("hear how much of a file a client has taken that leaves in the middle", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-"));
    const size = 64 * 1024 * 1024;
    writeFileSync(join(folder, "large.bin"), "");
    truncateSync(join(folder, "large.bin"), size);
    let ended: ResponseInfo | null = null;
    const hooks = { onResponse: (info: ResponseInfo) => (ended = info) };
    const server = await serve({ port: 0, fetch: serveStatic(folder), hooks });
    const client = await dial(server);
    client.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    let read = 0;
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    await until(() => read > 1024 * 1024);
    client.resetAndDestroy();
    await until(() => ended !== null);
    const { outcome, status, contentBytes } = ended as unknown as ResponseInfo;
    expect([outcome, status]).toEqual(["aborted", 200]);
    expect(contentBytes).toBeGreaterThan((1024 * 1024) / 2);
    expect(contentBytes).toBeLessThan(size);
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it("hear of refusals and of faults", async () => {
    const refusals: Refusal[] = [];
    const faults: Fault[] = [];
    await using server = await serve({
      port: 0,
      fetch: () => {
        throw new Error("oops");
      },
      hooks: { onRefusal: (refusal) => refusals.push(refusal), onFault: (fault) => faults.push(fault) },
    });
    const response = await fetch(server.url);
    expect(response.status).toBe(500);
    expect(await response.text()).toContain(faults[0]?.id);
    expect(faults[0]).toMatchObject({ exchange: { request: { target: "/" } } });
    const client = await dial(server);
    client.write("nonsense\r\n\r\n");
    await readAll(client);
    expect(refusals.map((refusal) => refusal.error.code)).toHaveLength(1);
  });

  it.each([
    ["one", (observer: Hooks): Hooks | readonly Hooks[] => observer],
    ["several", (observer: Hooks): Hooks | readonly Hooks[] => [observer, {}]],
  ])("are methods of an object of a class too: %s", async (_how, given) => {
    const counts = new RequestCounts();
    const server = await serve({ port: 0, fetch: () => new Response("x"), hooks: given(counts) });
    await (await fetch(server.url)).text();
    await server.close();
    expect([counts.requests, counts.status, counts.address]).toEqual([1, 200, "127.0.0.1"]);
  });

  it.each([
    [
      "a hook of a class that is none",
      new (class {
        onRespones = (): void => {};
      })(),
    ],
    ["a member of an object as people write it", { requests: 0 }],
    ["the same without prototype", Object.assign(Object.create(null) as object, { requests: 0 })],
  ])("are nothing else: %s", async (_what, hooks) => {
    const message = /there is no such option/;
    await expect(serve({ port: 0, fetch: () => new Response("x"), hooks: hooks as Hooks })).rejects.toThrow(message);
    await expect(serve({ port: 0, fetch: () => new Response("x"), hooks: [hooks as Hooks] })).rejects.toThrow(message);
  });

  it("that fail harm nobody and are reported once each", async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on("warning", listen);
    const fail = (): never => {
      throw new Error("a hook failed");
    };
    const server = await hello({
      hooks: {
        onListen: fail,
        onConnection: fail,
        onRequest: fail,
        onResponse: async () => fail(),
        onRefusal: fail,
        onConnectionClose: fail,
        onClose: fail,
      },
    });
    for (let i = 0; i < 3; i++) {
      const client = await dial(server);
      client.write(GET_CLOSE);
      expect(String(await readAll(client))).toContain("hello");
    }
    await server.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    const names = warnings.map(
      (warning) => /^hooks\.(\w+) failed; this is said once: Error: a hook failed/.exec(warning.message)?.[1],
    );
    expect(names.map(String).toSorted()).toEqual([
      "onClose",
      "onConnection",
      "onConnectionClose",
      "onListen",
      "onRequest",
      "onResponse",
    ]);
  });
});

describe("close", () => {
  it("closes idle connections at once and resolves", async () => {
    const server = await hello();
    const client = await dial(server);
    client.write(GET);
    await hear(client, "hello");
    const closed = server.close();
    expect(server.isClosing).toBe(true);
    await readAll(client);
    expect(await closed).toMatchObject({ destroyedConnections: 0, abandonedPromises: 0 });
    expect(await server.finished).toBe(await closed);
    await expect(dial(server)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("lets a request finish and closes behind it", async () => {
    let answer: (response: Response) => void = () => {};
    const server = await serve({ port: 0, fetch: () => new Promise((resolve) => (answer = resolve)) });
    const client = await dial(server);
    client.write(GET);
    await until(() => server.stats.requests === 1);
    const closed = server.close();
    expect(server.connections).toBe(1);
    answer(new Response("late"));
    const heard = String(await readAll(client));
    expect(heard).toContain("late");
    expect(heard).toMatch(/^Connection: close\r$/m);
    expect(await closed).toMatchObject({ destroyedConnections: 0 });
  });

  it("cuts off what is left after drainMs and says how many", async () => {
    const time = new ManualTime();
    const server = await startServer({ port: 0, fetch: () => new Promise(() => {}) }, time);
    const clients = await Promise.all([dial(server), dial(server)]);
    for (const client of clients) client.write(GET);
    await until(() => server.stats.requests === 2);
    const closed = server.close();
    time.advance(29_000);
    expect(server.connections).toBe(2);
    time.advance(1_000);
    expect(await closed).toEqual({ durationMs: 30_000, destroyedConnections: 2, abandonedPromises: 0 });
    await Promise.all(clients.map((client) => readAll(client).catch(() => {})));
    expect(time.timers).toBe(0);
  });

  it("can be called again, and then only shortens the time", async () => {
    const time = new ManualTime();
    const server = await startServer({ port: 0, fetch: () => new Promise(() => {}) }, time);
    const client = await dial(server);
    client.write(GET);
    await until(() => server.stats.requests === 1);
    const closed = server.close({ drainMs: 10_000 });
    expect(server.close({ drainMs: 60_000 })).toBe(closed);
    expect(server.close({ drainMs: 5_000 })).toBe(closed);
    time.advance(5_000);
    expect(await closed).toMatchObject({ durationMs: 5_000, destroyedConnections: 1 });
    expect(await server.close()).toBe(await closed);
    client.destroy();
  });

  it.each([-1, NaN, "5"])("rejects a drainMs of %s", async (drainMs) => {
    await using server = await hello();
    await expect(server.close({ drainMs: drainMs as number })).rejects.toThrow(RangeError);
    expect(server.isClosing).toBe(false);
  });

  it("closeNow cuts off at once, also in the middle of a graceful close", async () => {
    const server = await serve({ port: 0, fetch: () => new Promise(() => {}) });
    const client = await dial(server);
    client.write(GET);
    await until(() => server.stats.requests === 1);
    const closed = server.close();
    server.closeNow();
    expect(await closed).toMatchObject({ destroyedConnections: 1 });
    await readAll(client).catch(() => {});
  });

  it("waits for what was given to waitUntil, and reports what fails there", async () => {
    const faults: Fault[] = [];
    let finish: () => void = () => {};
    const server = await serve({
      port: 0,
      hooks: { onFault: (fault) => faults.push(fault) },
      fetch: (_, context) => {
        context.waitUntil(new Promise<void>((resolve) => (finish = resolve)));
        context.waitUntil(Promise.reject(new Error("background")));
        return new Response("hello");
      },
    });
    await (await fetch(server.url)).text();
    let isClosed = false;
    const closed = server.close().then((summary) => {
      isClosed = true;
      return summary;
    });
    await until(() => server.connections === 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    finish();
    expect(await closed).toMatchObject({ abandonedPromises: 0 });
    expect(faults).toEqual([{ id: "", error: new Error("background"), exchange: null }]);
  });

  it("waits for no promise that is none", async () => {
    const server = await hello({
      fetch: (_request, context) => {
        context.waitUntil(undefined as unknown as Promise<unknown>);
        return new Response("hello");
      },
    });
    expect(await (await fetch(server.url)).text()).toBe("hello");
    expect(await server.close({ drainMs: 60_000 })).toMatchObject({ abandonedPromises: 0 });
  });

  it("writes failures that nobody takes to standard error, without the query", async () => {
    const written = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
    try {
      const fetchNothing = (): never => {
        throw new Error("of its own");
      };
      await using server = await serve({ port: 0, fetch: fetchNothing });
      await (await fetch(new URL("/a?token=s3cret", server.url))).text();
      const text = written.mock.calls.map(([chunk]) => String(chunk)).join("");
      expect(text).toMatch(/^fairlead: a handler failed at GET \/a\?… \(\S+\)\n +Error: of its own\n/);
      expect(text).not.toContain("s3cret");
    } finally {
      written.mockRestore();
    }
  });

  it("gives up waiting for waitUntil with the rest, and holds the process until then", async () => {
    const time = new ManualTime();
    const server = await startServer(
      {
        port: 0,
        fetch: (_, context) => {
          context.waitUntil(new Promise(() => {}));
          return new Response("hello");
        },
      },
      time,
    );
    const client = await dial(server);
    client.write(GET_CLOSE);
    await readAll(client);
    const closed = server.close();
    expect(time.holdingTimers).toBe(1);
    await until(() => server.connections === 0);
    time.advance(30_000);
    expect(await closed).toMatchObject({ durationMs: 30_000, destroyedConnections: 0, abandonedPromises: 1 });
  });

  it("is what a signal does", async () => {
    const controller = new AbortController();
    const server = await hello({ signal: controller.signal });
    controller.abort();
    expect(server.isClosing).toBe(true);
    await server.finished;
  });

  it("rejects with the reason of a signal that has aborted before", async () => {
    await expect(hello({ signal: AbortSignal.abort(new Error("never mind")) })).rejects.toThrow("never mind");
  });

  it("rejects with the reason of a signal that aborts while the server starts", async () => {
    const controller = new AbortController();
    const starting = hello({ signal: controller.signal });
    controller.abort(new Error("changed my mind"));
    await expect(starting).rejects.toThrow("changed my mind");
  });

  it("aborts the handler's signal when it cuts off", async () => {
    const signals: AbortSignal[] = [];
    const server = await serve({
      port: 0,
      fetch: (request) => {
        signals.push(request.signal);
        return new Promise(() => {});
      },
    });
    const client = await dial(server);
    client.write(GET);
    await until(() => signals.length === 1);
    expect(signals[0]?.aborted).toBe(false);
    server.closeNow();
    await until(() => signals[0]?.aborted === true);
    expect(signals[0]?.reason).toBeInstanceOf(Error);
    await readAll(client).catch(() => {});
  });
});

describe("the process", () => {
  it("can end although an unreferenced server listens, and not while it is referenced", async () => {
    const server = await hello();
    const count = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
    const held = count();
    server.unref();
    expect(count()).toBe(held - 1);
    server.ref();
    expect(count()).toBe(held);
    await server.close();
    await until(() => count() === held - 1);
  });

  it("has no timer of a server without connections", async () => {
    const time = new ManualTime();
    await using server = await startServer({ port: 0, fetch: () => new Response("x") }, time);
    expect(time.timers).toBe(0);
    const client = await dial(server);
    await until(() => server.connections === 1);
    expect(time.timers).toBe(1);
    client.destroy();
    await until(() => server.connections === 0);
    time.advance(500);
    expect(time.timers).toBe(0);
  });
});
