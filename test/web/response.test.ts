import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { FileSlice } from "../../src/http/exchange.ts";
import { native } from "../../src/web/native.ts";
import { Response, takeAnswer } from "../../src/web/response.ts";
import { attributesOf, MULTIPART, MULTIPART_TYPE, outcomeOf, read, READERS } from "./support/compare.ts";
import { contentText } from "./support/memory-exchange.ts";

type Make = (constructor: typeof Response) => globalThis.Response;
const PLATFORM = globalThis.Response as unknown as typeof Response;

const FORM = (): FormData => {
  const form = new FormData();
  form.append("a", "1");
  return form;
};
const STREAM = (...chunks: string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(Buffer.from(chunk));
      controller.close();
    },
  });
async function* pieces(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("pie");
  yield Buffer.from("ces");
}

const BODIES: [string, Make][] = [
  ["no argument", (R) => new R()],
  ["undefined", (R) => new R(undefined)],
  ["null", (R) => new R(null)],
  ["an empty string", (R) => new R("")],
  ["text", (R) => new R("Gr\u00fc\u00dfe \u{1f30d}")],
  ["text with half a character", (R) => new R("a\ud800b")],
  ["JSON text", (R) => new R('{"a":[1,2]}')],
  ["a number", (R) => new R(42 as unknown as string)],
  ["an object", (R) => new R({} as unknown as string)],
  ["a boxed string", (R) => new R(new String("boxed") as string)],
  ["a symbol", (R) => new R(Symbol("x") as unknown as string)],
  ["bytes", (R) => new R(Uint8Array.of(1, 2, 255))],
  ["a Buffer", (R) => new R(Buffer.from("buffer"))],
  ["part of a buffer", (R) => new R(new Uint8Array(Buffer.from("whole").buffer, 0, 2))],
  ["an ArrayBuffer", (R) => new R(Uint8Array.of(7, 8).buffer)],
  ["a DataView", (R) => new R(new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2))],
  ["16 bit numbers", (R) => new R(Uint16Array.of(0x0101, 0x0202))],
  ["a Blob", (R) => new R(new Blob(["blob"], { type: "Text/Plain" }))],
  ["a Blob without type", (R) => new R(new Blob(["blob"]))],
  ["search parameters", (R) => new R(new URLSearchParams({ a: "1 2", b: "\u00e9" }))],
  ["a stream", (R) => new R(STREAM("a", "b"))],
  ["a stream of text", (R) => new R(new ReadableStream({ start: (c) => (c.enqueue("text"), c.close()) }))],
  ["an async iterable", (R) => new R(pieces())],
  [
    "a used stream",
    (R) => {
      const s = STREAM("a");
      void s.cancel();
      return new R(s);
    },
  ],
  [
    "a locked stream",
    (R) => {
      const s = STREAM("a");
      s.getReader();
      return new R(s);
    },
  ],
  ["multipart text", (R) => new R(MULTIPART, { headers: { "content-type": MULTIPART_TYPE } })],
  ["status and text", (R) => new R("x", { status: 404, statusText: "Nope \u00e9" })],
  ["headers as record", (R) => new R("x", { headers: { "X-A": " 1 ", "content-type": "text/html" } })],
  [
    "headers as pairs",
    (R) =>
      new R("x", {
        headers: [
          ["a", "1"],
          ["A", "2"],
          ["set-cookie", "s"],
          ["set-cookie", "t"],
        ],
      }),
  ],
  ["headers as the platform's", (R) => new R("x", { headers: new globalThis.Headers({ b: "2", a: "1" }) })],
  ["headers as ours", (R) => new R("x", { headers: new Response(null, { headers: { Z: "1" } }).headers })],
  ["a response as init", (R) => new R("x", new globalThis.Response(null, { status: 203, headers: { a: "b" } }))],
  ["ours as init", (R) => new R("x", new Response(null, { status: 203, headers: { a: "b" } }))],
  ["content type for bytes", (R) => new R(Uint8Array.of(1), { headers: { "content-type": "a/b" } })],
  ["content type for a Blob", (R) => new R(new Blob(["x"], { type: "a/b" }), { headers: { "Content-Type": "c/d" } })],
  ["no content", (R) => new R(null, { status: 204 })],
  ["not modified", (R) => new R(null, { status: 304, headers: { etag: '"1"' } })],
  ["no content with a body", (R) => new R("x", { status: 204 })],
  ["no content with an empty body", (R) => new R("", { status: 204 })],
  ["reset with a body", (R) => new R("x", { status: 205 })],
  ["not modified with a body", (R) => new R("x", { status: 304 })],
  ...[0, 100, 101, 199, 600, -1, Number.NaN, 65_736, 200.7, "201", null, true].map((status): [string, Make] => [
    `status ${String(status)}`,
    (R) => new R(null, { status: status as number }),
  ]),
  ["a symbol as status", (R) => new R(null, { status: Symbol("x") as unknown as number })],
  ["CR LF in the status text", (R) => new R(null, { statusText: "OK\r\nx: y" })],
  ["NUL in the status text", (R) => new R(null, { statusText: "\0" })],
  ["a wide character in the status text", (R) => new R(null, { statusText: "\u0100" })],
  ["CR LF in a header", (R) => new R(null, { headers: { a: "1\r\nb: 2" } })],
  ["an invalid header name", (R) => new R(null, { headers: { "a b": "1" } })],
  ["null headers", (R) => new R(null, { headers: null as unknown as Record<string, string> })],
  ["a null init", (R) => new R("x", null as unknown as object)],
  ["a number as init", (R) => new R("x", 1 as unknown as object)],
  ["a function as init", (R) => new R("x", (() => {}) as unknown as object)],
  ["json", (R) => R.json({ a: 1, b: ["\u00e9"] })],
  ["json with status", (R) => R.json([1], { status: 201, headers: { a: "b" } })],
  ["json with a content type", (R) => R.json(1, { headers: { "content-type": "application/ld+json" } })],
  ["json of null", (R) => R.json(null)],
  ["json of undefined", (R) => R.json(undefined)],
  ["json of a function", (R) => R.json(() => 1)],
  ["json of a big integer", (R) => R.json(1n)],
  [
    "json of a circle",
    (R) => {
      const a: { a?: unknown } = {};
      a.a = a;
      return R.json(a);
    },
  ],
  ["json of nothing", (R) => (R.json as unknown as () => globalThis.Response)()],
  ["json where no content may be", (R) => R.json(1, { status: 204 })],
  ["a redirect", (R) => R.redirect("http://localhost/a b?\u00e9")],
  ["a redirect by URL", (R) => R.redirect(new URL("http://localhost/"), 301)],
  ["a permanent redirect", (R) => R.redirect("https://example.com", 308)],
  ["a redirect with a wrong status", (R) => R.redirect("http://localhost/", 200)],
  ["a redirect to what is no URL", (R) => R.redirect("no url")],
  ["a redirect to nothing", (R) => (R.redirect as unknown as () => globalThis.Response)()],
  ["an error", (R) => R.error()],
];

