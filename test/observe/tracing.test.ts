import { once } from "node:events";
import { connect } from "node:net";
import {
  context,
  type Attributes,
  type SpanContext,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { Fields } from "../../src/http/fields.ts";
import { HttpError } from "../../src/http/errors.ts";
import type { Exchange } from "../../src/http/exchange.ts";
import { joinHooks } from "../../src/server/join-hooks.ts";
import { readTraceContext, renderTraceParent } from "../../src/observe/trace-context.ts";
import { tracing, type TracingOptions } from "../../src/observe/tracing.ts";
import { serve, type Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import { request } from "../../src/testing/request.ts";
import { Response } from "../../src/web/response.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID = "00f067aa0ba902b7";
const PARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

const exporter = new InMemorySpanExporter();
const servers: Server[] = [];

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
});

beforeEach(() => exporter.reset());

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ drainMs: 0 })));
});

afterAll(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

interface Traced {
  readonly server: Server;
  /** Resolves with spans when the response is over. */
  spans(): Promise<ReadableSpan[]>;
}

async function start(handler: Handler, options: TracingOptions = {}): Promise<Traced> {
  const traced = tracing(options);
  let over: () => void = () => {};
  const done = new Promise<void>((resolve) => (over = resolve));
  const hooks = joinHooks(traced.hooks, { onResponse: () => over(), onFault: () => {} });
  const server = await serve({ port: 0, fetch: traced.wrap(handler), hooks, additionalMethods: ["BREW"] });
  servers.push(server);
  const spans = async (): Promise<ReadableSpan[]> => {
    await done;
    return exporter.getFinishedSpans();
  };
  return { server, spans };
}

describe("a span", () => {
  it("has the attributes of the conventions, and the pattern of the route for a name", async () => {
    const app = new App().get("/users/:id", () => new Response("12345"));
    const { server, spans } = await start(app.fetch, { attributes: () => ({ "app.shop": "a" }) });
    await (await fetch(`${server.url.href}users/7?token=s&x=1`, { headers: { "user-agent": "test" } })).text();
    const [span, ...rest] = await spans();
    expect(rest).toEqual([]);
    expect([span?.name, span?.kind, span?.status.code]).toEqual([
      "GET /users/:id",
      SpanKind.SERVER,
      SpanStatusCode.UNSET,
    ]);
    expect(span?.attributes).toEqual({
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "http.response.body.size": 5,
      "http.route": "/users/:id",
      "url.scheme": "http",
      "url.path": "/users/7",
      "url.query": "token=[redacted]&x=1",
      "server.address": "127.0.0.1",
      "server.port": server.port,
      "client.address": "127.0.0.1",
      "network.peer.address": "127.0.0.1",
      "network.peer.port": expect.any(Number) as unknown,
      "network.protocol.name": "http",
      "network.protocol.version": "1.1",
      "user_agent.original": "test",
      "app.shop": "a",
    } satisfies Attributes | Record<string, unknown>);
  });

  // RFC 9112 §3.2.2: a server MUST accept the absolute-form in requests
  it.each([
    ["http://a.example:81/p/q?token=s", "/p/q", "token=[redacted]"],
    ["http://a.example?token=s", "/", "token=[redacted]"],
    ["/http://a.example/p", "/http://a.example/p", undefined],
  ])("has path and query of the target alone: %s", async (target, path, query) => {
    const { server, spans } = await start(() => new Response("x"));
    const socket = connect(server.port ?? 0, "127.0.0.1");
    socket.end(`GET ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`).resume();
    await once(socket, "close");
    const [span] = await spans();
    expect([span?.attributes["url.path"], span?.attributes["url.query"]]).toEqual([path, query]);
  });

  it.each([
    ["an error", () => Promise.reject(new TypeError("x")), 500, "500", SpanStatusCode.ERROR, 1],
    [
      "an answer that is thrown",
      () => Promise.reject(new HttpError(404, "no")),
      404,
      undefined,
      SpanStatusCode.UNSET,
      0,
    ],
    ["an answer of 503", () => new Response("", { status: 503 }), 503, "503", SpanStatusCode.ERROR, 0],
  ] as const)("of %s says so", async (_, handler, status, type, code, events) => {
    const { server, spans } = await start(handler);
    await fetch(server.url);
    const [span] = await spans();
    expect(span?.attributes["http.response.status_code"]).toBe(status);
    expect(span?.attributes["error.type"]).toBe(type);
    expect([span?.status.code, span?.events.length]).toEqual([code, events]);
  });

  it("of a client that leaves ends, and says it", async () => {
    let arrived: () => void = () => {};
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    const { server, spans } = await start(() => {
      arrived();
      return new Promise(() => {});
    });
    const leaving = new AbortController();
    const asking = fetch(server.url, { signal: leaving.signal }).catch(() => null);
    await isThere;
    leaving.abort();
    await asking;
    const [span] = await spans();
    expect(span?.attributes["error.type"]).toBe("aborted");
    expect(span?.attributes).not.toHaveProperty("http.response.status_code");
  });

  it("is not named by what a client makes up", async () => {
    const { server, spans } = await start(() => new Response(""));
    await fetch(server.url, { method: "BREW" });
    const [span] = await spans();
    expect(span?.name).toBe("HTTP");
    expect(span?.attributes).toMatchObject({ "http.request.method": "_OTHER", "http.request.method_original": "BREW" });
  });

  it("is where handlers run, and who they ask belongs to it", async () => {
    let active: SpanContext | undefined;
    const { server, spans } = await start(async () => {
      await Promise.resolve();
      active = trace.getActiveSpan()?.spanContext();
      trace.getTracer("test").startSpan("inner").end();
      return new Response("");
    });
    await fetch(server.url, { headers: { traceparent: PARENT, tracestate: "vendor=x" } });
    const all = await spans();
    const outer = all.find(({ name }) => name === "GET");
    const inner = all.find(({ name }) => name === "inner");
    expect(active?.spanId).toBe(outer?.spanContext().spanId);
    expect(outer?.spanContext().traceId).toBe(TRACE_ID);
    expect(outer?.spanContext().traceState?.serialize()).toBe("vendor=x");
    expect([outer?.parentSpanContext?.spanId, inner?.parentSpanContext?.spanId]).toEqual([SPAN_ID, active?.spanId]);
  });

  it("is told to the log", async () => {
    const names: string[] = [];
    const traced = tracing();
    const onResponse = ({ exchange }: { exchange: Exchange }): number => names.push(exchange.traceParent);
    const app = new App().use(traced.middleware).mount(
      "/a",
      new App().get("/b", () => new Response("")),
    );
    const server = await serve({ port: 0, fetch: app.fetch, hooks: joinHooks(traced.hooks, { onResponse }) });
    servers.push(server);
    await fetch(`${server.url.href}a/b`, { headers: { traceparent: PARENT } });
    const [span] = exporter.getFinishedSpans();
    expect(names).toEqual([renderTraceParent(TRACE_ID, span?.spanContext().spanId ?? "", 1)]);
    expect(span?.name).toBe("GET /a/b");
  });

  it("of an error that is no answer of ours is a failure, whatever status that error has", async () => {
    const foreign = (): never => {
      throw Object.assign(new Error("upstream has none"), { status: 404 });
    };
    const ours = (): never => {
      throw new HttpError(404, "we have none");
    };
    const app = new App().use(tracing().middleware).get("/foreign", foreign).get("/ours", ours);
    const answers = [await request(app, "/foreign"), await request(app, "/ours")];
    const seen = exporter
      .getFinishedSpans()
      .map(({ attributes, events }) => [attributes["http.response.status_code"], events.map(({ name }) => name)]);
    expect(answers.map(({ status }) => status)).toEqual([500, 404]);
    expect(seen).toEqual([
      [500, ["exception"]],
      [404, []],
    ]);
    exporter.reset();
    const { server, spans } = await start(foreign);
    await fetch(server.url);
    const [span] = await spans();
    expect(span?.events.map(({ name }) => name)).toEqual(["exception"]);
  });

  it("ends with the handler where no server tells of the end", async () => {
    const app = new App().use(tracing().middleware).get("/", () => new Response("x"));
    await request(app, "/");
    expect(
      exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes["http.response.status_code"]]),
    ).toEqual([["GET /", 200]]);
  });

  it("is none for what is skipped, and begins anew where clients are not believed", async () => {
    const skipping = await start(() => new Response(""), { skip: ({ request }) => request.target === "/" });
    await fetch(skipping.server.url);
    expect(await skipping.spans()).toEqual([]);
    const wary = await start(() => new Response(""), { parent: "none" });
    await fetch(wary.server.url, { headers: { traceparent: PARENT } });
    const [span] = await wary.spans();
    expect(span?.spanContext().traceId).not.toBe(TRACE_ID);
    expect(span?.parentSpanContext).toBeUndefined();
  });

  it("belongs where the propagator says that the SDK has set", async () => {
    propagation.setGlobalPropagator({
      fields: () => ["x-span"],
      inject: () => {},
      extract: (outer, carrier, getter) =>
        trace.setSpanContext(outer, { traceId: String(getter.get(carrier, "X-Span")), spanId: SPAN_ID, traceFlags: 1 }),
    });
    const { server, spans } = await start(() => new Response(""), { parent: "global" });
    await fetch(server.url, { headers: { "x-span": TRACE_ID } });
    expect((await spans())[0]?.spanContext().traceId).toBe(TRACE_ID);
  });
});

