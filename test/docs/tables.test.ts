/** Every table of the pages is one: an empty line inside of it would end it, and show the rest as text with bars. */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, it } from "vitest";
import { readText, ROOT } from "../architecture/source.ts";

const FOLDERS = ["docs", "bench", "examples"];
const pages = readdirSync(ROOT, { withFileTypes: true })
  .concat(FOLDERS.flatMap((name) => readdirSync(join(ROOT, name), { recursive: true, withFileTypes: true })))
  .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  .filter((path) => !path.includes("node_modules"));

/** Lines where a table begins without the row of dashes that makes it one. */
function headlessTables(text: string): number[] {
  const lines = text.replace(/^```.*?^```/gms, (block) => block.replace(/.+/g, "")).split("\n");
  const isRow = (line: string | undefined): boolean => line?.startsWith("|") ?? false;
  const isRule = (line: string | undefined): boolean => /^\|[\s:|-]+\|$/.test(line ?? "");
  return lines.flatMap((line, at) => (isRow(line) && !isRow(lines[at - 1]) && !isRule(lines[at + 1]) ? [at + 1] : []));
}

it.each(pages)("%s", (path) => {
  expect(headlessTables(readText(path))).toEqual([]);
});
