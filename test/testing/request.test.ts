/** request(): an app asked without a socket behaves as over one. */
import { open, writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import type { FileSlice } from "../../src/http/exchange.ts";
import { Hono } from "hono";
import {
  request,
  startTestServer,
  type TestApp,
  type TestRequestInit,
  type TestResponse,
} from "../../src/testing/index.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";

const codesOf = (faults: readonly { error: unknown }[]): unknown[] =>
  faults.map(({ error }) => (error as { code?: unknown }).code ?? (error as Error).message);

describe("what can be asked", () => {
  const hono = new Hono();
  hono.get("/hello", (c) => c.text("hello"));
  class Counted {
    readonly #text = "hello";
    fetch(): Response {
      return new Response(this.#text);
    }
  }
  const apps: ReadonlyArray<readonly [string, TestApp]> = [
    ["a function", () => new Response("hello")],
    ["an object with fetch", { fetch: async () => new Response("hello") }],
    ["an object whose fetch needs it", new Counted()],
    ["a platform's own response", () => new globalThis.Response("hello")],
    ["a Hono app", hono],
  ];
  it.each(apps)("asks %s", async (_, app) => {
    const response = await request(app, "/hello");
    expect([response.status, await response.text(), response.faults]).toEqual([200, "hello", []]);
  });

  it("refuses what has no handler", async () => {
    await expect(request({} as TestApp, "/")).rejects.toThrow("method fetch");
  });
});

describe("the request", () => {
  const echo: Handler = (req, context) =>
    Response.json({ method: req.method, url: req.url, target: context.exchange.request.target });
  it.each([
    ["/a?b=c", "/a?b=c", "http://localhost/a?b=c"],
    ["/a/../b", "/a/../b", "http://localhost/b"],
    ["//x/y", "//x/y", "http://localhost//x/y"],
    ["/ö", "/%C3%B6", "http://localhost/%C3%B6"],
    ["/a#part", "/a", "http://localhost/a"],
    ["https://example.org:8443/a", "/a", "https://example.org:8443/a"],
    [new URL("http://example.org/x"), "/x", "http://example.org/x"],
    [new globalThis.Request("http://example.org/y"), "/y", "http://example.org/y"],
  ])("asks for %s", async (input, target, url) => {
    expect(await (await request(echo, input)).json()).toEqual({ method: "GET", url, target });
  });

  it("gives method, fields and content as a client sends them", async () => {
    const app: Handler = async (req, context) =>
      Response.json({
        lines: [...context.exchange.request.fields],
        length: context.exchange.content.length,
        text: await req.text(),
      });
    const response = await request(app, "/", { method: "POST", body: "é=1", headers: { "x-a": "1" } });
    expect(await response.json()).toEqual({
      lines: [
        ["host", "localhost"],
        ["content-type", "text/plain;charset=UTF-8"],
        ["x-a", "1"],
        ["content-length", "4"],
      ],
      length: 4,
      text: "é=1",
    });
  });

  it("has no content where none is given, and says so for a POST", async () => {
    const app: Handler = (req, { exchange }) =>
      Response.json([exchange.content.isEmpty, exchange.request.fields.get("content-length"), req.body === null]);
    expect(await (await request(app, "/")).json()).toEqual([true, null, true]);
    expect(await (await request(app, "/", { method: "POST" })).json()).toEqual([true, "0", true]);
  });

  it("reads forms", async () => {
    const form = new FormData();
    form.append("title", "Emma");
    form.append("file", new File(["abc"], "a.txt"));
    const app: Handler = async (req) => {
      const read = await req.formData();
      return Response.json([read.get("title"), await (read.get("file") as File).text()]);
    };
    expect(await (await request(app, "/", { method: "POST", body: form })).json()).toEqual(["Emma", "abc"]);
  });

  it("streams content no faster than the handler takes it", async () => {
    let made = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          made++;
          if (made > 100) return controller.close();
          controller.enqueue(new Uint8Array(64 * 1024));
        },
      },
      { highWaterMark: 0 },
    );
    let madeBeforeReading = -1;
    const app: Handler = async (req) => {
      const reader = (req.body as ReadableStream<Uint8Array>).getReader();
      let total = (await reader.read()).value?.length ?? 0;
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      madeBeforeReading = made;
      for (let step = await reader.read(); !step.done; step = await reader.read()) total += step.value.length;
      return new Response(String(total));
    };
    const response = await request(app, "/", { method: "POST", body });
    expect(await response.text()).toBe(String(100 * 64 * 1024));
    expect(madeBeforeReading).toBeLessThan(10);
  });

  it("says what a stream that breaks looks like to the handler", async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("the disk is gone")),
    });
    let seen: unknown = null;
    const app: Handler = async (req) => {
      seen = await req.text().catch((error: unknown) => error);
      return new Response("read");
    };
    await request(app, "/", { method: "POST", body });
    expect(seen).toMatchObject({ code: "ERR_CONTENT_INCOMPLETE" });
  });

  it.each([
    ["declared", "x".repeat(11)],
    ["streamed", new Blob(["x".repeat(11)]).stream()],
  ])("refuses %s content above the limit as the server does", async (_, body) => {
    const app: Handler = async (req) => new Response(await req.text());
    const response = await request(app, "/", { method: "POST", body, limits: { maxContentBytes: 10 } });
    expect(response.status).toBe(413);
    expect(await response.text()).toContain("ERR_CONTENT_TOO_LARGE");
    expect(response.faults).toEqual([]);
  });

  it("refuses content above what is read at once", async () => {
    const app: Handler = async (req) => new Response(await req.text());
    const response = await request(app, "/", { method: "POST", body: "12345", limits: { maxBufferedBytes: 4 } });
    expect([response.status, await response.text()]).toEqual([413, expect.stringContaining("ERR_BUFFERED_CONTENT")]);
  });

  it.each([
    ["CR LF in a value", { headers: { "x-a": "1\r\nx-b: 2" } }, "invalid"],
    ["a wrong Content-Length", { method: "POST", body: "abc", headers: { "content-length": "2" } }, "Content-Length"],
    ["content with GET", { body: "abc" }, "GET"],
    ["an unknown limit", { limits: { maxBody: 1 } }, "maxBody"],
  ])("throws at the test for %s", async (_, init, message) => {
    const asked = request(() => new Response("ok"), "/", init as TestRequestInit);
    await expect(asked).rejects.toThrow(message);
  });

  it("cancels content that nobody read", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const response = await request(() => new Response("no, thanks"), "/", { method: "POST", body });
    await response.finished;
    await new Promise((resolve) => setImmediate(resolve));
    expect(isCancelled).toBe(true);
  });
});

