import { describe, expect, it } from "vitest";
import { combinedLines, jsonLine, jsonLines } from "../../src/cli/log-record.ts";
import { ProtocolError } from "../../src/http/errors.ts";
import type { Exchange, Outcome, SocketAddress } from "../../src/http/exchange.ts";
import { Fields } from "../../src/http/fields.ts";
import type { ResponseInfo } from "../../src/server/hooks.ts";

/** 2000-10-10T13:55:36.000Z */
const wallTime = (): number => Date.UTC(2000, 9, 10, 13, 55, 36);

function response(
  target: string,
  outcome: Outcome = "complete",
  family: SocketAddress["family"] = "IPv4",
): ResponseInfo {
  const address = family === "unix" ? "/run/a.sock" : "192.0.2.7";
  const exchange = {
    request: { method: "GET", target, version: "1.1", authority: "a", fields: Fields.from([["user-agent", 'é\n"']]) },
    connection: { remoteAddress: { address, port: 1, family } },
  } as unknown as Exchange;
  return { exchange, outcome, status: 200, contentBytes: 0, durationMs: 1.26, firstByteMs: 1.26, requestContentBytes: 0, route: "" };
}

const refusal = {
  error: new ProtocolError("ERR_LENGTH_AND_CODING"),
  connection: response("/").exchange.connection,
  method: "",
  target: "",
  exchange: null,
};

describe("JSON", () => {
  it("is one object per line, whatever the peer sent", () => {
    const line = jsonLines(wallTime, true).response(response('/a"\n{}', "aborted"));
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({
      time: "2000-10-10T13:55:36.000Z",
      level: "info",
      msg: "request",
      remote: "192.0.2.7",
      method: "GET",
      target: '/a"\n{}',
      status: 200,
      bytes: 0,
      durationMs: 1.3,
      outcome: "aborted",
      version: "1.1",
      host: "a",
      referer: null,
      userAgent: 'é\n"',
    });
  });

  it("names code and rule of a refusal", () => {
    expect(JSON.parse(jsonLines(wallTime, false).refusal(refusal))).toMatchObject({
      level: "warn",
      msg: "refused",
      status: 400,
      code: "ERR_LENGTH_AND_CODING",
      rule: "RFC 9112 §6.3",
    });
  });

  it("takes members", () => {
    expect(jsonLine(0, "info", "x", { a: 1 })).toBe(
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"x","a":1}',
    );
  });
});

describe("the combined form", () => {
  const lines = combinedLines(wallTime);

  it("is Apache's, and cannot be forged", () => {
    expect(lines.response(response('/a" 200 "\x1b'))).toBe(
      String.raw`192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET /a\" 200 \"\x1b HTTP/1.1" 200 - "-" "\xe9\x0a\""`,
    );
  });

  it("has refusals, and peers without address", () => {
    expect(lines.refusal(refusal)).toBe(`192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "-" 400 - "-" "-"`);
    expect(lines.response(response("/", "complete", "unix"))).toMatch(/^unix: - - /);
  });
});
