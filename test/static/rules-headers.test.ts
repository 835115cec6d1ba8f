import { describe, expect, it } from "vitest";
import { resolveTarget } from "../../src/static/resolve.ts";
import { applyFieldChanges, HeaderRules } from "../../src/static/rules-headers.ts";
import { Mistakes, readRulesLines } from "../../src/static/rules-text.ts";

function parse(text: string): { rules: HeaderRules; mistakes: readonly string[] } {
  const mistakes = new Mistakes("_headers");
  const rules = HeaderRules.parse(readRulesLines(Buffer.from(text), mistakes), mistakes);
  return { rules, mistakes: mistakes.list };
}

/** The fields that an answer under `target` has, if the server gives it `given`. */
function fieldsOf(text: string, target: string, given: readonly string[] = []): readonly string[] {
  const { rules, mistakes } = parse(text);
  expect(mistakes).toEqual([]);
  const changes = rules.changesFor(resolveTarget("GET", target, false)!);
  return changes === null ? given : applyFieldChanges(given, changes);
}

describe("a section of _headers", () => {
  it.each([
    ["/a", "/a", true],
    ["/a", "/a/", false],
    ["/a", "/b", false],
    ["/a", "/a/b", false],
    ["/", "/", true],
    ["/", "/a", false],
    ["/*", "/", true],
    ["/*", "/a/b/c.html", true],
    ["/a/*", "/a/", true],
    ["/a/*", "/a/b/c", true],
    ["/a/*", "/a", false],
    ["/*.html", "/a.html", true],
    ["/*.html", "/a/b.html", true],
    ["/*.html", "/ahtml", false],
    ["/*.html", "/a.html.gz", false],
    ["/assets/app-*.js", "/assets/app-1234.js", true],
    ["/assets/*/app.js", "/assets/v1/x/app.js", true],
    ["/u/:name", "/u/ada", true],
    ["/u/:name", "/u/ada/x", false],
    ["/u/:name/*", "/u/ada/x", true],
    ["/a%20b", "/a%20b", true],
    ["/café/*", "/caf%c3%a9/x", true],
    ["/a.b+c(d)[e]", "/a.b+c(d)[e]", true],
    ["/a.b", "/axb", false],
    ["/100%25", "/100%25", true],
  ])("of %s: %s has its fields: %s", (path, target, isMatch) => {
    expect(fieldsOf(`${path}\n  X-Here: yes`, target)).toEqual(isMatch ? ["X-Here", "yes"] : []);
  });

  it("replaces what the server says, whatever the case", () => {
    const given = ["content-type", "text/html", "cache-control", "no-cache"];
    expect(fieldsOf("/*\n  Cache-Control: max-age=60", "/a", given)).toEqual([
      "content-type",
      "text/html",
      "Cache-Control",
      "max-age=60",
    ]);
  });

  it("adds to Vary and never replaces it", () => {
    expect(fieldsOf("/*\n  Vary: Cookie", "/a", ["vary", "accept-encoding"])).toEqual([
      "vary",
      "accept-encoding",
      "Vary",
      "Cookie",
    ]);
  });

  it("applies together with all others that match, in order, with several lines of a name", () => {
    const text = "/*\n  Link: </a.css>\n  X-A: 1\n/a\n  Link: </b.css>\n  X-B: 2\n/b\n  X-C: 3";
    expect(fieldsOf(text, "/a")).toEqual(["Link", "</a.css>", "X-A", "1", "Link", "</b.css>", "X-B", "2"]);
  });

  it("takes away what wider sections before it gave, and what the server gives", () => {
    const text = "/*\n  X-Frame-Options: DENY\n  X-A: 1\n/widget/*\n  ! X-Frame-Options\n  ! Content-Type\n  !X-None";
    expect(fieldsOf(text, "/widget/a", ["content-type", "text/html"])).toEqual(["X-A", "1"]);
    expect(fieldsOf(text, "/a")).toEqual(["X-Frame-Options", "DENY", "X-A", "1"]);
  });

  it("may replace by taking away and giving anew", () => {
    const text = "/*\n  Link: </a.css>\n/a\n  ! Link\n  Link: </b.css>";
    expect(fieldsOf(text, "/a")).toEqual(["Link", "</b.css>"]);
  });

  it("takes comments, blank lines, tabs, CRLF and colons in values", () => {
    const text =
      "# c\r\n\r\n/a\r\n\tContent-Security-Policy: default-src https://x.example; img-src #\r\n  # c\r\n\r\n  X:\r\n";
    expect(fieldsOf(text, "/a")).toEqual([
      "Content-Security-Policy",
      "default-src https://x.example; img-src #",
      "X",
      "",
    ]);
  });

  it("gives the same frozen object for the same sections", () => {
    const { rules } = parse("/*\n  X-A: 1\n/a/*\n  X-B: 2");
    const asked = (target: string) => resolveTarget("GET", target, false)!;
    const changes = rules.changesFor(asked("/x"));
    expect(rules.changesFor(asked("/y"))).toBe(changes);
    expect(rules.changesFor(asked("/a/x"))).not.toBe(changes);
    expect(Object.isFrozen(changes?.lines)).toBe(true);
    expect(Object.isFrozen(applyFieldChanges([], changes!))).toBe(true);
  });

  it("is matched in linear time", () => {
    const { rules } = parse("/:a/*/:b/x.html\n  X-A: 1");
    const names = Array.from({ length: 4000 }, () => "a");
    expect(rules.changesFor({ names, isFolderPath: false })).toBeNull();
    expect(rules.changesFor({ names: ["a".repeat(100_000)], isFolderPath: true })).toBeNull();
  });
});

