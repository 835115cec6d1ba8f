import fc from "fast-check";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Fields } from "../../src/http/fields.ts";
import { fieldLinesOf, Headers, headersOfFields } from "../../src/web/headers.ts";

type AnyHeaders = globalThis.Headers;
type Init = ConstructorParameters<typeof Headers>[0];

/** What a member gives, or the class of what it throws. */
function outcome(act: () => unknown): unknown {
  try {
    return { value: act() };
  } catch (error) {
    return { thrown: (error as Error).constructor.name };
  }
}

/** Everything that can be seen of headers. */
function view(headers: AnyHeaders): unknown {
  const each: [string, string][] = [];
  headers.forEach((value, name) => each.push([name, value]));
  return {
    entries: [...headers.entries()],
    keys: [...headers.keys()],
    values: [...headers.values()],
    iterated: [...headers],
    cookies: headers.getSetCookie(),
    each,
    shown: inspect(headers),
  };
}

const INITS: [string, () => unknown][] = [
  ["undefined", () => undefined],
  ["an empty record", () => ({})],
  ["a record", () => ({ "B": "2", "a": "1", "Content-Type": "text/html" })],
  ["a record with names that differ in case", () => ({ A: "1", a: "2", b: "3" })],
  ["a record of numbers", () => ({ a: 1, b: true, c: null })],
  [
    "pairs",
    () => [
      ["x", "1"],
      ["X", "2"],
      ["a", "0"],
    ],
  ],
  [
    "cookies",
    () => [
      ["set-cookie", "a=1"],
      ["b", "2"],
      ["Set-Cookie", "c=3"],
    ],
  ],
  [
    "several Cookie lines",
    () => [
      ["cookie", "a=1"],
      ["cookie", "b=2"],
    ],
  ],
  [
    "a Map",
    () =>
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
  ],
  [
    "the platform's headers",
    () =>
      new globalThis.Headers([
        ["set-cookie", "a"],
        ["set-cookie", "b"],
        ["x", "y"],
      ]),
  ],
  [
    "ours",
    () =>
      new Headers([
        ["set-cookie", "a"],
        ["set-cookie", "b"],
        ["X", "y"],
      ]),
  ],
  ["values with space around", () => ({ a: " \t\r\n1 2\n\r\t " })],
  ["an empty value", () => ({ a: "", b: "  " })],
  ["latin1", () => ({ a: "\u00e9\u00ff" })],
  ["a control character", () => ({ a: "1\u00012" })],
  ["null", () => null],
  ["a number", () => 1],
  ["a string", () => "a: b"],
  ["a pair of three", () => [["a", "b", "c"]]],
  ["a pair of one", () => [["a"]]],
  ["strings for pairs", () => ["ab"]],
  ["an empty name", () => ({ "": "1" })],
  ["a space in a name", () => ({ "a b": "1" })],
  ["a name above U+00FF", () => ({ "\u0100": "1" })],
  ["a colon in a name", () => [["a:", "1"]]],
  ["a value above U+00FF", () => ({ a: "\u0100" })],
  ["CR in a value", () => ({ a: "1\r2" })],
  ["LF in a value", () => ({ a: "1\n2" })],
  ["CRLF and a line in a value", () => ({ a: "1\r\nb: 2" })],
  ["NUL in a value", () => ({ a: "1\0" })],
  ["a symbol as value", () => ({ a: Symbol("x") })],
  ["a symbol as key", () => ({ [Symbol("x")]: "a" })],
  ["an object as value", () => ({ a: { toString: () => "text" } })],
  ["inherited members", () => Object.create({ a: "1" }) as unknown],
];

describe("construction", () => {
  it.each(INITS)("behaves as the platform's for %s", (_name, init) => {
    const make = (constructor: typeof Headers) => view(new constructor(init() as Init));
    expect(outcome(() => make(Headers))).toEqual(outcome(() => make(globalThis.Headers as unknown as typeof Headers)));
  });

  it.each(INITS)("gives the platform the same for %s", (_name, init) => {
    const viaOurs = outcome(() => [...new globalThis.Headers(new Headers(init() as Init))]);
    const direct = outcome(() => [...new globalThis.Headers(new globalThis.Headers(init() as [string, string][]))]);
    expect(viaOurs).toEqual(direct);
  });

  it("is an instance of the platform's class", () => {
    const headers = new Headers();
    expect(headers).toBeInstanceOf(globalThis.Headers);
    expect(headers).toBeInstanceOf(Headers);
    expect(Object.prototype.toString.call(headers)).toBe("[object Headers]");
    expect(headers.constructor.name).toBe("Headers");
  });

  it("is taken by the platform's Request and Response", () => {
    const headers = new Headers([
      ["set-cookie", "a"],
      ["set-cookie", "b"],
    ]);
    expect(new globalThis.Response(null, { headers }).headers.getSetCookie()).toEqual(["a", "b"]);
    expect(new globalThis.Request("http://localhost", { headers: { a: "1" } }).headers.get("a")).toBe("1");
  });
});

