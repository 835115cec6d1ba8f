import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodePath,
  defaultPort,
  hostOf,
  isOriginForm,
  isValidAuthority,
  parseTarget,
  removeDotSegments,
  requestUrl,
  splitTarget,
} from "../../src/http/target.ts";

const SEED = { seed: 3986, numRuns: 2000 };

/** Every character that a wire accepts in a request-target. */
const TARGET_CHARACTERS = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).filter(
  (c) => !'"<>\\#'.includes(c),
);
const targetText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...TARGET_CHARACTERS),
      fc.constantFrom(
        "/",
        "/",
        "?",
        ".",
        "..",
        "/.",
        "/..",
        "/../",
        "%2e",
        "%2E",
        "/%2e%2E/",
        "'",
        "%",
        "%zz",
        "%00",
        "^",
        "|",
        "a",
        "b1",
      ),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(""));

const hostText = fc.oneof(
  fc.constantFrom(
    "localhost",
    "example.com",
    "Example.COM",
    "127.0.0.1",
    "1.2.3",
    "0x7f.1",
    "a.1",
    "256.1.1.1",
    "01.2.3.4",
    "1.2.3.4.",
  ),
  fc.constantFrom(
    "[::1]",
    "[2001:db8::1]",
    "[::ffff:1.2.3.4]",
    "[1::2::3]",
    "[:::]",
    "[v1.x]",
    "[::1%25lo]",
    "xn--a",
    "xn--nxasmq6b",
    "a..b",
    ".",
    "a.",
  ),
  fc.constantFrom(
    "%41.com",
    "%2f",
    "%C3%A9.fr",
    "%ff",
    "%AD",
    "a_b",
    "-a-",
    "a~b!$&'()*+,;=",
    "XN--A",
    "a.xn--",
    "a.09",
    "a.0x",
    "a.1x",
  ),
  fc
    .array(fc.constantFrom(..."abxXn-_.019%~!$&'()*+,;=[]:".split(""), "xn--", "%61", "0x"), { maxLength: 9 })
    .map((p) => p.join("")),
);
const portText = fc.constantFrom(
  "",
  ":",
  ":0",
  ":80",
  ":443",
  ":8080",
  ":00080",
  ":65535",
  ":65536",
  ":99999",
  ":-1",
  ":8o",
  "::",
  ":080",
);
const authorityText = fc.tuple(hostText, portText).map(([host, port]) => host + port);

describe("parseTarget", () => {
  it.each([
    ["GET", "/", { form: "origin", scheme: "", authority: "", path: "/", query: null }],
    ["GET", "/a/b?c=d?e", { form: "origin", scheme: "", authority: "", path: "/a/b", query: "c=d?e" }],
    ["GET", "/a?", { form: "origin", scheme: "", authority: "", path: "/a", query: "" }],
    ["GET", "//a", { form: "origin", scheme: "", authority: "", path: "//a", query: null }],
    ["GET", "/{a}|^[b]`", { form: "origin", scheme: "", authority: "", path: "/{a}|^[b]`", query: null }],
    [
      "GET",
      "http://example.com/a?b",
      { form: "absolute", scheme: "http", authority: "example.com", path: "/a", query: "b" },
    ],
    [
      "GET",
      "HTTPS://Example.com:8443",
      { form: "absolute", scheme: "https", authority: "Example.com:8443", path: "/", query: null },
    ],
    [
      "GET",
      "http://example.com?a",
      { form: "absolute", scheme: "http", authority: "example.com", path: "/", query: "a" },
    ],
    ["GET", "http://[::1]:80/", { form: "absolute", scheme: "http", authority: "[::1]:80", path: "/", query: null }],
    ["OPTIONS", "*", { form: "asterisk", scheme: "", authority: "", path: "*", query: null }],
    ["OPTIONS", "/", { form: "origin", scheme: "", authority: "", path: "/", query: null }],
    [
      "OPTIONS",
      "http://example.com",
      { form: "absolute", scheme: "http", authority: "example.com", path: "*", query: null },
    ],
    [
      "OPTIONS",
      "http://example.com/",
      { form: "absolute", scheme: "http", authority: "example.com", path: "/", query: null },
    ],
    [
      "OPTIONS",
      "http://example.com?",
      { form: "absolute", scheme: "http", authority: "example.com", path: "/", query: "" },
    ],
    [
      "CONNECT",
      "example.com:443",
      { form: "authority", scheme: "", authority: "example.com:443", path: "", query: null },
    ],
    ["CONNECT", "[::1]:8080", { form: "authority", scheme: "", authority: "[::1]:8080", path: "", query: null }],
  ])("reads %s %s", (method, target, expected) => {
    expect(parseTarget(method, target)).toEqual(expected);
  });

  it.each([
    ["GET", ""],
    ["GET", "*"],
    ["POST", "*"],
    ["OPTIONS", "**"],
    ["GET", "a"],
    ["GET", "example.com:443"],
    ["GET", "?a"],
    ["GET", "/a b"],
    ["GET", '/"'],
    ["GET", "/<"],
    ["GET", "/>"],
    ["GET", "/\\"],
    ["GET", "/#a"],
    ["GET", "/\u00e9"],
    ["GET", "/\0"],
    ["GET", "/\x7f"],
    ["GET", "/\n"],
    ["GET", "http:///a"],
    ["GET", "http:/a"],
    ["GET", "http:a"],
    ["GET", "http://"],
    ["GET", "http://user@example.com/"],
    ["GET", "http://u:p@example.com/"],
    ["GET", "http://exa[mple/"],
    ["GET", "http://example.com:65536/"],
    ["GET", "http://example.com:8a/"],
    ["GET", "ftp://example.com/"],
    ["GET", "file:///etc"],
    ["GET", "http://a.1/"],
    ["CONNECT", "/"],
    ["CONNECT", "*"],
    ["CONNECT", "example.com"],
    ["CONNECT", "example.com:"],
    ["CONNECT", "example.com:0"],
    ["CONNECT", "example.com:65536"],
    ["CONNECT", "http://a:1/"],
    ["CONNECT", "a@b:1"],
  ])("refuses %s %j", (method, target) => {
    expect(parseTarget(method, target)).toBeNull();
  });

  it("gives path and query that join to the target in origin-form", () => {
    fc.assert(
      fc.property(targetText, (text) => {
        const parsed = parseTarget("GET", `/${text}`);
        expect(parsed?.form).toBe("origin");
        expect(parsed?.path + (parsed?.query === null ? "" : `?${parsed?.query}`)).toBe(`/${text}`);
      }),
      SEED,
    );
  });
});

