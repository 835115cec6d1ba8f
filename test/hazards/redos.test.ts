/**
 * Regular expressions of the source that a text could keep busy (ReDoS): none is exponential, and those that could take
 * quadratic time are listed with the reason why nobody can make use of it.
 */
import { afterEach, describe, expect, it, vi } from "vitest";
import { readXForwarded } from "../../src/http/forwarding.ts";
import { Fields } from "../../src/http/fields.ts";
import { listFiles, readSource, readText } from "../architecture/source.ts";
import { growthOf } from "./support/backtracking.ts";

afterEach(() => vi.unstubAllGlobals());

/** What the lexer takes for a pattern: the first line of a script, and markup in a template. */
function isOther(path: string, line: number): boolean {
  const text = readText(path).split("\n")[line - 1] ?? "";
  return text.startsWith("#!") || text.includes("</");
}

const literals = listFiles("src", [".ts"]).flatMap((path) =>
  readSource(path)
    .pieces.filter(({ kind, line }) => kind === "regex" && !isOther(path, line))
    .map(({ text }): readonly [path: string, text: string] => [path, text]),
);

function toPattern(text: string): RegExp {
  const end = text.lastIndexOf("/");
  return new RegExp(text.slice(1, end), text.slice(end + 1));
}

const OWN = "reads what the owner of the server has written";
const LAST = "its last loop matches all that can come, line ends having been refused before: it never fails";
const SHORT = "reads few characters";

/** File, pattern, and why nobody can make use of it. */
const QUADRATIC: ReadonlyArray<readonly [path: string, text: string, reason: string]> = [
  ["src/certificates/bundle.ts", "/-----BEGIN CERTIFICATE-----[^]*-----END CERTIFICATE-----/", OWN],
  [
    "src/certificates/bundle.ts",
    "/-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[^]*?-----END (?:EC |RSA )?PRIVATE KEY-----/",
    OWN,
  ],
  [
    "src/cli/config-place.ts",
    String.raw`/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|${"`"}(?:[^${"`"}\\]|\\.)*${"`"}/`,
    OWN,
  ],
  ["src/cli/question.ts", "/#.*$/", OWN],
  ["src/http/cache-control.ts", String.raw`/\d+x\d+/i`, SHORT],
  ["src/http/target.ts", String.raw`/^(https?):\/\/([^/?]+)(.*)$/i`, LAST],
  ["src/middleware/bearer.ts", "/^bearer(?: +(.*))?$/i", LAST],
  ["src/server/https-redirect.ts", String.raw`/^[a-z][a-z0-9+.-]*:\/\/[^/?]*(.*)$/i`, LAST],
  ["src/static/rules-headers.ts", String.raw`/^![ \t]*(.*)$/`, OWN],
  ["src/static/rules-redirects.ts", String.raw`/^(https?:\/\/[^/?#]*)?(.*)$/i`, OWN],
];

describe("patterns of the source", () => {
  const slow = literals.filter(([, text]) => growthOf(toPattern(text)) !== "linear");

  it("are found", () => {
    expect(literals.length).toBeGreaterThan(250);
  });

  it("take linear time, but for those with a reason", () => {
    expect(slow).toEqual(QUADRATIC.map(([path, text]) => [path, text]));
  });

  it("are never exponential", () => {
    expect(slow.filter(([, text]) => growthOf(toPattern(text)) === "exponential")).toEqual([]);
  });

  it("are made of other text in few places", () => {
    const places = listFiles("src", [".ts"]).filter((path) => readSource(path).code.includes("RegExp("));
    expect(places).toEqual([
      "src/app/pattern.ts", // The owner's own constraint
      "src/cli/config-place.ts", // Names of options, in the owner's own file
      "src/cli/make-handler.ts", // Names of our own options, in our own message
      "src/http/date.ts",
      "src/replies/cookies.ts",
      "src/static/rules-headers.ts",
    ]);
  });
});

describe("patterns that are put together", () => {
  /** Those that `make` makes. */
  async function made(make: () => Promise<unknown>): Promise<RegExp[]> {
    const patterns: RegExp[] = [];
    const recorder = new Proxy(RegExp, {
      construct: (target, words: [string, string?]) => {
        const pattern = new target(...words);
        patterns.push(pattern);
        return pattern;
      },
    });
    vi.resetModules();
    vi.stubGlobal("RegExp", recorder);
    await make();
    vi.unstubAllGlobals();
    return patterns;
  }

  it.each<[string, () => Promise<unknown>]>([
    ["dates", () => import("../../src/http/date.ts")],
    ["domains of cookies", () => import("../../src/replies/cookies.ts")],
    [
      "paths of _headers",
      async () => {
        const { HeaderRules } = await import("../../src/static/rules-headers.ts");
        const { Mistakes, readRulesLines } = await import("../../src/static/rules-text.ts");
        const paths = ["/*", "/:a/*/:b/:c", "/a*b", "/:a/:b/:c/:d", "/*.js", "/a/*/*/b", "/(a+)+$", "/[a-z]+*"];
        const mistakes = new Mistakes("_headers");
        const text = paths.map((path) => `${path}\n  X-A: b\n`).join("");
        HeaderRules.parse(readRulesLines(Buffer.from(text), mistakes), mistakes);
      },
    ],
  ])("of %s take linear time", async (_, make) => {
    const patterns = await made(make);
    expect(patterns.length).toBeGreaterThan(0);
    expect(patterns.filter((pattern) => growthOf(pattern) !== "linear")).toEqual([]);
  });
});

describe("what was quadratic, or worse, once", () => {
  /** Quadratic time would take seconds, linear time a millisecond. */
  const LONG = 200_000;
  const MOST_MS = 500;

  it.each<[string, () => unknown]>([
    ["X-Forwarded-For of colons", () => readXForwarded([`${":".repeat(LONG)}x`], [], [])],
    [
      "tracestate of space",
      async () => {
        const { readTraceContext } = await import("../../src/observe/trace-context.ts");
        const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        readTraceContext(
          Fields.from([
            ["traceparent", parent],
            ["tracestate", `a${" ".repeat(LONG)}b`],
          ]),
        );
      },
    ],
    [
      "file name of dots",
      async () => (await import("../../src/bodies/file-name.ts")).safeFileName(`a${".".repeat(LONG)}b`),
    ],
  ])("%s is read in no time", async (_, read) => {
    const begin = performance.now();
    await read();
    expect(performance.now() - begin).toBeLessThan(MOST_MS);
  });
});

describe("the judge of patterns", () => {
  it.each([
    ["^a+$", "linear"],
    ["a+", "linear"],
    ["^(?:a|b)*c", "linear"],
    ["^[^:]*:.*$", "linear"],
    ["^(?:[a-z]+,)*$", "linear"],
    ["a+$", "polynomial"],
    ["^a*a*b", "polynomial"],
    [String.raw`\s*,\s*`, "polynomial"],
    ["^.*x.*$", "polynomial"],
    [String.raw`^\d*[\w.]*$`, "polynomial"],
    ["^(a*)*b", "exponential"],
    ["^(a|a)*$", "exponential"],
    ["^(?:a|ab|b)*c", "exponential"],
    ["^(?:a{1,3})*$", "exponential"],
    ["^(?=(a*)*b)x", "exponential"],
    [String.raw`^(?:\w+\s?)*$`, "exponential"],
  ])("finds that /%s/ is %s", (source, growth) => {
    expect(growthOf(new RegExp(source))).toBe(growth);
  });
});
