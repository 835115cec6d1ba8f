import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { Context } from "../../src/web/context.ts";
import { CONNECTION, MemoryByteStream, MemoryExchange } from "./support/memory-exchange.ts";

function contextOf(exchange: MemoryExchange): Context {
  return new Context(exchange, () => {});
}

describe("the connection", () => {
  it("is told as it is", () => {
    const exchange = new MemoryExchange();
    const context = contextOf(exchange);
    expect(context.remoteAddress).toBe(CONNECTION.remoteAddress);
    expect(context.localAddress).toBe(CONNECTION.localAddress);
    expect([context.alpnProtocol, context.encrypted, context.serverName]).toEqual(["http/1.1", false, null]);
    expect(context.exchange).toBe(exchange);
  });
});

describe("params", () => {
  it("are empty, and nobody's to change", () => {
    const { params } = contextOf(new MemoryExchange());
    expect(params).toEqual({});
    expect(Object.isFrozen(params)).toBe(true);
  });
});

describe("sendInformational", () => {
  it("sends early hints with their fields", () => {
    const exchange = new MemoryExchange();
    contextOf(exchange).sendInformational(103, [
      ["Link", "</a.css>; rel=preload"],
      ["Link", "</b.css>; rel=preload"],
    ]);
    contextOf(exchange).sendInformational(100);
    expect(exchange.informed).toEqual([
      { status: 103, fields: ["Link", "</a.css>; rel=preload", "Link", "</b.css>; rel=preload"] },
      { status: 100, fields: [] },
    ]);
  });

  it.each([[101], [99], [200], [0], [150.5], [Number.NaN]])("refuses status %d", (status) => {
    const exchange = new MemoryExchange();
    expect(() => contextOf(exchange).sendInformational(status)).toThrow(RangeError);
    expect(exchange.informed).toEqual([]);
  });

  it("refuses a field that would split the response", () => {
    expect(() => contextOf(new MemoryExchange()).sendInformational(103, { link: "a\r\nb: c" })).toThrow(TypeError);
  });
});

describe("upgrade", () => {
  function upgradable(protocols = "echo/1, other"): MemoryExchange {
    const exchange = new MemoryExchange({ fields: [["Upgrade", protocols]] });
    exchange.byteStream = new MemoryByteStream();
    return exchange;
  }

  it("names the protocol that the client asked for first", () => {
    const exchange = upgradable();
    contextOf(exchange).upgrade({ headers: { "X-A": "1" } });
    expect(exchange.upgradeFields).toEqual(["X-A", "1", "upgrade", "echo/1"]);
  });

  it("names the protocol that the handler chose", () => {
    const exchange = upgradable();
    contextOf(exchange).upgrade({ headers: { Upgrade: "other" } });
    expect(exchange.upgradeFields).toEqual(["Upgrade", "other"]);
  });

  it("asks for the protocol with 426 where the request did not", () => {
    const act = (): unknown => contextOf(new MemoryExchange()).upgrade({ headers: { upgrade: "echo" } });
    expect(act).toThrow(HttpError);
    expect(act).toThrow(expect.objectContaining({ status: 426, headers: { upgrade: "echo", connection: "upgrade" } }));
  });

  it("refuses with 400 where nobody named a protocol", () => {
    expect(() => contextOf(new MemoryExchange()).upgrade()).toThrow(expect.objectContaining({ status: 400 }));
  });

  it("refuses a field that would split the response before anything is sent", () => {
    const exchange = upgradable();
    expect(() => contextOf(exchange).upgrade({ headers: { a: "1\n2" } })).toThrow(TypeError);
    expect(exchange.upgradeFields).toBeNull();
  });
});