describe("isOriginForm", () => {
  it.each([
    ["/", true],
    ["/a", true],
    ["*", false],
    ["http://a/", false],
    ["", false],
  ])("%j: %s", (target, expected) => {
    expect(isOriginForm(target)).toBe(expected);
  });
});

describe("splitTarget", () => {
  it.each([
    ["/a", "/a", null],
    ["/a?", "/a", ""],
    ["/?a?b", "/", "a?b"],
    ["", "", null],
  ])("cuts %j", (target, path, query) => {
    expect(splitTarget(target)).toEqual({ path, query });
  });
});

describe("isValidAuthority", () => {
  it.each([
    "localhost",
    "localhost:8080",
    "example.com",
    "EXAMPLE.com:443",
    "a-b.c_d",
    "example.com.",
    "a.b.:80",
    "127.0.0.1",
    "127.0.0.1:8080",
    "0.0.0.0",
    "[::1]",
    "[::1]:8080",
    "[::]:",
    "[2001:DB8::1]",
    "[::ffff:192.0.2.1]",
    "example.com:",
    "example.com:0",
    "example.com:65535",
    "example.com:00080",
    "xn--nxasmq6b",
    "%61.com",
    "%C3%A9.fr",
    "a~b!$&'()*+,;=c",
    "1.2.3",
    "3com.example",
    "1a",
    "under_score.example",
  ])("accepts %s", (text) => {
    expect(isValidAuthority(text)).toBe(true);
  });

  it.each([
    "",
    ":",
    ":80",
    "a b",
    "a/b",
    "a?b",
    "a#b",
    "a\\b",
    "user@a",
    "user:pw@a",
    "a:b",
    "a:65536",
    "a:99999",
    "a:-1",
    "a:+1",
    "a: 80",
    "a:80:80",
    "a::",
    "::1",
    "[::1",
    "::1]",
    "[::1]a",
    "[::1]80",
    "[]",
    "[:]",
    "[1::2::3]",
    "[12345::]",
    "[::1%25eth0]",
    "[fe80::1%eth0]",
    "[v1.a]",
    "[::256.1.1.1]",
    "256.1.1.1",
    "1.2.3.4.5",
    "a.1",
    "a.0x",
    "a.09",
    "%",
    "%4",
    "%zz",
    "%2f",
    "%00",
    "%ff",
    "<a>",
    "a|b",
    "a^b",
    "{a}",
    "a`b",
    '"a"',
    "\u00e9",
    "a\n",
    "a\t",
    "a, b",
    "a,b:80,c",
  ])("refuses %j", (text) => {
    expect(isValidAuthority(text)).toBe(false);
  });

  // Newer URL parsers let broken Punycode pass; what matters is that request.url never throws
  it.each(["xn--a", "a.xn--"])("takes %j exactly if the URL parser of this Node does", (text) => {
    expect(isValidAuthority(text)).toBe(URL.canParse(`http://${text}`));
  });

  it("accepts nothing that the URL parser refuses or reads as more than an authority", () => {
    fc.assert(
      fc.property(authorityText, (text) => {
        if (!isValidAuthority(text)) return;
        const url = new URL(`http://${text}`);
        expect([url.pathname, url.search, url.username, url.hash]).toEqual(["/", "", "", ""]);
        expect(new URL(`https://${text}/a`).hostname).toBe(url.hostname);
      }),
      SEED,
    );
  });

  it("accepts whatever both RFC 3986 and the URL parser accept", () => {
    const grammar = /^(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?$/;
    fc.assert(
      fc.property(authorityText, (text) => {
        expect(isValidAuthority(text)).toBe(grammar.test(text) && URL.canParse(`http://${text}`));
      }),
      SEED,
    );
  });

  it("takes linear time for long names", () => {
    expect(isValidAuthority("a.".repeat(40_000))).toBe(URL.canParse(`http://${"a.".repeat(40_000)}`));
    expect(isValidAuthority(`${"a-".repeat(40_000)}/`)).toBe(false);
  });
});

describe("requestUrl", () => {
  it.each([
    ["http", "localhost:8080", "/", "http://localhost:8080/"],
    ["http", "localhost:80", "/", "http://localhost/"],
    ["https", "localhost:443", "/a", "https://localhost/a"],
    ["https", "localhost:80", "/a", "https://localhost:80/a"],
    ["http", "LOCALHOST", "/A", "http://localhost/A"],
    ["http", "a", "/b/../c?d'e", "http://a/c?d%27e"],
    // The URL parser of Node 20 and 22 leaves dot segments behind a name that begins with a dot
    ["http", "a", "/x/.b/../../c", "http://a/c"],
    ["http", "a", "/x/.b/./c/..?d/../e", "http://a/x/.b/?d/../e"],
    ["http", "a", "/x/.b/%2E%2e/%2e./c", "http://a/c"],
    ["http", "a", "http://b/x/.b/../../c?/../d", "http://b/c?/../d"],
    ["http", "a", "http://b?/x/.b/../../c", "http://b/?/x/.b/../../c"],
    ["http", "a", "/%2e%2E/b", "http://a/b"],
    ["http", "a", "//b/c", "http://a//b/c"],
    ["http", "a", "/.well-known/x", "http://a/.well-known/x"],
    ["http", "a", "/?", "http://a/?"],
    ["http", "a", "/{x}?{y}|[z]", "http://a/%7Bx%7D?{y}|[z]"],
    ["http", "", "/a", "http://localhost/a"],
    ["http", "a", "*", "http://a/"],
    ["https", "a", "http://b:80/c/./d", "http://b/c/d"],
    ["http", "a", "HTTP://b", "http://b/"],
    ["http", "a:1", "b:443", "http://b:443/"],
    ["http", "01.2.3.4", "/", "http://1.2.3.4/"],
    ["http", "[::0:1]", "/", "http://[::1]/"],
    ["http", "a:00080", "/", "http://a/"],
    ["http", "xn--nxasmq6b:8080", "/", "http://xn--nxasmq6b:8080/"],
  ])("%s, %j, %s: %s", (scheme, authority, target, href) => {
    expect(requestUrl(scheme, authority, target)).toBe(href);
  });

  it("is what the URL parser writes, for any target on any authority", () => {
    fc.assert(
      fc.property(fc.constantFrom("http", "https"), authorityText, targetText, (scheme, authority, text) => {
        fc.pre(isValidAuthority(authority));
        const target = `/${text}`;
        // Of such names the parsers of some versions of Node make other paths, see below
        fc.pre(!/\/(?:\.|%2e){1,2}(?!\.|%2e)[^/?]/i.test(target) && !/\/(?:\.|%2e){3}/i.test(target));
        expect(requestUrl(scheme, authority, target)).toBe(new URL(`${scheme}://${authority}${target}`).href);
      }),
      { ...SEED, numRuns: 5000 },
    );
  });

  it("has no dot segment, whatever the names", () => {
    const names = fc.array(fc.constantFrom("a", ".a", "..a", "...", ".", "..", "%2e", ".%2E", "", "%2e%2ea"), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(names, (segments) => {
        const url = requestUrl("http", "a", `/${segments.join("/")}?/../`);
        const [path, query] = url.slice("http://a".length).split("?");
        expect(path).not.toMatch(/\/(?:\.|%2e){1,2}(?:\/|$)/i);
        expect(query).toBe("/../");
        expect(new URL(url).href).toBe(url);
      }),
      SEED,
    );
  });

  it("is what the URL parser writes, for every single character in path and query", () => {
    for (const character of TARGET_CHARACTERS) {
      for (const target of [
        `/${character}`,
        `/a${character}b/c`,
        `/?${character}`,
        `/a?b${character}c`,
        `/${character}.`,
        `/.${character}/a`,
      ]) {
        expect(requestUrl("http", "a.example:81", target)).toBe(new URL(`http://a.example:81${target}`).href);
      }
    }
  });

  it("takes linear time for long targets", () => {
    expect(requestUrl("http", "a", `/${"/a".repeat(40_000)}\``)).toMatch(/%60$/);
  });

  it("throws for no target that parses", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "OPTIONS", "CONNECT"),
        fc.constantFrom("", "*", "http://", "HTTPS://", "/"),
        authorityText,
        targetText,
        (method, prefix, authority, rest) => {
          const target = prefix + (prefix === "*" ? "" : authority) + rest;
          if (parseTarget(method, target) === null) return;
          expect(requestUrl("http", "a", target)).toMatch(/^https?:\/\/[^/]+\//);
        },
      ),
      SEED,
    );
  });
});

