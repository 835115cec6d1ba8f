/** docs/reference/errors.md says what the table says: status, rule, option and sentence, and what to do for each code. */
import { describe, expect, it } from "vitest";
import { type ErrorCode, ERRORS } from "../../src/http/errors.ts";
import { readText } from "../architecture/source.ts";

const sections = new Map(
  readText("docs/reference/errors.md")
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(1, section.indexOf("`", 1)), section] as const),
);

describe("the page of error codes", () => {
  it.each(Object.entries(ERRORS))("tells the truth about %s", (code, row) => {
    const [, facts, , sentence = "", advice = ""] = sections.get(code)?.split("\n") ?? [];
    const option = row.option === undefined ? "" : ` · Option: \`${row.option}\``;
    expect(facts).toBe(`Status: ${row.status === 0 ? "none" : row.status} · Rule: ${row.rule || "ours"}${option}`);
    expect(sentence.toLowerCase()).toBe(`${row.sentence}.`.toLowerCase());
    expect(advice).toMatch(/^.{20,}[.:]/);
  });

  it("has no code that does not exist", () => {
    expect([...sections.keys()].filter((code) => ERRORS[code as ErrorCode] === undefined)).toEqual([]);
  });
});
