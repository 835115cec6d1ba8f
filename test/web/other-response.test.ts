import { Readable } from "node:stream";
import * as undici from "undici";
import { describe, expect, it } from "vitest";
import { editResponse } from "../../src/web/edited-response.ts";
import { createExchangeHandler, type Handler } from "../../src/web/handler.ts";
import { contentText, MemoryByteStream, MemoryExchange } from "./support/memory-exchange.ts";

/** Lets a handler answer with whatever it likes, and says what became of it. */
async function answer(returned: unknown, exchange = new MemoryExchange()): Promise<string> {
  const fetch = (async () => returned) as unknown as Handler;
  let fault = "";
  createExchangeHandler(fetch, {
    maxBufferedBytes: 1024,
    onFault: ({ error }) => (fault = (error as Error).message),
    waitUntil: () => {},
  })(exchange);
  await exchange.answered;
  return fault;
}

/** What node-fetch gives: a stream of Node, and headers that join cookies when they are iterated. */
class NodeFetchHeaders {
  *[Symbol.iterator](): IterableIterator<[string, string]> {
    yield ["content-type", "text/plain"];
    yield ["set-cookie", "a=1, b=2"];
  }

  raw(): Record<string, string[]> {
    return { "content-type": ["text/plain"], "set-cookie": ["a=1", "b=2"] };
  }
}

function nodeFetchResponse(differences: object = {}): object {
  return {
    status: 201,
    statusText: "Made",
    headers: new NodeFetchHeaders(),
    body: Readable.from([Buffer.from("hel"), Buffer.from("lo")]),
    bodyUsed: false,
    url: "http://a.example/",
    [Symbol.toStringTag]: "Response",
    ...differences,
  };
}

describe("a Response of another implementation", () => {
  it("is sent when it was made", async () => {
    const headers: [string, string][] = [
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["x-a", "1"],
    ];
    const exchange = new MemoryExchange();
    expect(await answer(new undici.Response("x", { status: 418, statusText: "Tea", headers }), exchange)).toBe("");
    expect([exchange.status, exchange.head?.reason]).toEqual([418, "Tea"]);
    expect(await contentText(exchange.body)).toBe("x");
    const lines = exchange.fields.map(([name, value]) => `${name}: ${value}`).toSorted();
    expect(lines).toEqual(["content-type: text/plain;charset=UTF-8", "set-cookie: a=1", "set-cookie: b=2", "x-a: 1"]);
  });

  it("is sent when it was fetched", async () => {
    const exchange = new MemoryExchange();
    expect(await answer(await undici.fetch("data:text/plain,hello"), exchange)).toBe("");
    expect(await contentText(exchange.body)).toBe("hello");
  });

  it("is sent without content", async () => {
    const exchange = new MemoryExchange();
    expect(await answer(new undici.Response(null, { status: 204 }), exchange)).toBe("");
    expect([exchange.status, exchange.body]).toEqual([204, null]);
  });

  it("keeps cookies apart where its headers can tell them apart, and takes any async iterable as content", async () => {
    const exchange = new MemoryExchange();
    expect(await answer(nodeFetchResponse(), exchange)).toBe("");
    expect([exchange.status, exchange.head?.reason]).toEqual([201, "Made"]);
    expect(await contentText(exchange.body)).toBe("hello");
    expect(exchange.fields).toEqual([
      ["content-type", "text/plain"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
  });

  it("keeps cookies apart however their name is written", async () => {
    const exchange = new MemoryExchange();
    const headers = {
      raw: () => ({ "set-cookie": ["a=1", "b=2"] }),
      [Symbol.iterator]: () => [["Set-Cookie", "a=1, b=2"]].values(),
    };
    expect(await answer(nodeFetchResponse({ headers }), exchange)).toBe("");
    expect(exchange.fields).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
  });

  it("is a mistake when its content is being read by somebody else", async () => {
    const response = new undici.Response("x");
    response.body?.getReader();
    expect(await answer(response)).toBe("the content of the response has been read already");
  });

  it("says nothing of a coding that fetch has taken off", async () => {
    const exchange = new MemoryExchange();
    const headers = new Headers({ "content-encoding": "gzip", "content-length": "25", "x-a": "1" });
    expect(await answer(nodeFetchResponse({ headers }), exchange)).toBe("");
    expect(exchange.fields).toEqual([["x-a", "1"]]);
  });

  it("can be given other fields", async () => {
    const edit = { apply: (lines: readonly string[]): string[] => [...lines, "x-b", "2"] };
    const edited = editResponse(new undici.Response("x"), edit);
    expect([edited.headers.get("x-b"), await edited.text()]).toEqual(["2", "x"]);
  });

  it("is a mistake when its content was read", async () => {
    const response = new undici.Response("x");
    await response.text();
    expect(await answer(response)).toBe("the content of the response has been read already");
  });

  it.each([
    ["its status is no whole number", { status: "200" }],
    ["its statusText is no string", { statusText: undefined }],
    ["its headers cannot be iterated", { headers: { "x-a": "1" } }],
    ["its body is neither null nor a stream nor an async iterable", { body: "hello" }],
    ["its bodyUsed is no boolean", { bodyUsed: undefined }],
  ])("is told what it lacks: %s", async (lack, differences) => {
    expect(await answer(nodeFetchResponse(differences))).toBe(
      `the handler returned no Response: it returned a Response of another implementation that cannot be sent: ${lack}`,
    );
  });
});

describe("a Response of the platform", () => {
  it("says nothing of a coding that fetch has taken off when it is given other fields either", () => {
    const response = new globalThis.Response("x", { headers: { "content-encoding": "gzip", "content-length": "25" } });
    // Only fetch makes one that has an address
    Object.defineProperty(response, "url", { value: "http://a.example/" });
    const edited = editResponse(response, { apply: (lines: readonly string[]): string[] => [...lines, "x-b", "2"] });
    expect([...edited.headers.keys()].toSorted()).toEqual(["content-type", "x-b"]);
  });
});

describe("a Response that is thrown", () => {
  it.each([
    ["the platform's", new globalThis.Response("x", { status: 404 })],
    ["another's", new undici.Response("x", { status: 404 })],
  ])("is a mistake that the log names, %s", async (_whose, response) => {
    const exchange = new MemoryExchange();
    expect(await answer(Promise.reject(response as unknown as Error), exchange)).toBe(
      "the handler threw: a Response with status 404: return it to have it sent",
    );
    expect(exchange.status).toBe(500);
  });
});

describe("what is returned behind an upgrade", () => {
  it("is told that nothing is to be returned", () => {
    const exchange = new MemoryExchange({ fields: [["upgrade", "echo"]] });
    exchange.byteStream = new MemoryByteStream();
    let fault = "";
    createExchangeHandler(((_request, context) => context.upgrade() as unknown) as Handler, {
      maxBufferedBytes: 1024,
      onFault: ({ error }) => (fault = (error as Error).message),
      waitUntil: () => {},
    })(exchange);
    expect(fault).toBe(
      "the handler returned no Response: it had answered, and returned an object: after context.upgrade(), or an answer on context.exchange, return nothing",
    );
  });
});
