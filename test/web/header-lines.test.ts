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

  it("are those of a record as it is now, when the same one is given again", () => {
    const headers: Record<string, string> = { "x-again": "1" };
    joinLines(headers, NO_LINES);
    expect(joinLines(headers, NO_LINES)).toEqual(["x-again", "1"]);
    headers["x-again"] = "2";
    expect(joinLines(headers, NO_LINES)).toEqual(["x-again", "2"]);
    headers["y"] = "3";
    expect(joinLines(headers, NO_LINES)).toEqual(["x-again", "2", "y", "3"]);
    expect(joinLines(headers, ["content-type", "a/b"])).toEqual(["x-again", "2", "y", "3", "content-type", "a/b"]);
  });

  it("are not those of a record that has a symbol besides, or can be iterated", () => {
    joinLines({ "x-plain": "1" }, NO_LINES);
    expect(() => joinLines({ "x-plain": "1", [Symbol("no name")]: "1" }, NO_LINES)).toThrow(TypeError);
    const pairs = {
      "x-plain": "1",
      *[Symbol.iterator]() {
        yield ["y", "2"];
      },
    };
    expect(joinLines(pairs, NO_LINES)).toEqual(["y", "2"]);
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
