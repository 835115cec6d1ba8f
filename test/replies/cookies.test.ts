import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clearCookie,
  type CookieOptions,
  readCookies,
  redirect,
  setCookie,
  signedCookies,
} from "../../src/replies/index.ts";
import { request } from "../../src/testing/index.ts";
import { Response } from "../../src/web/response.ts";

const asked = (cookie: string): globalThis.Request =>
  new globalThis.Request("http://localhost/", { headers: { cookie } });

function written(name: string, value: string, options?: CookieOptions): string | undefined {
  const response = new Response("ok");
  setCookie(response, name, value, options);
  return response.headers.getSetCookie()[0];
}

describe("readCookies", () => {
  it.each<[string, Record<string, string>]>([
    ["a=1; b=2", { a: "1", b: "2" }],
    ["a=1;b=2;  c = 3 ", { a: "1", b: "2", c: "3" }],
    ["a=first; a=second", { a: "first" }],
    ["a=%C3%A9%20b", { a: "é b" }],
    ["a=%E0%A4%A", { a: "%E0%A4%A" }],
    ['a="quoted"', { a: '"quoted"' }],
    ["a=b=c==", { a: "b=c==" }],
    ["=x; ;;; novalue; b=2", { b: "2" }],
    ["a b=1; c(=2; d=3", { d: "3" }],
    ["", {}],
  ])("reads %j", (text, expected) => {
    expect({ ...readCookies(asked(text)) }).toEqual(expected);
  });

  it("is empty without cookies", () => {
    expect({ ...readCookies(new globalThis.Request("http://localhost/")) }).toEqual({});
  });

  it("gives objects without prototype, in which no name is special", () => {
    const cookies = readCookies(asked("__proto__=a; constructor=b; toString=c"));
    expect(Object.getPrototypeOf(cookies)).toBe(null);
    expect(Object.entries(cookies)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
    ]);
    expect(readCookies(asked("a=1"))["toString"]).toBe(undefined);
    expect(({} as Record<string, unknown>)["a"]).toBe(undefined);
  });

  it("reads several lines of one request as one", async () => {
    const response = await request((req) => Response.json(readCookies(req)), "/", {
      headers: [
        ["cookie", "a=1"],
        ["cookie", "b=2"],
      ],
    });
    expect(await response.json()).toMatchObject({ a: "1" });
  });

  it("never throws, whatever a client sends", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("=", ";", " ", "%", "a", '"', ",", "\t", "é", "%zz") }), (text) => {
        readCookies({ headers: { get: () => text } });
      }),
    );
  });
});

describe("setCookie", () => {
  it.each<[CookieOptions, string]>([
    [{}, "id=a%20b; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [{ secure: false, httpOnly: false, sameSite: "strict", path: "/x" }, "id=a%20b; Path=/x; SameSite=Strict"],
    [{ secure: { encrypted: false } }, "id=a%20b; Path=/; HttpOnly; SameSite=Lax"],
    [{ secure: new globalThis.Request("https://localhost/") }, "id=a%20b; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [
      { maxAgeSeconds: 3600, domain: "example.org", sameSite: "none", partitioned: true, priority: "high" },
      "id=a%20b; Max-Age=3600; Domain=example.org; Path=/; HttpOnly; Secure; Partitioned; Priority=High; SameSite=None",
    ],
    [
      { expires: new Date(784_111_777_000) },
      "id=a%20b; Path=/; Expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; Secure; SameSite=Lax",
    ],
  ])("writes %j", (options, line) => {
    expect(written("id", "a b", options)).toBe(line);
  });

  it.each<[string, string, CookieOptions, string]>([
    ["a\r\nset-cookie: b", "1", {}, "token"],
    ["a=b", "1", {}, "token"],
    ["", "1", {}, "token"],
    ["a", "\uD800", {}, "well-formed"],
    ["a", 1 as unknown as string, {}, "text"],
    ["a", "x".repeat(4096), {}, "4097 octets"],
    ["a", "é".repeat(700), {}, "4201 octets"],
    ["a", "1", { path: "x" }, "path"],
    ["a", "1", { path: "/; Domain=evil.example" }, "path"],
    ["a", "1", { path: "/\r\nx: y" }, "path"],
    ["a", "1", { path: `/${"x".repeat(1024)}` }, "path"],
    ["a", "1", { domain: "a.example; Path=/x" }, "domain"],
    ["a", "1", { domain: "" }, "domain"],
    ["a", "1", { maxAgeSeconds: -1 }, "maxAgeSeconds"],
    ["a", "1", { maxAgeSeconds: 1.5 }, "maxAgeSeconds"],
    ["a", "1", { expires: new Date(NaN) }, "expires"],
    ["a", "1", { sameSite: "none", secure: false }, "SameSite=None"],
    ["a", "1", { partitioned: true, secure: false }, "Partitioned"],
    ["__Secure-a", "1", { secure: false }, "prefix asks for Secure"],
    [
      "__host-a",
      "1",
      { path: "/x", domain: "example.org", secure: false },
      "secure: its prefix asks for Secure\n  path: its prefix asks for the path /\n  domain: its prefix forbids",
    ],
    ["a", "1", { maxAge: 1 } as CookieOptions, "did you mean maxAgeSeconds"],
    ["a b", "1", { path: "x", sameSite: "no" as "lax" }, 'path: "x" was given'],
  ])("throws for %j = %.10j with %j", (name, value, options, message) => {
    const response = new Response("ok");
    expect(() => setCookie(response, name, value, options)).toThrow(message);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("takes the largest cookie that browsers take", () => {
    expect(written("a", "x".repeat(4095))).toContain("xxx;");
  });

  it("goes with headers, the platform's responses and redirects too, and keeps other cookies", () => {
    for (const target of [new Headers(), new globalThis.Response("ok"), redirect("/")]) {
      setCookie(target, "a", "1", { secure: false });
      setCookie(target, "b", "2", { secure: false });
      const headers = "headers" in target ? target.headers : target;
      expect(headers.getSetCookie().map((line) => line.slice(0, 3))).toEqual(["a=1", "b=2"]);
    }
  });

  it("replaces what was set under the same name, domain and path", () => {
    const response = new Response("ok");
    setCookie(response, "a", "1");
    setCookie(response, "a", "2", { path: "/x" });
    setCookie(response, "a", "3", { httpOnly: false });
    expect(response.headers.getSetCookie().map((line) => line.slice(0, 3))).toEqual(["a=2", "a=3"]);
  });

  it("clears a cookie", () => {
    const response = new Response("ok");
    setCookie(response, "a", "1", { domain: "example.org" });
    clearCookie(response, "a", { domain: "example.org" });
    expect(response.headers.getSetCookie()).toEqual([
      "a=; Max-Age=0; Domain=example.org; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
    ]);
  });

  it("gives back any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        const line = written("a", value) as string;
        expect(line).toMatch(/^[\x20-\x7e]*$/);
        expect(readCookies(asked(line.split(";")[0] as string))["a"]).toBe(value);
      }),
    );
  });
});

