/** Request content as a stream: readers with buffers of their own, branches that are written to, memory that is given away. */
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import { streamOfSource } from "../../src/web/content-stream.ts";
import { Response } from "../../src/web/response.ts";
import { MemoryContent } from "./support/memory-exchange.ts";

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe("a stream of content", () => {
  it("is read on where a reader with its own buffer has left off", async () => {
    const stream = streamOfSource(new MemoryContent(5).feed("hello").end());
    const own = stream.getReader({ mode: "byob" });
    expect(stream.locked).toBe(true);
    expect(text((await own.read(new Uint8Array(2))).value)).toBe("he");
    own.releaseLock();
    expect(stream.locked).toBe(false);
    const reader = stream.getReader();
    expect(text((await reader.read()).value)).toBe("llo");
    expect((await reader.read()).done).toBe(true);
  });

  it("passes on the cancelling by a reader with its own buffer", async () => {
    const content = new MemoryContent(null);
    await streamOfSource(content).getReader({ mode: "byob" }).cancel();
    expect(content.isCancelled).toBe(true);
  });

  it("refuses modes that there are not, and a second reader", () => {
    const stream = streamOfSource(new MemoryContent(null));
    expect(() => stream.getReader({ mode: "other" as "byob" })).toThrow(TypeError);
    stream.getReader();
    expect(() => stream.getReader({ mode: "byob" })).toThrow(TypeError);
    expect(() => stream.tee()).toThrow(TypeError);
  });

  it("has branches that may be written to", async () => {
    const branches = streamOfSource(new MemoryContent(5).feed("hello").end()).tee();
    const read: string[] = [];
    for (const branch of branches) {
      for await (const piece of branch) {
        read.push(text(piece));
        piece.fill(0);
      }
    }
    expect(read).toEqual(["hello", "hello"]);
  });

  it("can be piped, by whichever way", async () => {
    const make = (): ReadableStream<Uint8Array> => streamOfSource(new MemoryContent(5).feed("hello").end());
    const upper = (): TransformStream<Uint8Array, string> =>
      new TransformStream({ transform: (piece, controller) => controller.enqueue(text(piece).toUpperCase()) });
    for (const stream of [make().pipeThrough(upper()), make().tee()[1].pipeThrough(upper())]) {
      const parts: string[] = [];
      for await (const part of stream) parts.push(part);
      expect(parts.join("")).toBe("HELLO");
    }
    let written = "";
    await make().pipeTo(new WritableStream({ write: (piece: Uint8Array) => void (written += text(piece)) }));
    expect(written).toBe("hello");
    expect(await new globalThis.Response(make()).text()).toBe("hello");
  });

  it("hands the failure to whoever reads", async () => {
    for (const mode of [undefined, "byob"] as const) {
      const content = new MemoryContent(null);
      const stream = streamOfSource(content);
      const read = mode === undefined ? stream.getReader().read() : stream.getReader({ mode }).read(new Uint8Array(4));
      while (!content.isStarted) await Promise.resolve();
      content.feed(new Error("cut off"));
      await expect(read).rejects.toThrow("cut off");
    }
  });
});

describe("a large piece", () => {
  it.each(["chunked", "by length"])(
    "may be given away, memory and all, and spoils nothing behind it (%s)",
    async (how) => {
      const seen: string[] = [];
      const server = await serve({
        port: 0,
        fetch: async (request) => {
          let octets = 0;
          for await (const piece of request.body ?? []) {
            octets += piece.length;
            // What postMessage() with a transfer list does
            structuredClone(piece.buffer, { transfer: [piece.buffer] });
            await new Promise((resolve) => setImmediate(resolve));
          }
          seen.push(`${request.method} ${new URL(request.url).pathname} ${octets}`);
          return new Response("ok");
        },
      });
      const piece = "x".repeat(17_000);
      const size = piece.length;
      const content =
        how === "chunked"
          ? `Transfer-Encoding: chunked\r\n\r\n${`${size.toString(16)}\r\n${piece}\r\n`.repeat(3)}0\r\n\r\n`
          : `Content-Length: ${size * 3}\r\n\r\n${piece.repeat(3)}`;
      const socket = connect(server.port, "127.0.0.1");
      const one = `POST /first HTTP/1.1\r\nHost: a\r\n${content}`;
      const two = `POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`;
      socket.end(`${one}${two}GET /third HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      socket.resume();
      await once(socket, "close");
      await server.close();
      expect(seen).toEqual([`POST /first ${size * 3}`, "POST /second 3", "GET /third 0"]);
    },
  );
});