describe("the context", () => {
  const facts: Handler = (_, { remoteAddress, localAddress, encrypted, serverName, alpnProtocol }) =>
    Response.json({ remoteAddress, localAddress, encrypted, serverName, alpnProtocol });

  it("is that of a plain client on this machine", async () => {
    expect(await (await request(facts, "/")).json()).toEqual({
      remoteAddress: { address: "127.0.0.1", port: 50_000, family: "IPv4" },
      localAddress: { address: "127.0.0.1", port: 0, family: "IPv4" },
      encrypted: false,
      serverName: null,
      alpnProtocol: "http/1.1",
    });
  });

  it("is what the test says", async () => {
    const response = await request(facts, "https://example.org/", { context: { remoteAddress: "2001:db8::1" } });
    expect(await response.json()).toMatchObject({
      remoteAddress: { address: "2001:db8::1", family: "IPv6" },
      encrypted: true,
      serverName: "example.org",
    });
  });

  it("gives interim responses", async () => {
    const seen: number[] = [];
    const app: Handler = (_, context) => {
      context.sendInformational(103, { link: "</a.css>; rel=preload" });
      return new Response("ok");
    };
    const response = await request(app, "/", { onInformational: ({ status }) => seen.push(status) });
    expect(seen).toEqual([103]);
    expect(response.informational.map(({ headers }) => headers.get("link"))).toEqual(["</a.css>; rel=preload"]);
  });

  it("waits for what the handler goes on with", async () => {
    const done: string[] = [];
    let release = (): void => {};
    const app: Handler = (_, context) => {
      context.waitUntil(new Promise<void>((resolve) => (release = resolve)).then(() => void done.push("first")));
      context.waitUntil(Promise.reject(new Error("second failed")));
      return new Response("ok");
    };
    const response = await request(app, "/");
    expect(done).toEqual([]);
    release();
    await response.finished;
    expect([done, codesOf(response.faults)]).toEqual([["first"], ["second failed"]]);
  });

  it("cannot be upgraded without a socket", async () => {
    const app: Handler = (_, context) => {
      context.upgrade();
      return undefined;
    };
    expect((await request(app, "/", { headers: { upgrade: "websocket", connection: "upgrade" } })).status).toBe(426);
  });
});

