/** Handlers in threads over real sockets: what crosses, who waits, and what becomes of threads that die. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../src/testing/index.ts";
import { workerHandler, type WorkerHandler, type WorkerOptions } from "../../src/workers/index.ts";

const MODULE = new URL("./modules/various.ts", import.meta.url);

interface Running extends AsyncDisposable {
  readonly server: TestServer;
  readonly handler: WorkerHandler;
  readonly crashes: Error[];
}

async function start(options: WorkerOptions = {}, module: URL = MODULE): Promise<Running> {
  const crashes: Error[] = [];
  const handler = workerHandler(module, { threads: 1, onCrash: (error) => crashes.push(error), ...options });
  const server = await startTestServer(handler);
  return {
    server,
    handler,
    crashes,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await handler.close();
    },
  };
}

/** Asks again and again, a macrotask apart, until it is so; the test's own time limit ends what never is. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a handler in a thread", () => {
  let running: Running;

  beforeAll(async () => {
    running = await start();
    await running.handler.ready();
  });

  afterAll(async () => {
    await running[Symbol.asyncDispose]();
  });

  it("answers, in another thread than ours", async () => {
    const response = await running.server.fetch("/hello");
    expect(await response.text()).toBe("hello from a thread");
    expect(response.headers.get("content-length")).toBe("19");
    expect(Number(response.headers.get("x-thread"))).toBeGreaterThan(0);
  });

  it("may answer with the platform's Response", async () => {
    const response = await running.server.fetch("/native");
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({ platform: true });
  });

  it("sees the request and its connection", async () => {
    const response = await running.server.fetch("/facts?x=%20", { headers: { cookie: "a=b" } });
    expect(await response.json()).toEqual({
      method: "GET",
      url: `${running.server.url.href}facts?x=%20`,
      cookie: "a=b",
      params: {},
      remote: "127.0.0.1",
      thread: true,
    });
  });

  it.each([0, 1, 65_536, 3_000_001])("gets %i octets of content and gives them back", async (length) => {
    const sent = Buffer.alloc(length, "0123456789abcdef");
    const response = await running.server.fetch("/echo", { method: "POST", body: sent });
    expect(Buffer.from(await response.arrayBuffer()).equals(sent)).toBe(true);
  });

  it("gets content of unknown length", async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 100; i++) controller.enqueue(new Uint8Array(10_000));
        controller.close();
      },
    });
    const response = await running.server.fetch("/count", { method: "POST", body, duplex: "half" });
    expect(await response.text()).toBe("1000000");
  });

  it("streams its answer in order", async () => {
    const text = await (await running.server.fetch("/lines")).text();
    expect(text).toBe(Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(""));
  });

  it("sends part of a file", async () => {
    expect(await (await running.server.fetch("/file")).text()).toBe("/** What the tests of workers ");
  });

  it("keeps a status without content, and several lines of one name", async () => {
    expect((await running.server.fetch("/empty")).status).toBe(204);
    expect((await running.server.fetch("/cookies")).headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("sends interim responses before its own", async () => {
    const socket = connect(Number(running.server.url.port), "127.0.0.1");
    socket.end("GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
    await once(socket, "close");
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/i,
    );
    expect(text.endsWith("hinted")).toBe(true);
  });

  it("is late itself where it has taken a piece of content and hangs, though more is asked for ahead of it", async () => {
    await using slow = await startTestServer(running.handler, { timeouts: { handlerMs: 500 } });
    const socket = connect(Number(slow.url.port), "127.0.0.1");
    socket.write("POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
    await once(socket, "close");
    expect(text).toMatch(/^HTTP\/1\.1 503 /);
    expect(slow.faults).toMatchObject([{ error: { code: "ERR_HANDLER_TIMEOUT" } }]);
  });

  it("has content refused that breaks a rule while it reads, and observers are told once", async () => {
    await using strict = await startTestServer(running.handler, { limits: { maxContentBytes: 4 } });
    const body = new Blob(["too much"]).stream();
    const response = await strict.fetch("/count", { method: "POST", body, duplex: "half" });
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/^ +option +limits\.maxContentBytes would allow it$/m);
    expect(strict.refusals.map(({ error }) => error.code)).toEqual(["ERR_CONTENT_TOO_LARGE"]);
  });

  it("sends no content to HEAD, and is free again", async () => {
    const response = await running.server.fetch("/lines", { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });

  it("throws answers", async () => {
    const response = await running.server.fetch("/teapot");
    expect([response.status, response.headers.get("x-handle")]).toEqual([418, "yes"]);
    expect(await response.text()).toContain("Short and stout");
  });

  it.each([
    ["/fields?mine", 409],
    ["/fields", 500],
    ["/unsent", 500],
    ["/length", 500],
  ])("gives errors the fields that middleware in the thread gives every answer: %s", async (path, status) => {
    const headers = { origin: "https://a.example" };
    const response = await running.server.fetch(path, { headers });
    expect([
      response.status,
      response.headers.get("access-control-allow-origin"),
      response.headers.get("vary"),
    ]).toEqual([status, "https://a.example", "accept, origin"]);
  });

  it("tells what is wrong with JSON, as without a thread", async () => {
    const response = await running.server.fetch("/json", {
      method: "POST",
      body: '{"a":',
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("line 1, column 6");
  });

  it("is refused content that is too large to be read at once", async () => {
    const response = await running.server.fetch("/json", { method: "POST", body: " ".repeat(1024 * 1024 + 1) });
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/^ +option +maxBufferedBytes of workerHandler\(\) would allow it$/m);
  });

  it.each([
    ["/fault", "secret of the thread"],
    ["/nothing", "the handler returned no Response: it returned undefined"],
  ])("answers 500 for %s, with nothing of it but in the log", async (path, said) => {
    const response = await running.server.fetch(path);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain(said);
    const fault = running.server.faults.at(-1);
    const error = fault?.error;
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toContain(said);
    expect((error as Error).stack).toContain(path === "/fault" ? "various.ts" : "thread.ts");
  });

  it("breaks a message whose content breaks", async () => {
    const response = await running.server.fetch("/broken");
    await expect(response.text()).rejects.toThrow("terminated");
  });

  it("reports what fails behind the answer", async () => {
    expect(await (await running.server.fetch("/background")).text()).toBe("done");
    await until(() => running.server.faults.some(({ error }) => (error as Error).message === "afterwards"));
  });

  it("goes on with what was to be waited for where it fails itself, and reports that too", async () => {
    expect((await running.server.fetch("/background-fault")).status).toBe(409);
    await until(() => running.handler.stats().running === 0);
    expect(running.server.faults.at(-1)).toMatchObject({ error: { message: "after the fault" } });
  });

  it("lets go of content that cannot be sent", async () => {
    expect((await running.server.fetch("/let-go")).status).toBe(500);
    expect(await (await running.server.fetch("/let-go-count")).text()).toBe("1");
  });
});

describe("the queue", () => {
  it("refuses who is too many, with a time to come back, and answers all others", async () => {
    await using running = await start({ threads: 2, maxQueue: 3 });
    await running.handler.ready();
    const responses = await Promise.all(Array.from({ length: 9 }, () => running.server.fetch("/spin?ms=100")));
    const statuses = responses.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 503, 503, 503, 503]);
    const refused = responses.find(({ status }) => status === 503);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(running.handler.stats()).toMatchObject({ threads: 2, refused: 4, crashed: 0 });
    expect(running.server.faults).toEqual([]);
    expect(running.handler.stats().runMs.p50).toBeGreaterThanOrEqual(95);
    expect(running.handler.stats().waitMs.max).toBeGreaterThanOrEqual(90);
  });

  it("leaves the event loop to others", async () => {
    await using running = await start({ threads: 1 });
    await running.handler.ready();
    let isSpun = false;
    const slow = running.server.fetch("/spin?ms=300").then(() => (isSpun = true));
    await until(() => running.handler.stats().running === 1);
    for (let i = 0; i < 10; i++)
      expect((await fetch(new URL("/x", running.server.url), { method: "BAD" })).status).toBe(501);
    expect(isSpun).toBe(false);
    await slow;
  });

  it("forgets a client that leaves while it waits", async () => {
    await using running = await start({ threads: 1, maxQueue: 5 });
    await running.handler.ready();
    const slow = running.server.fetch("/spin?ms=200");
    await until(() => running.handler.stats().running === 1);
    const leaving = new AbortController();
    const left = running.server.fetch("/spin?ms=5000", { signal: leaving.signal });
    await until(() => running.handler.stats().queued === 1);
    leaving.abort();
    await expect(left).rejects.toThrow("aborted");
    await until(() => running.handler.stats().queued === 0);
    expect((await slow).status).toBe(200);
    expect(running.crashes).toEqual([]);
  });
});

describe("a client that takes its time", () => {
  /** Reads the head and no content. */
  async function askSlowly(running: Running, path: string): Promise<Socket> {
    const socket = connect(Number(running.server.url.port), "127.0.0.1");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await once(socket, "readable");
    return socket;
  }

  async function readAll(socket: Socket): Promise<number> {
    let bytes = 0;
    for await (const piece of socket) bytes += (piece as Buffer).length;
    return bytes;
  }

  it("holds no thread for what is left of a stream, up to windowBytes", async () => {
    const bytes = 16 * 1024 * 1024;
    await using running = await start({ threads: 2, maxQueue: 0, windowBytes: bytes });
    await running.handler.ready();
    const slow = await Promise.all([1, 2].map(() => askSlowly(running, `/much?bytes=${bytes}`)));
    await until(() => running.handler.stats().running === 0);
    expect(running.handler.stats().completed).toBeGreaterThanOrEqual(2);
    expect((await running.server.fetch("/hello")).status).toBe(200);
    // The answers are whole all the same: the threads were done with them, the clients were not
    for (const socket of slow) expect(await readAll(socket)).toBeGreaterThan(bytes);
  });

  it("holds its thread while more than that is to come, and lets it go when the rest fits", async () => {
    await using running = await start({ threads: 1, maxQueue: 0, windowBytes: 64 * 1024 });
    await running.handler.ready();
    const slow = await askSlowly(running, `/much?bytes=${32 * 1024 * 1024}`);
    expect((await running.server.fetch("/hello")).status).toBe(503);
    expect(running.handler.stats().running).toBe(1);
    expect(await readAll(slow)).toBeGreaterThan(32 * 1024 * 1024);
    await until(() => running.handler.stats().running === 0);
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });
});

