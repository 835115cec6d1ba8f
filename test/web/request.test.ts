import fc from "fast-check";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/http/errors.ts";
import { native } from "../../src/web/native.ts";
import { exchangeOf, Request, requestOf, requestOver } from "../../src/web/request.ts";
import { attributesOf, MULTIPART, MULTIPART_TYPE, outcomeOf, read, READERS } from "./support/compare.ts";
import { MemoryContent, MemoryExchange, type MemoryRequest } from "./support/memory-exchange.ts";

const LIMIT = 1 << 20;

function lazy(request: MemoryRequest = {}): Request {
  return requestOf(new MemoryExchange(request), LIMIT);
}

/** What the platform makes of the same request. */
function platform(request: MemoryRequest = {}): globalThis.Request {
  const { method = "GET", target = "/", scheme = "http", authority = "example.com", fields = [], content } = request;
  const hasBody = content !== undefined && method !== "GET" && method !== "HEAD";
  const body = hasBody ? new globalThis.Response(content as string).body : null;
  return new globalThis.Request(new URL(target, `${scheme}://${authority}`), {
    method,
    headers: fields,
    body,
    duplex: "half",
  });
}

const POST = { method: "POST" };
const bytes = (...octets: number[]): Uint8Array => Uint8Array.from(octets);

const REQUESTS: [string, MemoryRequest][] = [
  ["a plain GET", {}],
  [
    "a GET with query and fields",
    {
      target: "/a/b?c=d&e",
      fields: [
        ["Accept", "text/html"],
        ["accept", "*/*"],
        ["Host", "example.com"],
      ],
    },
  ],
  ["a GET whose URL must be normalised", { target: "/a/../b/%7e?'", authority: "EXAMPLE.com:80" }],
  ["https", { scheme: "https", authority: "[::1]:8443" }],
  ["a GET with content", { content: "ignored" }],
  ["HEAD", { method: "HEAD" }],
  ["DELETE", { method: "DELETE" }],
  ["a method of its own", { method: "PURGE" }],
  ["POST without content", { ...POST, fields: [["content-length", "0"]] }],
  ["POST of empty content", { ...POST, content: "" }],
  [
    "POST of text",
    { ...POST, content: "Gr\u00fc\u00dfe \u{1f30d}", fields: [["content-type", "text/plain;charset=utf-8"]] },
  ],
  [
    "POST of JSON",
    { ...POST, content: '{"title":"Emma","__proto__":{"a":1}}', fields: [["content-type", "application/json"]] },
  ],
  ["POST of invalid JSON", { ...POST, content: '{"title":}', fields: [["content-type", "application/json"]] }],
  ["POST of bytes", { ...POST, content: bytes(0, 255, 128, 10) }],
  ["POST of malformed UTF-8", { ...POST, content: bytes(0x61, 0xf0, 0x9f, 0x62, 0xc0, 0xaf, 0xed, 0xa0, 0x80) }],
  ["POST with a byte order mark", { ...POST, content: bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d) }],
  [
    "POST of a form",
    { ...POST, content: "a=1&b=x+y&b=%C3%A9%FF&c", fields: [["content-type", "application/x-www-form-urlencoded"]] },
  ],
  [
    "POST of a form with a charset",
    { ...POST, content: "a=1", fields: [["Content-Type", "Application/X-WWW-Form-urlencoded; charset=utf-8"]] },
  ],
  ["POST of a multipart form", { ...POST, content: MULTIPART, fields: [["content-type", MULTIPART_TYPE]] }],
  ["POST of a broken multipart form", { ...POST, content: "--edge", fields: [["content-type", MULTIPART_TYPE]] }],
  [
    "POST of what only looks like a form",
    { ...POST, content: "a=1", fields: [["content-type", "application/x-www-form-urlencodedx"]] },
  ],
  ["PUT", { method: "PUT", content: "x", fields: [["content-type", 'Text/HTML; Charset="utf-8"']] }],
];

