import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERRORS, ProtocolError, type ProtocolErrorCode } from "../../src/http/errors.ts";
import { renderProblem } from "../../src/http/problem.ts";
import { reasonPhrase } from "../../src/http/status.ts";

const SEED = { seed: 9457, numRuns: 500 };
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
const WHOLE = {
  status: 431,
  title: "Request Header Fields Too Large",
  code: "ERR_HEAD_TOO_LARGE",
  detail: "the request line and field lines are too large together (limit 16384 octets)",
  rule: "RFC 6585 §5",
  field: "Cookie",
  offset: 16_384,
  option: "limits.maxHeadBytes",
  id: "k3f9",
};

describe("a problem as text", () => {
  it("says what happened, which rule, where and what would allow it", () => {
    expect(renderProblem(WHOLE, null)).toEqual({
      contentType: "text/plain;charset=utf-8",
      text: [
        "431 Request Header Fields Too Large",
        "",
        "The request line and field lines are too large together (limit 16384 octets).",
        "",
        "  rule    RFC 6585 §5",
        "  field   Cookie",
        "  where   byte 16384",
        "  option  limits.maxHeadBytes would allow it",
        "  code    ERR_HEAD_TOO_LARGE",
        "  id      k3f9",
        "",
      ].join("\n"),
    });
  });

  it.each([
    [{ status: 404, title: "Not Found" }, "404 Not Found\n"],
    [{ status: 599, title: "" }, "599\n"],
    [{ status: 404, title: "Not Found", detail: "there is nothing here" }, "404 Not Found\n\nThere is nothing here.\n"],
    [
      { status: 400, title: "Bad Request", detail: "Done already!", offset: -1, field: "", rule: "", option: "" },
      "400 Bad Request\n\nDone already!\n",
    ],
    [
      { status: 400, title: "Bad Request", code: "ERR_X", offset: 0 },
      "400 Bad Request\n\n  where   byte 0\n  code    ERR_X\n",
    ],
    [{ status: 400, title: "", detail: "maxBytes is small" }, "400\n\nmaxBytes is small.\n"],
  ])("leaves out what there is not: %j", (problem, text) => {
    expect(renderProblem(problem, null).text).toBe(text);
  });
});

describe("a problem as JSON", () => {
  it("has the members of RFC 9457 and ours", () => {
    const { contentType, text } = renderProblem(WHOLE, "application/problem+json");
    expect(contentType).toBe("application/problem+json");
    expect(JSON.parse(text)).toEqual({ type: "about:blank", ...WHOLE });
  });

  it("leaves out what there is not", () => {
    const { text } = renderProblem({ status: 404, title: "Not Found", offset: -1, field: "" }, "application/json");
    expect(JSON.parse(text)).toEqual({ type: "about:blank", title: "Not Found", status: 404 });
  });
});

describe("the form of a problem", () => {
  it.each([
    [null, "text"],
    ["", "text"],
    ["*/*", "text"],
    [BROWSER, "text"],
    ["rubbish", "text"],
    ["text/plain", "text"],
    ["image/png", "text"],
    ["application/json;q=0", "text"],
    ["application/json;q=0, */*", "text"],
    ["application/json;q=0.5, text/plain", "text"],
    ["application/json;q=0.5, */*", "text"],
    ["text/*, application/json;q=0.9", "text"],
    ["text/plain, application/json", "text"],
    ["application/json", "json"],
    ["application/problem+json", "json"],
    ["Application/Problem+JSON", "json"],
    ["application/json, text/plain, */*", "json"],
    ["application/json, */*", "json"],
    ["*/*, application/json", "json"],
    ["*/*;q=0.1, application/problem+json", "json"],
    ["application/json, text/plain;q=0.9", "json"],
    ["application/*", "json"],
  ])("%j: %s", (accept, form) => {
    expect(renderProblem(WHOLE, accept).contentType).toContain(
      form === "json" ? "application/problem+json" : "text/plain",
    );
  });
});

