/** docs/reference/options.md has every option of the table, with its unit, default and range, as `npm run docs:options` writes it. */
import { describe, expect, it } from "vitest";
import { renderPage } from "../../scripts/option-tables.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import { OPTION_TABLE } from "../../src/server/option-table.ts";
import { readText } from "../architecture/source.ts";

const page = readText("docs/reference/options.md");
const paths = OPTION_TABLE.map((row) => row.path);

describe("the page of options", () => {
  it("is what the table says", () => {
    expect(renderPage(page)).toBe(page);
  });

  it.each(paths)("has %s once", (path) => {
    expect(page.split("\n").filter((line) => line.startsWith(`| \`${path}\` |`))).toHaveLength(1);
  });

  it("has every limit and timeout that the wire enforces, with the same default", () => {
    const wire: Array<[string, unknown]> = [
      ...Object.entries(DEFAULT_LIMITS).map(([name, value]): [string, unknown] => [`limits.${name}`, value]),
      ...Object.entries(DEFAULT_TIMEOUTS).map(([name, value]): [string, unknown] => [`timeouts.${name}`, value]),
      ...Object.entries(DEFAULT_LENIENCIES),
    ];
    const table = new Map<string, unknown>(OPTION_TABLE.map((row) => [row.path, row.default]));
    expect(wire.filter(([path, value]) => table.get(path) !== value)).toEqual([]);
  });
});