const STATES: [string, (response: globalThis.Response) => globalThis.Response][] = [
  ["as constructed", (response) => response],
  ["with headers asked for", (response) => (void response.headers, response)],
  ["after native()", (response) => (native(response), response)],
  ["native itself", (response) => native(response)],
  ["with its stream asked for", (response) => (void response.body, response)],
  ["its clone", (response) => response.clone()],
  ["the clone of its native", (response) => (native(response), response.clone())],
  ["the clone of its clone", (response) => response.clone().clone()],
  ["cloned before", (response) => (void response.clone(), response)],
];

const ATTRIBUTES = attributesOf(globalThis.Response.prototype);

describe.each(STATES)("a response, %s,", (_state, reach) => {
  it.each(BODIES)("has the platform's attributes for %s", async (_name, make) => {
    for (const name of ATTRIBUTES) {
      const seen = await outcomeOf(() => Reflect.get(reach(make(Response)), name));
      expect([name, seen]).toEqual([name, await outcomeOf(() => Reflect.get(make(PLATFORM), name))]);
    }
  });

  it.each(BODIES)("reads as the platform's for %s", async (_name, make) => {
    for (const reader of READERS) {
      const readAll = async (constructor: typeof Response, to: typeof reach): Promise<unknown[]> => {
        const response = to(make(constructor));
        const first = await outcomeOf(() => read(response, reader));
        const { bodyUsed } = response;
        return [
          reader,
          first,
          bodyUsed,
          await outcomeOf(() => response.text()),
          await outcomeOf(() => response.clone().text()),
        ];
      };
      const seen = await outcomeOf(() => readAll(Response, reach));
      expect(seen).toEqual(await outcomeOf(() => readAll(PLATFORM, (response) => response)));
    }
  });

  it.each(BODIES)("guards its headers as the platform's for %s", async (_name, make) => {
    const write = (response: globalThis.Response): unknown => {
      response.headers.append("x-new", "1");
      response.headers.delete("content-type");
      return [...response.headers];
    };
    expect(await outcomeOf(() => write(reach(make(Response))))).toEqual(await outcomeOf(() => write(make(PLATFORM))));
  });

  it("is an instance of both classes", () => {
    const response = reach(new Response("x"));
    expect(response).toBeInstanceOf(globalThis.Response);
    expect(response).toBeInstanceOf(Response);
    expect(Object.prototype.toString.call(response)).toBe("[object Response]");
    expect(response.constructor.name).toBe("Response");
  });

  it("is shown as the platform's", () => {
    const make: Make = (R) => new R(null, { status: 201, statusText: "Yes", headers: { a: "b" } });
    expect(inspect(reach(make(Response)))).toBe(inspect(make(PLATFORM)));
    expect(inspect({ r: { r: reach(make(Response)) } })).toBe(inspect({ r: { r: make(PLATFORM) } }));
  });
});