const ATTRIBUTES = attributesOf(globalThis.Request.prototype);

/** The same request in each state that it can be in. */
const STATES: [string, (request: Request) => globalThis.Request][] = [
  ["lazy", (request) => request],
  ["after native()", (request) => (native(request), request)],
  ["native itself", (request) => native(request)],
  ["with its stream asked for", (request) => (void request.body, request)],
  ["with its stream asked for, after native()", (request) => (void request.body, native(request), request)],
  ["its clone", (request) => request.clone()],
  ["the clone of its native", (request) => (native(request), request.clone())],
  ["cloned before", (request) => (void request.clone(), request)],
  ["constructed again from native()", (request) => new globalThis.Request(native(request))],
  ["constructed again by ours", (request) => new Request(request)],
];

describe.each(STATES)("a request, %s,", (_state, reach) => {
  it.each(REQUESTS)("has the platform's attributes for %s", async (_name, request) => {
    const ours = reach(lazy(request));
    const theirs = platform(request);
    for (const name of ATTRIBUTES) {
      const [seen, expected] = await Promise.all([
        outcomeOf(() => Reflect.get(ours, name)),
        outcomeOf(() => Reflect.get(theirs, name)),
      ]);
      expect([name, seen]).toEqual([name, expected]);
    }
  });

  it.each(REQUESTS)("reads as the platform's for %s", async (_name, request) => {
    for (const reader of READERS) {
      const ours = reach(lazy(request));
      const theirs = platform(request);
      expect([reader, await outcomeOf(() => read(ours, reader))]).toEqual([
        reader,
        await outcomeOf(() => read(theirs, reader)),
      ]);
      expect([reader, ours.bodyUsed]).toEqual([reader, theirs.bodyUsed]);
      // Second reading, cloning and re-use after reading
      for (const act of [(r: globalThis.Request) => r.text(), (r: globalThis.Request) => r.clone().text()]) {
        expect([reader, await outcomeOf(() => act(ours))]).toEqual([reader, await outcomeOf(() => act(theirs))]);
      }
    }
  });

  it("is shown as the platform's", () => {
    const request: MemoryRequest = {
      target: "/a?b",
      fields: [
        ["Accept", "x"],
        ["accept", "y"],
      ],
    };
    const ours = reach(lazy(request));
    // Only names as received have a case; the platform object's are lower
    expect(inspect(ours).toLowerCase().replaceAll("'", "")).toBe(
      inspect(platform(request)).toLowerCase().replaceAll("'", ""),
    );
    expect(inspect({ deep: { ours } }, { depth: 0 })).toBe(
      inspect({ deep: { ours: platform(request) } }, { depth: 0 }),
    );
  });

  it("is an instance of both classes", () => {
    const ours = reach(lazy());
    expect(ours).toBeInstanceOf(globalThis.Request);
    expect(ours).toBeInstanceOf(Request);
    expect(Object.prototype.toString.call(ours)).toBe("[object Request]");
    expect(ours.constructor.name).toBe("Request");
  });
});

describe("the prototype", () => {
  it("has every member of the platform's", () => {
    const ours = Object.getPrototypeOf(lazy()) as object;
    for (const key of Reflect.ownKeys(globalThis.Request.prototype)) {
      const theirs = Object.getOwnPropertyDescriptor(globalThis.Request.prototype, key)!;
      if (typeof theirs.value !== "function" && theirs.get === undefined) continue;
      expect([key, Object.getOwnPropertyDescriptor(ours, key)?.enumerable]).toEqual([key, theirs.enumerable]);
    }
  });

  it("is no copy of a request without state", () => {
    expect(Object.keys(lazy())).toEqual([]);
  });
});