describe("a file of fields that is wrong", () => {
  it.each([
    ["X-A: 1", 'a section begins with a path ("/…") at the start of a line, its fields are indented'],
    ["  X-A: 1", 'a section begins with a path ("/…") at the start of a line, its fields are indented'],
    ["https://x.example/*", 'a section begins with a path ("/…") at the start of a line, its fields are indented'],
    ["/a b", 'the path "/a b" holds white space, write %20'],
    ["/a?b", '"/a?b" is a path and must hold neither "?" nor "#"'],
    ["/*/*", '"*" may be in "/*/*" only once'],
    ["/%zz", '"%zz" is not percent-encoded UTF-8'],
  ])("says what is wrong with the path in %j", (text, expected) => {
    expect(parse(`# first\n${text}\n`).mistakes).toEqual([`_headers:2: ${expected}`]);
  });

  it.each([
    ["X-A", 'a field is "Name: value", or "! Name" to take it away'],
    [": 1", 'a field is "Name: value", or "! Name" to take it away'],
    ["X A: 1", '"X A" is no name of a field'],
    ["! X A", '"X A" is no name of a field'],
    ["X-A: \u0007x", "the line holds a control character"],
    ["X-A: a\rSet-Cookie: b", "the line holds a control character"],
    ["X-A: snow ☃", "the value of X-A holds a character that fields cannot have"],
    ["Content-Length: 3", "Content-Length is the server's to say"],
    ["transfer-encoding: chunked", "transfer-encoding is the server's to say"],
    ["Connection: close", "Connection is the server's to say"],
    ["Content-Encoding: br", "Content-Encoding is the server's to say"],
    ["ETag: W/1", "ETag is the server's to say"],
    ["! Date", "Date is the server's to say"],
    ["! Vary", "Vary cannot be taken away: caches would mix answers"],
  ])("says what is wrong with the field in %j", (text, expected) => {
    expect(parse(`/a\n  ${text}\n`).mistakes).toEqual([`_headers:2: ${expected}`]);
  });

  it("is bounded in sections and fields", () => {
    const sections = Array.from({ length: 201 }, (_, i) => `/${i}\n  X: 1`).join("\n");
    expect(parse(sections).mistakes).toEqual(["_headers: more than 200 sections"]);
    const fields = `/a\n${"  X: 1\n".repeat(51)}`;
    expect(parse(fields).mistakes).toEqual(["_headers:52: more than 50 fields in one section"]);
  });
});
