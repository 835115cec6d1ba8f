import { describe, expect, it } from "vitest";
import { Fields } from "../../src/http/fields.ts";
import { CHUNKED, Framing, listOf } from "../../src/http1/framing.ts";
import { HeadParser } from "../../src/http1/head.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS } from "../../src/http1/limits.ts";

function read(version: string, ...lines: string[]): { framing: Framing; code: string | null } {
  const bytes = Buffer.from(`POST / HTTP/${version}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`, "latin1");
  const parser = new HeadParser(DEFAULT_LIMITS, DEFAULT_LENIENCIES);
  const length = parser.parse(bytes, 0, bytes.length);
  expect(length).toBe(bytes.length);
  const framing = new Framing();
  const error = framing.read(parser, new Fields(bytes.toString("latin1"), parser.offsets.slice(0, parser.offsetCount)));
  return { framing, code: error?.code ?? null };
}

describe("length of a request", () => {
  it.each([
    [["Content-Length: 0"], 0],
    [["Content-Length: 5"], 5],
    [["Content-Length: 0005"], 5],
    [["content-length:5"], 5],
    [["Content-Length: 9007199254740991"], Number.MAX_SAFE_INTEGER],
    [["Transfer-Encoding: chunked"], CHUNKED],
    [["Transfer-Encoding: CHUNKED"], CHUNKED],
    [["transfer-encoding:\t chunked \t"], CHUNKED],
    [[], 0],
  ])("of %j is %d", (lines, length) => {
    const { framing, code } = read("1.1", ...lines);
    expect(code).toBeNull();
    expect(framing.length).toBe(length);
  });

  it.each([
    [["Content-Length: +5"], "ERR_CONTENT_LENGTH"],
    [["Content-Length: -5"], "ERR_CONTENT_LENGTH"],
    [["Content-Length: 0x5"], "ERR_CONTENT_LENGTH"],
    [["Content-Length: 5 5"], "ERR_CONTENT_LENGTH"],
    [["Content-Length: 5.0"], "ERR_CONTENT_LENGTH"],
    [["Content-Length: 5e0"], "ERR_CONTENT_LENGTH"],
    [["Content-Length:"], "ERR_CONTENT_LENGTH"],
    [["Content-Length: 9007199254740992"], "ERR_CONTENT_TOO_LARGE"],
    [["Content-Length: 5, 5"], "ERR_CONTENT_LENGTH_REPEATED"],
    [["Content-Length: 5", "Content-Length: 5"], "ERR_CONTENT_LENGTH_REPEATED"],
    [["Content-Length: 5", "Content-Length: 6"], "ERR_CONTENT_LENGTH_REPEATED"],
    [["Content-Length: 5", "Transfer-Encoding: chunked"], "ERR_LENGTH_AND_CODING"],
    [["Transfer-Encoding: chunked", "Content-Length: 0"], "ERR_LENGTH_AND_CODING"],
    [["Transfer-Encoding: chunked, identity"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: identity"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: xchunked"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: chunked, chunked"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: , chunked"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: chunked,"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: chunked;a=b"], "ERR_TRANSFER_ENCODING"],
    [['Transfer-Encoding: "chunked"'], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding:"], "ERR_TRANSFER_ENCODING"],
    [["Transfer-Encoding: gzip, chunked"], "ERR_TRANSFER_CODING_UNKNOWN"],
  ])("of %j is refused with %s", (lines, code) => {
    expect(read("1.1", ...lines).code).toBe(code);
  });

  it("is refused for any transfer coding in HTTP/1.0", () => {
    expect(read("1.0", "Transfer-Encoding: chunked").code).toBe("ERR_TRANSFER_ENCODING_IN_HTTP10");
  });
});

describe("persistence", () => {
  it.each([
    ["1.1", [], true],
    ["1.1", ["Connection: close"], false],
    ["1.1", ["Connection: CLOSE"], false],
    ["1.1", ["Connection: keep-alive, close"], false],
    ["1.1", ["Connection: keep-alive", "Connection: x, Close"], false],
    ["1.1", ["Connection: closed"], true],
    ["1.1", ["Connection: ,"], true],
    ["1.0", [], false],
    ["1.0", ["Connection: keep-alive"], true],
    ["1.0", ["Connection: Keep-Alive"], true],
    ["1.0", ["Connection: keep-alive, close"], false],
  ])("of HTTP/%s with %j is %s", (version, lines, isPersistent) => {
    expect(read(version, ...lines).framing.isPersistent).toBe(isPersistent);
  });

  it("is not guessed from what is no list of tokens", () => {
    expect(read("1.1", "Connection: clo se").code).toBe("ERR_CONNECTION");
  });
});

describe("expectation and upgrade", () => {
  it("wants 100 in any case of letters", () => {
    expect(read("1.1", "Content-Length: 1", "Expect: 100-Continue").framing.expectsContinue).toBe(true);
  });

  it("refuses every other expectation", () => {
    expect(read("1.1", "Expect: 200-ok").code).toBe("ERR_EXPECTATION");
    expect(read("1.1", "Expect: 100-continue, x").code).toBe("ERR_EXPECTATION");
  });

  it("reads Expect as a list, in which empty members mean nothing (RFC 9110 §5.6.1)", () => {
    expect(read("1.1", "Content-Length: 1", "Expect:").framing.expectsContinue).toBe(false);
    expect(read("1.1", "Content-Length: 1", "Expect:").code).toBeNull();
    expect(read("1.1", "Content-Length: 1", "Expect: , 100-continue ,").framing.expectsContinue).toBe(true);
  });

  it("ignores expectations of HTTP/1.0", () => {
    const { framing, code } = read("1.0", "Expect: 100-continue", "Content-Length: 1");
    expect(code).toBeNull();
    expect(framing.expectsContinue).toBe(false);
  });

  it("takes Upgrade only with its connection option, and not from HTTP/1.0", () => {
    expect(read("1.1", "Upgrade: a/1, b", "Connection: x, Upgrade").framing.upgradeTo).toEqual(["a/1", "b"]);
    expect(read("1.1", "Upgrade: a").framing.upgradeTo).toEqual([]);
    expect(read("1.0", "Upgrade: a", "Connection: upgrade").framing.upgradeTo).toEqual([]);
  });
});

describe("lists of tokens", () => {
  it("skip empty members and fold case", () => {
    expect(listOf(["a, ,B", "keep-alive"])).toEqual(["a", "b", "keep-alive"]);
  });

  it("are null when a member is no token", () => {
    expect(listOf(["a b"])).toBeNull();
  });
});
