import { describe, expect, it } from "vitest";
import { type ErrorCode, ERRORS, HandlerError, HttpError, ProtocolError, ServerError } from "../../src/http/errors.ts";
import { reasonPhrase } from "../../src/http/status.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

describe("the table of errors", () => {
  it.each(codes)("%s has a registered status, a sentence without period and a rule that can be looked up", (code) => {
    const { status, sentence, rule, option } = ERRORS[code];
    expect(code).toMatch(/^ERR_[A-Z0-9_]+$/);
    expect(status === 0 || (status >= 400 && reasonPhrase(status) !== "")).toBe(true);
    expect(sentence).toMatch(/^[^\n]{10,100}[^.\s]$/);
    expect(rule).toMatch(/^(?:RFC \d{4} §\d+(?:\.\d+)*)?$/);
    expect(option ?? "x.y").toMatch(/^(?:limits\.|timeouts\.)?[a-z][A-Za-z.]+$/);
  });
});

describe("ProtocolError", () => {
  it("takes status, rule, sentence and option from the table", () => {
    const error = new ProtocolError("ERR_HEAD_TOO_LARGE");
    expect(error).toMatchObject({
      name: "ProtocolError",
      code: "ERR_HEAD_TOO_LARGE",
      status: 431,
      rule: "RFC 6585 §5",
      option: "limits.maxHeadBytes",
      message: ERRORS.ERR_HEAD_TOO_LARGE.sentence,
      offset: -1,
      field: "",
      detail: "",
    });
  });

  it("tells where, and adds the detail to its message", () => {
    const error = new ProtocolError("ERR_CONTENT_LENGTH", { offset: 0, field: "Content-Length", detail: "x" });
    expect(error).toMatchObject({
      offset: 0,
      field: "Content-Length",
      detail: "x",
      option: "",
      message: "Content-Length is not a decimal number (x)",
    });
  });

  it("has no stack, and leaves that of others alone", () => {
    const before = Error.stackTraceLimit;
    expect(new ProtocolError("ERR_TARGET").stack).not.toContain("\n    at ");
    expect(Error.stackTraceLimit).toBe(before);
    expect(new Error("other").stack).toContain("\n    at ");
  });
});

describe("HandlerError", () => {
  it("is 500 and keeps its cause", () => {
    const cause = new Error("why");
    const error = new HandlerError("ERR_HANDLER", "", { cause });
    expect(error).toMatchObject({
      name: "HandlerError",
      code: "ERR_HANDLER",
      status: 500,
      message: "the handler threw",
    });
    expect(error.cause).toBe(cause);
    expect(new HandlerError("ERR_RESPONSE_STATUS", "99").message).toBe("the status is no final status code: 99");
  });
});

describe("ServerError", () => {
  it("has a code, the message given and its cause", () => {
    const cause = new Error("EADDRINUSE");
    const error = new ServerError("ERR_LISTEN_IN_USE", "port 80 is in use", { cause });
    expect(error).toMatchObject({ name: "ServerError", code: "ERR_LISTEN_IN_USE", message: "port 80 is in use" });
    expect(error.cause).toBe(cause);
  });
});

describe("HttpError", () => {
  it("keeps status, message, headers and cause", () => {
    const cause = new Error("why");
    const error = new HttpError(429, "too fast", { headers: { "retry-after": "5" }, cause });
    expect(error).toMatchObject({
      name: "HttpError",
      status: 429,
      message: "too fast",
      headers: { "retry-after": "5" },
    });
    expect(error.cause).toBe(cause);
    expect(new HttpError(404)).toMatchObject({ message: "", headers: {}, code: "", extensions: {} });
  });

  it("takes a code and further members of the problem", () => {
    const error = new HttpError(403, "poor", { code: "POOR", extensions: { balance: 30 } });
    expect(error).toMatchObject({ code: "POOR", extensions: { balance: 30 } });
  });

  it.each([399, 600, 200, 0, 404.5, Number.NaN, -404])("refuses status %d", (status) => {
    expect(() => new HttpError(status)).toThrow(RangeError);
  });
});
