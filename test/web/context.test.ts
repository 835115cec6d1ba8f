import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { Context, contextKey } from "../../src/web/context.ts";
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

describe("query", () => {
  const queryOf = (target: string): URLSearchParams => contextOf(new MemoryExchange({ target })).query;

  it.each([
    "/",
    "/?",
    "/?a",
    "/search?q=caf%C3%A9&page=1",
    "/?q=web+server&q=again&empty=&=nameless",
    "/?a=1?b=2&c=%26%3D%3f",
    "/?broken=%&%zz=%c3",
    "/?{raw}=|^`[]'",
    "/a%3Fb?c=d",
    "http://a.example/x?y=z",
    "http://a.example?y=z",
    "*",
  ])("is what the URL standard says of %s", (target) => {
    const url = new URL(target === "*" ? "/" : target, "http://a.example");
    expect([...queryOf(target)]).toEqual([...url.searchParams]);
  });

  it("is what the URL standard says of any query", () => {
    const octet = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    const text = fc.array(fc.oneof(octet, fc.constantFrom("&", "=", "%", "+", "?", "%41", "%e2%82%ac")), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, (parts) => {
        // The wire refuses it in a target
        const query = parts.join("").replaceAll("#", "");
        expect([...queryOf(`/p?${query}`)]).toEqual([...new URL(`http://a/p?${query}`).searchParams]);
      }),
    );
  });

  it("is made once, and changes nothing else", () => {
    const context = contextOf(new MemoryExchange({ target: "/?a=1" }));
    expect(context.query).toBe(context.query);
    context.query.append("b", "2");
    expect(context.exchange.request.target).toBe("/?a=1");
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

  it.each(["echConnection: upgrade, echo/1", ", echo/1", "a/b/c, echo/1, other", '"echo", echo/1'])(
    "passes over what is no protocol: %s",
    (protocols) => {
      const exchange = upgradable(protocols);
      contextOf(exchange).upgrade();
      expect(exchange.upgradeFields).toEqual(["upgrade", "echo/1"]);
    },
  );

  it("refuses a request whose content was not read, which is the client's doing as much as the handler's", () => {
    const exchange = new MemoryExchange({ fields: [["Upgrade", "echo"]], content: "more than was asked for" });
    expect(() => contextOf(exchange).upgrade()).toThrow(expect.objectContaining({ status: 400 }));
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

describe("state", () => {
  const user = contextKey<{ name: string }>("user");
  const count = contextKey("count", 0);

  it("is what was set under the same key, else the key's initial value", () => {
    const context = contextOf(new MemoryExchange());
    expect([context.get(user), context.get(count)]).toEqual([undefined, 0]);
    context.set(user, { name: "Ada" });
    context.set(count, context.get(count) + 1);
    expect([context.get(user)?.name, context.get(count)]).toEqual(["Ada", 1]);
    expect(context.get(contextKey("user"))).toBeUndefined();
  });

  it("is of one request alone", () => {
    const [first, second] = [contextOf(new MemoryExchange()), contextOf(new MemoryExchange())];
    first.set(count, 1);
    expect(second.get(count)).toBe(0);
  });

  it("is shared with derived contexts, whoever sets it first, and params are not", () => {
    const context = contextOf(new MemoryExchange());
    const derived = context.derive(new MemoryExchange({ target: "/below" }));
    const twice = derived.derive(new MemoryExchange());
    twice.set(count, 3);
    context.set(user, { name: "Ada" });
    context.params = { id: "1" };
    expect([context.get(count), derived.get(count), derived.get(user)?.name, twice.get(user)?.name]).toEqual([
      3,
      3,
      "Ada",
      "Ada",
    ]);
    expect(derived.params).toEqual({});
    expect(derived.exchange.request.target).toBe("/below");
  });
});

describe("route", () => {
  it("is kept on the exchange, where observers find it", () => {
    const exchange = new MemoryExchange();
    const context = contextOf(exchange);
    expect(context.route).toBe("");
    context.route = "/users/:id";
    expect(exchange.route).toBe("/users/:id");
  });
});
