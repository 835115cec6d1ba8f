/** The notation of wire cases: what stands for which octets, and that half a case is never taken for a whole one. */

import { describe, expect, test } from "vitest";
import { parseSteps, showBytes } from "../support/wire-bytes.ts";
import { parseChapter } from "../support/wire-case.ts";
import { readResponses } from "../support/wire-responses.ts";
import { variantsOf, withNeighbour } from "../support/wire-splits.ts";

const text = (block: string): string =>
  parseSteps(block)
    .map((step) => ("bytes" in step ? step.bytes.toString("latin1") : `<${step.event} ${step.waitMs}>`))
    .join("");

describe("a block of octets", () => {
  test.each([
    ["ends each line in CRLF", "GET / HTTP/1.1\nHost: a\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["ends a line with a backslash in nothing", "hello\\", "hello"],
    ["knows an escaped backslash at the end from a lone one", "a\\\\", "a\\\r\n"],
    ["keeps three backslashes apart", "a\\\\\\", "a\\"],
    ["reads escapes", "\\r\\n\\t\\0\\s\\x0b\\xFF\\\\\\", "\r\n\t\0 \x0b\xff\\"],
    ["repeats", '${repeat("ab", 3)}\\', "ababab"],
    ["repeats escapes", '${repeat("a: b\\r\\n", 2)}\\', "a: b\r\na: b\r\n"],
    ["keeps events between octets", "a\n>>> fin\n>>> wait 30s\n>>> wait 5ms\nb\\", "a\r\n<fin 0><wait 30000><wait 5>b"],
    ["may be nothing", "", ""],
  ])("%s", (_, block, octets) => {
    expect(text(block)).toBe(octets);
  });

  test.each([
    ["white space at the end of a line", "GET / \nHost: a"],
    ["a tab at the end of a line", "GET /\t"],
    ["an unknown escape", "\\q"],
    ["an unknown event", ">>> sleep"],
  ])("refuses %s", (_, block) => {
    expect(() => parseSteps(block)).toThrow(/./);
  });

  test("is shown as it is written", () => {
    expect(showBytes(Buffer.from('a"\r\n\0\xe9\\', "latin1"))).toBe('"a\\"\\r\\n\\x00\\xe9\\\\"');
  });
});

const CASE = "## does it\n\nBecause of RFC 9112 §2.\n\n```http\nGET /\n```\n\n```log\nopen\n```\n";

describe("a chapter", () => {
  test("is a title and cases", () => {
    const { title, cases } = parseChapter(`# Title\n\n${CASE}`);
    expect(title).toBe("Title");
    expect(cases).toMatchObject([{ title: "does it", line: 3, log: ["open"], wire: null, options: {} }]);
  });

  test.each([
    ["no title", CASE, /^1: a chapter/],
    ["no reason", `# T\n${CASE.replace("Because of RFC 9112 §2.", "Because.")}`, /^2: .*cites a section/],
    ["no octets", `# T\n${CASE.replace("```http\nGET /\n```\n", "")}`, /^2: no http block/],
    ["no log", `# T\n${CASE.replace("```log\nopen\n```\n", "")}`, /^2: no log block/],
    ["no state at the end", `# T\n${CASE.replace("open", "response 200 keep-alive")}`, /^2: .*state of the connection/],
    ["two logs", `# T\n${CASE}\`\`\`log\nopen\n\`\`\`\n`, /a second log block/],
    ["an unknown kind of block", `# T\n${CASE.replace("```http", "```https")}`, /unknown kind of block: https/],
    ["a block that does not end", `# T\n${CASE.slice(0, -4)}`, /does not end/],
    ["an unknown option", `# T\n${CASE}\`\`\`json\n{ "limit": {} }\n\`\`\`\n`, /unknown option: limit/],
    ["two cases of one title", `# T\n${CASE}${CASE}`, /a second case of this title/],
  ])("is refused with %s", (_, chapter, message) => {
    expect(() => parseChapter(chapter)).toThrow(message);
  });
});

describe("the ways to run a case", () => {
  const steps = parseSteps("abc\n>>> fin\nd\\");

  test("are whole, octet by octet, and cut in two at every place of every step", () => {
    const variants = [...variantsOf(steps, [])];
    expect(variants.map(({ name }) => name)).toEqual([
      "whole",
      "octet by octet",
      ...[1, 2, 3, 4].map((at) => `step 1 split at ${at}`),
    ]);
    for (const variant of variants) {
      const joined = variant.steps
        .map((step) => ("bytes" in step ? step.bytes.toString() : `<${step.event}>`))
        .join("");
      expect(joined).toBe("abc\r\n<fin>d");
    }
  });

  test("cut long octets around line ends and limits", () => {
    const long = [{ bytes: Buffer.from(`${"a".repeat(1000)}\r\n${"b".repeat(1000)}`) }];
    const places = [...variantsOf(long, [1500])].map(({ name }) => Number(/at (\d+)$/.exec(name)?.[1] ?? 0));
    for (const place of [999, 1000, 1001, 1002, 1003, 1499, 1500, 1501]) expect(places).toContain(place);
  });

  test("put a request behind, in the same chunk and in its own", () => {
    expect(withNeighbour(parseSteps("a\\")).map((variant) => variant.steps.length)).toEqual([1, 2]);
    expect(withNeighbour(parseSteps("a\\\n>>> fin"))).toEqual([]);
  });
});

describe("the reader of answers", () => {
  const read = (wire: string, methods: readonly string[] = ["GET"], isEnded = true): readonly string[] =>
    readResponses(Buffer.from(wire, "latin1"), methods, isEnded).faults;
  const HEAD = "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\n";

  test.each([
    ["length", `${HEAD}Content-Length: 2\r\n\r\nok`],
    ["chunks", `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n`],
    ["close", `${HEAD}\r\nok`],
  ])("accepts content by %s", (_, wire) => {
    expect(read(wire)).toEqual([]);
  });

  test.each([
    ["octets behind a response", `${HEAD}Content-Length: 2\r\n\r\nokok`],
    ["a bare LF", `HTTP/1.1 200 OK\n\n`],
    ["no SP behind the status", "HTTP/1.1 200\r\n\r\n"],
    ["no Date", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
    ["another form of Date", "HTTP/1.1 200 OK\r\nDate: Sat Nov 21 08:00:00 2026\r\nContent-Length: 0\r\n\r\n"],
    ["length and coding", `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a length in 204", "HTTP/1.1 204 No Content\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\nContent-Length: 0\r\n\r\n"],
    ["a bad chunk size", `${HEAD}Transfer-Encoding: chunked\r\n\r\nx\r\n`],
    ["no CRLF behind a chunk", `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nokok\r\n0\r\n\r\n`],
    ["a control in a value", `${HEAD}X: \x01\r\nContent-Length: 0\r\n\r\n`],
    ["a space before a colon", `${HEAD}X : y\r\nContent-Length: 0\r\n\r\n`],
    ["405 without Allow", `${HEAD.replace("200 OK", "405 Method Not Allowed")}Content-Length: 0\r\n\r\n`],
  ])("finds fault with %s", (_, wire) => {
    expect(read(wire)).not.toEqual([]);
  });

  test("finds fault with content for HEAD", () => {
    expect(read(`${HEAD}Content-Length: 2\r\n\r\nok`, ["HEAD"])).not.toEqual([]);
  });

  test("finds fault with content until close on an open connection", () => {
    expect(read(`${HEAD}\r\nok`, ["GET"], false)).not.toEqual([]);
  });
});