describe("the law of the wire", () => {
  const lines = (pairs: [string, string][]): Handler => {
    return (_, { exchange }) => {
      void exchange.respond({ status: 200, reason: "", fields: pairs.flat() }, "ok");
      return undefined;
    };
  };
  const stream = (...pieces: string[]): ReadableStream<Uint8Array> =>
    new Blob(pieces).stream() as ReadableStream<Uint8Array>;

  it.each<readonly [string, Handler, string]>([
    ["CR LF in a value", lines([["x-a", "1\r\nx-b: 2"]]), "ERR_RESPONSE_FIELD"],
    ["a name that is none", lines([["x a", "1"]]), "ERR_RESPONSE_FIELD"],
    ["a wrong declared length", lines([["content-length", "3"]]), "ERR_RESPONSE_LENGTH"],
    ["no response", () => undefined, "ERR_RESPONSE_MISSING"],
    ["a thrown error", () => Promise.reject(new Error("broken")), "broken"],
  ])("answers 500 for %s and tells the test why", async (_, app, code) => {
    const response = await request(app, "/");
    expect([response.status, codesOf(response.faults)]).toEqual([500, [code]]);
    expect(await response.text()).toContain(response.faults[0]?.id);
  });

  it("sends no content where the status or the method forbids it", async () => {
    const none: Handler = (_, { exchange }) => {
      void exchange.respond({ status: 204, reason: "", fields: [] }, "content");
      return undefined;
    };
    const noContent = await request(none, "/");
    expect([noContent.status, noContent.body, noContent.headers.get("content-length")]).toEqual([204, null, null]);
    const head = await request(() => new Response("hello"), "/", { method: "HEAD" });
    expect([head.body, head.headers.get("content-length")]).toEqual([null, "5"]);
  });

  it("writes what the wire writes", async () => {
    const response = await request(() => new Response("hello"), "/", {
      time: { nowMs: () => 784_111_777_000, elapsedMs: () => 0, after: () => () => {} },
    });
    expect([response.statusText, Object.fromEntries(response.headers)]).toEqual([
      "OK",
      { "content-length": "5", "content-type": "text/plain;charset=UTF-8", "date": "Sun, 06 Nov 1994 08:49:37 GMT" },
    ]);
  });

  it.each([
    ["short", "12", "2 octets short"],
    ["long", "12345", "1 octets too many"],
  ])("breaks a stream off that is too %s", async (_, text, detail) => {
    const app: Handler = () => {
      const slow = async function* (): AsyncGenerator<string> {
        await new Promise((resolve) => setImmediate(resolve));
        yield text;
      };
      return new Response(slow(), { headers: { "content-length": "4" } });
    };
    const response = await request(app, "/");
    await expect(response.text()).rejects.toThrow(detail);
    await response.finished;
    expect(codesOf(response.faults)).toEqual(["ERR_RESPONSE_LENGTH"]);
  });

  it("breaks a stream off that fails, and tells why", async () => {
    const app: Handler = () =>
      new Response(
        (async function* () {
          yield "a";
          await new Promise((resolve) => setImmediate(resolve));
          throw new Error("the upstream is gone");
        })(),
      );
    const response = await request(app, "/");
    await expect(response.text()).rejects.toThrow("the upstream is gone");
    await response.finished;
    expect(codesOf(response.faults)).toEqual(["the upstream is gone"]);
  });

  it("tells of content that breaks off before anybody hears of the end, as a server does", async () => {
    const heard: string[] = [];
    const app: Handler = (asked) => {
      asked.signal.addEventListener("abort", () => heard.push(`abort after ${response?.faults.length} faults`));
      const body = (async function* () {
        yield "a";
        await new Promise((resolve) => setTimeout(resolve));
        throw new Error("the upstream is gone");
      })();
      return new Response(body);
    };
    let response: TestResponse | null = null;
    response = await request(app, "/");
    await expect(response.text()).rejects.toThrow("the upstream is gone");
    expect(heard).toEqual(["abort after 1 faults"]);
    await response.finished;
    expect(codesOf(response.faults)).toEqual(["the upstream is gone"]);
  });

  it("gives answers that handlers throw", async () => {
    const app: Handler = () => {
      throw new HttpError(403, "not yours");
    };
    const response = await request(app, "/", { headers: { accept: "application/json" } });
    expect([response.status, await response.json(), response.faults]).toEqual([
      403,
      expect.objectContaining({ detail: "not yours" }),
      [],
    ]);
  });

  it("rejects where a client would see a broken connection", async () => {
    const app: Handler = (_, { exchange }) => {
      exchange.abort(new Error("given up"));
      return undefined;
    };
    await expect(request(app, "/")).rejects.toThrow("given up");
  });

  it("streams the platform's and our own bodies alike", async () => {
    for (const body of [stream("a", "b"), "ab", new Blob(["ab"]), new TextEncoder().encode("ab")]) {
      expect(await (await request(() => new Response(body), "/")).text()).toBe("ab");
    }
  });
});

