import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { renderRefusal } from "../../src/static/error-page.ts";

const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";
const PROBLEM = { status: 404, title: "Not Found", detail: "there is nothing here" };

describe("what went wrong", () => {
  it.each([
    [BROWSER, "text/html; charset=utf-8"],
    ["text/html", "text/html; charset=utf-8"],
    [null, "text/plain;charset=utf-8"],
    ["*/*", "text/plain;charset=utf-8"],
    ["text/*", "text/plain;charset=utf-8"],
    ["image/avif,image/webp,*/*;q=0.8", "text/plain;charset=utf-8"],
    ["application/json", "application/problem+json"],
    ["application/problem+json", "application/problem+json"],
  ])("is said to Accept %j as %s", (accept, contentType) => {
    const { text, lines } = renderRefusal(PROBLEM, accept);
    expect(lines.slice(0, 2)).toEqual(["content-type", contentType]);
    expect(lines.slice(-4)).toEqual(["vary", "accept", "x-content-type-options", "nosniff"]);
    expect(text).toMatch(/Not Found/);
  });

  it("is a page that may run nothing, and whose style is allowed", () => {
    const { text, lines } = renderRefusal(PROBLEM, BROWSER);
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(text) ?? [];
    // After a change of the style this hash goes to error-page.ts
    expect(lines[lines.indexOf("content-security-policy") + 1]).toContain(
      `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    );
    expect(text).not.toMatch(/<script| style=| on\w+=/);
    expect(text).toContain("<p>There is nothing here.</p>");
    expect(Object.isFrozen(lines)).toBe(true);
  });

  it("is escaped", () => {
    const problem = { status: 400, title: "<b>", detail: '"><script>alert(1)</script>\u202E', rule: "<i>" };
    expect(renderRefusal(problem, BROWSER).text).not.toMatch(/<script|<i>|\u202E/);
  });
});