describe("a client that leaves", () => {
  it("is told to the handler", async () => {
    await using running = await start();
    await running.handler.ready();
    const leaving = new AbortController();
    const left = running.server.fetch("/wait", { signal: leaving.signal });
    await until(() => running.handler.stats().running === 1);
    leaving.abort();
    await expect(left).rejects.toThrow("aborted");
    await until(() => running.handler.stats().running === 0);
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });

  it("ends an endless answer", async () => {
    await using running = await start();
    const leaving = new AbortController();
    const response = await running.server.fetch("/endless", { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    await until(() => running.handler.stats().running === 0);
    expect(running.handler.stats().threads).toBe(1);
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });

  it("ends the thread that goes on working for nobody", async () => {
    await using running = await start({ abandonMs: 50 });
    await running.handler.ready();
    const leaving = new AbortController();
    const left = running.server.fetch("/spin?ms=60000", { signal: leaving.signal });
    await until(() => running.handler.stats().running === 1);
    leaving.abort();
    await expect(left).rejects.toThrow("aborted");
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });
});

describe("a thread", () => {
  it.each(["/exit", "/later"])("that ends in %s answers 500 and is replaced", async (path) => {
    await using running = await start();
    expect((await running.server.fetch(path)).status).toBe(500);
    expect(running.crashes).toHaveLength(1);
    expect(running.server.faults).toHaveLength(1);
    expect(await (await running.server.fetch("/hello")).text()).toBe("hello from a thread");
    expect(running.handler.stats()).toMatchObject({ threads: 1, crashed: 1 });
  });

  it("that takes too much memory ends alone", async () => {
    await using running = await start({ maxHeapMiB: 32 });
    expect((await running.server.fetch("/heap")).status).toBe(500);
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });

  it("that takes too long is stopped, and its client told", async () => {
    await using running = await start({ timeoutMs: 50 });
    await running.handler.ready();
    const response = await running.server.fetch("/spin?ms=60000");
    const text = await response.text();
    expect([response.status, text]).toEqual([503, expect.stringContaining("ERR_HANDLER_TIMEOUT")]);
    expect(running.server.faults).toMatchObject([{ error: { code: "ERR_HANDLER_TIMEOUT" } }]);
    expect(text).toMatch(new RegExp(`id +${running.server.faults[0]?.id}$`, "m"));
    expect((await running.server.fetch("/hello")).status).toBe(200);
  });
});

describe("a module", () => {
  it.each([
    ["nothing.ts", /exports no handler, but only answer/],
    ["throwing.ts", /never loads/],
    ["missing.ts", /missing\.ts/],
  ])("that is no handler (%s) is found out by ready(), and answers 500", async (name, said) => {
    await using running = await start({}, new URL(`./modules/${name}`, import.meta.url));
    await expect(running.handler.ready()).rejects.toThrow(said);
    expect((await running.server.fetch("/")).status).toBe(500);
    expect(String(running.server.faults[0]?.error)).toMatch(said);
  });

  it("is a file", () => {
    expect(() => workerHandler("heavy.ts")).toThrow(/file URL or an absolute path/);
    expect(() => workerHandler(new URL("http://localhost/heavy.ts"))).toThrow(/file URL or an absolute path/);
  });
});

describe("options", () => {
  it("are checked whole", () => {
    const wrong = { threads: 0, maxqueue: 3, timeoutMs: "5" } as unknown as WorkerOptions;
    expect(() => workerHandler(MODULE, wrong)).toThrow(/threads[^]*maxqueue[^]*maxQueue[^]*timeoutMs/);
  });
});

describe("close()", () => {
  it("lets running requests finish and refuses later ones", async () => {
    await using running = await start();
    await running.handler.ready();
    const slow = running.server.fetch("/spin?ms=100");
    await until(() => running.handler.stats().running === 1);
    const closed = running.handler.close();
    expect((await running.server.fetch("/hello")).status).toBe(503);
    expect((await slow).status).toBe(200);
    await closed;
    expect(running.handler.stats().threads).toBe(0);
  });
});
