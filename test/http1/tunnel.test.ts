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
