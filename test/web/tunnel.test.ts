import { describe, expect, it } from "vitest";
import { type Tunnel, tunnelOf } from "../../src/web/tunnel.ts";
import { MemoryByteStream } from "./support/memory-exchange.ts";

function open(): { stream: MemoryByteStream; tunnel: Tunnel } {
  const stream = new MemoryByteStream();
  return { stream, tunnel: tunnelOf(stream) };
}

/** Past every microtask that is due. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe("reading", () => {
  it("gives what the peer sends, in order, until it ends its side", async () => {
    const { stream, tunnel } = open();
    stream.sink!.chunk(Buffer.from("a"));
    stream.sink!.chunk(Buffer.from("b"));
    stream.sink!.end();
    const seen: string[] = [];
    for await (const bytes of tunnel.readable) seen.push(text(bytes));
    expect(seen).toEqual(["a", "b"]);
    expect(stream.isEnded).toBe(false);
  });

  it("makes the peer wait above 64 KiB, and goes on when they are read", async () => {
    const { stream, tunnel } = open();
    await settled();
    stream.sink!.chunk(Buffer.alloc(64 * 1024 - 1));
    expect(stream.isPaused).toBe(false);
    stream.sink!.chunk(Buffer.alloc(1));
    expect(stream.isPaused).toBe(true);
    const reader = tunnel.readable.getReader();
    await reader.read();
    await settled();
    expect(stream.isPaused).toBe(false);
  });

  it("drops the connection when it is cancelled", async () => {
    const { stream, tunnel } = open();
    const reason = new Error("enough");
    await tunnel.readable.cancel(reason);
    expect(stream.isDestroyed).toBe(true);
    await expect(tunnel.closed).rejects.toBe(reason);
    await expect(tunnel.writable.getWriter().write(Buffer.from("x"))).rejects.toBe(reason);
  });
});

describe("writing", () => {
  it("hands bytes on and ends our side", async () => {
    const { stream, tunnel } = open();
    const writer = tunnel.writable.getWriter();
    await writer.write(Buffer.from("hello"));
    await writer.close();
    expect(stream.written.map(text)).toEqual(["hello"]);
    expect(stream.isEnded).toBe(true);
  });

  it("waits while the peer is slow", async () => {
    const { stream, tunnel } = open();
    stream.isFull = true;
    const writer = tunnel.writable.getWriter();
    let isWritten = false;
    const written = writer.write(Buffer.from("x")).then(() => {
      isWritten = true;
    });
    await settled();
    expect(isWritten).toBe(false);
    stream.sink!.drain();
    await written;
    expect(isWritten).toBe(true);
  });

  it("refuses what are no bytes", async () => {
    const { tunnel } = open();
    const writer = tunnel.writable.getWriter();
    writer.closed.catch(() => {});
    await expect(writer.write("text" as unknown as Uint8Array)).rejects.toThrow(TypeError);
  });

  it("drops the connection when it is aborted", async () => {
    const { stream, tunnel } = open();
    await tunnel.writable.abort("no more");
    expect(stream.isDestroyed).toBe(true);
    await expect(tunnel.closed).rejects.toMatchObject({ cause: "no more" });
    await expect(tunnel.readable.getReader().read()).rejects.toThrow("aborted");
  });
});

describe("closing", () => {
  it("is over when both sides have ended, whoever was first", async () => {
    for (const isPeerFirst of [true, false]) {
      const { stream, tunnel } = open();
      let isClosed = false;
      const closed = tunnel.closed.then(() => {
        isClosed = true;
      });
      if (isPeerFirst) stream.sink!.end();
      else tunnel.close();
      await settled();
      expect(isClosed).toBe(false);
      if (isPeerFirst) tunnel.close();
      else stream.sink!.end();
      await closed;
      stream.sink!.close(null);
      expect(stream.isDestroyed).toBe(false);
    }
  });

  it("lets go of a write that waits for a peer which leaves, though both sides have ended", async () => {
    const { stream, tunnel } = open();
    stream.isFull = true;
    const writer = tunnel.writable.getWriter();
    const written = writer.write(Buffer.from("x"));
    await settled();
    stream.sink!.end();
    tunnel.close();
    await tunnel.closed;
    let isOver = false;
    void written.finally(() => (isOver = true));
    stream.sink!.close(new Error("reset"));
    await settled();
    expect(isOver).toBe(true);
  });

  it("ends our side though a writer holds the stream", () => {
    const { stream, tunnel } = open();
    tunnel.writable.getWriter();
    tunnel.close();
    tunnel.close();
    expect(stream.isEnded).toBe(true);
  });

  it.each([
    ["with an error", new Error("reset")],
    ["without one", null],
  ])("rejects when the connection breaks %s", async (_name, error) => {
    const { stream, tunnel } = open();
    const reader = tunnel.readable.getReader();
    const reading = reader.read();
    stream.isFull = true;
    const writer = tunnel.writable.getWriter();
    writer.closed.catch(() => {});
    const writing = writer.write(Buffer.from("x"));
    await settled();
    stream.sink!.close(error);
    const expected: unknown = error ?? expect.objectContaining({ code: "ERR_CLOSED_BY_PEER" });
    await expect(tunnel.closed).rejects.toEqual(expected);
    await expect(reading).rejects.toEqual(expected);
    await writing;
    await expect(writer.write(Buffer.from("y"))).rejects.toEqual(expected);
  });

  it("destroys at once, and only once", async () => {
    const { stream, tunnel } = open();
    const reason = new Error("over");
    tunnel.destroy(reason);
    tunnel.destroy();
    expect(stream.isDestroyed).toBe(true);
    await expect(tunnel.closed).rejects.toBe(reason);
  });

  it("is awaited at the end of a scope", async () => {
    const { stream, tunnel } = open();
    const disposed = tunnel[Symbol.asyncDispose]();
    await settled();
    expect(stream.isEnded).toBe(true);
    stream.sink!.end();
    await disposed;
  });

  it("carries an echo", async () => {
    const { stream, tunnel } = open();
    const echo = tunnel.readable.pipeTo(tunnel.writable);
    stream.sink!.chunk(Buffer.from("ping"));
    stream.sink!.end();
    await echo;
    await tunnel.closed;
    expect(stream.written.map(text)).toEqual(["ping"]);
  });
});