describe("decodePath", () => {
  it.each([
    ["/a", "/a"],
    ["/%41", "/A"],
    ["/%c3%A9", "/\u00e9"],
    ["/%F0%9F%98%80", "/\u{1f600}"],
    ["/%25%32%65", "/%2e"],
    ["/%252e", "/%2e"],
    ["/%2e%2e/", "/../"],
    ["/a%2Fb", "/a/b"],
    ["/+", "/+"],
    ["", ""],
  ])("decodes %s", (path, expected) => {
    expect(decodePath(path)).toBe(expected);
  });

  it.each([
    "/%",
    "/%4",
    "/%zz",
    "/%c3",
    "/%c3%41",
    "/%c0%ae",
    "/%c0%80",
    "/%e0%80%af",
    "/%ed%a0%80",
    "/%f4%90%80%80",
    "/%ff",
    "/%80",
    "/%00",
    "/a\0b",
    "/%u0041",
  ])("refuses %j", (path) => {
    expect(decodePath(path)).toBeNull();
  });

  it("gives back whatever was percent-encoded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(!text.includes("\0"));
        expect(decodePath(encodeURIComponent(text))).toBe(text);
      }),
      SEED,
    );
  });
});

describe("removeDotSegments", () => {
  /** RFC 3986 §5.2.4, step by step. */
  function reference(path: string): string {
    let input = path;
    let output = "";
    while (input !== "") {
      if (input.startsWith("/./")) input = input.slice(2);
      else if (input === "/.") input = "/";
      else if (input.startsWith("/../") || input === "/..") {
        input = `/${input.slice(4)}`;
        output = output.slice(0, Math.max(0, output.lastIndexOf("/")));
      } else {
        const next = input.indexOf("/", 1);
        const end = next === -1 ? input.length : next;
        output += input.slice(0, end);
        input = input.slice(end);
      }
    }
    return output;
  }

  it.each([
    ["/", "/"],
    ["/a/b/c/./../../g", "/a/g"],
    ["/..", "/"],
    ["/../..", "/"],
    ["/.", "/"],
    ["/a/..", "/"],
    ["/a/.", "/a/"],
    ["/a/../", "/"],
    ["/a//../b", "/a/b"],
    ["//..", "/"],
    ["/...", "/..."],
    ["/.a", "/.a"],
    ["/..a/..", "/"],
    ["/a./b", "/a./b"],
    ["/a/%2e/b/.%2E/c", "/a/c"],
    ["/a/.b/../%2e%2E", "/"],
    ["/%2e%2ea/%2e.", "/"],
  ])("%s: %s", (path, expected) => {
    expect(removeDotSegments(path)).toBe(expected);
  });

  it("does what the RFC's steps do", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("/", ".", "..", "a", "/./", "/../"), { maxLength: 12 }), (parts) => {
        const path = `/${parts.join("")}`;
        expect(removeDotSegments(path)).toBe(reference(path));
      }),
      SEED,
    );
  });
});

describe("hostOf", () => {
  it.each([
    ["a", "a"],
    ["a:80", "a"],
    ["a:", "a"],
    ["[::1]", "[::1]"],
    ["[::1]:80", "[::1]"],
    ["127.0.0.1:1", "127.0.0.1"],
  ])("%s: %s", (authority, host) => {
    expect(hostOf(authority)).toBe(host);
  });
});

describe("defaultPort", () => {
  it.each([
    ["http", 80],
    ["https", 443],
  ])("%s: %i", (scheme, port) => {
    expect(defaultPort(scheme)).toBe(port);
  });
});
