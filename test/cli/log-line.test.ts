import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/http/errors.ts";
import type { Exchange, Outcome, Refusal } from "../../src/http/exchange.ts";
import { Fields } from "../../src/http/fields.ts";
import { noteUser } from "../../src/cli/asked-by.ts";
import { formatBytes, formatDuration, plainLines, terminalLines } from "../../src/cli/log-line.ts";
import { colourPainter, plainPainter } from "../../src/cli/paint.ts";
import type { ResponseInfo } from "../../src/server/hooks.ts";

function response(method: string, target: string, status: number, outcome: Outcome = "complete"): ResponseInfo {
  const exchange = { request: { method, target } } as Exchange;
  return {
    exchange,
    outcome,
    status,
    contentBytes: 3660,
    durationMs: 1.234,
    firstByteMs: 1.234,
    requestContentBytes: 0,
    route: "",
  };
}

describe("a line per request", () => {
  const terminal = terminalLines(plainPainter);

  it("is plain in a pipe", () => {
    expect(plainLines.response(response("GET", "/a?b=c", 200), null)).toBe("GET /a?b=c 200 3660 1.2ms");
    expect(plainLines.response(response("GET", "/a", 200, "aborted"), null)).toBe("GET /a 200 3660 1.2ms aborted");
  });

  it("is aligned on a terminal", () => {
    const lines = [
      terminal.response(response("GET", "/a", 200), null),
      terminal.response(response("OPTIONS", "/b", 204), null),
      terminal.response({ ...response("GET", "/c", 0, "aborted"), contentBytes: 0, durationMs: 12_000 }, null),
    ];
    expect(lines).toEqual([
      "200  GET       3.6 KiB    1.2 ms  /a",
      "204  OPTIONS   3.6 KiB    1.2 ms  /b",
      "---  GET           0 B      12 s  /c  aborted",
    ]);
  });

  it("says why the server itself has answered, so that a refusal is no line of its own", () => {
    const refused = new ProtocolError("ERR_LENGTH_AND_CODING");
    expect(plainLines.response(response("POST", "/a", 400), refused)).toBe(
      "POST /a 400 3660 1.2ms refused ERR_LENGTH_AND_CODING (RFC 9112 §6.3)",
    );
    expect(terminal.response(response("POST", "/a", 400, "aborted"), refused)).toBe(
      `400  POST      3.6 KiB    1.2 ms  /a  aborted  refused  ERR_LENGTH_AND_CODING  RFC 9112 §6.3  ${refused.message}`,
    );
  });

  it.each([
    [204, "32"],
    [301, "36"],
    [404, "33"],
    [503, "31"],
  ])("has %i in its colour", (status, colour) => {
    expect(terminalLines(colourPainter).response(response("GET", "/", status), null)).toContain(
      `\x1b[${colour}m${status}\x1b[39m`,
    );
  });

  it("has no secret of the query, whoever reads it", () => {
    const target = "/a?token=s3cret&x=1";
    const fields = Fields.from([
      ["referer", "http://b.example/?x=1"],
      ["referer", "http://b.example/?key=s3cret"],
    ]);
    const asked = response("GET", target, 200);
    const connection = { remoteAddress: { address: "127.0.0.1" } };
    const exchange = { request: { method: "GET", target, fields }, connection } as unknown as Exchange;
    const refusal = {
      error: new ProtocolError("ERR_LENGTH_AND_CODING"),
      connection,
      method: "GET",
      target,
      exchange: null,
    };
    const lines = [
      plainLines.response(asked, null),
      terminalLines(plainPainter, true).response({ ...asked, exchange }, null),
      ...[plainLines, terminal].map((one) => one.refusal(refusal as unknown as Refusal)),
    ];
    expect(lines.join("\n")).not.toContain("s3cret");
    expect(lines.filter((line) => line.includes("/a?token=[redacted]&x=1"))).toEqual(lines);
  });

  it("names who asked, where somebody wants to know more", () => {
    const asked = response("GET", "/", 200);
    const connection = { remoteAddress: { address: "127.0.0.1" } };
    const exchange = { ...asked.exchange, connection, request: { method: "GET", target: "/", fields: Fields.EMPTY } };
    noteUser(exchange as unknown as Exchange, "b\x1bb");
    const line = terminalLines(plainPainter, true).response({ ...asked, exchange: exchange as never }, null);
    expect(line).toMatch(/ {2}\/ {2}b\\x1bb, 127\.0\.0\.1$/);
  });

  it("shortens what would fill a terminal, but nothing in a pipe", () => {
    const target = `/${"x".repeat(5000)}`;
    expect(terminal.response(response("GET", target, 414), null).length).toBeLessThan(220);
    expect(plainLines.response(response("GET", target, 414), null)).toContain(target);
  });
});

describe("a line per refusal", () => {
  const refusal = {
    error: new ProtocolError("ERR_LENGTH_AND_CODING"),
    connection: {} as Exchange["connection"],
    method: "POST",
    target: "/a\x1b[2J\nGET /forged 200",
    exchange: null,
  };

  it("names code and rule, and escapes the peer's bytes", () => {
    expect(plainLines.refusal(refusal)).toBe(
      "POST /a\\x1b[2J\\x0aGET\\x20/forged\\x20200 400 refused ERR_LENGTH_AND_CODING (RFC 9112 §6.3)",
    );
    const line = terminalLines(plainPainter).refusal(refusal);
    expect(line).toContain("400  refused  ERR_LENGTH_AND_CODING  RFC 9112 §6.3");
    expect(line).toContain("POST /a\\x1b[2J\\x0aGET /forged 200");
    expect(line).not.toContain("\n");
  });

  it("does without a request that was not understood", () => {
    const line = plainLines.refusal({ ...refusal, method: "", target: "" });
    expect(line).toBe("- - 400 refused ERR_LENGTH_AND_CODING (RFC 9112 §6.3)");
  });

  it("leaves out the rule that a code does not have", () => {
    expect(plainLines.refusal({ ...refusal, error: new ProtocolError("ERR_SEND_TIMEOUT") })).toMatch(
      /ERR_SEND_TIMEOUT$/,
    );
  });
});

describe("numbers as people say them", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [3660, "3.6 KiB"],
    [131_072, "128 KiB"],
    [1_048_575, "1 MiB"],
    [16 * 1024 * 1024, "16 MiB"],
    [5 * 1024 ** 4, "5 TiB"],
    [5000 * 1024 ** 4, "5000 TiB"],
  ])("%i octets: %s", (count, text) => expect(formatBytes(count)).toBe(text));

  it.each([
    [0.04, "0.0 ms"],
    [1.25, "1.3 ms"],
    [9.96, "10 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [30_000, "30 s"],
    [75_000, "1.3 min"],
  ])("%f milliseconds: %s", (ms, text) => expect(formatDuration(ms)).toBe(text));
});