describe("headers", () => {
  it("stay one and the same, before and after native()", () => {
    const request = lazy({ fields: [["a", "1"]] });
    const { headers } = request;
    headers.set("b", "2");
    const platformRequest = native(request);
    expect(platformRequest.headers.get("b")).toBe("2");
    headers.set("c", "3");
    platformRequest.headers.set("d", "4");
    expect(platformRequest.headers.get("c")).toBe("3");
    expect([...headers].map(([name]) => name)).toEqual(["a", "b", "c", "d"]);
    expect(request.headers).toBe(headers);
    expect(native(request)).toBe(platformRequest);
  });

  it("of a clone are its own", () => {
    const request = lazy({ fields: [["a", "1"]] });
    request.headers.set("b", "2");
    const clone = request.clone();
    clone.headers.set("b", "changed");
    request.headers.set("a", "changed");
    expect([request.headers.get("b"), clone.headers.get("a"), clone.headers.get("b")]).toEqual(["2", "1", "changed"]);
  });

  it("decide how a form is read", async () => {
    const request = lazy({ ...POST, content: "a=1" });
    request.headers.set("content-type", "application/x-www-form-urlencoded");
    expect([...(await request.formData())]).toEqual([["a", "1"]]);
  });

  const part = 'content-disposition: form-data; name="a"\r\n\r\n1';
  it.each([
    [
      null,
      "a=1",
      "it has no Content-Type, and multipart/form-data or application/x-www-form-urlencoded is taken",
      "RFC 9110 §8.3",
    ],
    [
      "text/plain",
      "a=1",
      "it is declared text/plain, and multipart/form-data or application/x-www-form-urlencoded is taken",
      "RFC 9110 §8.3",
    ],
    ["multipart/form-data", `--x\r\n${part}\r\n--x--\r\n`, "its media type names no boundary", "RFC 7578 §4.1"],
    [
      "multipart/form-data; boundary=y",
      `--x\r\n${part}\r\n--x--\r\n`,
      "the boundary of its media type is not in it",
      "RFC 2046 §5.1.1",
    ],
    ["multipart/form-data; boundary=x", "", "the boundary of its media type is not in it", "RFC 2046 §5.1.1"],
    ["multipart/form-data; boundary=x", `--x\r\n${part}`, "it ends without its closing boundary", "RFC 2046 §5.1.1"],
    [
      "multipart/form-data; boundary=x",
      "--x\r\nnonsense\r\n\r\n1\r\n--x--\r\n",
      "the header of a part is none, or has no name",
      "RFC 7578 §4.2",
    ],
  ])("are told why they make no form of the content: %j, %j", async (contentType, content, detail, rule) => {
    const request = lazy({ ...POST, content });
    if (contentType === null) request.headers.delete("content-type");
    else request.headers.set("content-type", contentType);
    const error = await request.formData().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_FORM", status: 400, rule });
    expect((error as Error).message).toBe(`the content is not a valid form: ${detail}`);
  });
});

