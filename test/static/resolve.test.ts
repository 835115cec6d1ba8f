import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { folderPath, resolveRoute, resolveTarget } from "../../src/static/resolve.ts";

describe("a request-target that is served", () => {
  const served: [why: string, target: string, names: string[], isFolderPath: boolean, search: string][] = [
    ["the root", "/", [], true, ""],
    ["a name", "/a.html", ["a.html"], false, ""],
    ["a folder", "/a/", ["a"], true, ""],
    ["a query", "/a?b=c/../d", ["a"], false, "?b=c/../d"],
    ["an empty query", "/a?", ["a"], false, "?"],
    ["an encoded name", "/caf%C3%A9%20%F0%9F%93%96.txt", ["café 📖.txt"], false, ""],
    ["an encoded percent sign, decoded once", "/100%2525", ["100%25"], false, ""],
    ["an encoded question mark", "/why%3F", ["why?"], false, ""],
    ["an encoded number sign", "/c%23", ["c#"], false, ""],
    ["a plus that is no space", "/a+b", ["a+b"], false, ""],
    ["repeated slashes", "//a///b//", ["a", "b"], true, ""],
    ["dots inside of names", "/a..b/c./d...", ["a..b", "c.", "d..."], false, ""],
    ["a single dot, as apt writes it", "/debs/./a.deb", ["debs", "a.deb"], false, ""],
    ["a single dot first", "/./a", ["a"], false, ""],
    ["a single dot at the end", "/a/.", ["a"], true, ""],
    ["nothing but a dot", "/.", [], true, ""],
    ["a single dot, encoded", "/%2e/a/%2E/b", ["a", "b"], false, ""],
    ["a single dot at the end, encoded", "/a/%2e", ["a"], true, ""],
    ["a dot that is encoded twice, as a name", "/%252e/a", ["%2e", "a"], false, ""],
    ["a dot encoded in a name", "/a%2eb/c%2E", ["a.b", "c."], false, ""],
    ["the absolute form", "http://example.org/a/b?c", ["a", "b"], false, "?c"],
    ["the absolute form without a path", "http://example.org", [], true, ""],
    ["the well-known folder", "/.well-known/security.txt", [".well-known", "security.txt"], false, ""],
    ["names that objects have", "/__proto__/constructor", ["__proto__", "constructor"], false, ""],
  ];
  it.each(served)("reads %s: %s", (_why, target, names, isFolderPath, search) => {
    expect(resolveTarget("GET", target, false)).toEqual({ names, isFolderPath, search });
  });
});

describe("a route that no file can have", () => {
  it.each([
    ["/packages/@scope%2Fname", ["packages", "@scope", "name"], false],
    ["/search/a%5Cb", ["search", "a", "b"], false],
    ["/a%2F%2Fb/", ["a", "b"], true],
    ["/a%2Fmain.js", ["a", "main.js"], false],
    ["/./packages/%2e/@scope%2Fname", ["packages", "@scope", "name"], false],
    ["/a%2Fb/.", ["a", "b"], true],
  ])("is told by its parts: %s", (target, names, isFolderPath) => {
    expect(resolveTarget("GET", target, false)).toBeNull();
    expect(resolveRoute("GET", target, false)).toEqual({ names, isFolderPath, search: "" });
  });

  it.each([
    "/..%2fa",
    "/a%2f..%2f..%2fetc",
    "/a%5c..%5cb",
    "/a%2f.%2fb",
    "/a/../b%2fc",
    "/a%2f.env",
    "/%2e%2e%2fa",
    "/a%2f%00",
    "/%ff",
    "/%zz",
  ])("is none where a part is refused: %s", (target) => {
    expect(resolveRoute("GET", target, false)).toBeNull();
  });
});