describe("signedCookies", () => {
  const [first, second] = ["1".repeat(32), new Uint8Array(32).fill(2)];

  function signed(keys: (string | Uint8Array)[], name: string, value: string): string {
    const response = new Response("ok");
    signedCookies({ keys }).set(response, name, value);
    return (response.headers.getSetCookie()[0] as string).split(";")[0] as string;
  }

  it("gives back what it signed, dots and all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        expect(signedCookies({ keys: [first] }).read(asked(signed([first], "id", value)), "id")).toBe(value);
      }),
    );
  });

  it("believes old keys and signs with the first", () => {
    const rotated = signedCookies({ keys: [second, first] });
    expect(rotated.read(asked(signed([first], "id", "7")), "id")).toBe("7");
    expect(signed([second, first], "id", "7")).toBe(signed([second], "id", "7"));
    expect(signedCookies({ keys: [second] }).read(asked(signed([first], "id", "7")), "id")).toBe(null);
  });

  it.each<[string, (pair: string) => string]>([
    ["another value", (pair) => pair.replace("=7", "=8")],
    ["another name", (pair) => pair.replace("id=", "admin=")],
    ["another signature", (pair) => pair.replace(/.$/, (end) => (end === "A" ? "E" : "A"))],
    ["a signature cut short", (pair) => pair.slice(0, -1)],
    ["no signature", () => "id=7"],
    ["an empty one", () => "id=7."],
    ["rubbish", () => "id=%E0%A4%A.%%%"],
    ["nothing", () => "x=1"],
  ])("does not believe %s", (_, forge) => {
    const cookies = signedCookies({ keys: [first] });
    const forged = asked(forge(signed([first], "id", "7")));
    expect([cookies.read(forged, "id"), cookies.read(forged, "admin")]).toEqual([null, null]);
  });

  it("leaves out what is not signed of all cookies", () => {
    const cookies = signedCookies({ keys: [first] }).readAll(asked(`a=1; ${signed([first], "id", "7")}; __proto__=x`));
    expect([Object.getPrototypeOf(cookies), { ...cookies }]).toEqual([null, { id: "7" }]);
  });

  it.each<[string, unknown]>([
    ["no key", []],
    ["a short one", ["secret"]],
    ["none at all", undefined],
    ["text in place of a list", "a secret"],
    ["one that is none", [5]],
  ])("refuses %s at start, without showing it", (_, keys) => {
    const make = (): unknown => signedCookies({ keys } as { keys: string[] });
    expect(make).toThrow(/^signedCookies: [^]*keys: .* was given, a list/);
    expect(make).not.toThrow('secret"');
  });
});