describe("the prototype and the constructor", () => {
  it("have every member of the platform's", () => {
    for (const [ours, theirs] of [
      [Response.prototype, globalThis.Response.prototype],
      [Response, globalThis.Response],
    ] as [object, object][]) {
      for (const key of Reflect.ownKeys(theirs)) {
        const member = Object.getOwnPropertyDescriptor(theirs, key)!;
        if (typeof member.value !== "function" && member.get === undefined) continue;
        expect([key, key in ours]).toEqual([key, true]);
      }
    }
    expect(Response.name).toBe("Response");
    expect(Object.keys(new Response("x"))).toEqual([]);
  });

  it("can be extended without claiming other responses", () => {
    class Special extends (Response as unknown as typeof globalThis.Response) {}
    expect(new Special("x")).toBeInstanceOf(Special);
    expect(new Response("x")).not.toBeInstanceOf(Special);
  });
});

describe("what is sent", () => {
  it.each([
    ["a string", "text", ["content-type", "text/plain;charset=UTF-8"]],
    ["bytes", Buffer.from("text"), []],
    ["a Blob", new Blob(["text"], { type: "a/b" }), ["content-type", "a/b", "content-length", "4"]],
    [
      "search parameters",
      new URLSearchParams("text"),
      ["content-type", "application/x-www-form-urlencoded;charset=UTF-8"],
    ],
  ])("is there any number of times for %s", async (_name, body, fields) => {
    const response = new Response(body);
    for (let i = 0; i < 3; i++) {
      const { head, content } = takeAnswer(response);
      expect(head).toEqual({ status: 200, reason: "", fields });
      expect((await contentText(content)).replace("=", "")).toBe("text");
    }
  });

  it("is a Blob's declared length once", () => {
    const { head } = takeAnswer(new Response(new Blob(["text"]), { headers: { "Content-Length": "4" } }));
    expect(head.fields).toEqual(["Content-Length", "4"]);
  });

  it.each([
    ["a stream", () => STREAM("te", "xt")],
    [
      "an async iterable of bytes and strings",
      () =>
        (async function* () {
          yield "te";
          yield Buffer.from("xt");
        })(),
    ],
    ["a stream of the platform's", () => new globalThis.Response("text").body!],
  ])("is there once for %s", async (_name, make) => {
    const response = new Response(make());
    expect(await contentText(takeAnswer(response).content)).toBe("text");
    expect(() => takeAnswer(response)).toThrow(expect.objectContaining({ code: "ERR_RESPONSE_USED" }));
    expect(response.bodyUsed).toBe(true);
  });

  it("is a part of a file as it is, once", () => {
    const slice: FileSlice = { fd: 3, start: 0, length: 5, release() {} };
    const response = new Response(slice);
    expect(takeAnswer(response).content).toBe(slice);
    expect(() => takeAnswer(response)).toThrow(expect.objectContaining({ code: "ERR_RESPONSE_USED" }));
  });

  it.each([
    ["text", async (response: globalThis.Response) => void (await response.text())],
    ["native", async (response: globalThis.Response) => void (await native(response).text())],
    ["locked", async (response: globalThis.Response) => void response.body!.getReader()],
  ])("is refused after the handler has used the content itself: %s", async (_name, use) => {
    const response = new Response("text");
    await use(response);
    expect(() => takeAnswer(response)).toThrow(expect.objectContaining({ code: "ERR_RESPONSE_USED" }));
  });

  it("keeps the case of names and follows later writes", () => {
    const response = new Response("x", { headers: { "X-Frame-Options": "DENY" } });
    expect(takeAnswer(response).head.fields).toEqual([
      "X-Frame-Options",
      "DENY",
      "content-type",
      "text/plain;charset=UTF-8",
    ]);
    response.headers.set("X-Frame-Options", "SAMEORIGIN");
    response.headers.append("Set-Cookie", "a=1");
    response.headers.append("Set-Cookie", "b=2");
    expect(takeAnswer(response).head.fields).toEqual([
      "X-Frame-Options",
      "SAMEORIGIN",
      "content-type",
      "text/plain;charset=UTF-8",
      "Set-Cookie",
      "a=1",
      "Set-Cookie",
      "b=2",
    ]);
  });

  it("does not change a constant's default lines", () => {
    new Response("x").headers.set("content-type", "text/html");
    expect(new Response("y").headers.get("content-type")).toBe("text/plain;charset=UTF-8");
  });

  it("follows writes to the platform's object", async () => {
    const response = new Response("text");
    native(response).headers.set("x-late", "1");
    const { head, content } = takeAnswer(response);
    expect(head.fields).toContain("x-late");
    expect(content).toBe("text");
    expect(response.bodyUsed).toBe(false);
  });

  it("is the same for a clone and its original", async () => {
    const response = new Response(STREAM("text"));
    const clone = response.clone();
    expect(await contentText(takeAnswer(clone).content)).toBe("text");
    expect(await contentText(takeAnswer(response).content)).toBe("text");
  });

  it("has a form's parts behind its boundary", async () => {
    const { head, content } = takeAnswer(new Response(FORM()));
    const type = head.fields[head.fields.indexOf("content-type") + 1]!;
    const form = await new globalThis.Response(await contentText(content), {
      headers: { "content-type": type },
    }).formData();
    expect([...form]).toEqual([["a", "1"]]);
  });
});

