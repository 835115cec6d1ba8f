import { describe, expect, it } from "vitest";
import type { ContentSink, Exchange } from "../../src/http/exchange.ts";
import { ProtocolError } from "../../src/http/errors.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

const HEAD = { status: 200, reason: "", fields: [] };

describe("a lingering connection", () => {
  it("ends once a slow peer has taken the last octets, though nothing says that the queue has drained", () => {
    const { transport, connection, clock } = openConnection((exchange) => {
      void exchange.respond({ ...HEAD, fields: ["Connection", "close"] }, "answer");
    });
    transport.highWaterBytes = 1;
    connection.receive(request("GET / HTTP/1.1"));
    expect(transport.isEnded).toBe(true);
    clock.advance(6_000);
    expect(transport.isDestroyed).toBe(false);
    transport.drain();
    clock.advance(120_000);
    expect(transport.isDestroyed).toBe(true);
    expect(connection.deadlineMs).toBe(Infinity);
  });

  it("counts as idle when all is taken, so that a shutdown does not count it as cut off", () => {
    const { transport, connection } = openConnection(() => {});
    connection.shutdown();
    expect([transport.isEnded, connection.isIdle]).toEqual([true, true]);
  });
});

describe("the end of a connection", () => {
  const answer = (exchange: Exchange): void => void exchange.respond(HEAD, "answer");
  const close = "Connection: close";
  const reading = (exchange: Exchange): void => {
    exchange.content.start({ chunk: () => {}, fail: () => {}, end: () => answer(exchange) });
  };

  it.each<[string, Buffer, boolean, typeof answer?]>([
    ["of a client that has said so", request("GET / HTTP/1.1", close), true],
    ["of an HTTP/1.0 client", request("GET / HTTP/1.0"), true],
    [
      "of a client that has said so and goes on",
      Buffer.concat([request("GET / HTTP/1.1", close), Buffer.from("x")]),
      false,
    ],
    [
      "of a client that has said so with content, read",
      request("POST / HTTP/1.1", close, "Content-Length: 0"),
      true,
      reading,
    ],
    [
      "of a client whose content was read: some send CRLF behind it",
      Buffer.concat([request("POST / HTTP/1.1", close, "Content-Length: 2"), Buffer.from("ok")]),
      false,
      reading,
    ],
    ["of a client whose content nobody has read", request("POST / HTTP/1.1", close, "Content-Length: 2"), false],
    [
      "that the handler wants",
      request("GET / HTTP/1.1"),
      false,
      (exchange) => void exchange.respond({ ...HEAD, fields: ["Connection", "close"] }, "answer"),
    ],
    ["behind a refusal", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\nbad\r\n\r\n"), false],
  ])("%s: whether it is both sides' at once is %s", (_who, octets, isLast, handle = answer) => {
    const { transport, connection } = openConnection(handle);
    connection.receive(octets);
    expect(transport.isEnded).toBe(true);
    // RFC 9112 §9.6: closed in stages, unless there is nothing that could reset the connection under its answer
    expect(transport.isDestroyed).toBe(isLast);
    expect(written(transport)).toMatch(/^HTTP\/1\.1 /);
  });

  it("is both sides' only once the peer has taken the answer", () => {
    const { transport, connection } = openConnection(answer);
    transport.highWaterBytes = 1;
    connection.receive(request("GET / HTTP/1.1", close));
    expect([transport.isEnded, transport.isDestroyed]).toEqual([true, false]);
  });
});

describe("a shutdown", () => {
  it("closes an idle connection behind a stray empty line (RFC 9112 §2.2)", () => {
    const { transport, connection } = openConnection((exchange) => void exchange.respond(HEAD, "ok"));
    connection.receive(Buffer.concat([request("GET / HTTP/1.1"), Buffer.from("\r\n")]));
    connection.shutdown();
    expect(transport.isEnded).toBe(true);
  });

  it("lets a head that has begun come to its end", () => {
    const { transport, connection } = openConnection((exchange) => void exchange.respond(HEAD, "ok"));
    connection.receive(Buffer.from("GET / HT"));
    connection.shutdown();
    expect(transport.isEnded).toBe(false);
    connection.receive(Buffer.from("TP/1.1\r\nHost: x\r\n\r\n"));
    expect(written(transport)).toMatch(/Connection: close\r\n/);
    expect(transport.isEnded).toBe(true);
  });
});

describe("a shutdown with a last call", () => {
  const CLOSE = /Connection: close\r\n/;

  it.each([
    ["a fresh connection", []],
    ["an idle one", ["GET / HTTP/1.1"]],
  ])("answers one more request on %s, and says that it is the last", (_what, before) => {
    const { transport, connection, clock } = openConnection((exchange) => void exchange.respond(HEAD, "ok"));
    for (const line of before) connection.receive(request(line));
    connection.shutdown(2_000);
    clock.advance(1_000);
    expect(transport.isEnded).toBe(false);
    connection.receive(request("GET /last HTTP/1.1"));
    expect(written(transport)).toMatch(CLOSE);
    expect(transport.isEnded).toBe(true);
  });

  it.each([0, 75_000, 1_000])("ends it in time where an idle one may stay for %i ms", (keepAliveMs) => {
    const { transport, connection, clock } = openConnection((exchange) => void exchange.respond(HEAD, "ok"), {
      timeouts: { keepAliveMs },
    });
    connection.receive(request("GET / HTTP/1.1"));
    connection.shutdown(2_000);
    clock.advance(3_000);
    expect(transport.isEnded).toBe(true);
  });

  it("closes in silence when none comes", () => {
    const { transport, connection, clock } = openConnection((exchange) => void exchange.respond(HEAD, "ok"));
    connection.shutdown(2_000);
    clock.advance(3_000);
    expect([transport.isEnded, written(transport)]).toEqual([true, ""]);
  });

  it("holds for whoever was promised another answer while the last one was under way", async () => {
    let resolve: (chunk: Uint8Array) => void = () => {};
    const promise = new Promise<Uint8Array>((done) => (resolve = done));
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("first");
      yield await promise;
    }
    const { transport, connection, clock } = openConnection((exchange) => {
      const isFirst = exchange.request.target === "/slow";
      void exchange.respond(HEAD, isFirst ? slow() : "ok");
    });
    connection.receive(request("GET /slow HTTP/1.1"));
    await new Promise(setImmediate);
    connection.shutdown(2_000);
    resolve(Buffer.from("second"));
    await new Promise(setImmediate);
    expect([transport.isEnded, CLOSE.test(written(transport))]).toEqual([false, false]);
    clock.advance(1_000);
    connection.receive(request("GET /last HTTP/1.1"));
    expect([transport.isEnded, CLOSE.test(written(transport))]).toEqual([true, true]);
  });
});

