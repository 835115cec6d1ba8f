/** docs/reference/middleware.md has every middleware and every option, as the source has them. */
import { describe, expect, it } from "vitest";
import * as room from "../../src/middleware/index.ts";
import { readText } from "../architecture/source.ts";
import { renderPage, renderTable, RULES } from "./support/reference-tables.ts";

const page = readText("docs/reference/middleware.md");
const headings = [...page.matchAll(/^## `(\w+)`$/gm)].map((match) => match[1] ?? "");

describe("the page of middleware", () => {
  it("has tables as the docstrings and rules are", () => {
    expect(renderPage(page)).toBe(page);
  });

  it("has each middleware once, by the alphabet", () => {
    const others = ["hashPassword", "memoryStore", "redisStore", "timeoutSignal"];
    const functions = Object.entries(room).filter(
      ([name, value]) => typeof value === "function" && !others.includes(name),
    );
    expect(headings).toEqual(functions.map(([name]) => name).toSorted());
  });

  it("names everything that the room exports", () => {
    expect(Object.keys(room).filter((name) => !new RegExp(`\`[^\`]*\\b${name}\\b`).test(page))).toEqual([]);
  });

  it.each(Object.keys(RULES))("has a row for every option of %s", (middleware) => {
    const options = [...renderTable(middleware).matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
    expect(options).toEqual(Object.keys(RULES[middleware] ?? {}));
    expect(page).toContain(`<!-- options: ${middleware} -->`);
  });
});