describe("a request-target that leads nowhere", () => {
  const refused: [why: string, target: string][] = [
    ["a dot segment", "/.."],
    ["a dot segment with a slash", "/../"],
    ["a dot segment inside", "/a/../b"],
    ["an encoded dot segment", "/%2e%2e/etc/passwd"],
    ["a half encoded dot segment", "/.%2E/etc/passwd"],
    ["the other half", "/%2e./etc/passwd"],
    ["a dot segment behind an encoded single dot", "/%2e/../a"],
    ["an encoded dot segment behind an encoded single dot", "/%2e/%2e%2e/a"],
    ["an encoded single dot before an encoded slash", "/%2e%2fa"],
    ["an encoded single dot behind an encoded slash", "/a%2f%2e"],
    ["an encoded dot file behind an encoded single dot", "/%2e/%2eenv"],
    ["an encoded slash", "/a%2Fb"],
    ["an encoded traversal", "/..%2f..%2fetc%2fpasswd"],
    ["an encoded backslash", "/a%5Cb"],
    ["an encoded backslash traversal", "/..%5c..%5cwindows"],
    ["a raw backslash", "/..\\windows"],
    ["a NUL", "/a%00.html"],
    ["a raw NUL", "/a\0"],
    ["an overlong slash", "/..%c0%af..%c0%afetc"],
    ["an overlong dot", "/%c0%ae%c0%ae/"],
    ["an overlong slash of three octets", "/..%e0%80%af"],
    ["a surrogate in UTF-8", "/%ed%a0%80"],
    ["latin1", "/caf%E9"],
    ["a cut off UTF-8 sequence", "/%C3"],
    ["IIS unicode", "/%u002e%u002e/"],
    ["a malformed percent-encoding", "/%zz"],
    ["a lone percent sign", "/100%"],
    ["raw UTF-8 read as latin1", "/caf\xc3\xa9"],
    ["a dot file", "/.env"],
    ["an encoded dot file", "/%2eenv"],
    ["a dot folder", "/.git/config"],
    ["a dot file deeper", "/a/.htpasswd"],
    ["a dot file below the well-known folder", "/.well-known/.secret"],
    ["a well-known folder that is not at the root", "/a/.well-known/x"],
    ["three dots, which is a dot file", "/.../a"],
    ["the asterisk form", "*"],
    ["the authority form", "example.org:80"],
    ["nothing", ""],
    ["a path without slash", "a"],
    ["a file URL", "file:///etc/passwd"],
    ["white space", "/a b"],
  ];
  it.each(refused)("refuses %s: %s", (_why, target) => {
    expect(resolveTarget("GET", target, false)).toBeNull();
  });

  it("still refuses what is no name when dot files are shown", () => {
    expect(resolveTarget("GET", "/.env", true)?.names).toEqual([".env"]);
    for (const target of ["/..", "/%2e%2e/x", "/./..", "/.env%00"])
      expect(resolveTarget("GET", target, true)).toBeNull();
  });

  it("never yields a name that could lead elsewhere, whatever comes", () => {
    const piece = fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%2F",
      "%5c",
      "\\",
      "%00",
      "%25",
      "%c0%af",
      "a",
      "é",
      "?",
      "#",
      ":",
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 }),
        fc.boolean(),
        (pieces, dotFiles) => {
          for (const name of resolveTarget("GET", `/${pieces.join("")}`, dotFiles)?.names ?? []) {
            expect(name).not.toMatch(/^$|^\.\.?$|[/\\\0]/);
          }
        },
      ),
    );
  });
});

describe("a Location for a folder", () => {
  it.each([
    [["a"], "/a/"],
    [["a b", "c?d#e%"], "/a%20b/c%3Fd%23e%25/"],
    [["evil.example"], "/evil.example/"],
    [[], "/"],
  ])("encodes %j as %s", (names, path) => {
    expect(folderPath(names)).toBe(path);
  });

  it.each(["//evil.example", "///evil.example", "//evil.example/", "/evil.example", "////evil.example//x"])(
    "cannot name another host, whatever was asked for (open redirect): %s",
    (target) => {
      const { names } = resolveTarget("GET", target, false) ?? { names: ["refused"] };
      expect(names[0]).toBe("evil.example");
      expect(new URL(folderPath(names), "http://here.example/").host).toBe("here.example");
    },
  );

  it("leads back to the same names", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { maxLength: 4 }), (given) => {
        const names = given.filter((name) => !/[/\\\0]|^\.\.?$/.test(name));
        expect(resolveTarget("GET", folderPath(names), true)?.names).toEqual(names);
      }),
    );
  });
});
