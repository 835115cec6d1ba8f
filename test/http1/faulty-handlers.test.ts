import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/http/exchange.ts";
import { openConnection, request, settle, written } from "../support/open-connection.ts";

const boom = (): never => {
  throw new Error("a mistake");
};
const HEAD = { status: 200, reason: "", fields: [] };

describe("a callback that throws", () => {
  it("in onAbort keeps neither the others nor the end of the connection from happening", () => {
    const heard: string[] = [];
    const { transport, connection, exchanges, mistakes } = openConnection((exchange) => {
      exchange.onAbort(boom);
      exchange.onAbort(() => heard.push("second"));
    });
    connection.receive(request("GET / HTTP/1.1"));
    exchanges[0]?.abort(new Error("given up"));
    expect(heard).toEqual(["second"]);
    expect(transport.isAborted).toBe(true);
    expect(mistakes).toHaveLength(1);
  });

  it.each(["chunk", "end"])("in %s of a reader does not keep the answer from being sent", (member) => {
    const sink = { chunk: () => {}, end: () => {}, fail: () => {}, [member]: boom };
    const { transport, connection, exchanges, mistakes } = openConnection((exchange) => {
      if (!exchange.content.isEmpty) exchange.content.start(sink);
    });
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 3"));
    connection.receive(Buffer.from("abc"));
    void exchanges[0]?.respond(HEAD, "ok");
    connection.flush();
    connection.receive(request("GET /next HTTP/1.1"));
    expect(written(transport)).toMatch(/ok$/);
    expect(mistakes).toHaveLength(1);
    expect(exchanges).toHaveLength(2);
  });

  it("in fail of a reader does not keep the connection from closing", () => {
    const sink = { chunk: () => {}, end: () => {}, fail: boom };
    const { connection, transport, exchanges, mistakes } = openConnection((exchange) => exchange.content.start(sink));
    connection.receive(request("POST / HTTP/1.1", "Transfer-Encoding: chunked"));
    connection.receive(Buffer.from("x\r\n"));
    void exchanges[0]?.respond({ ...HEAD, status: 400 }, "no");
    connection.flush();
    expect(transport.isEnded).toBe(true);
    expect(mistakes).toHaveLength(1);
  });
});

describe("a source that waits when the peer leaves", () => {
  it("does not keep the answer's promise from settling", async () => {
    const forever = new Promise<void>(() => {});
    let sent: Promise<unknown> = Promise.resolve();
    const { connection } = openConnection((exchange) => {
      const content = (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("one");
        await forever;
      })();
      sent = Promise.resolve(exchange.respond(HEAD, content)).catch((error: unknown) => error);
    });
    connection.receive(request("GET / HTTP/1.1"));
    await settle();
    connection.closed(null);
    expect(await sent).toMatchObject({ code: "ERR_CLOSED_BY_PEER" });
  });

  it("is not told that it was sent when it ends in the moment of an abort", async () => {
    let sent: Promise<unknown> = Promise.resolve();
    const { connection, exchanges, outcomes } = openConnection((exchange) => {
      const content = (async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("one");
        queueMicrotask(() => exchanges[0]?.abort(new Error("given up")));
      })();
      sent = Promise.resolve(exchange.respond(HEAD, content)).then(
        () => "sent",
        () => "rejected",
      );
    });
    connection.receive(request("GET / HTTP/1.1"));
    const said = await sent;
    expect([said, outcomes]).toEqual(outcomes[0] === "complete" ? ["sent", ["complete"]] : ["rejected", ["broken"]]);
  });
});

describe("what a handler may not say", () => {
  it("is an interim status that is no integer", () => {
    let failure: unknown = null;
    const { connection, transport } = openConnection((exchange) => {
      try {
        exchange.inform(103.5, []);
      } catch (error) {
        failure = error;
      }
      void exchange.respond(HEAD, "ok");
    });
    connection.receive(request("GET / HTTP/1.1"));
    expect(failure).toMatchObject({ code: "ERR_RESPONSE_STATUS" });
    expect(written(transport)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("is a protocol that the request did not name (RFC 9110 §7.8)", () => {
    const failures: unknown[] = [];
    const upgrade = (exchange: Exchange): void => {
      try {
        exchange.upgrade(["Upgrade", "other"]);
      } catch (error) {
        failures.push(error);
        void exchange.respond({ ...HEAD, status: 500 }, "");
      }
    };
    const { connection, transport } = openConnection(upgrade);
    connection.receive(request("GET / HTTP/1.1", "Connection: upgrade", "Upgrade: echo/1, x"));
    expect(failures).toMatchObject([{ code: "ERR_RESPONSE_FIELD" }]);
    expect(written(transport)).toMatch(/^HTTP\/1\.1 500 /);
  });
});

describe("an upgrade that also expects 100", () => {
  it("is told 100 before 101 (RFC 9110 §7.8)", () => {
    const { connection, transport } = openConnection((exchange) => void exchange.upgrade(["Upgrade", "X"]));
    connection.receive(request("GET / HTTP/1.1", "Connection: upgrade", "Upgrade: x", "Expect: 100-continue"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 101 Switching Protocols\r\n/);
  });
});
