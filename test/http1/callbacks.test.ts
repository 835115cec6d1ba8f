/** Callbacks that act on the connection from inside of one of its calls: a handler, a reader, an observer. */
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/http/errors.ts";
import type { ContentSink, Exchange, WireEvents } from "../../src/http/exchange.ts";
import { Http1Connection } from "../../src/http1/connection.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import { READING } from "../../src/http1/states.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

const HEAD = { status: 200, reason: "", fields: [] };
const POST = request("POST / HTTP/1.1", "Content-Length: 9");

/** A connection whose observer is the test's. */
function observedBy(
  events: Partial<WireEvents>,
  handle: (exchange: Exchange) => void,
  handlerMs = 0,
): { transport: MemoryTransport; connection: Http1Connection; clock: ManualClock } {
  const transport = new MemoryTransport();
  const clock = new ManualClock();
  const connection = new Http1Connection(transport, clock, {
    limits: DEFAULT_LIMITS,
    timeouts: { ...DEFAULT_TIMEOUTS, handlerMs },
    leniencies: DEFAULT_LENIENCIES,
    isExplaining: true,
    handle,
    events: { onRefusal: null, onExchangeEnd: null, ...events },
  });
  clock.watch(connection);
  return { transport, connection, clock };
}

function sinkInto(log: string[]): ContentSink {
  return {
    chunk: (bytes) => log.push(Buffer.from(bytes).toString()),
    end: () => log.push("end"),
    fail: (reason) => log.push((reason as ProtocolError).code),
  };
}

/** As what reads all of it: text(), json(). */
const lentInto = (log: string[]): ContentSink => ({ ...sinkInto(log), takesLent: true });

describe("a carrier that delivers from inside of a call", () => {
  it("has its requests handled and answered one behind the other", () => {
    const log: string[] = [];
    const { transport, connection, exchanges } = openConnection((exchange) => {
      log.push(`begins ${exchange.request.target}`);
      void exchange.respond(HEAD, exchange.request.target);
      if (exchanges.length === 1) connection.receive(request("GET /second HTTP/1.1"));
      log.push(`ends ${exchange.request.target}`);
    });
    connection.receive(request("GET /first HTTP/1.1"));
    expect(log).toEqual(["begins /first", "ends /first", "begins /second", "ends /second"]);
    expect(written(transport)).toMatch(/\/firstHTTP\/1\.1 200 [^]*\/second$/);
  });
});

describe("a reader that gives the exchange up at a piece", () => {
  it.each(["abc", "abcdefghi", "abcdefghiGET / HTTP/1.1\r\nHost: x\r\n\r\n"])("hears of no more behind %j", (bytes) => {
    const log: string[] = [];
    const { transport, connection, exchanges, outcomes } = openConnection((exchange) => {
      const sink = sinkInto(log);
      exchange.content.start({
        ...sink,
        chunk: (piece) => {
          sink.chunk(piece);
          exchange.abort(new ProtocolError("ERR_SHUTDOWN"));
        },
      });
    });
    connection.receive(POST);
    connection.receive(Buffer.from(bytes));
    expect(log).toEqual([bytes.slice(0, 9), "ERR_SHUTDOWN"]);
    expect([transport.isAborted, exchanges.length, outcomes]).toEqual([true, 1, ["broken"]]);
    expect(connection.states.reading).toBe(READING.closed);
  });
});

