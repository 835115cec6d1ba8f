import { describe, expect, it } from "vitest";
import { joinLines, NO_LINES } from "../../src/web/header-lines.ts";
import { Response } from "../../src/web/response.ts";

describe("lines of a plain field", () => {
  it("are one array for one name, value and default", () => {
    expect(joinLines({ "x-shared": "1" }, NO_LINES)).toBe(joinLines({ "x-shared": "1" }, NO_LINES));
  });

  it.each([
    ["another value", { "x-shared": "2" }, NO_LINES, ["x-shared", "2"]],
    ["a default", { "x-shared": "1" }, ["content-type", "a/b"], ["x-shared", "1", "content-type", "a/b"]],
    ["a second field", { "x-shared": "1", "y": "2" }, NO_LINES, ["x-shared", "1", "y", "2"]],
    ["another case of letters", { "X-Shared": "1" }, NO_LINES, ["X-Shared", "1"]],
    ["white space around the value", { "x-shared": " 1 " }, NO_LINES, ["x-shared", "1"]],
  ])("differ with %s", (_name, headers, defaults, lines) => {
    joinLines({ "x-shared": "1" }, NO_LINES);
    expect(joinLines(headers, defaults)).toEqual(lines);
    expect(joinLines(headers, defaults)).toEqual(lines);
  });

  it("are checked every time they are not remembered", () => {
    for (const value of ["a\r\nb", "\u0100", "a\0"]) {
      for (let i = 0; i < 2; i++) expect(() => joinLines({ "x-shared": value }, NO_LINES)).toThrow(TypeError);
    }
  });

  it("do not tie two responses together", () => {
    const init = { headers: { "x-tied": "1" } };
    const first = new Response("a", init);
    first.headers.set("x-tied", "2");
    first.headers.append("x-more", "3");
    expect([...new Response("a", init).headers]).toEqual([
      ["content-type", "text/plain;charset=UTF-8"],
      ["x-tied", "1"],
    ]);
  });
});
