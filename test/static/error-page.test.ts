import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { replyProblem } from "../../src/static/error-page.ts";

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
  ])("is said to Accept %j as %s", async (accept, contentType) => {
    const response = replyProblem("GET", accept, PROBLEM);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe(contentType);
    expect(response.headers.get("vary")).toBe("accept");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toMatch(/Not Found/);
  });

  it("is a page that may run nothing, and whose style is allowed", async () => {
    const response = replyProblem("GET", BROWSER, PROBLEM);
    const page = await response.text();
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
    // After a change of the style this hash goes to error-page.ts
    expect(response.headers.get("content-security-policy")).toContain(
      `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    );
    expect(page).not.toMatch(/<script| style=| on\w+=/);
    expect(page).toContain("<p>There is nothing here.</p>");
  });

  it("has the same fields for HEAD, and no content", async () => {
    const head = replyProblem("HEAD", BROWSER, PROBLEM, { allow: "GET" });
    expect([...head.headers]).toEqual([...replyProblem("GET", BROWSER, PROBLEM, { allow: "GET" }).headers]);
    expect(head.headers.get("allow")).toBe("GET");
    expect(await head.text()).toBe("");
  });

  it("is escaped", async () => {
    const problem = { status: 400, title: "<b>", detail: '"><script>alert(1)</script>\u202E', rule: "<i>" };
    const page = await replyProblem("GET", BROWSER, problem).text();
    expect(page).not.toMatch(/<script|<i>|\u202E/);
  });
});
