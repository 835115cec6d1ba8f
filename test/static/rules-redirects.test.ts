import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveTarget } from "../../src/static/resolve.ts";
import { RedirectRules } from "../../src/static/rules-redirects.ts";
import type { RuleAction } from "../../src/static/rules-redirects.ts";
import { Mistakes, readRulesLines } from "../../src/static/rules-text.ts";

function parse(text: string): { rules: RedirectRules; mistakes: readonly string[] } {
  const mistakes = new Mistakes("_redirects");
  const rules = RedirectRules.parse(readRulesLines(Buffer.from(text), mistakes), mistakes);
  return { rules, mistakes: mistakes.list };
}

function ask(text: string, target: string, base = ""): RuleAction | null {
  const { rules, mistakes } = parse(text);
  expect(mistakes).toEqual([]);
  const asked = resolveTarget("GET", target, false);
  return asked === null ? null : rules.find(asked, base);
}

/** Short for an action: `301 /there` or `= /page`. */
function say(action: RuleAction | null): string {
  if (action === null) return "none";
  return action.kind === "redirect" ? `${action.status} ${action.location}` : `${action.status} = ${action.target}`;
}

describe("a rule of _redirects", () => {
  it.each([
    // fixed paths, statuses
    ["/news /blog", "/news", "301 /blog"],
    ["/news\t\t/blog   302", "/news", "302 /blog"],
    ["/news /blog 303", "/news", "303 /blog"],
    ["/news /blog 307", "/news", "307 /blog"],
    ["/news /blog 308!", "/news", "308 /blog"],
    ["/app /index.html 200", "/app", "200 = /index.html"],
    ["/gone /404.html 404", "/gone", "404 = /404.html"],
    ["/news /blog", "/new", "none"],
    ["/news /blog", "/news/x", "none"],
    // a slash at the end makes no difference
    ["/news /blog", "/news/", "301 /blog"],
    ["/news/ /blog", "/news", "301 /blog"],
    ["/ /home 302", "/", "302 /home"],
    // splats
    ["/old/* /new/:splat", "/old/a/b.html", "301 /new/a/b.html"],
    ["/old/* /new/:splat", "/old/a/", "301 /new/a/"],
    ["/old/* /new/:splat", "/old/", "301 /new/"],
    ["/old/* /new/:splat", "/old", "301 /new/"],
    ["/old/* /new/:splat", "/older", "none"],
    ["/* /index.html 200", "/any/where", "200 = /index.html"],
    ["/* https://example.org/:splat 302", "/a/b", "302 https://example.org/a/b"],
    ["/* https://example.org 302", "/a/b", "302 https://example.org/"],
    // placeholders
    ["/news/:month/:year/:slug /blog/:year/:month/:slug", "/news/02/2024/leap", "301 /blog/2024/02/leap"],
    ["/news/:month/:year /blog/:year-:month.html 200", "/news/02/2024", "200 = /blog/2024-02.html"],
    ["/u/:name/* /users/:name/:splat", "/u/ada/x/y", "301 /users/ada/x/y"],
    ["/u/:name /users?name=:name", "/u/a&b=c", "301 /users?name=a%26b%3Dc"],
    // query
    ["/a /b", "/a?x=1&y=%20", "301 /b?x=1&y=%20"],
    ["/a /b?z=2", "/a?x=1", "301 /b?z=2"],
    ["/a /b#part", "/a?x=1", "301 /b?x=1#part"],
    ["/store id=:id /items/:id", "/store?id=7&x=1", "301 /items/7"],
    ["/store id=:id /items/:id", "/store", "none"],
    ["/store id=:id /items/:id", "/store?id=..", "none"],
    ["/store id=:id /items/:id", "/store?id=a/../b", "301 /items/a%2F..%2Fb"],
    ["/store kind=rope /ropes", "/store?kind=rope", "301 /ropes"],
    ["/store kind=rope /ropes", "/store?kind=knot", "none"],
    // names that need encoding, on both sides
    ["/a%20b /c%20d", "/a%20b", "301 /c%20d"],
    ["/caf%C3%A9 /bar", "/caf%c3%a9", "301 /bar"],
    ["/café /bär", "/caf%C3%A9", "301 /b%C3%A4r"],
    ["/100%25 /all", "/100%25", "301 /all"],
    ["/x/* /y/:splat", "/x/100%25%23%3F%20%E2%98%83", "301 /y/100%25%23%3F%20%E2%98%83"],
    ["/x/* /y/:splat", "/x/a:b@c,d;e=f", "301 /y/a:b@c,d;e=f"],
    // the first wins
    ["/a /one\n/a /two", "/a", "301 /one"],
    ["/:x /one\n/a /two", "/a", "301 /one"],
    ["/a /two\n/:x /one", "/a", "301 /two"],
    ["/b/* /one\n/:x /two", "/a", "301 /two"],
    // comments, blank lines, other line ends, byte order mark
    ["# a comment\n\n  # another\n/a /b # why", "/a", "301 /b"],
    ["\uFEFF/a /b\r\n/c /d\r\n", "/c", "301 /d"],
    // never to where the client is
    ["/* / 302", "/", "none"],
    ["/* /app/:splat 302", "/app", "302 /app/app"],
    ["/app/* /app/:splat 302", "/app/x?y=1", "none"],
    ["/app/* /app/ 302", "/app/", "none"],
    ["/app/* /app/index.html 200", "/app/index.html", "none"],
    ["/app/* /app/ 200", "/app", "none"],
  ])("%j answers %s with %s", (text, target, expected) => {
    expect(say(ask(text, target))).toBe(expected);
  });

  it("puts the prefix before local targets, and before no other", () => {
    expect(say(ask("/a /b", "/a", "/docs"))).toBe("301 /docs/b");
    expect(say(ask("/a https://example.org/b", "/a", "/docs"))).toBe("301 https://example.org/b");
    expect(say(ask("/a /b 200", "/a", "/docs"))).toBe("200 = /b");
  });

  it("says where it stands", () => {
    expect(ask("# first\n\n/a /b", "/a")?.place).toBe("_redirects:3");
  });

  it("comes before files only if it is forced", () => {
    const { rules } = parse("/a /b 302\n/c /d 302!\n/* /e 302");
    const asked = (target: string) => resolveTarget("GET", target, false)!;
    expect(say(rules.findForced(asked("/a")))).toBe("none");
    expect(say(rules.findForced(asked("/c")))).toBe("302 /d");
    expect(say(rules.find(asked("/c")))).toBe("302 /d");
    expect(say(rules.find(asked("/z")))).toBe("302 /e");
  });

  it("lets nobody choose another host (open redirect)", () => {
    const hostile = [
      "//evil.example",
      "///evil.example/",
      "/x//evil.example",
      "/x///evil.example/%2e",
      "/x/%2F%2Fevil.example",
      "/x/%5Cevil.example",
      "/x/\\evil.example",
      "/x/https://evil.example",
      "/x/@evil.example",
      "/x/%09/evil.example",
      "/evil.example",
      "/evil.example/",
      "http://here/x//evil.example",
    ];
    const texts = [
      "/* /:splat/ 302\n/x/* /:splat 302",
      "/x/* /:splat 302",
      "/:host/* /:splat/:host 302",
      "/x/* /:splat/evil.example 302",
      "/x/* //:splat 302",
      "/:a/:b/* /:splat/:splat/:b 302",
    ];
    for (const text of texts) {
      const { rules } = parse(text);
      for (const target of hostile) {
        const asked = resolveTarget("GET", target, false);
        const action = asked === null ? null : rules.find(asked);
        if (action?.kind !== "redirect") continue;
        expect(action.location).toMatch(/^\/(?![/\\])/);
        expect(new URL(action.location, "http://here/").host).toBe("here");
      }
    }
  });

  it("stays on its host and on its line, whatever is captured", () => {
    const { rules } = parse(
      "/a/:x/* /:splat/:x 302\n/b/* https://example.org/:splat?q=:splat\n/c k=:k /:k/:k\n/* /:splat/ 307",
    );
    const name = fc
      .oneof(fc.string({ unit: "binary", minLength: 1 }), fc.constantFrom("//", "\r\nset-cookie: a=b", "..", "@evil"))
      .filter((text) => text !== "");
    const asked = fc.record({
      names: fc
        .tuple(fc.constantFrom("a", "b", "c"), fc.array(name, { maxLength: 4 }))
        .map(([a, more]) => [a, ...more]),
      isFolderPath: fc.boolean(),
      search: fc.oneof(
        fc.constant(""),
        name.map((text) => `?k=${encodeURIComponent(text)}`),
        name,
      ),
    });
    fc.assert(
      fc.property(asked, (path) => {
        const action = rules.find(path);
        if (action === null) return;
        expect(action.kind).toBe("redirect");
        if (action.kind !== "redirect") return;
        expect(action.location).toMatch(/^[!-~]+$/);
        expect(["here", "example.org"]).toContain(new URL(action.location, "http://here/").host);
        if (path.names[0] !== "b") expect(new URL(action.location, "http://here/").host).toBe("here");
      }),
    );
  });
});

