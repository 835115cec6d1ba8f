import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLocalPath, redirect, type RedirectOptions, type RedirectStatus } from "../../src/replies/index.ts";

const LOCAL = ["/", "/a/b?c=d#e", "/a//b", "/./b", "/../b", "/ö", "/a:b", "/@x", "/?next=//evil.example", "/.//x"];
const ELSEWHERE = [
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "/\n/evil.example",
  "\t//evil.example",
  " //evil.example",
  "https://evil.example/",
  "https:evil.example",
  "http:/evil.example",
  "HTTPS://evil.example",
  "javascript:alert(1)",
  "java\nscript:alert(1)",
  "data:text/html,x",
  "//user@evil.example",
  "/\0",
  "/a\r\nset-cookie: b=c",
  "",
];

describe("isLocalPath", () => {
  it.each(LOCAL)("is %j", (text) => expect(isLocalPath(text)).toBe(true));
  it.each([...ELSEWHERE, "a", "?a", "#a", "../a", null, undefined, 5, ["/a"]])("is not %j", (text) =>
    expect(isLocalPath(text)).toBe(false),
  );

  it("means the same site to the URL standard, whatever the text and the site", () => {
    const text = fc.string({
      unit: fc.constantFrom(
        "/",
        "\\",
        "a",
        ".",
        ":",
        "@",
        "\t",
        "\n",
        "\r",
        " ",
        "?",
        "#",
        "%",
        "http:",
        "https:",
        "é",
      ),
    });
    fc.assert(
      fc.property(text, fc.constantFrom("http://site.example/x/y", "https://site.example/"), (tail, site) => {
        const path = `/${tail}`;
        if (isLocalPath(path)) expect(new URL(path, site).origin).toBe(new URL(site).origin);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("redirect", () => {
  it("sees other by default, without content", () => {
    const response = redirect("/done");
    expect([response.status, response.headers.get("location"), response.body]).toEqual([303, "/done", null]);
    response.headers.set("x-a", "1");
    expect(response.headers.get("x-a")).toBe("1");
  });

  it.each<[string | URL, RedirectOptions, string]>([
    ["?page=2", {}, "?page=2"],
    ["next/one", {}, "next/one"],
    ["/é?ü", {}, "/%C3%A9?%C3%BC"],
    ["/a%20b", {}, "/a%20b"],
    ["/\uD800", {}, "/%EF%BF%BD"],
    ["https://login.example.org/x", { hosts: ["login.example.org"] }, "https://login.example.org/x"],
    [new URL("http://localhost:3000/x"), { hosts: ["LOCALHOST:3000"] }, "http://localhost:3000/x"],
    ["https://other.example/ö", { external: true }, "https://other.example/%C3%B6"],
    ["app.example:/callback?x", { external: true }, "app.example:/callback?x"],
  ])("leads to %s with %j", (location, options, expected) => {
    expect(redirect(location, 302, options).headers.get("location")).toBe(expected);
  });

  it.each(ELSEWHERE)("throws for %j", (location) => {
    expect(() => redirect(location, 303)).toThrow(TypeError);
  });

  it.each<[string, RedirectOptions]>([
    ["https://evil.example/", { hosts: ["login.example.org"] }],
    ["https://login.example.org.evil.example/", { hosts: ["login.example.org"] }],
    ["https://login.example.org:8443/", { hosts: ["login.example.org"] }],
    ["https://login.example.org@evil.example/", { hosts: ["login.example.org"] }],
    ["https://user:pw@login.example.org/", { hosts: ["login.example.org"] }],
    ["ftp://login.example.org/", { hosts: ["login.example.org"] }],
    ["javascript:alert(1)", { external: true }],
    ["data:text/html,x", { external: true }],
  ])("throws for %s with %j", (location, options) => {
    expect(() => redirect(location, 303, options)).toThrow("leaves this site");
  });

  it("throws for another status, host or option", () => {
    expect(() => redirect("/", 200 as RedirectStatus)).toThrow(RangeError);
    expect(() => redirect("/", 303, { hosts: ["https://a.example/"] })).toThrow("hosts: an array of 1 was given");
    expect(() => redirect("/", 303, { host: [] } as RedirectOptions)).toThrow("did you mean hosts");
    expect(() => redirect("/", 303, { headers: { "x-a": "1\r\nx-b: 2" } })).toThrow(TypeError);
  });
});

// Node 20 and 22: once it is compiled, URL.canParse() takes latin1 for UTF-8, and says yes to what new URL() throws at
it("judges text in latin1 the same however often it is asked", () => {
  const answers = new Set<boolean>();
  for (let i = 0; i < 40_000; i++) answers.add(isLocalPath("//\xe3\x80\x82"));
  expect([...answers]).toEqual([false]);
});