const CALLS: [string, (headers: AnyHeaders) => unknown][] = [
  ["append", (headers) => headers.append("A", "new")],
  ["append of a new name", (headers) => headers.append("New", " v ")],
  ["append of a cookie", (headers) => headers.append("Set-Cookie", "z=1")],
  ["append with an invalid name", (headers) => headers.append("a b", "1")],
  ["append with an invalid value", (headers) => headers.append("a", "1\n2")],
  ["append without value", (headers) => (headers.append as (name: string) => void)("a")],
  ["set", (headers) => headers.set("a", "only")],
  ["set in another case", (headers) => headers.set("A", "only")],
  ["set of a new name", (headers) => headers.set("zz", "1")],
  ["set of a cookie", (headers) => headers.set("set-cookie", "only=1")],
  ["set with an invalid name", (headers) => headers.set("", "1")],
  ["set with an invalid value", (headers) => headers.set("a", "\0")],
  ["delete", (headers) => headers.delete("A")],
  ["delete of a cookie", (headers) => headers.delete("SET-COOKIE")],
  ["delete of what is not there", (headers) => headers.delete("nope")],
  ["delete with an invalid name", (headers) => headers.delete("a:")],
  ["get", (headers) => headers.get("A")],
  ["get of Cookie", (headers) => headers.get("cookie")],
  ["get of Set-Cookie", (headers) => headers.get("Set-Cookie")],
  ["get of what is not there", (headers) => headers.get("nope")],
  ["get with an invalid name", (headers) => headers.get("\u0100")],
  ["get without name", (headers) => (headers.get as () => unknown)()],
  ["has", (headers) => [headers.has("A"), headers.has("set-cookie"), headers.has("nope")]],
  ["has with an invalid name", (headers) => headers.has(" ")],
  ["forEach without callback", (headers) => (headers.forEach as () => void)()],
  [
    "forEach with this",
    (headers) => {
      const seen: unknown[] = [];
      headers.forEach(function (this: unknown, value, name, all) {
        seen.push(this, value, name, all === headers);
      }, "me");
      return seen.map(String);
    },
  ],
  [
    "iteration while writing",
    (headers) => {
      const seen: string[] = [];
      for (const [name] of headers) {
        seen.push(name);
        if (seen.length < 9) headers.append(`b${seen.length}`, "1");
      }
      return seen;
    },
  ],
  ["the iterator's tag", (headers) => Object.prototype.toString.call(headers.entries())],
  ["entries is the iterator", (headers) => headers[Symbol.iterator] === headers.entries],
];

const LINES: [string, string][] = [
  ["A", "1"],
  ["Host", "example.com"],
  ["set-cookie", "s=1"],
  ["Cookie", "x=1"],
  ["a", "2"],
  ["cookie", "y=2"],
  ["Set-Cookie", "t=2"],
];

describe("members", () => {
  const stores: [string, () => AnyHeaders][] = [
    ["over a section as received", () => headersOfFields(Fields.from(LINES)) as unknown as AnyHeaders],
    ["over lines", () => new Headers(LINES)],
  ];
  describe.each(stores)("%s", (_store, make) => {
    it.each(CALLS)("%s behaves as the platform's", (_name, call) => {
      const ours = make();
      const platform = new globalThis.Headers(LINES);
      expect(outcome(() => call(ours))).toEqual(outcome(() => call(platform)));
      expect(view(ours)).toEqual(view(platform));
    });
  });

  it("have the platform's names, lengths and flags", () => {
    for (const key of Reflect.ownKeys(globalThis.Headers.prototype)) {
      const platform = Object.getOwnPropertyDescriptor(globalThis.Headers.prototype, key)!;
      const ours = Object.getOwnPropertyDescriptor(Headers.prototype, key);
      // What is neither method nor accessor is inherited as it is
      if (typeof platform.value !== "function" && platform.get === undefined) continue;
      expect([key, ours?.enumerable]).toEqual([key, platform.enumerable]);
      if (typeof key === "string" && typeof platform.value === "function" && key !== "constructor") {
        expect([key, (ours!.value as () => void).length]).toEqual([key, (platform.value as () => void).length]);
      }
    }
  });

  it("keep the case and order of names for the wire", () => {
    const headers = new Headers([
      ["X-B", "1"],
      ["x-a", "2"],
    ]);
    headers.append("ETag", '"1"');
    headers.set("x-b", "3");
    expect(fieldLinesOf(headers)).toEqual(["x-b", "3", "x-a", "2", "ETag", '"1"']);
  });
});

describe("properties", () => {
  const name = fc.constantFrom("a", "A", "b-c", "B-C", "set-cookie", "Set-Cookie", "cookie", "x_y", "content-type");
  const value = fc.string({ unit: fc.constantFrom("a", "1", " ", "\t", ",", ";", "\u00e9", '"'), maxLength: 6 });
  const step = fc.oneof(
    fc.tuple(fc.constant("append"), name, value),
    fc.tuple(fc.constant("set"), name, value),
    fc.tuple(fc.constant("delete"), name, value),
  );

  it("show the same as the platform's after any writes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.array(step), fc.boolean(), (lines, steps, isReceived) => {
        const trimmed = lines.map(([n, v]) => [n, v.trim()] as [string, string]);
        const ours = isReceived
          ? (headersOfFields(Fields.from(trimmed)) as unknown as AnyHeaders)
          : new Headers(trimmed);
        const platform = new globalThis.Headers(trimmed);
        for (const [act, n, v] of steps) {
          for (const headers of [ours, platform]) {
            if (act === "append") headers.append(n, v);
            else if (act === "set") headers.set(n, v);
            else headers.delete(n);
          }
          expect(ours.get(n)).toBe(platform.get(n));
        }
        expect(view(ours)).toEqual(view(platform));
      }),
    );
  });

  it("refuse the same names and values", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 3 }), fc.string({ unit: "binary", maxLength: 4 }), (n, v) => {
        const act = (headers: AnyHeaders) => () => {
          headers.append(n, v);
          return [...headers];
        };
        expect(outcome(act(new Headers()))).toEqual(outcome(act(new globalThis.Headers())));
      }),
      { numRuns: 2000 },
    );
  });
});