describe("options", () => {
  it("are checked whole", () => {
    expect(() => tracing({ parent: "b3", skipp: 1 } as never)).toThrow(/2 options are invalid[^]*did you mean skip/);
  });
});

describe("traceparent", () => {
  const read = (lines: ReadonlyArray<readonly [string, string]>): ReturnType<typeof readTraceContext> =>
    readTraceContext(Fields.from(lines));

  it.each([
    [PARENT, 1],
    [`00-${TRACE_ID}-${SPAN_ID}-00`, 0],
    [`00-${TRACE_ID}-${SPAN_ID}-ff`, 3],
    [`cc-${TRACE_ID}-${SPAN_ID}-01-what-comes-later`, 1],
  ])("%s is believed", (value, flags) => {
    expect(read([["traceparent", value]])).toEqual({ traceId: TRACE_ID, spanId: SPAN_ID, flags, state: "" });
  });

  it.each([
    [`ff-${TRACE_ID}-${SPAN_ID}-01`],
    [`00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`],
    [`00-${"0".repeat(32)}-${SPAN_ID}-01`],
    [`00-${TRACE_ID}-${"0".repeat(16)}-01`],
    [`${PARENT}-x`],
    [`${PARENT}x`],
    [`00-${TRACE_ID}-${SPAN_ID}`],
    [`00-${TRACE_ID}x-${SPAN_ID}-01`],
    [` x`],
    [""],
  ])("%s is not", (value) => expect(read([["traceparent", value]])).toBeNull());

  it("is not believed twice", () => {
    expect(
      read([
        ["traceparent", PARENT],
        ["traceparent", PARENT],
      ]),
    ).toBeNull();
  });

  it.each([
    ["a=1,b=2", "a=1,b=2"],
    [" a=1 ,\t, 7x@b=2", "a=1,7x@b=2"],
    ["a=1,a=2", ""],
    ["A=1", ""],
    ["a=1,b", ""],
    ["a=x=y", ""],
    [Array.from({ length: 33 }, (_, i) => `a${i}=1`).join(","), ""],
    ["", ""],
  ])("with a tracestate of %s has %s", (value, state) => {
    expect(
      read([
        ["traceparent", PARENT],
        ["tracestate", value],
      ])?.state,
    ).toBe(state);
  });

  it("is written as it is read, whatever else a client sends", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (parent, state) => {
        const span = read([
          ["traceparent", parent],
          ["tracestate", state],
        ]);
        if (span !== null) expect(renderTraceParent(span.traceId, span.spanId, span.flags)).toMatch(/^00-[0-9a-f-]+$/);
      }),
    );
  });
});
