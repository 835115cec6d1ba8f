import { describe, expect, it } from "vitest";
import { cleanUrlNames, cleanUrlPath } from "../../src/static/clean-url.ts";
import { errorPageCandidates, isPageNavigation, wantsErrorPage } from "../../src/static/fallback.ts";
import { belowMount, NO_MOUNT, parseMount } from "../../src/static/mount.ts";
import { resolveTarget } from "../../src/static/resolve.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const asked = (target: string) => resolveTarget("GET", target, false)!;

describe("a clean URL", () => {
  it.each([
    [["about"], ["about.html"]],
    [
      ["docs", "v1.2"],
      ["docs", "v1.2.html"],
    ],
    [["a b%"], ["a b%.html"]],
    [["about.html"], null],
    [["ABOUT.HTML"], null],
    [[], null],
  ])("of %j is the page %j", (names, page) => {
    expect(cleanUrlNames(names)).toEqual(page);
  });

  it("is written with one slash at its start, encoded, below the prefix", () => {
    expect(cleanUrlPath(["evil.example"])).toBe("/evil.example");
    expect(cleanUrlPath(["a b", "100%", "c#?"])).toBe("/a%20b/100%25/c%23%3F");
    expect(cleanUrlPath(["a"], "/docs")).toBe("/docs/a");
  });
});

describe("the page of a single-page app", () => {
  it.each([
    ["GET", "/users/7", BROWSER, true],
    ["HEAD", "/users/7", BROWSER, true],
    ["GET", "/users/7/", BROWSER, true],
    ["GET", "/", BROWSER, true],
    ["GET", "/users/7", "text/html", true],
    ["GET", "/users/7", "TEXT/HTML;level=1", true],
    ["GET", "/v1.2/users", BROWSER, true],
    ["GET", "/.well-known", BROWSER, true],
    // serve answers 200 with HTML here
    ["GET", "/missing.js", BROWSER, false],
    ["GET", "/missing.js/", BROWSER, false],
    ["GET", "/users/7", "*/*", false],
    ["GET", "/users/7", "text/*", false],
    ["GET", "/users/7", "application/json", false],
    ["GET", "/users/7", "text/html;q=0, */*", false],
    ["GET", "/users/7", "", false],
    ["GET", "/users/7", null, false],
    ["POST", "/users/7", BROWSER, false],
    ["OPTIONS", "/users/7", BROWSER, false],
  ])("%s %s with Accept %s: %s", (method, target, accept, expected) => {
    expect(isPageNavigation(method, asked(target), accept)).toBe(expected);
  });
});

describe("the folder's own error page", () => {
  it.each([
    [null, true],
    ["", true],
    ["*/*", true],
    [BROWSER, true],
    ["image/avif,image/webp,*/*;q=0.8", true],
    ["text/html, application/json", true],
    ["application/json", false],
    ["application/json, text/plain, */*", false],
    ["application/problem+json", false],
    ["application/json, text/html;q=0.9", false],
    ["image/png", false],
    ["text/html;q=0", false],
  ])("answers Accept %j: %s", (accept, expected) => {
    expect(wantsErrorPage(accept)).toBe(expected);
  });

  it("is the nearest up the tree", () => {
    expect(errorPageCandidates(404, asked("/a/b/c"))).toEqual([
      ["a", "b", "404.html"],
      ["a", "404.html"],
      ["404.html"],
    ]);
    expect(errorPageCandidates(404, asked("/a/"))).toEqual([["a", "404.html"], ["404.html"]]);
    expect(errorPageCandidates(405, asked("/"))).toEqual([["405.html"]]);
    expect(errorPageCandidates(404, null)).toEqual([["404.html"]]);
  });

  it("is looked for in eight folders and the root at most", () => {
    const candidates = errorPageCandidates(404, asked("/a".repeat(1000)));
    expect(candidates).toHaveLength(9);
    expect(candidates.at(-1)).toEqual(["404.html"]);
  });
});

describe("a prefix", () => {
  it.each([
    ["", { names: [], base: "" }],
    ["/", { names: [], base: "" }],
    ["/docs", { names: ["docs"], base: "/docs" }],
    ["docs/", { names: ["docs"], base: "/docs" }],
    ["//evil.example", { names: ["evil.example"], base: "/evil.example" }],
    ["/a%20b/ü", { names: ["a b", "ü"], base: "/a%20b/%C3%BC" }],
    ["/..", null],
    ["/a%2Fb", null],
    ["/%zz", null],
    ["/a?b", null],
    ["/a\r\nb", null],
  ])("is read from %j as %j", (text, expected) => {
    expect(parseMount(text)).toEqual(expected);
  });

  it("has below it what begins with its names", () => {
    const mount = parseMount("/a b/c")!;
    expect(belowMount(asked("/a%20b/c/d?x"), mount)).toEqual({ names: ["d"], isFolderPath: false, search: "?x" });
    expect(belowMount(asked("/a%20b/c/"), mount)).toEqual({ names: [], isFolderPath: true, search: "" });
    expect(belowMount(asked("/a%20b/c"), mount)).toEqual({ names: [], isFolderPath: false, search: "" });
    expect(belowMount(asked("/a%20b/cd"), mount)).toBeNull();
    expect(belowMount(asked("/a%20b"), mount)).toBeNull();
    expect(belowMount(asked("/"), mount)).toBeNull();
    const target = asked("/x");
    expect(belowMount(target, NO_MOUNT)).toBe(target);
  });
});
