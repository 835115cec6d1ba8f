import { describe, expect, it } from "vitest";
import type { FieldLines } from "../../src/http/exchange.ts";
import { ISOLATION, responseHeaders } from "../../src/middleware/response-headers.ts";
import type { HeadersToSet } from "../../src/middleware/response-headers.ts";
import { Context } from "../../src/web/context.ts";
import { Request } from "../../src/web/request.ts";
import { Response, responseOfLines, takeAnswer } from "../../src/web/response.ts";
import { MemoryExchange } from "../web/support/memory-exchange.ts";

/** Fields of an answer that had `x-frame-options: DENY` before. */
function fieldsWith(headers: HeadersToSet, before: Record<string, string> = {}): Record<string, string> {
  const next = (): Response => new Response(null, { headers: { "x-frame-options": "DENY", ...before } });
  const response = responseHeaders(headers)(
    new Request("http://a.example/"),
    new Context(new MemoryExchange(), () => {}),
    next,
  ) as Response;
  return Object.fromEntries(response.headers);
}

describe("fields on every response", () => {
  it("are set in place of the handler's", () => {
    expect(fieldsWith({ "X-Frame-Options": "SAMEORIGIN", "x-b": "1" })).toEqual({
      "x-frame-options": "SAMEORIGIN",
      "x-b": "1",
    });
  });

  it("may come twice", () => {
    const pairs = [
      ["link", "</a>"],
      ["Link", "</b>"],
    ] as const;
    expect(fieldsWith(pairs)).toMatchObject({ link: "</a>, </b>" });
  });

  it.each<[HeadersToSet, Record<string, string>, string | undefined]>([
    [{ Vary: "Cookie" }, { vary: "accept-encoding" }, "accept-encoding, Cookie"],
    [{ vary: "cookie, Accept-Encoding" }, { vary: "accept-encoding" }, "accept-encoding, cookie"],
    [
      [
        ["vary", "a, b"],
        ["Vary", "B ,c"],
      ],
      {},
      "a, b, c",
    ],
    [{ vary: "cookie" }, { vary: "*" }, "*"],
    [{ vary: " ," }, {}, undefined],
  ])("take nothing away that answers vary by: %j after %j", (headers, before, vary) => {
    expect(fieldsWith(headers, before)["vary"]).toBe(vary);
  });

  it("stay shared where the handler's are, as files have them", () => {
    const middleware = responseHeaders({ "x-b": "1" });
    const lines = Object.freeze(["content-type", "text/html", "etag", '"a"']);
    const answer = (): FieldLines => {
      const next = (): Response => responseOfLines(200, lines, "ok");
      return takeAnswer(
        middleware(new Request("http://a.example/"), new Context(new MemoryExchange(), () => {}), next) as Response,
      ).head.fields;
    };
    expect(Object.isFrozen(answer())).toBe(true);
    expect(answer()).toBe(answer());
    expect(answer()).toEqual([...lines, "x-b", "1"]);
  });

  it("isolate a page", () => {
    expect(fieldsWith(ISOLATION)).toMatchObject({
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
  });

  it.each([
    ["Content-Length", "3"],
    ["transfer-encoding", "chunked"],
    ["Connection", "close"],
    ["date", "now"],
    ["ETag", '"all"'],
    ["last-modified", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ["Upgrade", "h2c"],
    ["a b", "1"],
    ["", "1"],
    ["x-a", "1\r\nset-cookie: a=b"],
    ["x-a", "…"],
  ])("refuse what is the wire's or no field: %s: %j", (name, value) => {
    expect(() => responseHeaders({ [name]: value })).toThrow(TypeError);
  });
});