describe("content", () => {
  it("is read without a stream and at once, if it has arrived", async () => {
    let isSettled = false;
    const read = lazy({ ...POST, content: "here" })
      .text()
      .then((text) => {
        isSettled = true;
        return text;
      });
    await Promise.resolve();
    expect(isSettled).toBe(true);
    expect(await read).toBe("here");
  });

  it("is not asked for before somebody reads", () => {
    const content = new MemoryContent(4);
    const request = requestOf(new MemoryExchange(POST, content), LIMIT);
    void request.body;
    void request.bodyUsed;
    void native(request);
    void request.clone();
    expect(content.isStarted).toBe(false);
  });

  it("is put together from any pieces", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40_000 })),
        fc.boolean(),
        async (pieces, isDeclared) => {
          const whole = Buffer.concat(pieces);
          const content = new MemoryContent(isDeclared ? whole.length : null);
          const request = requestOf(new MemoryExchange(POST, content), LIMIT);
          const read = request.bytes();
          for (const piece of pieces) content.feed(piece);
          content.end();
          const seen = await read;
          expect(Buffer.from(seen).equals(whole)).toBe(true);
          expect(seen.buffer.byteLength).toBe(whole.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("given out is the reader's own", async () => {
    const piece = Buffer.from("shared");
    const content = new MemoryContent(6).feed(piece).end();
    const seen = await requestOf(new MemoryExchange(POST, content), LIMIT).bytes();
    seen.fill(0);
    expect(piece.toString()).toBe("shared");
  });

  it("declared too large is refused unread", async () => {
    const content = new MemoryContent(11);
    const request = requestOf(new MemoryExchange(POST, content), 10);
    await expect(request.text()).rejects.toMatchObject({ code: "ERR_BUFFERED_CONTENT_TOO_LARGE", status: 413 });
    const form = requestOf(new MemoryExchange({ method: "POST" }, new MemoryContent(11)), 10);
    await expect(form.formData()).rejects.toThrow("readMultipart of fairlead/bodies");
    expect(content.isStarted).toBe(false);
    expect(request.bodyUsed).toBe(true);
  });

  it.each([
    ["directly", (request: Request) => request],
    ["through its stream", (request: Request) => (void request.body, request)],
    ["after native()", (request: Request) => (native(request), request)],
  ])("that grows too large is given up, read %s", async (_name, reach) => {
    const content = new MemoryContent(null);
    const request = reach(requestOf(new MemoryExchange(POST, content), 10));
    const reading = request.text();
    content.feed("12345", "67890", "1");
    await expect(reading).rejects.toMatchObject({ code: "ERR_BUFFERED_CONTENT_TOO_LARGE" });
    expect(content.isCancelled).toBe(true);
  });

  it("of exactly the limit is read", async () => {
    const content = new MemoryContent(null).feed("12345", "67890").end();
    expect(await requestOf(new MemoryExchange(POST, content), 10).text()).toBe("1234567890");
  });

  it.each(READERS)("that breaks rejects %s with the reason", async (reader) => {
    for (const isBefore of [true, false]) {
      const content = new MemoryContent(10);
      const request = requestOf(new MemoryExchange(POST, content), LIMIT);
      const reason = new ProtocolError("ERR_CONTENT_INCOMPLETE");
      if (isBefore) content.feed("abc", reason);
      const reading = request[reader]();
      content.feed("abc", reason);
      await expect(reading).rejects.toBe(reason);
    }
  });

  it("that breaks errors the stream", async () => {
    const content = new MemoryContent(10).feed("abc");
    const reader = requestOf(new MemoryExchange(POST, content), LIMIT).body!.getReader();
    expect(Buffer.from((await reader.read()).value!).toString()).toBe("abc");
    const reason = new ProtocolError("ERR_CHUNK_SIZE");
    content.feed(reason);
    await expect(reader.read()).rejects.toBe(reason);
  });

  it("rejects with the source's complaint if somebody else reads it", async () => {
    const exchange = new MemoryExchange(POST, new MemoryContent(3));
    exchange.content.start({ chunk() {}, end() {}, fail() {} });
    await expect(requestOf(exchange, LIMIT).text()).rejects.toThrow(TypeError);
  });
});

