/**
 * `--help`: what the command does, with examples first, then the flags in groups.
 *
 * Made from the table of flags, so that it cannot leave one out. Loaded only when somebody asks.
 */

import { FLAG_TABLE } from "./flags.ts";
import type { FlagGroup } from "./flags.ts";
import type { Painter } from "./paint.ts";

/** In a pipe nobody knows; longer lines are no pleasure to read, and in shorter ones two columns find no room. */
const WIDEST = 100;
const NARROWEST = 60;
/** Widest first column of the widest page; longer entries have a line of their own. */
const WIDEST_COLUMN = 37;
const GROUPS: readonly FlagGroup[] = ["Where", "TLS", "Files", "Who may", "What it says", "Help"];

const COMMANDS: readonly (readonly [written: string, meaning: string])[] = [
  ["fairlead [folder | file | module]", "serve it; alone: ./public, ./dist or ./htdocs, else this folder"],
  ["fairlead explain [METHOD] /path", "what would answer, and why, without a socket"],
  ["fairlead fetch [METHOD] /path", "ask once, without a socket; exit code 22 for 4xx and 5xx"],
  ["fairlead check [folder | file | module]", "everything but listening: what is wrong, or what holds and why"],
  ["fairlead trust", "how this machine comes to trust the certificates of --tls"],
  ["fairlead hash-password", "read a password, print what --auth @FILE may hold in its place"],
];

const EXAMPLES: readonly (readonly [written: string, meaning: string])[] = [
  ["fairlead ./site -p 3000", "a folder at http://127.0.0.1:3000/"],
  ["fairlead ./dist -s", "a single-page app"],
  ["fairlead --host --qr", "this folder for every machine and phone around"],
  ["fairlead ./site --cache 10m --cors", "clients keep files for ten minutes, all sites may read them"],
  ["fairlead app.ts", "a module that exports fetch(request)"],
  ["fairlead explain ./site /about -H 'Accept-Encoding: br'", "why /about is what it is"],
];

const SUMMARY = "Serves a folder or a file, or runs a module that answers requests.";

const RULES: readonly string[] = [
  "A flag goes before the environment, that before the configuration file, that before the default. The environment has FAIRLEAD_LOG_FILE for --log-file, and so on. Of a flag given twice the last one counts.",
  'A value that may be left out is best written behind "=": --cors=https://app.example',
  "Port 8080 is left for the next free one if it is taken; a port that was asked for is not.",
];

/**
 * The help, ending in a newline.
 *
 * @param columns characters in a line of the terminal; undefined where there is none
 */
export function renderHelp(paint: Painter, columns?: number): string {
  const width = Math.min(Math.max(columns ?? WIDEST, NARROWEST), WIDEST);
  const parts = [
    `Usage: fairlead [folder | file | module] [flags]\n\n${breakLines(SUMMARY, width).join("\n")}\n`,
    section("Commands", COMMANDS, width, paint),
    section("Examples", EXAMPLES, width, paint),
    ...GROUPS.map((group) => {
      const rows = FLAG_TABLE.filter((row) => row.group === group);
      return section(
        group,
        rows.map((row) => [alignShort(row.shown), row.meaning] as const),
        width,
        paint,
      );
    }),
    `${RULES.flatMap((rule) => breakLines(rule, width)).join("\n")}\n`,
  ];
  return parts.join("\n");
}

/** Long names under each other, whether or not there is a letter before them. */
function alignShort(shown: string): string {
  return shown.startsWith("--") ? `    ${shown}` : shown;
}

/** A heading, and rows of two columns; the second is broken at words. */
function section(title: string, rows: readonly (readonly [string, string])[], width: number, paint: Painter): string {
  const longest = Math.max(...rows.map(([written]) => written.length));
  const column = Math.min(longest, Math.floor((WIDEST_COLUMN * width) / WIDEST)) + 4;
  let text = `${paint("title", `${title}:`)}\n`;
  for (const [written, meaning] of rows) {
    const lines = breakLines(meaning, width - column);
    const isLong = written.length > column - 4;
    const words = written.trimStart();
    text += `  ${" ".repeat(written.length - words.length)}${paint("typed", words)}`;
    text += isLong ? `\n${" ".repeat(column)}` : " ".repeat(column - written.length - 2);
    text += `${lines.join(`\n${" ".repeat(column)}`)}\n`;
  }
  return text;
}

function breakLines(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
