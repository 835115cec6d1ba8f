/**
 * Results as text: a table for terminals, and Markdown for the docs. Nothing is measured or judged here.
 */
import { machineLine } from "./machine.ts";
import { type ProfileResult, type RunResult, type SubjectResult, type Summary, summaryOf } from "./results.ts";
import type { Spread } from "./statistics.ts";

/** @returns a whole run for a terminal */
export function runText(run: RunResult): string {
  const parts = [headText(run), ...run.profiles.map(profileText)];
  if (run.skipped.length > 0) parts.push(`Left out:\n${run.skipped.map((one) => `  ${one}\n`).join("")}`);
  if (!run.isWhole) parts.push("ENDED EARLY: only what was finished is shown.\n");
  return parts.join("\n");
}

function headText(run: RunResult): string {
  const tools = Object.entries(run.machine.tools).map(([name, version]) => `${name} ${version}`);
  return `${run.date.slice(0, 16).replace("T", " ")} UTC  ${run.command}\n${machineLine(run.machine)}\n${tools.join(", ")}\n`;
}

/** @returns one profile for a terminal */
export function profileText(profile: ProfileResult): string {
  const rows = [["", ...profile.figures.map(({ name }) => name), "ratio"]];
  const notes: string[] = [];
  for (const subject of profile.subjects) {
    const summary = summaryOf(profile, subject);
    rows.push([subject.label, ...cellsOf(profile, subject, summary), ratioText(summary)]);
    notes.push(...notesOf(profile, subject, summary));
  }
  const versions = profile.subjects.map(({ label, version }) => `${label}: ${version}`);
  const head = `${profile.name}: ${profile.about}\nmedian (min-max); ratio of ${profile.figures[0]?.name} to ${profile.reference}, round by round\n`;
  return `${head}\n${aligned(rows)}\n${[...notes, ...versions].map((line) => `  ${line}\n`).join("")}`;
}

function cellsOf(profile: ProfileResult, subject: SubjectResult, { figures }: Summary): string[] {
  if (subject.failure !== null) return profile.figures.map(() => "-");
  return profile.figures.map(({ name, digits }) => spreadText(figures.get(name), digits));
}

function spreadText(spread: Spread | undefined, digits: number): string {
  if (spread === undefined || Number.isNaN(spread.median)) return "-";
  const { median, min, max } = spread;
  if (min === max) return median.toFixed(digits);
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

function ratioText({ ratio }: Summary): string {
  return spreadText(ratio ?? undefined, 2);
}

function notesOf(profile: ProfileResult, subject: SubjectResult, { verdict, doubts }: Summary): string[] {
  const notes = doubts.map((doubt) => `${subject.label}: ${doubt}`);
  if (subject.failure !== null) notes.push(`${subject.label} was put out: ${subject.failure.split("\n")[0]}`);
  if (verdict !== null && profile.target !== null) {
    notes.unshift(`${subject.label}: ${verdict} (must ${profile.target.must}, aim ${profile.target.aim})`);
  }
  return notes;
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** Figures that the docs show; the rest is in the JSON. */
const DOC_FIGURES = [
  "CPU us/req",
  "req/s",
  "p50 us",
  "p99 us",
  "p99.9 us",
  "RSS MiB",
  "KiB/connection",
  "first answer ms",
];

/**
 * @param charts file of a profile's chart by its name, relative to the page
 * @returns a whole run as Markdown
 */
export function runMarkdown(run: RunResult, charts: ReadonlyMap<string, string>): string {
  const tools = Object.entries(run.machine.tools).map(([name, version]) => `${name} ${version}`);
  const parts = [
    `Measured on ${run.date.slice(0, 10)}: ${machineLine(run.machine)}; ${tools.join(", ")}.`,
    `\`\`\`sh\n${run.command}\n\`\`\``,
    `### Demanded and reached\n\n${verdictTable(run)}`,
    ...run.profiles.map((profile) => profileMarkdown(profile, charts)),
  ];
  const overview = charts.get("ratios");
  if (overview !== undefined) parts.splice(3, 0, `![Ratios to the reference by profile](${overview})`);
  if (run.skipped.length > 0) parts.push(`Left out: ${run.skipped.map(onOneLine).join("; ")}.`);
  if (!run.isWhole) parts.push("Ended early: only what was finished is shown.");
  return `${parts.join("\n\n")}\n`;
}

/** What a program has said may have several lines, and what is markup in Markdown: it stays one line of text. */
function onOneLine(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[\\`*_<>[\]|]/g, "\\$&");
}

/** Ours against what is demanded, a row for each Node. */
function verdictTable(run: RunResult): string {
  const rows = run.profiles.flatMap((profile) =>
    profile.subjects.flatMap((subject) => {
      const summary = summaryOf(profile, subject);
      const { target } = profile;
      if (summary.verdict === null || target === null) return [];
      const cells = [profile.name, subject.label, subject.reference ?? "", ratioText(summary)];
      return [[...cells, String(target.must), String(target.aim), summary.verdict]];
    }),
  );
  return markdownTable([["Profile", "Subject", "Reference", "Ratio", "Must", "Aim", ""], ...rows]);
}

/** @returns names of the charts that the docs show of a profile: latency only where it is what the profile is about */
export function docChartsOf({ name, isSaturating }: ProfileResult): readonly string[] {
  return isSaturating ? [name] : [name, `${name}-latency`];
}

function profileMarkdown(profile: ProfileResult, charts: ReadonlyMap<string, string>): string {
  const shown = profile.figures.filter(({ name }, place) => place === 0 || DOC_FIGURES.includes(name));
  const rows: string[][] = [["", ...shown.map(({ name }) => name), `Ratio to ${profile.reference}`]];
  const notes: string[] = [];
  for (const subject of profile.subjects) {
    const summary = summaryOf(profile, subject);
    const cells = shown.map(({ name, digits }) => spreadText(summary.figures.get(name), digits));
    rows.push([subject.label, ...cells, ratioText(summary)]);
    notes.push(...notesOf(profile, subject, summary));
  }
  const pictures = docChartsOf(profile).flatMap((name) => {
    const chart = charts.get(name);
    return chart === undefined ? [] : [`![${profile.about}](${chart})\n\n`];
  });
  const tail = notes.length === 0 ? "" : `\n\n${notes.map((note) => `- ${onOneLine(note)}`).join("\n")}`;
  const versions = profile.subjects.map(({ label, version }) => `${label}: ${version}`).join("; ");
  return `### ${profile.name}\n\n${profile.about}. ${versions}.\n\n${pictures.join("")}${markdownTable(rows)}${tail}`;
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = rows;
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const isNumeric = (column: number): boolean => rest.every((cells) => /^(?:$|-$|\d)/.test(cells[column] ?? ""));
  const rule = head.map((_, column) => (column > 0 && isNumeric(column) ? "---:" : "---"));
  return [line(head), `|${rule.join("|")}|`, ...rest.map(line)].join("\n");
}
