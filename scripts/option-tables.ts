/**
 * Writes the tables of docs/reference/options.md from the table of options: `npm run docs:options`.
 *
 * A page has a marker `<!-- options: limits. -->` in front of each table; what is between it and the next empty line after the
 * table is replaced. The test of the page uses the same functions and fails when they would change anything.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { OPTION_TABLE, type OptionRow } from "../src/server/option-table.ts";

const UNITS: Readonly<Record<string, string>> = {
  "B": "octets",
  "ms": "milliseconds",
  "B/s": "octets per second",
  "s": "seconds",
};

/** Thousands apart from five digits on: a port is no quantity. */
function group(value: number): string {
  return value < 10_000 ? String(value) : value.toLocaleString("en-GB");
}

/** Numbers as people read them, with what they are in larger units: `16,384 octets (16 KiB)`. */
function renderNumber(value: number, unit: string): string {
  if (value === Infinity) return "no limit (`Infinity`)";
  const word = UNITS[unit] === undefined ? "" : ` ${UNITS[unit]}`;
  const text = `${group(value)}${word}`;
  if (unit === "B" && value >= 2 ** 20 && value % 2 ** 20 === 0) return `${text} (${value / 2 ** 20} MiB)`;
  if (unit === "B" && value >= 1024 && value % 1024 === 0) return `${text} (${value / 1024} KiB)`;
  if (unit === "ms" && value >= 1000 && value % 1000 === 0) return `${text} (${value / 1000} s)`;
  return text;
}

function renderDefault(row: OptionRow): string {
  if (typeof row.default === "number") return renderNumber(row.default, row.unit);
  if (row.default === null) return "none";
  if (typeof row.default === "object") return row.default.length === 0 ? "none" : row.default.join(", ");
  return `\`${row.default}\``;
}

function renderAllowed(row: OptionRow): string {
  if (row.type !== "integer")
    return {
      "boolean": "`true`, `false`",
      "text": "text",
      "tokens": "tokens",
      "function": "a function",
      "signal": "an `AbortSignal`",
      "pem": "text or octets",
      "texts": "an array of text",
      "objects": "an array of objects",
      "path": "a path",
      "forwarding-header": "`x-forwarded`, `forwarded`",
      "tls-version": "`TLSv1.2`, `TLSv1.3`",
      "ticket-keys": "48 octets",
    }[row.type];
  const most = row.max === Infinity ? "`Infinity`" : group(row.max);
  return `${group(row.min)} to ${most}`;
}

/** The sentence, with codes of errors as links to what there is to say about them. */
function renderDescription({ description }: OptionRow): string {
  const linked = description.replaceAll(/\bERR_[A-Z_]+\b/g, (code) => `[\`${code}\`](errors.md#${code.toLowerCase()})`);
  return linked.replaceAll("|", "\\|");
}

/** Rows of the options whose path fits `selection`: a prefix that ends in a point, or names separated by spaces. */
export function renderTable(selection: string): string {
  const names = selection.split(" ");
  const rows = OPTION_TABLE.filter(({ path }) =>
    selection.endsWith(".") ? path.startsWith(selection) : names.includes(path),
  );
  const lines = rows.map((row) => {
    const precedent = row.precedent === "" ? "" : ` *${row.precedent}*`;
    return `| \`${row.path}\` | ${renderDefault(row)} | ${renderAllowed(row)} | ${renderDescription(row)}.${precedent} |`;
  });
  return ["| Option | Default | Allowed | Meaning, *precedent* |", "|---|---|---|---|", ...lines, ""].join("\n");
}

/** The page with all its tables as they should be. */
export function renderPage(page: string): string {
  return page.replaceAll(
    /(<!-- options: (.+?) -->\n)(?:\|[^\n]*\n)*/g,
    (_, marker: string, selection: string) => marker + renderTable(selection),
  );
}

if (process.argv.includes("--write")) {
  const page = new URL("../docs/reference/options.md", import.meta.url);
  writeFileSync(page, renderPage(readFileSync(page, "utf8")));
}
