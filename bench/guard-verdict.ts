/**
 * Whether a run is slower than the baseline, beyond what both runs differ by in themselves.
 *
 * Pure. Compared are ratios to the reference of the same run, so that another speed of the machine counts for nothing. The
 * tolerance of a profile is the doubt of both medians together, each half of its range, and never less than 3 %, below which
 * nothing here is made faster either. Rounds that would allow more than a quarter tell nothing: such a run does not pass.
 */
import { halfRange, type Spread } from "./statistics.ts";

/** What a profile was, or is. */
export interface GuardEntry {
  readonly profile: string;
  /** Of ours to the reference. */
  readonly ratio: Spread;
}

/** The stored state. */
export interface Baseline {
  /** ISO 8601. */
  readonly date: string;
  /** CPU and cores. */
  readonly machine: string;
  /** Major version of Node. */
  readonly node: string;
  readonly entries: readonly GuardEntry[];
}

/** A profile, judged. */
export interface GuardRow {
  readonly profile: string;
  readonly before: Spread | null;
  readonly now: Spread | null;
  /** 0.05: 5 % more than before is allowed. */
  readonly tolerance: number;
  readonly verdict: "as before" | "better" | "WORSE" | "new" | "NOT MEASURED" | "IN DOUBT";
}

const LEAST_TOLERANCE = 0.03;
/** One bad round of seven is enough to allow as much as it was off. On a quiet machine `static-64k` was seen to come to 0.21. */
const MOST_TOLERANCE = 0.25;

/** @returns a row for each profile of either, those of the baseline first */
export function judge(baseline: readonly GuardEntry[], run: readonly GuardEntry[]): readonly GuardRow[] {
  const rows = baseline.map(({ profile, ratio }) => {
    const now = run.find((entry) => entry.profile === profile)?.ratio ?? null;
    return judgeOne(profile, ratio, now);
  });
  const isNew = ({ profile }: GuardEntry): boolean => !baseline.some((entry) => entry.profile === profile);
  return [...rows, ...run.filter(isNew).map(({ profile, ratio }) => judgeOne(profile, null, ratio))];
}

const PASSING: ReadonlySet<GuardRow["verdict"]> = new Set(["as before", "better", "new"]);

/** @returns true if the guard lets this pass: what could not be measured does not, and neither does a run of new ones alone */
export function isPassed(rows: readonly GuardRow[]): boolean {
  return rows.some(({ verdict }) => verdict !== "new") && rows.every(({ verdict }) => PASSING.has(verdict));
}

function judgeOne(profile: string, before: Spread | null, now: Spread | null): GuardRow {
  if (before === null) return { profile, before, now, tolerance: 0, verdict: "new" };
  if (now === null) return { profile, before, now, tolerance: 0, verdict: "NOT MEASURED" };
  const tolerance = Math.max(LEAST_TOLERANCE, halfRange(before) + halfRange(now));
  const change = now.median / before.median - 1;
  if (change > tolerance) return { profile, before, now, tolerance, verdict: "WORSE" };
  if (change < -tolerance) return { profile, before, now, tolerance, verdict: "better" };
  return { profile, before, now, tolerance, verdict: tolerance > MOST_TOLERANCE ? "IN DOUBT" : "as before" };
}

/** @returns the rows for a terminal */
export function guardText(rows: readonly GuardRow[]): string {
  const cells = rows.map(({ profile, before, now, tolerance, verdict }) => {
    const change = before === null || now === null ? "" : signed(now.median / before.median - 1);
    return [profile, ratioText(before), ratioText(now), change, before === null ? "" : percent(tolerance), verdict];
  });
  const table = [["profile", "baseline", "now", "change", "allowed", ""], ...cells];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function ratioText(spread: Spread | null): string {
  if (spread === null) return "-";
  return `${spread.median.toFixed(3)} (${spread.min.toFixed(3)}-${spread.max.toFixed(3)})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function signed(share: number): string {
  return `${share > 0 ? "+" : ""}${percent(share)}`;
}