describe("the body stream", () => {
  it("makes the peer wait while nobody takes what came", async () => {
    const content = new MemoryContent(null);
    const reader = requestOf(new MemoryExchange(POST, content), LIMIT).body!.getReader();
    const first = reader.read();
    // A stream pulls in its own time
    while (!content.isStarted) await Promise.resolve();
    for (let i = 0; i < 10; i++) content.feed(Buffer.alloc(16 * 1024, i));
    expect(content.isPaused).toBe(true);
    expect((await first).value!.length).toBe(16 * 1024);
    for (let i = 1; i < 10; i++) expect((await reader.read()).value![0]).toBe(i);
    const last = reader.read();
    expect(content.isPaused).toBe(false);
    content.end();
    expect((await last).done).toBe(true);
  });

  it("can be read into the reader's own buffer", async () => {
    const content = new MemoryContent(5).feed("hello").end();
    const reader = requestOf(new MemoryExchange(POST, content), LIMIT).body!.getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint8Array(3));
    expect(Buffer.from(value!).toString()).toBe("hel");
    expect(Buffer.from((await reader.read(new Uint8Array(3))).value!).toString()).toBe("lo");
    expect((await reader.read(new Uint8Array(3))).done).toBe(true);
  });

  it("ends for a waiting reader with its own buffer", async () => {
    const content = new MemoryContent(null);
    const reader = requestOf(new MemoryExchange(POST, content), LIMIT).body!.getReader({ mode: "byob" });
    const read = reader.read(new Uint8Array(3));
    content.end();
    expect((await read).done).toBe(true);
  });

  it("cancels the content", async () => {
    const content = new MemoryContent(null);
    const request = requestOf(new MemoryExchange(POST, content), LIMIT);
    await request.body!.cancel();
    expect(content.isCancelled).toBe(true);
    expect(request.bodyUsed).toBe(true);
    await expect(request.text()).rejects.toThrow(TypeError);
  });

  it("leaves shared bytes alone", async () => {
    const piece = Buffer.from("pooled");
    const content = new MemoryContent(6).feed(piece).end();
    for await (const chunk of requestOf(new MemoryExchange(POST, content), LIMIT).body!) chunk.fill(0);
    expect(piece.toString()).toBe("pooled");
  });

  it("is the same before and after native()", () => {
    const request = lazy({ ...POST, content: "x" });
    const { body } = request;
    expect(native(request).body).toBe(body);
    expect(request.body).toBe(body);
  });
});

describe("native()", () => {
  it("is used when ours was read before", async () => {
    const request = lazy({ ...POST, content: "x" });
    await request.text();
    expect(native(request).bodyUsed).toBe(true);
    await expect(native(request).text()).rejects.toThrow(TypeError);
  });

  it("uses ours when it is read", async () => {
    const request = lazy({ ...POST, content: "x" });
    expect(await native(request).text()).toBe("x");
    expect(request.bodyUsed).toBe(true);
    await expect(request.text()).rejects.toThrow(TypeError);
  });

  it("is locked when ours is", () => {
    const request = lazy({ ...POST, content: "x" });
    request.body!.getReader();
    expect(native(request).body!.locked).toBe(true);
    expect(native(request).bodyUsed).toBe(false);
  });

  it("gives back what is the platform's already", () => {
    const request = new globalThis.Request("http://localhost");
    expect(native(request)).toBe(request);
  });

  it("makes a request that fetch can send", async () => {
    const request = lazy({ target: "/x", authority: "localhost" });
    const seen = new globalThis.Request(native(request), { headers: { a: "b" } });
    expect([seen.url, seen.headers.get("a")]).toEqual(["http://localhost/x", "b"]);
  });
});

describe("the platform's constructor", () => {
  it("takes url and request as init on every version", async () => {
    const request = lazy({ ...POST, content: "again", fields: [["x-a", "1"]] });
    const copy = new globalThis.Request("http://other.example/", request);
    expect([copy.method, copy.headers.get("x-a"), await copy.text()]).toEqual(["POST", "1", "again"]);
  });

  it("takes ours where state is kept in properties, and else says that it cannot", async () => {
    const keepsProperties = Object.getOwnPropertySymbols(new globalThis.Request("http://localhost")).length > 0;
    const make = async () => new globalThis.Request(lazy({ ...POST, content: "again" })).text();
    if (keepsProperties) expect(await make()).toBe("again");
    else await expect(make()).rejects.toThrow(/private member/);
  });
});

