import { describe, expect, it } from "vitest";
import type { ByteSink, ByteStream } from "../../src/http/exchange.ts";
import { openConnection, request } from "../support/open-connection.ts";

function openTunnel(): { stream: ByteStream; log: string[]; sink: ByteSink; bench: ReturnType<typeof openConnection> } {
  let stream: ByteStream | null = null;
  const bench = openConnection((exchange) => {
    stream = exchange.upgrade([]);
  });
  bench.connection.receive(
    Buffer.concat([request("GET / HTTP/1.1", "Connection: upgrade", "Upgrade: x"), Buffer.from("early")]),
  );
  const log: string[] = [];
  const sink: ByteSink = {
    chunk: (bytes) => log.push(Buffer.from(bytes).toString()),
    end: () => log.push("end"),
    drain: () => log.push("drain"),
    close: (error) => log.push(error === null ? "close" : "error"),
  };
  if (stream === null) throw new Error("not upgraded");
  return { stream, log, sink, bench };
}

describe("a connection handed over", () => {
  it("gives what came behind the head first", () => {
    const { stream, log, sink, bench } = openTunnel();
    stream.start(sink);
    bench.connection.receive(Buffer.from("late"));
    expect(log).toEqual(["early", "late"]);
  });

  it("gives each piece in memory of its own, whose every octet the reader may overwrite", () => {
    const { stream, sink, bench } = openTunnel();
    const pieces: Uint8Array[] = [];
    stream.start({ ...sink, chunk: (bytes) => pieces.push(bytes) });
    bench.connection.receive(Buffer.from("at once"));
    stream.pause();
    bench.connection.receive(Buffer.from("held "));
    bench.connection.receive(Buffer.from("back"));
    stream.resume();
    expect(pieces.map((piece) => Buffer.from(piece).toString())).toEqual(["early", "at once", "held back"]);
    expect(pieces.map((piece) => piece.buffer.byteLength)).toEqual(pieces.map((piece) => piece.length));
  });

  it("tells a paused reader of an orderly end only behind what it has not heard yet", () => {
    const { stream, log, sink, bench } = openTunnel();
    stream.start(sink);
    stream.pause();
    bench.connection.receive(Buffer.from("last words"));
    bench.connection.receiveEnd();
    bench.connection.closed(null);
    expect(log).toEqual(["early"]);
    stream.resume();
    expect(log).toEqual(["early", "last words", "end", "close"]);
  });

  it("tells of a broken end at once", () => {
    const { stream, log, sink, bench } = openTunnel();
    stream.start(sink);
    stream.pause();
    bench.connection.receive(Buffer.from("lost"));
    bench.connection.closed(new Error("reset"));
    expect(log).toEqual(["early", "error"]);
  });

  it("says nothing more to a reader that has been told of the end, whatever it asks for", () => {
    const { stream, log, sink, bench } = openTunnel();
    stream.start(sink);
    stream.pause();
    bench.connection.receive(Buffer.from("lost"));
    bench.connection.closed(new Error("reset"));
    stream.resume();
    stream.pause();
    stream.resume();
    expect(log).toEqual(["early", "error"]);
  });

  it("does not end a reader that pauses at the piece before the end", () => {
    const { stream, log, sink, bench } = openTunnel();
    const pausing: ByteSink = {
      ...sink,
      chunk: (bytes) => {
        sink.chunk(bytes);
        stream.pause();
      },
    };
    bench.connection.receiveEnd();
    stream.start(pausing);
    expect(log).toEqual(["early"]);
    stream.resume();
    expect(log).toEqual(["early", "end"]);
  });
});

describe("a stream of another protocol", () => {
  it("is on the connection that it came from, and is read once", () => {
    const { stream, sink, bench } = openTunnel();
    expect(stream.connection).toBe(bench.transport.info);
    stream.start(sink);
    expect(() => stream.start(sink)).toThrow(TypeError);
  });

  it("gives all that arrives before anybody reads, in order, and the end of a peer that ended before the upgrade", () => {
    const bench = openConnection(() => {});
    bench.connection.receive(request("GET / HTTP/1.1", "Connection: upgrade", "Upgrade: x"));
    bench.connection.receive(Buffer.from("one "));
    bench.connection.receiveEnd();
    const stream = bench.exchanges[0]?.upgrade([]);
    const log: string[] = [];
    stream?.start({
      chunk: (bytes) => log.push(Buffer.from(bytes).toString()),
      end: () => log.push("end"),
      drain: () => {},
      close: () => {},
    });
    expect(log).toEqual(["one ", "end"]);
  });

  it("joins what is on its way when its reader pauses", () => {
    const { stream, log, sink, bench } = openTunnel();
    bench.connection.receive(Buffer.from(" and late"));
    stream.start(sink);
    stream.pause();
    stream.pause();
    bench.connection.receive(Buffer.from("one"));
    bench.connection.receive(Buffer.from("two"));
    expect(log).toEqual(["early and late"]);
    stream.resume();
    stream.resume();
    expect(log).toEqual(["early and late", "onetwo"]);
    expect(bench.transport.isPaused).toBe(false);
  });

  it("tells a paused reader of a peer's end before it tells that the connection is gone", () => {
    const { stream, log, sink, bench } = openTunnel();
    stream.start(sink);
    stream.pause();
    bench.connection.receiveEnd();
    bench.connection.closed(null);
    expect(log).toEqual(["early"]);
    stream.resume();
    expect(log).toEqual(["early", "end", "close"]);
  });

  it("tells its writer when the peer has taken what was queued", () => {
    const { stream, log, sink, bench } = openTunnel();
    stream.start(sink);
    bench.transport.attach(bench.connection);
    bench.transport.highWaterBytes = 4;
    expect(stream.write(Buffer.from("much"))).toBe(false);
    bench.transport.drain();
    expect(log).toEqual(["early", "drain"]);
  });

  it("survives that the queue drains before anybody reads", () => {
    const { bench, log } = openTunnel();
    bench.connection.writable();
    expect(log).toEqual([]);
  });

  it("ends its side once", () => {
    const { stream, bench } = openTunnel();
    stream.end();
    stream.end();
    expect([bench.transport.isEnded, bench.transport.violations]).toEqual([true, []]);
    expect(stream.write(Buffer.from("behind the end"))).toBe(true);
    expect(bench.transport.violations).toEqual([]);
  });

  it("is destroyed by its owner, and once it is gone there is nothing to destroy", () => {
    const open = openTunnel();
    open.stream.destroy();
    expect(open.bench.transport.isDestroyed).toBe(true);
    const gone = openTunnel();
    gone.bench.connection.closed(null);
    gone.stream.destroy();
    expect(gone.bench.transport.isDestroyed).toBe(false);
  });
});
