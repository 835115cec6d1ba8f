/** The pages of conformance are true as far as a machine can tell: places and tests exist, and no sentence is left out. */
import { describe, expect, it } from "vitest";
import { RFC9110, RFC9112 } from "./normative-sentences.ts";
import { countsOf, hasName, hasTest, readFile, referencesOf, type Row, rowsOf, sectionOf } from "./tables.ts";

const PAGES = ["docs/conformance/rfc9110.md", "docs/conformance/rfc9112.md", "docs/conformance/others.md"];
const INDEX = "docs/conformance.md";
const sources = new Map<string, string>();
const read = (path: string): string => {
  const text = sources.get(path) ?? readFile(path);
  sources.set(path, text);
  return text;
};

describe.each(PAGES)("%s", (page) => {
  const rows = rowsOf(page);

  it("names places that exist", () => {
    const wrong: string[] = [];
    for (const { line, cells } of rows) {
      for (const { path, words } of cells["Where"] === undefined ? [] : referencesOf(cells["Where"])) {
        const name = words.replaceAll("`", "");
        if (!hasName(read(`src/${path}`), name)) wrong.push(`${page}:${line}: ${path} has no ${name}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("names tests that exist", () => {
    const wrong: string[] = [];
    for (const { line, cells } of rows) {
      for (const { path, words } of cells["Shown by"] === undefined ? [] : referencesOf(cells["Shown by"])) {
        if (!hasTest(path, read(`test/${path}`), words)) wrong.push(`${page}:${line}: ${path} has no test: ${words}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("names tests that exist where a rule is not met, too", () => {
    const wrong: string[] = [];
    for (const { line, heading, cells } of rows.filter((row) => row.heading === "Not met")) {
      const last = Object.values(cells).at(-1) ?? "";
      const match = /`([\w./-]+\.(?:md|ts))`: ([^`]+)$/.exec(last);
      const isThere = match !== null && hasTest(match[1] ?? "", read(`test/${match[1]}`), match[2] ?? "");
      if (!isThere) wrong.push(`${page}:${line}: ${heading}: ${last}`);
    }
    expect(wrong).toEqual([]);
  });

  it("shows by a test whatever it says is met", () => {
    const met = rows.filter(({ heading }) => heading === "Met");
    expect(met.filter(({ cells }) => !cells["Where"] || !cells["Shown by"])).toEqual([]);
  });
});

describe.each([
  ["docs/conformance/rfc9110.md", RFC9110],
  ["docs/conformance/rfc9112.md", RFC9112],
])("%s", (page, text) => {
  it("accounts for every sentence that says MUST", () => {
    const expected = countsOf(text);
    const found = new Map<string, number>();
    for (const row of rowsOf(page).filter(({ heading }) => !heading.startsWith("SHOULD"))) {
      const { section, count } = sentencesOf(row);
      found.set(section, (found.get(section) ?? 0) + count);
    }
    const byName = (a: readonly [string, number], b: readonly [string, number]): number => a[0].localeCompare(b[0]);
    expect([...found].toSorted(byName)).toEqual([...expected].toSorted(byName));
  });
});

function sentencesOf({ cells }: Row): { readonly section: string; readonly count: number } {
  const said = sectionOf(cells["§"] ?? "");
  return cells["Sentences"] === undefined ? said : { ...said, count: Number(cells["Sentences"]) };
}

/** Sentences under a heading, for the table of the index. */
function total(page: string, heading: string): number {
  const rows = rowsOf(page).filter((row) => row.heading === heading);
  return rows.reduce((sum, row) => sum + sentencesOf(row).count, 0);
}

it("the index counts as the pages do", () => {
  const counted = rowsOf(INDEX).filter(({ heading }) => heading === "Where we stand");
  for (const [index, page] of PAGES.slice(0, 2).entries()) {
    const row = counted[index]?.cells ?? {};
    const numbers = ["Met", "Left to the handler", "Not met", "Not applicable"].map((heading) => total(page, heading));
    expect([row["Met"], row["Left to the handler"], row["Not met"], row["Not applicable"]].map(Number)).toEqual(
      numbers,
    );
    expect(Number(row["Sentences"])).toBe(numbers.reduce((sum, number) => sum + number, 0));
  }
});
