import { describe, expect, it } from "vitest";
import { HandlerError, HttpError, ProtocolError } from "../../src/http/errors.ts";
import { createExchangeHandler, ErrorHandlerFailure, type Handler, type HandlerFault } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { contentText, MemoryByteStream, MemoryContent, MemoryExchange } from "./support/memory-exchange.ts";

function run(fetch: Handler, exchange: MemoryExchange): { faults: HandlerFault[]; waited: Promise<unknown>[] } {
  const faults: HandlerFault[] = [];
  const waited: Promise<unknown>[] = [];
  createExchangeHandler(fetch, {
    maxBufferedBytes: 1024,
    onFault: (fault) => faults.push(fault),
    waitUntil: (promise) => waited.push(promise),
  })(exchange);
  return { faults, waited };
}

/** Past every microtask that is due. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("answers", () => {
  it("sends a synchronous response before it returns", () => {
    const exchange = new MemoryExchange();
    run(() => new Response("Hello, World!"), exchange);
    expect(exchange.status).toBe(200);
    expect(exchange.body).toBe("Hello, World!");
    expect(exchange.fields).toEqual([["content-type", "text/plain;charset=UTF-8"]]);
  });

  it("sends an asynchronous response", async () => {
    const exchange = new MemoryExchange({ method: "POST", content: '{"title":"Emma"}' });
    run(async (request) => Response.json(await request.json(), { status: 201 }), exchange);
    await exchange.answered;
    expect([exchange.status, exchange.body]).toEqual([201, '{"title":"Emma"}']);
  });

  it("takes any thenable for a promise", async () => {
    const exchange = new MemoryExchange();
    const answered = Promise.resolve(new Response("later"));
    const then = answered.then.bind(answered);
    const thenable: unknown = Object.defineProperty({}, ["th", "en"].join(""), { value: then });
    run(() => thenable as Promise<globalThis.Response>, exchange);
    await exchange.answered;
    expect(exchange.body).toBe("later");
  });

  it("sends the platform's own response with its length, if it is at hand", async () => {
    const exchange = new MemoryExchange();
    const headers = new globalThis.Headers([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-a", "1"],
    ]);
    run(() => new globalThis.Response("native", { status: 203, headers }), exchange);
    await exchange.answered;
    expect(exchange.status).toBe(203);
    expect(exchange.body).toBeInstanceOf(Uint8Array);
    expect(await contentText(exchange.body)).toBe("native");
    expect(exchange.fields).toEqual([
      ["content-type", "text/plain;charset=UTF-8"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-a", "1"],
    ]);
  });
});

describe("failures", () => {
  const thrown = new Error("the database password is hunter2");
  const failing: [string, Handler][] = [
    [
      "a throw",
      () => {
        throw thrown;
      },
    ],
    [
      "a rejection",
      async () => {
        throw thrown;
      },
    ],
    ["nothing returned", () => undefined],
    ["something else returned", () => ({ status: 200 }) as unknown as globalThis.Response],
    ["a promise of something else", async () => "text" as unknown as globalThis.Response],
  ];
  it.each(failing)("answers %s with one 500 whose id the observer gets", async (_name, handler) => {
    const exchange = new MemoryExchange();
    const { faults } = run(handler, exchange);
    await exchange.answered;
    expect(exchange.status).toBe(500);
    expect(faults).toHaveLength(1);
    expect(faults[0]!.id).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
    expect(exchange.body).toContain(faults[0]!.id);
    expect(exchange.body).not.toContain("hunter2");
    expect(faults[0]!.exchange).toBe(exchange);
  });

  it("tells the observer what a handler returned instead of a Response", () => {
    const { faults } = run(() => null as unknown as undefined, new MemoryExchange());
    expect(faults).toMatchObject([
      { error: { code: "ERR_RESPONSE_MISSING", message: expect.stringContaining("null") as string } },
    ]);
  });

  it("answers as JSON where the peer prefers it", () => {
    const exchange = new MemoryExchange({ fields: [["accept", "application/json"]] });
    const { faults } = run(() => {
      throw thrown;
    }, exchange);
    expect(exchange.field("content-type")).toBe("application/problem+json");
    expect(JSON.parse(exchange.body as string)).toMatchObject({ status: 500, id: faults[0]!.id });
  });

  it("answers an HttpError below 500 as it says, and calls it no fault", () => {
    const exchange = new MemoryExchange();
    const { faults } = run(() => {
      throw new HttpError(403, "not yours", { headers: { "x-why": "because" } });
    }, exchange);
    expect(exchange.status).toBe(403);
    expect(exchange.body).toContain("ot yours");
    expect(exchange.field("x-why")).toBe("because");
    expect(faults).toEqual([]);
  });

  it("answers an HttpError from 500 as it says, with an id", () => {
    const exchange = new MemoryExchange();
    const { faults } = run(() => {
      throw new HttpError(503, "come back later", { headers: { "retry-after": "10" } });
    }, exchange);
    expect(exchange.status).toBe(503);
    expect(exchange.field("retry-after")).toBe("10");
    expect(faults).toHaveLength(1);
    expect(exchange.body).toContain(faults[0]!.id);
  });

  it.each([{ "x-name": "\u20ac" }, { "x-name": "a\r\nb" }, { "x y": "z" }])(
    "answers 500 for an HttpError that cannot be sent: %j",
    (headers) => {
      const exchange = new MemoryExchange();
      const { faults } = run(() => {
        throw new HttpError(404, "no", { headers });
      }, exchange);
      expect(exchange.status).toBe(500);
      expect(faults).toHaveLength(1);
      expect(exchange.body).toContain(faults[0]!.id);
    },
  );

  it.each([
    ["an unknown error", new Error("first"), 500],
    ["an HttpError", new HttpError(403, "not yours"), 403],
  ])("answers %s as it deserves where the handler of errors failed too, and reports both", (_name, first, status) => {
    const exchange = new MemoryExchange();
    const second = new Error("second");
    const { faults } = run(() => {
      throw new ErrorHandlerFailure(first, second);
    }, exchange);
    expect(exchange.status).toBe(status);
    expect(faults).toHaveLength(1);
    expect(exchange.body).toContain(faults[0]!.id);
    expect(exchange.body).not.toContain("second");
    expect((faults[0]!.error as AggregateError).errors).toEqual([first, second]);
  });

  it("answers 500 for an HttpError that the wire refuses", () => {
    const exchange = new MemoryExchange();
    exchange.result = new HandlerError("ERR_RESPONSE_LENGTH");
    const { faults } = run(() => {
      throw new HttpError(404, "no", { headers: { "content-length": "3" } });
    }, exchange);
    expect(exchange.status).toBe(500);
    expect(faults).toMatchObject([{ error: { code: "ERR_RESPONSE_LENGTH" } }]);
  });

  it("lets the wire answer what is wrong with the content", async () => {
    const content = new MemoryContent(2048);
    const exchange = new MemoryExchange({ method: "POST" }, content);
    const { faults } = run(async (request) => new Response(await request.text()), exchange);
    await exchange.answered;
    expect(exchange.status).toBe(413);
    expect(exchange.refusal?.code).toBe("ERR_BUFFERED_CONTENT_TOO_LARGE");
    expect(content.isStarted).toBe(false);
    expect(faults).toEqual([]);
  });

  it("answers invalid JSON with 400, its place, and keeps the connection", async () => {
    const exchange = new MemoryExchange({ method: "POST", content: '{\n  "title": Emma\n}' });
    const { faults } = run(async (request) => Response.json(await request.json()), exchange);
    await exchange.answered;
    expect(exchange.status).toBe(400);
    expect(exchange.body).toContain("line 2, column 12");
    expect(exchange.body).toContain("ERR_JSON");
    expect(exchange.field("connection")).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it("tells programs the place in members, in octets too", async () => {
    const fields: [string, string][] = [["accept", "application/problem+json"]];
    const exchange = new MemoryExchange({ method: "POST", content: '{\n  "ti\u00e9": Emma\n}', fields });
    run(async (request) => Response.json(await request.json()), exchange);
    await exchange.answered;
    expect(JSON.parse(exchange.body as string)).toMatchObject({
      status: 400,
      code: "ERR_JSON",
      rule: "RFC 8259 \u00a72",
      line: 2,
      column: 10,
      offset: 12,
    });
  });

  it("says what code and members an HttpError has, and of a code of ours the rule", async () => {
    const fields: [string, string][] = [["accept", "application/problem+json"]];
    const own = new MemoryExchange({ fields });
    run(() => {
      throw new HttpError(403, "poor", { code: "POOR", extensions: { balance: 30 } });
    }, own);
    expect(JSON.parse(own.body as string)).toEqual({
      type: "about:blank",
      title: "Forbidden",
      status: 403,
      detail: "poor",
      code: "POOR",
      balance: 30,
    });
    const ours = new MemoryExchange({ fields });
    run(() => {
      throw new HttpError(413, "big", { code: "ERR_PART_TOO_LARGE" });
    }, ours);
    expect(JSON.parse(ours.body as string)).toMatchObject({ rule: "RFC 9110 \u00a715.5.14", option: "maxPartBytes" });
  });

  it("answers 500 where a member of an HttpError is no JSON", () => {
    const exchange = new MemoryExchange({ fields: [["accept", "application/json"]] });
    const { faults } = run(() => {
      throw new HttpError(403, "poor", { extensions: { balance: 30n } });
    }, exchange);
    expect(exchange.status).toBe(500);
    expect(faults).toHaveLength(1);
  });

  it("answers an invalid form with 400", async () => {
    const fields: [string, string][] = [["content-type", "multipart/form-data; boundary=x"]];
    const exchange = new MemoryExchange({ method: "POST", content: "no parts", fields });
    const { faults } = run(async (request) => {
      await request.formData();
      return new Response();
    }, exchange);
    await exchange.answered;
    expect(exchange.status).toBe(400);
    expect(exchange.body).toBe(
      "400 Bad Request\n\nThe content is not a valid form: the boundary of its media type is not in it.\n\n  rule    RFC 2046 §5.1.1\n  code    ERR_FORM\n",
    );
    expect(faults).toEqual([]);
  });

  it("is silent when the peer has left", async () => {
    const exchange = new MemoryExchange();
    const { faults } = run(async (request) => {
      const { signal } = request;
      exchange.leave(new ProtocolError("ERR_CLOSED_BY_PEER"));
      signal.throwIfAborted();
      return new Response();
    }, exchange);
    await exchange.answered;
    expect(exchange.head).toBeNull();
    expect(exchange.abortReason).not.toBeNull();
    expect(faults).toEqual([]);
  });

  it("takes an AbortError for a fault as long as the peer is there", async () => {
    const exchange = new MemoryExchange();
    const { faults } = run(async () => {
      throw new DOMException("own", "AbortError");
    }, exchange);
    await exchange.answered;
    expect(exchange.status).toBe(500);
    expect(faults).toHaveLength(1);
  });

  it("answers 500 when the wire refuses the response", () => {
    const exchange = new MemoryExchange();
    exchange.result = new HandlerError("ERR_RESPONSE_FIELD");
    const { faults } = run(() => new Response("x"), exchange);
    expect(exchange.status).toBe(500);
    expect(faults[0]!.error).toBeInstanceOf(HandlerError);
  });

  it("answers 500 for content that was used", () => {
    const response = new Response(new ReadableStream({ start: (c) => c.close() }));
    void response.text();
    const exchange = new MemoryExchange();
    const { faults } = run(() => response, exchange);
    expect(exchange.status).toBe(500);
    expect(faults[0]!.error).toMatchObject({ code: "ERR_RESPONSE_USED" });
  });

  it("breaks the connection when the content fails after the head", async () => {
    const exchange = new MemoryExchange();
    const failure = new Error("the source failed");
    exchange.result = Promise.reject(failure);
    const { faults } = run(() => new Response(new ReadableStream()), exchange);
    await settled();
    expect(exchange.abortReason).toBe(failure);
    expect(faults).toMatchObject([{ id: expect.stringMatching(/-/) as unknown, error: failure }]);
  });

  it("is silent when the peer leaves while content is sent", async () => {
    const exchange = new MemoryExchange();
    exchange.result = Promise.reject(new ProtocolError("ERR_CLOSED_BY_PEER"));
    const { faults } = run(() => new Response(new ReadableStream()), exchange);
    await settled();
    expect(faults).toEqual([]);
  });

  it("refuses JSON so deep that sending it back would overflow the stack", async () => {
    const answers: number[] = [];
    for (const depth of [1000, 1001, 20_000]) {
      const content = `${"[".repeat(depth)}${"]".repeat(depth)}`;
      const exchange = new MemoryExchange({ method: "POST", content });
      createExchangeHandler(async (request) => Response.json(await request.json()), {
        maxBufferedBytes: 1 << 20,
        onFault: () => {},
        waitUntil: () => {},
      })(exchange);
      await exchange.answered;
      answers.push(exchange.status);
    }
    expect(answers).toEqual([200, 400, 400]);
  });

  it.each([
    ["at once", false],
    ["later", true],
  ])("answers what cannot even be looked at, thrown %s", async (_when, isLater) => {
    const trap = new Proxy(new Error("x"), {
      getPrototypeOf: () => {
        throw new Error("not to be looked at");
      },
    });
    const exchange = new MemoryExchange();
    const { faults } = run(() => {
      if (isLater) return Promise.reject(trap);
      throw trap;
    }, exchange);
    await exchange.answered;
    expect([exchange.status, faults.length]).toEqual([500, 1]);
  });

  it("outlives an observer that throws", () => {
    const exchange = new MemoryExchange();
    const handle = createExchangeHandler(() => undefined, {
      maxBufferedBytes: 1,
      onFault: () => {
        throw new Error("observer");
      },
      waitUntil: () => {},
    });
    expect(() => handle(exchange)).not.toThrow();
    expect(exchange.status).toBe(500);
  });
});

describe("the server as a whole", () => {
  it.each([["*"], ["http://example.com"]])("answers OPTIONS %s without the handler", (target) => {
    const exchange = new MemoryExchange({ method: "OPTIONS", target });
    const { faults } = run(() => {
      throw new Error("called");
    }, exchange);
    expect(exchange.status).toBe(204);
    expect(exchange.field("allow")).toContain("GET");
    expect(faults).toEqual([]);
  });

  it("leaves OPTIONS of a resource to the handler", () => {
    const exchange = new MemoryExchange({ method: "OPTIONS", target: "/book" });
    run(() => new Response("mine"), exchange);
    expect(exchange.body).toBe("mine");
  });
});

describe("context", () => {
  it("accepts an upgrade as the answer", () => {
    const exchange = new MemoryExchange({ fields: [["upgrade", "echo"]] });
    exchange.byteStream = new MemoryByteStream();
    const { faults } = run((_request, context) => {
      context.upgrade();
      return undefined;
    }, exchange);
    expect(exchange.upgradeFields).toEqual(["upgrade", "echo"]);
    expect(faults).toEqual([]);
  });

  it("hands waitUntil on", () => {
    const work = Promise.resolve();
    const { waited } = run((_request, context) => {
      context.waitUntil(work);
      return new Response();
    }, new MemoryExchange());
    expect(waited).toEqual([work]);
  });

  it.each([
    ["nothing", undefined, undefined],
    ["a value", "done", "done"],
  ])("hands waitUntil on for %s too, as a promise", async (_what, given, value) => {
    const exchange = new MemoryExchange();
    const { waited } = run((_request, context) => {
      context.waitUntil(given as unknown as Promise<unknown>);
      return new Response();
    }, exchange);
    expect([exchange.status, waited.length, waited[0] instanceof Promise]).toEqual([200, 1, true]);
    expect(await waited[0]).toBe(value);
  });
});
