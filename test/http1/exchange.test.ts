/** One exchange as its handler sees it: how it is shown, and what is small about it. */
import { describe, expect, it } from "vitest";
import type { WireExchange } from "../../src/http/exchange.ts";
import { ProtocolError } from "../../src/http/errors.ts";
import { LOOPBACK } from "../support/memory-transport.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

const HEAD = { status: 200, reason: "", fields: [] };
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

describe("an exchange", () => {
  it("shows the connection as it is, until it is presented as a proxy's client had it", () => {
    const { transport, connection, exchanges } = openConnection(() => {});
    connection.receive(request("GET /a?b HTTP/1.1"));
    const exchange = exchanges[0] as WireExchange;
    expect(exchange.connection).toBe(transport.info);
    const shown = { ...LOOPBACK, isEncrypted: true };
    exchange.present(shown, "https", "shop.example");
    expect(exchange.connection).toBe(shown);
    const { method, target, scheme, authority } = exchange.request;
    expect([method, target, scheme, authority]).toEqual(["GET", "/a?b", "https", "shop.example"]);
    expect(exchange.request.fields.get("host")).toBe("a.example");
  });

  it("without content has room for any limit of it", () => {
    const { connection, exchanges } = openConnection(() => {});
    connection.receive(request("GET / HTTP/1.1"));
    const content = exchanges[0]?.content;
    if (content !== undefined) content.maxBytes = 1;
    expect([content?.isEmpty, content?.length, content?.maxBytes]).toEqual([true, 0, Infinity]);
  });

  it("without content that is informed of 100 says it, and nothing comes of it", () => {
    const { transport, connection } = openConnection((exchange) => {
      exchange.inform(100, []);
      void exchange.respond(HEAD, "ok");
    });
    connection.receive(request("GET / HTTP/1.1"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it("whose handler says 100 itself does not say it again when the content is read (RFC 9110 §10.1.1)", () => {
    const { transport, connection, exchanges } = openConnection((exchange) => {
      exchange.inform(100, []);
      exchange.content.start({ chunk: () => {}, end: () => void exchange.respond(HEAD, "ok"), fail: () => {} });
    });
    connection.receive(request("POST / HTTP/1.1", "Content-Length: 3", "Expect: 100-continue"));
    connection.flush();
    expect(written(transport)).toBe(CONTINUE);
    connection.receive(Buffer.from("abc"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    expect(exchanges).toHaveLength(1);
  });

  it("whose client has left is told nothing more, and nobody is blamed for trying", () => {
    const { connection, exchanges, transport } = openConnection(() => {});
    connection.receive(request("GET / HTTP/1.1"));
    connection.closed(new Error("reset"));
    expect(() => exchanges[0]?.inform(103, ["Link", "</a.css>"])).not.toThrow();
    connection.flush();
    expect(written(transport)).toBe("");
  });

  it("is refused with the fields as others want them", () => {
    const edit = { apply: (lines: readonly string[]) => [...lines, "X-Request-Id", "k3f9"] };
    const { transport, connection } = openConnection((exchange) => {
      exchange.refuse(new ProtocolError("ERR_OVERLOADED"), edit);
    });
    connection.receive(request("GET / HTTP/1.1"));
    expect(written(transport)).toMatch(/^HTTP\/1\.1 503 [^]*\r\nX-Request-Id: k3f9\r\n/);
  });
});

describe("input that is no Buffer", () => {
  it("is seen as the octets of its view alone", () => {
    const { connection, exchanges } = openConnection(() => {});
    const framed = Uint8Array.from(
      Buffer.concat([Buffer.from("@@"), request("GET /view HTTP/1.1"), Buffer.from("@@")]),
    );
    connection.receive(framed.subarray(2, -2));
    expect(exchanges.map(({ request: head }) => head.target)).toEqual(["/view"]);
  });
});