describe("empty lines between requests", () => {
  it("do not shorten the time of an idle connection to that of a head", () => {
    const { transport, connection, clock } = openConnection((exchange) => void exchange.respond(HEAD, "ok"));
    connection.receive(Buffer.concat([request("GET / HTTP/1.1"), Buffer.from("\r\n")]));
    clock.advance(31_000);
    expect(transport.isEnded).toBe(false);
    clock.advance(45_000);
    expect(transport.isEnded).toBe(true);
    expect(written(transport)).not.toContain(" 408 ");
  });
});

describe("content that was cancelled", () => {
  it("and is too much to drain makes the answer say that the connection ends", () => {
    const { transport, connection } = openConnection((exchange) => {
      exchange.content.cancel();
      void exchange.respond({ ...HEAD, status: 413 }, "no");
    });
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 100000000"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n/);
  });

  it("is drained no longer than an idle connection may be, where no rate is asked for", () => {
    const { transport, connection, clock } = openConnection((exchange) => void exchange.respond(HEAD, "ok"), {
      timeouts: { minContentRate: 0, keepAliveMs: 1_000 },
    });
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 1000"));
    clock.advance(1_001);
    expect(transport.isEnded).toBe(true);
  });

  it("is drained by all its octets, those of the chunked framing included", () => {
    const { transport, connection } = openConnection((exchange) => void exchange.respond(HEAD, "ok"), {
      limits: { maxDrainBytes: 1_000 },
    });
    connection.receive(request("POST / HTTP/1.1", "Transfer-Encoding: chunked"));
    const chunk = Buffer.from(`1;${"x".repeat(20)}\r\ny\r\n`);
    for (let sent = 0; sent < 1_000 + 2 * chunk.length; sent += chunk.length) connection.receive(chunk);
    expect(transport.isEnded).toBe(true);
  });
});