describe('bytes that are changed after a Response was made of them (Fetch, "extract a body": a copy)', () => {
  const VIEWS: [string, (buffer: ArrayBuffer) => ArrayBuffer | ArrayBufferView][] = [
    ["a Uint8Array", (buffer) => new Uint8Array(buffer)],
    ["a Buffer", (buffer) => Buffer.from(buffer)],
    ["part of an array", (buffer) => new Uint8Array(buffer, 2, 3)],
    ["an ArrayBuffer", (buffer) => buffer],
    ["a DataView", (buffer) => new DataView(buffer, 1)],
    ["wider numbers", (buffer) => new Float64Array(buffer)],
  ];

  it.each(VIEWS)("are what they were: %s", async (_name, viewOf) => {
    for (const length of [8, 8192, 200_000]) {
      const buffer = new Uint8Array(length).fill(0x61).buffer;
      const body = viewOf(buffer) as Uint8Array;
      const ours = new Response(body);
      const platforms = new PLATFORM(body);
      const sent = takeAnswer(new Response(body)).content as Uint8Array;
      const copy = ours.clone();
      new Uint8Array(buffer).fill(0x62);
      const expected = await platforms.text();
      expect(expected).toMatch(/^a+$/);
      expect(await ours.text()).toBe(expected);
      expect(await copy.text()).toBe(expected);
      expect(Buffer.from(sent).toString()).toBe(expected);
    }
  });

  it("are the octets, whatever a class of one's own says of itself", async () => {
    class Odd extends Uint8Array {}
    Object.defineProperty(Odd.prototype, "valueOf", { value: () => "another" });
    expect(await new Response(Odd.of(0x61, 0x62)).text()).toBe("ab");
  });

  it("may be transferred away by then", async () => {
    const bytes = new Uint8Array(100_000).fill(0x61);
    const response = new Response(bytes);
    structuredClone(bytes, { transfer: [bytes.buffer] });
    expect((await response.text()).length).toBe(100_000);
  });
});