describe("what came from the peer", () => {
  it("is shown without controls, reordering marks and endless length", () => {
    const field = "a\r\nb\0\x1b[31m\x7f\x85\u202e\u2028\u200b\ud800z";
    const shown = "a\ufffd\ufffdb\ufffd\ufffd[31m\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdz";
    expect(renderProblem({ status: 400, title: "Bad Request", field }, null).text).toContain(`  field   ${shown}\n`);
    expect(
      JSON.parse(renderProblem({ status: 400, title: "Bad Request", field }, "application/json").text),
    ).toMatchObject({ field: shown });
    expect(
      renderProblem({ status: 400, title: "x".repeat(100_000), detail: "y".repeat(100_000) }, null).text.length,
    ).toBeLessThan(1000);
  });

  it("adds no line to a text and no member to JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const problem = { status: 400, title: "Bad Request", detail: "a", field: `f${text}`, code: `c${text}` };
        expect(renderProblem(problem, null).text.split(/[\n\r\v\f\u0085\u2028\u2029]/)).toHaveLength(7);
        const members = JSON.parse(renderProblem(problem, "application/json").text) as object;
        expect(Object.keys(members)).toEqual(["type", "title", "status", "detail", "code", "field"]);
      }),
      SEED,
    );
  });
});

describe("further members", () => {
  const problem = {
    status: 422,
    title: "Unprocessable Content",
    detail: "what was sent is not valid",
    code: "ERR_VALIDATION",
    extensions: {
      line: 3,
      balance: "30\u202e",
      nested: { deep: ["a\u2028b"] },
      errors: [
        { path: "/items/0/name", message: "too short" },
        { path: "", message: "wrong\nat all" },
        null,
        { path: "/x" },
      ],
    },
  };

  it("that are lists of nothing with a message leave no trace in the text", () => {
    const { text } = renderProblem({ ...problem, extensions: { errors: [null, 1, { path: "/x" }], none: [] } }, null);
    expect(text).toBe(renderProblem({ ...problem, extensions: {} }, null).text);
  });

  it("stand in JSON behind ours", () => {
    expect(JSON.parse(renderProblem(problem, "application/json").text)).toEqual({
      type: "about:blank",
      title: "Unprocessable Content",
      status: 422,
      detail: "what was sent is not valid",
      code: "ERR_VALIDATION",
      line: 3,
      balance: "30\ufffd",
      nested: { deep: ["a\ufffdb"] },
      errors: [
        { path: "/items/0/name", message: "too short" },
        { path: "", message: "wrong\ufffdat all" },
        null,
        { path: "/x" },
      ],
    });
  });

  it("stand in text as far as a person can read them", () => {
    expect(renderProblem(problem, null).text).toBe(
      [
        "422 Unprocessable Content",
        "",
        "What was sent is not valid.",
        "",
        "  code    ERR_VALIDATION",
        "  line    3",
        "  balance 30\ufffd",
        "",
        "  /items/0/name: too short",
        "  wrong\ufffdat all",
        "",
      ].join("\n"),
    );
  });

  it("replace type and title, and no other of ours", () => {
    const extensions = { type: "https://example.com/poor", title: "Poor", status: 200, detail: "x", code: "y" };
    const { text } = renderProblem({ ...problem, extensions }, "application/json");
    expect(JSON.parse(text)).toEqual({
      type: "https://example.com/poor",
      title: "Poor",
      status: 422,
      detail: "what was sent is not valid",
      code: "ERR_VALIDATION",
    });
  });

  it("may be called like the prototype", () => {
    const extensions = JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>;
    const { text } = renderProblem({ status: 400, title: "Bad Request", extensions }, "application/json");
    expect(text).toContain('"__proto__":{"a":1}');
  });
});

describe("every refusal of the table", () => {
  const codes = Object.keys(ERRORS).filter(
    (code) => ERRORS[code as ProtocolErrorCode].status >= 400,
  ) as ProtocolErrorCode[];

  it.each(codes)("%s reads as a sentence", (code) => {
    const { message, status, rule } = new ProtocolError(code);
    const { text } = renderProblem({ status, title: reasonPhrase(status), code, detail: message, rule }, null);
    expect(text).toMatch(
      /^[45]\d\d [A-Z][A-Za-z ]+\n\n[A-Z][^\n]+\.\n\n(?: {2}rule {4}RFC \d+ §[\d.]+\n)? {2}code {4}ERR_\w+\n$/,
    );
  });
});