describe("content that came with its head, asked for from inside of the handler by who takes lent memory", () => {
  const whole = Buffer.concat([POST, Buffer.from("abcdefghi")]);
  const next = request("GET /next HTTP/1.1");

  it("is given at once; what stands behind it waits", () => {
    const log: string[] = [];
    const { transport, connection } = openConnection((exchange) => {
      log.push(`begins ${exchange.request.target}`);
      exchange.content.start(lentInto(log));
      log.push(`ends ${exchange.request.target}`);
      void exchange.respond(HEAD, "");
    });
    connection.receive(Buffer.concat([whole, next]));
    expect(log).toEqual(["begins /", "abcdefghi", "end", "ends /", "begins /next", "end", "ends /next"]);
    expect(written(transport).match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(transport.violations).toEqual([]);
  });

  it("waits for the handler to return where its reader keeps what it gets", () => {
    const log: string[] = [];
    const { connection } = openConnection((exchange) => {
      exchange.content.start(sinkInto(log));
      log.push("handled");
    });
    connection.receive(whole);
    expect(log).toEqual(["handled", "abcdefghi", "end"]);
  });

  it("is given as far as it has come, and the rest as it comes", () => {
    const log: string[] = [];
    const { connection, outcomes } = openConnection((exchange) => {
      exchange.content.start({ ...lentInto(log), end: () => void exchange.respond(HEAD, "") });
      log.push("handled");
    });
    connection.receive(Buffer.concat([POST, Buffer.from("abc")]));
    expect(log).toEqual(["abc", "handled"]);
    connection.receive(Buffer.from("defghi"));
    expect([log, outcomes]).toEqual([["abc", "handled", "defghi"], ["complete"]]);
  });

  it("may be answered by its reader, and the next one is handled behind it", () => {
    const log: string[] = [];
    const { transport, connection } = openConnection((exchange) => {
      const { target } = exchange.request;
      exchange.content.start({ ...lentInto(log), end: () => void exchange.respond(HEAD, target) });
      log.push(target);
    });
    connection.receive(Buffer.concat([whole, whole, next]));
    expect(log).toEqual(["abcdefghi", "/", "abcdefghi", "/", "/next"]);
    expect(written(transport)).toMatch(/\r\n\r\n\/HTTP[^]+\r\n\r\n\/HTTP[^]+\r\n\r\n\/next$/);
  });

  it("fails at once where it breaks a rule; the answer goes out, and the connection ends", () => {
    const log: string[] = [];
    const { transport, connection, exchanges } = openConnection((exchange) => {
      exchange.content.start(lentInto(log));
      log.push("handled");
      void exchange.respond(HEAD, "sorry");
    });
    connection.receive(request("POST / HTTP/1.1", "Transfer-Encoding: chunked"));
    connection.receive(Buffer.concat([request("GET /smuggled HTTP/1.1")]));
    expect([log, exchanges.length]).toEqual([["handled", "ERR_CHUNK_SIZE"], 1]);
    log.length = 0;
    const other = openConnection((exchange) => {
      exchange.content.start(lentInto(log));
      log.push("handled");
      void exchange.respond(HEAD, "sorry");
    });
    other.connection.receive(
      Buffer.concat([request("POST / HTTP/1.1", "Transfer-Encoding: chunked"), Buffer.from("x\r\n"), next]),
    );
    expect([log, other.exchanges.length]).toEqual([["ERR_CHUNK_SIZE", "handled"], 1]);
    expect(written(other.transport)).toMatch(/\r\nConnection: close\r\n[^]*sorry$/);
    expect([other.transport.isEnded, transport.isEnded]).toEqual([true, true]);
  });
});

describe("content that has failed before anybody asked for it", () => {
  it("tells so to who asks late", () => {
    const log: string[] = [];
    const { connection, exchanges } = openConnection(() => {});
    connection.receive(POST);
    connection.closed(new ProtocolError("ERR_SHUTDOWN"));
    exchanges[0]?.content.start(sinkInto(log));
    expect(log).toEqual(["ERR_SHUTDOWN"]);
  });
});

describe("content that is asked for while its exchange ends", () => {
  it.each([
    ["started", "Content-Length: 9", ["ERR_CONTENT_INCOMPLETE"]],
    ["started, though it is too much", "Content-Length: 999999999", ["ERR_CONTENT_TOO_LARGE"]],
  ])("fails when it is %s", (_what, length, expected) => {
    const log: string[] = [];
    const { connection, transport } = observedBy(
      { onExchangeEnd: (exchange) => exchange.content.start(sinkInto(log)), onRefusal: () => log.push("refused") },
      () => {},
    );
    connection.receive(request("POST / HTTP/1.1", length));
    connection.closed(null);
    expect(log).toEqual(expected);
    expect([connection.deadlineMs, written(transport)]).toEqual([Infinity, ""]);
  });

  it.each(["sinkInto", "lentInto"])("waits until all is settled behind the answer: %s", (kind) => {
    const log: string[] = [];
    const sink = kind === "lentInto" ? lentInto(log) : sinkInto(log);
    const { connection, transport } = observedBy(
      { onExchangeEnd: (exchange) => exchange.content.start(sink) },
      (exchange) => void exchange.respond(HEAD, "answer"),
    );
    connection.receive(
      Buffer.concat([
        request("POST / HTTP/1.1", "Content-Length: 9", "Connection: close"),
        Buffer.from("abcdefghi"),
        request("GET /next HTTP/1.1"),
      ]),
    );
    // The connection closes with its answer: nothing more is read from it
    expect([log, transport.isEnded]).toEqual([["ERR_CONTENT_INCOMPLETE"], true]);
    expect(written(transport).match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe("an observer that aborts what is being refused", () => {
  it("has nobody told twice, and nothing written behind the end", () => {
    const heard: string[] = [];
    const given: Exchange[] = [];
    const listen = (exchange: Exchange): void => exchange.onAbort((reason) => heard.push(reason.message));
    const { connection, transport, clock } = observedBy(
      { onRefusal: ({ exchange }) => exchange?.abort(new Error("enough")) },
      (exchange) => {
        given.push(exchange);
        listen(exchange);
      },
      1_000,
    );
    connection.receive(request("GET / HTTP/1.1"));
    clock.advance(1_001);
    expect(heard).toEqual(["enough"]);
    for (const exchange of given) listen(exchange);
    expect(heard).toEqual(["enough", "enough"]);
    expect([transport.isAborted, transport.isEnded, transport.violations]).toEqual([true, false, []]);
    expect(connection.deadlineMs).toBe(Infinity);
  });
});

describe("an observer that is told of a handler's time being over", () => {
  /** A request whose time is over, with another one behind it, and what the observer does at that. */
  function late(act: (exchange: Exchange) => void): {
    readonly said: string[];
    readonly transport: MemoryTransport;
    readonly connection: Http1Connection;
  } {
    const said: string[] = [];
    const { connection, transport, clock } = observedBy(
      {
        onHandlerTimeout: (exchange) => {
          act(exchange);
          return "f-1";
        },
        onRefusal: ({ error }) => said.push(`refused ${error.code}`),
        onExchangeEnd: ({ status }, outcome) => said.push(`${status} ${outcome}`),
      },
      (exchange) => {
        exchange.onAbort((reason) => said.push(`aborted: ${reason.message}`));
        if (exchange.request.target === "/next") void exchange.respond(HEAD, "next");
      },
      1_000,
    );
    connection.receive(request("GET / HTTP/1.1"));
    connection.receive(request("GET /next HTTP/1.1"));
    clock.advance(1_001);
    return { said, transport, connection };
  }

  it("may have it answered from within: that is the answer, and nobody is told to stop", () => {
    const { said, transport } = late((exchange) => void exchange.respond(HEAD, "late"));
    expect(said).toEqual(["200 complete", "200 complete"]);
    expect(written(transport)).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nlateHTTP\/1\.1 200 [^]*\r\n\r\nnext$/);
    expect([transport.isAborted, transport.isEnded]).toEqual([false, false]);
  });

  it("may have an answer begun from within, which is not broken off", async () => {
    async function* content(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("la");
      await Promise.resolve();
      yield Buffer.from("te");
    }
    const { said, transport, connection } = late((exchange) => void exchange.respond(HEAD, content()));
    await new Promise((resolve) => setImmediate(resolve));
    connection.flush();
    expect(said).toEqual(["200 complete", "200 complete"]);
    expect(written(transport)).toMatch(/\r\n2\r\nla\r\n2\r\nte\r\n0\r\n\r\nHTTP\/1\.1 200 [^]*next$/);
  });

  it("may give it up: nothing is said behind the end", () => {
    const { said, transport } = late((exchange) => exchange.abort(new Error("enough")));
    expect(said).toEqual(["0 broken", "aborted: enough"]);
    expect([written(transport), transport.isAborted]).toEqual(["", true]);
  });
});
