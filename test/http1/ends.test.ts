import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/http/exchange.ts";
import { ProtocolError } from "../../src/http/errors.ts";
import { openConnection, settle, written } from "../support/open-connection.ts";

describe("a refusal by whoever has the exchange", () => {
  it("is answered in the words of the table, closes, and is told to observers once", () => {
    const { transport, connection, refusals, outcomes } = openConnection((exchange) => {
      exchange.refuse(new ProtocolError("ERR_BUFFERED_CONTENT_TOO_LARGE", { detail: "limit 5 octets" }));
      exchange.refuse(new ProtocolError("ERR_JSON"));
    });
    connection.receive(Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n[^]*limits\.maxBufferedBytes/);
    expect(written(transport).match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(refusals.map(({ error }) => error.code)).toEqual(["ERR_BUFFERED_CONTENT_TOO_LARGE"]);
    expect(outcomes).toEqual(["complete"]);
    expect(transport.isEnded).toBe(true);
  });

  it("of content is told once, though it passes through the handler", () => {
    const { transport, connection, refusals } = openConnection((exchange) => {
      exchange.content.start({
        chunk: () => {},
        end: () => {},
        fail: (reason) => exchange.refuse(reason as ProtocolError),
      });
    });
    connection.receive(Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 400 [^]*ERR_CHUNK_SIZE/);
    expect(refusals.map(({ error }) => error.code)).toEqual(["ERR_CHUNK_SIZE"]);
  });
});

describe("a response that breaks off", () => {
  it.each(["1.0", "1.1"])("looks broken to HTTP/%s, although all that was written has left", async (version) => {
    const { transport, connection, outcomes } = openConnection((exchange) => {
      const content = (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("half");
        await Promise.resolve();
        throw new Error("the source failed");
      })();
      Promise.resolve(exchange.respond({ status: 200, reason: "", fields: [] }, content)).catch(() => {});
    });
    connection.receive(Buffer.from(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`));
    connection.flush();
    await settle();
    expect(outcomes).toEqual(["broken"]);
    expect(transport.isAborted).toBe(true);
    expect(transport.isEnded).toBe(false);
  });

  it("has told what it was, even if it broke off before anything was written out", async () => {
    let exchange: Exchange | null = null;
    const { transport, connection } = openConnection((arrived) => {
      exchange = arrived;
    });
    connection.receive(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    const given = exchange as unknown as Exchange;
    const content = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      given.abort(new Error("given up"));
      yield Buffer.from("never");
    })();
    await Promise.resolve(given.respond({ status: 200, reason: "", fields: [] }, content)).catch(() => {});
    expect(written(transport)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*4\r\nhalf\r\n$/);
    expect([transport.isAborted, transport.isEnded]).toEqual([true, false]);
  });
});

describe("a peer that has ended its side while its answer is being made", () => {
  const PROBE = "HTTP/1.1 102 Processing\r\n\r\n";

  it("is asked now and then, ever less often, whether it is still there, and gets its answer", () => {
    const { transport, connection, exchanges, clock } = openConnection(() => {});
    connection.receive(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    connection.receiveEnd();
    const probesAfter = (ms: number): number => {
      clock.advance(ms);
      connection.flush();
      return written(transport).split(PROBE).length - 1;
    };
    expect([probesAfter(499), probesAfter(1), probesAfter(500), probesAfter(999), probesAfter(1)]).toEqual([
      0, 1, 2, 2, 3,
    ]);
    void exchanges[0]?.respond({ status: 200, reason: "", fields: [] }, "ok");
    connection.flush();
    expect(written(transport)).toMatch(/102 Processing\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(probesAfter(600_000)).toBe(3);
  });

  it("is not asked once the answer is on its way: what is asked would stand in the middle of it", async () => {
    const { transport, connection, exchanges, clock } = openConnection(() => {});
    connection.receive(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    connection.receiveEnd();
    let goOn: () => void = () => {};
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const content = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("abc");
      await held;
    })();
    void exchanges[0]?.respond({ status: 200, reason: "", fields: [] }, content);
    await settle();
    clock.advance(60_000);
    goOn();
    await settle();
    connection.flush();
    expect(written(transport)).not.toContain(PROBE);
    expect(written(transport)).toMatch(/^HTTP\/1\.1 200 [^]*3\r\nabc\r\n0\r\n\r\n$/);
  });

  it("is not asked over HTTP/1.0, which has no interim responses (RFC 9110 §15.2)", () => {
    const { transport, connection, clock } = openConnection(() => {});
    connection.receive(Buffer.from("GET / HTTP/1.0\r\n\r\n"));
    connection.receiveEnd();
    clock.advance(60_000);
    connection.flush();
    expect(written(transport)).toBe("");
  });
});

describe("content that nobody wanted", () => {
  it("may end with its peer behind the answer without being called refused", () => {
    const { transport, connection, refusals } = openConnection((exchange) => {
      void exchange.respond({ status: 200, reason: "", fields: [] }, "ok");
    });
    connection.receive(Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"));
    connection.receiveEnd();
    expect(written(transport)).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(refusals).toEqual([]);
    expect(transport.isEnded).toBe(true);
  });
});