describe("our constructor", () => {
  it("makes the platform's object", async () => {
    const request = new Request("http://localhost/a", { method: "PUT", body: "x", headers: { a: "1" } });
    expect(request).toBeInstanceOf(globalThis.Request);
    expect([request.method, request.url, request.headers.get("a"), await request.text()]).toEqual([
      "PUT",
      "http://localhost/a",
      "1",
      "x",
    ]);
    expect(() => new Request("not a url")).toThrow(TypeError);
  });

  it("takes one of ours with an init", async () => {
    const request = new Request(lazy({ ...POST, content: "x" }), { headers: { a: "2" } });
    expect([request.method, request.headers.get("a"), await request.text()]).toEqual(["POST", "2", "x"]);
  });

  it("can be extended without claiming other requests", () => {
    class Special extends Request {}
    const special = new Special("http://localhost");
    expect(special).toBeInstanceOf(Special);
    expect(lazy()).not.toBeInstanceOf(Special);
  });
});

describe("the signal", () => {
  it("listens to the exchange only once asked for", () => {
    const exchange = new MemoryExchange();
    const request = requestOf(exchange, LIMIT);
    void request.url;
    expect(exchange.abortListeners).toBe(0);
    expect(request.signal).toBe(request.signal);
    expect(exchange.abortListeners).toBe(1);
  });

  it("aborts with an AbortError whose cause says why the peer left, on native() and clones too", () => {
    const exchange = new MemoryExchange();
    const request = requestOf(exchange, LIMIT);
    const platformRequest = native(request);
    const clone = request.clone();
    const reason = new ProtocolError("ERR_CLOSED_BY_PEER");
    const { signal } = request;
    expect(signal.aborted).toBe(false);
    exchange.leave(reason);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ name: "AbortError", cause: reason });
    expect(platformRequest.signal.aborted).toBe(true);
    expect(clone.signal.aborted).toBe(true);
  });

  it("is aborted at once if the peer had left before it was asked for", () => {
    const exchange = new MemoryExchange();
    exchange.leave(new ProtocolError("ERR_CLOSED_BY_PEER"));
    expect(requestOf(exchange, LIMIT).signal.aborted).toBe(true);
  });
});

describe("a request seen in another light", () => {
  const lit = (exchange: MemoryExchange, target: string): MemoryExchange =>
    Object.assign(new MemoryExchange({ method: exchange.request.method, target }), { content: exchange.content });

  it("has the target of its exchange, and headers, signal and content of the first", async () => {
    const exchange = new MemoryExchange({ method: "POST", target: "/docs/x", content: "hello" });
    const request = requestOf(exchange, 100);
    request.headers.set("x-user", "Ada");
    const { signal } = request;
    const twin = requestOver(request, lit(exchange, "/x"))!;
    expect(new URL(twin.url).pathname).toBe("/x");
    expect([twin.headers.get("x-user"), twin.signal === signal]).toEqual(["Ada", true]);
    expect(await twin.text()).toBe("hello");
    await expect(request.text()).rejects.toThrow(TypeError);
  });

  it("goes on with content that was branched off before", async () => {
    const exchange = new MemoryExchange({ method: "POST", content: "hello" });
    const request = requestOf(exchange, 100);
    const branch = request.clone();
    const twin = requestOver(request, lit(exchange, "/x"))!;
    expect(await Promise.all([branch.text(), twin.text()])).toEqual(["hello", "hello"]);
  });

  it("is used where the first is", async () => {
    const exchange = new MemoryExchange({ method: "POST", content: "hello" });
    const request = requestOf(exchange, 100);
    await request.text();
    const twin = requestOver(request, lit(exchange, "/x"))!;
    expect(twin.bodyUsed).toBe(true);
    await expect(twin.text()).rejects.toThrow(TypeError);
  });

  it("is only made of ours, and ours alone have an exchange", () => {
    const exchange = new MemoryExchange();
    expect(exchangeOf(requestOf(exchange, 1))).toBe(exchange);
    const platform = new globalThis.Request("http://localhost/");
    expect([exchangeOf(platform), requestOver(platform, exchange)]).toEqual([null, null]);
  });
});