describe("a client that leaves", () => {
  it("rejects with the reason, and the handler hears of it", async () => {
    const controller = new AbortController();
    let signal: AbortSignal | null = null;
    const app: Handler = (req) => {
      signal = req.signal;
      return new Promise(() => {});
    };
    const asked = request(app, "/", { signal: controller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
  });

  it("is not asked at all with a signal that has aborted", async () => {
    let isCalled = false;
    const app: Handler = () => {
      isCalled = true;
      return new Response("ok");
    };
    await expect(request(app, "/", { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    expect(isCalled).toBe(false);
  });

  it.each(["cancel", "abort"] as const)("stops the source of a stream by %s, without a fault", async (way) => {
    const controller = new AbortController();
    let stopped = (): void => {};
    const isStopped = new Promise<void>((resolve) => (stopped = resolve));
    const app: Handler = (req) =>
      new Response(
        (async function* () {
          try {
            for (;;) {
              yield "tick";
              await new Promise((resolve) => setImmediate(resolve));
              req.signal.throwIfAborted();
            }
          } finally {
            stopped();
          }
        })(),
      );
    const response = await request(app, "/", { signal: controller.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    if (way === "cancel") await reader.cancel();
    else controller.abort();
    await isStopped;
    await response.finished;
    expect(response.faults).toEqual([]);
  });

  it("makes a source wait that is faster than the test", async () => {
    let made = 0;
    const app: Handler = () =>
      new Response(
        (async function* () {
          for (; made < 1000; made++) yield new Uint8Array(16 * 1024);
        })(),
      );
    const response = await request(app, "/");
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(20);
    expect((await response.arrayBuffer()).byteLength).toBe(1000 * 16 * 1024);
  });
});

describe("parts of files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fairlead-testing-"));
    await writeFile(join(folder, "a.txt"), "0123456789");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each([true, false])("are read, released, and broken off where the file changed (intact: %s)", async (isIntact) => {
    const handle = await open(join(folder, "a.txt"));
    let released = 0;
    const slice: FileSlice = {
      fd: handle.fd,
      start: 2,
      length: 5,
      isIntact: () => isIntact,
      release: () => void released++,
    };
    const response = await request(() => new Response(slice), "/");
    expect(response.headers.get("content-length")).toBe("5");
    if (isIntact) expect(await response.text()).toBe("23456");
    else await expect(response.text()).rejects.toThrow("written to");
    await response.finished;
    expect(released).toBe(1);
    await handle.close();
  });
});

describe("a server for the length of a test", () => {
  it("answers on the loopback interface, gathers faults and refusals, and ends with its scope", async () => {
    const app: Handler = (req) => {
      if (req.url.endsWith("/fail")) throw new Error("broken");
      if (req.url.endsWith("/away")) return new Response(null, { status: 302, headers: { location: "/" } });
      return new Response("hello");
    };
    let url = "";
    {
      await using server = await startTestServer(app);
      url = server.url.href;
      expect(await (await server.fetch("/")).text()).toBe("hello");
      expect((await server.fetch("/fail")).status).toBe(500);
      expect(codesOf(server.faults)).toEqual(["broken"]);
      expect((await server.fetch("/away")).status).toBe(302);
      expect((await server.fetch("/", { headers: { expect: "x" } }).catch(() => ({ status: 417 }))).status).toBe(417);
    }
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("says the same as request() does", async () => {
    const apps: Handler[] = [
      () => new Response("hello", { status: 201, headers: { "x-a": "1" } }),
      (req) => req.text().then((text) => Response.json({ text })),
      () => new Response(null, { status: 204 }),
      (_, { exchange }) => {
        void exchange.respond({ status: 200, reason: "", fields: ["content-length", "7"] }, "ok");
        return undefined;
      },
    ];
    for (const app of apps) {
      await using server = await startTestServer(app);
      const init = { method: "POST", body: "a" };
      const [local, real] = [await request(app, "/", init), await server.fetch("/", init)];
      const shown = async (response: globalThis.Response): Promise<unknown> => {
        const {
          "date": _date,
          "connection": _connection,
          "keep-alive": _keepAlive,
          ...headers
        } = Object.fromEntries(response.headers);
        const text = (await response.text()).replace(/^ {2}id .*$/m, "");
        if (response.status === 500) delete headers["content-length"];
        return { status: response.status, statusText: response.statusText, headers, text };
      };
      expect(await shown(local)).toEqual(await shown(real));
      expect(codesOf(local.faults)).toEqual(codesOf(server.faults));
    }
  });
});

describe("a request that is given up before the app was asked", () => {
  it("rejects with the reason, and leaves no other rejection behind", async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown): void => void unheard.push(reason);
    process.on("unhandledRejection", note);
    const controller = new AbortController();
    const asked = request(() => new Response("ok"), "/", { signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toThrow("aborted");
    // Told behind all promises that are due
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unheard).toEqual([]);
  });
});
