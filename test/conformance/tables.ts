/**
 * Reads the pages of docs/conformance: tables by the heading above them, references to source and tests taken apart.
 *
 * A reference is `` `path`: words ``, several of them are separated by `<br>`. Paths of sources are below src/, those of tests
 * below test/. It must never guess: what is not of this form is an error with its line.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** A file and what is looked for in it. */
export interface Reference {
  readonly path: string;
  readonly words: string;
}

/** A row of a table; cells by the names in the head of the table. */
export interface Row {
  readonly line: number;
  readonly heading: string;
  readonly cells: Readonly<Record<string, string>>;
}

export function readFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Every row of every table of a page. */
export function rowsOf(path: string): Row[] {
  const rows: Row[] = [];
  let heading = "";
  let names: readonly string[] | null = null;
  for (const [index, text] of readFile(path).split("\n").entries()) {
    if (text.startsWith("## ")) heading = text.slice(3);
    if (!text.startsWith("|")) names = null;
    else if (names === null) names = cellsOf(text);
    else if (!/^\|[-|]+$/.test(text)) {
      const cells = cellsOf(text);
      if (cells.length !== names.length) throw new Error(`${path}:${index + 1}: ${cells.length} cells`);
      const named = names;
      rows.push({
        line: index + 1,
        heading,
        cells: Object.fromEntries(cells.map((cell, i) => [named[i] as string, cell])),
      });
    }
  }
  return rows;
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll(String.raw`\|`, "|"));
}

/** @throws Error if a cell holds something else */
export function referencesOf(cell: string): Reference[] {
  return cell.split("<br>").map((part) => {
    const match = /^`([\w./-]+)`: (.+)$/.exec(part);
    if (match === null) throw new Error(`no reference: ${part}`);
    return { path: match[1] as string, words: match[2] as string };
  });
}

/** Section, and for how many sentences of it a row speaks: `9.6 ×2`. */
export function sectionOf(cell: string): { readonly section: string; readonly count: number } {
  const match = /^([\d.]+)(?: ×(\d+))?$/.exec(cell);
  if (match === null) throw new Error(`no section: ${cell}`);
  return { section: match[1] as string, count: Number(match[2] ?? 1) };
}

/** `section:count` separated by white space. */
export function countsOf(text: string): Map<string, number> {
  return new Map(
    text
      .trim()
      .split(/\s+/)
      .map((pair) => {
        const [section = "", count = ""] = pair.split(":");
        return [section, Number(count)] as const;
      }),
  );
}

/** Whether a source has the name, exported or as a member of something that is. */
export function hasName(source: string, name: string): boolean {
  return new RegExp(
    String.raw`\bexport (?:async )?(?:function|class|const|let)\*? ${name}\b|^ {2,4}"?${name}"?\??:`,
    "m",
  ).test(source);
}

/** Whether a test file has a test of this title: as a heading of a wire chapter, in a table of rows, or as text in quotes. */
export function hasTest(path: string, source: string, title: string): boolean {
  if (path.startsWith("wire/") && path.endsWith(".md")) return source.split("\n").includes(`## ${title}`);
  if (path.endsWith("-rows.ts")) return source.includes(title);
  return [`"${title}"`, `'${title}'`, `\`${title}\``].some((quoted) => source.includes(quoted));
}
