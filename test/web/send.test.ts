import { describe, expect, it } from "vitest";
import { Response } from "../../src/web/response.ts";
import { sendResponse } from "../../src/web/send.ts";
import { contentText, MemoryExchange } from "./support/memory-exchange.ts";

async function send(response: globalThis.Response): Promise<MemoryExchange> {
  const exchange = new MemoryExchange();
  await sendResponse(exchange, response);
  return exchange;
}

describe("ours", () => {
  it("goes out as it stands, at once", () => {
    const exchange = new MemoryExchange();
    const sent = sendResponse(
      exchange,
      new Response("x", { status: 404, statusText: "Gone fishing", headers: { "X-A": "1" } }),
    );
    expect(sent).toBeUndefined();
    expect(exchange.head).toEqual({
      status: 404,
      reason: "Gone fishing",
      fields: ["X-A", "1", "content-type", "text/plain;charset=UTF-8"],
    });
    expect(exchange.body).toBe("x");
  });

  it("sends the head of a stream that takes its time at once, and its pieces in order", async () => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
    const exchange = await send(new Response(stream));
    expect(exchange.status).toBe(200);
    const text = contentText(exchange.body);
    for (const piece of ["a", "b", "c"]) controller.enqueue(Buffer.from(piece));
    controller.close();
    expect(await text).toBe("abc");
  });

  it.each([
    ["stream", () => new ReadableStream({ pull: () => Promise.reject(new Error("at once")) })],
    [
      "iterable",
      (): AsyncIterable<Uint8Array> => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("at once")) }),
      }),
    ],
  ])("is not begun when its %s fails at once: there is time for a 500", async (_name, body) => {
    const exchange = new MemoryExchange();
    await expect(sendResponse(exchange, new Response(body()))).rejects.toThrow("at once");
    expect(exchange.isAnswered).toBe(false);
  });

  it("goes out as bytes when its stream ends at once, so that a wrong length is found in time", async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from("abc"));
        controller.close();
      },
    });
    const exchange = await send(new Response(stream, { headers: { "content-length": "10" } }));
    expect(exchange.body).toEqual(Buffer.from("abc"));
  });

  it("says the status that the wire will refuse", async () => {
    expect((await send(Response.error())).status).toBe(0);
  });
});

describe("the platform's own", () => {
  it.each([
    ["text", () => new globalThis.Response("text")],
    ["bytes", () => new globalThis.Response(Buffer.from("text"))],
    ["a Blob", () => new globalThis.Response(new Blob(["text"]))],
    ["search parameters", () => new globalThis.Response(new URLSearchParams("text"))],
    [
      "a stream of one piece",
      () => new globalThis.Response(new ReadableStream({ start: (c) => (c.enqueue(Buffer.from("text")), c.close()) })),
    ],
    [
      "a stream of several pieces",
      () =>
        new globalThis.Response(
          new ReadableStream({
            start(c) {
              for (const piece of ["t", "e", "xt"]) c.enqueue(Buffer.from(piece));
              c.close();
            },
          }),
        ),
    ],
    ["a clone", () => new globalThis.Response("text").clone()],
  ])("with %s carries all of it", async (_name, make) => {
    const exchange = await send(make());
    expect((await contentText(exchange.body)).replace("=", "")).toBe("text");
  });

  it("with text goes out as bytes, so that its length is known", async () => {
    const { body } = await send(new globalThis.Response("text"));
    expect(body).toBeInstanceOf(Uint8Array);
  });

  it("with an empty text has no octets", async () => {
    const { body } = await send(new globalThis.Response(""));
    expect(await contentText(body)).toBe("");
  });

  it("without content has none", async () => {
    expect((await send(new globalThis.Response(null, { status: 204 }))).body).toBeNull();
  });

  it("that came decoded from fetch does not claim its old coding and length", async () => {
    const response = new globalThis.Response("text", {
      headers: { "content-length": "24", "content-encoding": "gzip", "content-type": "text/plain" },
    });
    Object.defineProperty(response, "url", { value: "http://upstream.example/" });
    expect((await send(response)).head?.fields).toEqual(["content-type", "text/plain"]);
  });

  it("keeps a coding that the handler has applied itself, or that fetch does not know", async () => {
    const own = new globalThis.Response("text", { headers: { "content-encoding": "gzip" } });
    expect((await send(own)).head?.fields).toContain("gzip");
    const foreign = new globalThis.Response("text", { headers: { "content-encoding": "x-snappy" } });
    Object.defineProperty(foreign, "url", { value: "http://upstream.example/" });
    expect((await send(foreign)).head?.fields).toContain("x-snappy");
  });

  it("with a stream that takes its time sends the head at once", async () => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
    const exchange = await send(new globalThis.Response(stream));
    expect(exchange.status).toBe(200);
    const text = contentText(exchange.body);
    controller.enqueue(Buffer.from("la"));
    controller.enqueue(Buffer.from("ter"));
    controller.close();
    expect(await text).toBe("later");
  });

  it("with a stream that pauses after its first piece sends that at once", async () => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start(c) {
        controller = c;
        c.enqueue(Buffer.from("first"));
      },
    });
    const exchange = await send(new globalThis.Response(stream));
    const iterator = (exchange.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    expect(Buffer.from((await iterator.next()).value as Uint8Array).toString()).toBe("first");
    controller.enqueue(Buffer.from("second"));
    expect(Buffer.from((await iterator.next()).value as Uint8Array).toString()).toBe("second");
  });

  it("cancels its stream at once when nobody wants the rest", async () => {
    const reasons: unknown[] = [];
    const stream = new ReadableStream<Uint8Array>({
      start: (c) => c.enqueue(Buffer.from("first")),
      cancel: () => void reasons.push("cancelled"),
    });
    const exchange = await send(new globalThis.Response(stream));
    const iterator = (exchange.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    await iterator.return?.();
    expect(reasons).toEqual(["cancelled"]);
    expect((await waiting).done).toBe(true);
  });

  it("fails before anything is sent if its stream fails at once", async () => {
    const failure = new Error("no source");
    const exchange = new MemoryExchange();
    const stream = new ReadableStream({ start: (c) => c.error(failure) });
    await expect(sendResponse(exchange, new globalThis.Response(stream))).rejects.toBe(failure);
    expect(exchange.isAnswered).toBe(false);
  });

  it("cannot be sent twice", async () => {
    const response = new globalThis.Response("text");
    await send(response);
    expect(() => sendResponse(new MemoryExchange(), response)).toThrow(
      expect.objectContaining({ code: "ERR_RESPONSE_USED" }),
    );
  });
});

describe("another library's response", () => {
  it("goes out by its interface", async () => {
    class Foreign {
      readonly status = 418;
      readonly statusText = "Teapot";
      readonly headers = new globalThis.Headers({ "x-a": "1" });
      readonly body = null;
      readonly bodyUsed = false;
    }
    Object.setPrototypeOf(Foreign.prototype, globalThis.Response.prototype);
    const exchange = await send(new Foreign() as unknown as globalThis.Response);
    expect(exchange.head).toEqual({ status: 418, reason: "Teapot", fields: ["x-a", "1"] });
  });
});