describe("a file of redirects that is wrong", () => {
  it.each([
    ["/a", 'a rule is "from to [status]", where "to" begins with "/", "http://" or "https://"'],
    ["a /b", '"a" must begin with "/"'],
    ["/a b", 'a rule is "from to [status]", where "to" begins with "/", "http://" or "https://"'],
    ["/a /b 200!!", '"200!!" is not supported: after the target comes a status alone'],
    ["/a /b 418", "the status must be one of 200, 301, 302, 303, 307, 308, 404, not 418"],
    ["/a /b 302 Country=de", '"Country=de" is not supported: after the target comes a status alone'],
    ["/a /b Role=admin", '"Role=admin" is not supported: after the target comes a status alone'],
    ["https://old.example/* /b", "rules for other hosts are not supported, write the path alone"],
    ["/a https://x.example/ 200", "status 200 needs a path: nothing is proxied"],
    ["/a/:h https://:h/ 302", '"https://:h" is no origin'],
    ["/a/:h https://a.:h.example/ 302", '"https://a.:h.example" is no origin'],
    ["/a https://user@x.example/", '"https://user@x.example" is no origin'],
    ["/a https:/x", '"https:/x" must begin with one "/"'],
    ["/a //evil.example", '"//evil.example" must begin with one "/"'],
    ["/a /\\evil.example", '"/\\\\evil.example" must begin with one "/"'],
    ["/a /:b", '":b" is not captured by the path or the query'],
    ["/a /:splat", '":splat" is not captured by the path or the query'],
    ["/*/a /b", '"*" must be the last segment of "/*/a", alone'],
    ["/a* /b", '"*" must be the last segment of "/a*", alone'],
    ["/:a/:a /b", '":a" is there twice'],
    ["/a?b=1 /c", '"/a?b=1" is a path and must hold neither "?" nor "#"'],
    ["/a%zz /c", '"a%zz" is not percent-encoded UTF-8'],
    ["/a%2Fb /c", '"a%2Fb" is not percent-encoded UTF-8'],
    ["/a b=1 c /d", '"c" is neither "name=value" nor a target'],
    ["/a /a/ 302", "/a redirects to itself; a slash at the end makes no difference"],
    ["/a /b\u0007", "the line holds a control character"],
    ["/a /b\rset-cookie:x", "the line holds a control character"],
    [`/a /${"b".repeat(5000)}`, "the line has more than 4096 characters"],
  ])("says what is wrong in %j", (text, expected) => {
    const { rules, mistakes } = parse(`# first line\n${text}\n`);
    expect(mistakes).toEqual([`_redirects:2: ${expected}`]);
    expect(rules.size).toBe(0);
  });

  it("is bounded in octets, rules, varying rules and mistakes", () => {
    expect(parse("#".repeat(300_000)).mistakes).toEqual(["_redirects: the file has more than 262144 octets"]);
    const fixed = Array.from({ length: 2001 }, (_, i) => `/a${i} /b`).join("\n");
    expect(parse(fixed).mistakes).toEqual([expect.stringMatching(/^_redirects:2001: more than 2000 rules/)]);
    expect(parse(fixed).rules.size).toBe(2000);
    const varying = Array.from({ length: 201 }, (_, i) => `/a${i}/* /b`).join("\n");
    expect(parse(varying).mistakes).toEqual([expect.stringMatching(/^_redirects:201: .* 200 with/)]);
    expect(parse("x\n".repeat(500)).mistakes).toHaveLength(20);
  });

  it("must be UTF-8", () => {
    const mistakes = new Mistakes("_redirects");
    expect(readRulesLines(Uint8Array.of(0x2f, 0xff), mistakes)).toEqual([]);
    expect(mistakes.list).toEqual(["_redirects: the file is no UTF-8 text"]);
  });
});