describe("the reason that a handler hears", () => {
  it("is that of the carrier where it has one of ours", () => {
    const heard: Error[] = [];
    const { connection } = openConnection((exchange) => exchange.onAbort((reason) => heard.push(reason)));
    connection.receive(request("GET / HTTP/1.1"));
    connection.closed(new ProtocolError("ERR_SHUTDOWN"));
    expect(heard).toMatchObject([{ code: "ERR_SHUTDOWN" }]);
  });

  it("is the handler's own timeout for content that it was reading", () => {
    const heard: unknown[] = [];
    const sink = { chunk: () => {}, end: () => {}, fail: (reason: Error) => heard.push(reason) };
    const { connection, clock } = openConnection((exchange) => exchange.content.start(sink), {
      timeouts: { handlerMs: 1_000, minContentRate: 0 },
    });
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 10"));
    clock.advance(1_001);
    expect(heard).toMatchObject([{ code: "ERR_HANDLER_TIMEOUT" }]);
  });

  it.each<[string, Partial<ContentSink>, boolean, number]>([
    ["in lent memory", { takesLent: true }, false, 408],
    ["piece by piece, and waits for one", { isWaiting: true }, false, 408],
    ["piece by piece, and waits for none", { isWaiting: false }, false, 503],
    ["and has paused", { takesLent: true }, true, 503],
  ])("is the peer's, at the handler's timeout, where the handler reads %s: %o", (_how, kind, isPaused, status) => {
    const heard: unknown[] = [];
    const sink = { ...kind, chunk: () => {}, end: () => {}, fail: (reason: Error) => heard.push(reason) };
    const { connection, clock, transport } = openConnection(
      (exchange) => {
        exchange.content.start(sink);
        if (isPaused) exchange.content.pause();
      },
      { timeouts: { handlerMs: 1_000, minContentRate: 0 } },
    );
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 10"));
    connection.receive(Buffer.from("half!"));
    clock.advance(1_001);
    const option = "timeouts.handlerMs";
    expect(heard).toMatchObject([
      status === 408 ? { code: "ERR_CONTENT_TIMEOUT", option } : { code: "ERR_HANDLER_TIMEOUT", option },
    ]);
    expect(written(transport)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*Connection: close`));
  });
});

describe("a peer that does not take its answer", () => {
  it.each([0, 5_000])(
    "is waited for as long as it likes where no rate is asked for, with a linger of %i ms",
    (lingerMs) => {
      const { transport, connection, clock } = openConnection(
        (exchange) => void exchange.respond({ ...HEAD, fields: ["Connection", "close"] }, "answer"),
        { timeouts: { minContentRate: 0, lingerMs } },
      );
      transport.highWaterBytes = 1;
      connection.receive(request("GET / HTTP/1.1"));
      clock.advance(120_000);
      expect([transport.isEnded, transport.isDestroyed]).toEqual([true, false]);
      transport.drain();
      clock.advance(6_000);
      expect([transport.isDestroyed, transport.isAborted]).toEqual([true, false]);
    },
  );

  it("has the time of a linger from when a carrier says that all is taken", () => {
    const { transport, connection, clock } = openConnection(
      (exchange) => void exchange.respond({ ...HEAD, fields: ["Connection", "close"] }, "answer"),
    );
    connection.receive(request("GET / HTTP/1.1"));
    clock.advance(4_000);
    connection.writable();
    clock.advance(4_000);
    expect(transport.isDestroyed).toBe(false);
    clock.advance(1_000);
    expect(transport.isDestroyed).toBe(true);
  });

  it("has its next request, which has come already, answered in spite of a shutdown", () => {
    const { transport, connection, exchanges } = openConnection((exchange) => void exchange.respond(HEAD, "ok"));
    transport.attach(connection);
    transport.highWaterBytes = 1;
    connection.receive(request("GET / HTTP/1.1"));
    connection.receive(request("GET /next HTTP/1.1"));
    connection.shutdown();
    expect([exchanges.length, transport.isEnded]).toEqual([1, false]);
    transport.drain();
    expect(exchanges).toHaveLength(2);
    expect(written(transport).match(/Connection: close\r\n/g)).toHaveLength(1);
    expect(transport.isEnded).toBe(true);
  });
});

describe("a shutdown in the middle of an answer", () => {
  it.each([
    ["", request("GET / HTTP/1.1")],
    [", and drains nothing more", request("POST / HTTP/1.1", "Content-Length: 9")],
  ])("closes behind it%s, though it could not be announced any more (RFC 9112 §9.6)", async (_what, head) => {
    let resolve: () => void = () => {};
    const promise = new Promise<void>((done) => (resolve = done));
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("abc");
      await promise;
    }
    const { transport, connection, outcomes } = openConnection((exchange) => void exchange.respond(HEAD, slow()));
    connection.receive(head);
    await new Promise(setImmediate);
    connection.shutdown();
    expect(transport.isEnded).toBe(false);
    resolve();
    await new Promise(setImmediate);
    expect(written(transport)).toMatch(/\r\n3\r\nabc\r\n0\r\n\r\n$/);
    expect([transport.isEnded, outcomes]).toEqual([true, ["complete"]]);
  });
});

describe("content that was cancelled before the answer", () => {
  it("and goes on past what is drained has its answer sent, then the end", () => {
    const { transport, connection, exchanges } = openConnection((exchange) => exchange.content.cancel(), {
      limits: { maxDrainBytes: 1_000 },
    });
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 5000"));
    connection.receive(Buffer.alloc(1_001));
    expect(transport.isEnded).toBe(false);
    void exchanges[0]?.respond(HEAD, "ok");
    connection.flush();
    expect(written(transport)).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n[^]*ok$/);
    expect(transport.isEnded).toBe(true);
  });
});
