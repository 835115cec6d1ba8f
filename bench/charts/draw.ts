/** Which charts a run gives: bars for each profile, percentiles where latency was measured, ratios for all together. */
import type { ProfileResult, RunResult } from "../results.ts";
import { summaryOf } from "../results.ts";
import { drawBars } from "./bars.ts";
import { drawLatency } from "./latency.ts";
import { drawRatios, type RatioRow } from "./ratios.ts";

/** A percentile is shown where at least so many requests of a round lie beyond it. */
const REQUESTS_BEYOND = 10;

/** @returns SVG by name: that of the profile, `NAME-latency`, `ratios` */
export function drawCharts(run: RunResult): ReadonlyMap<string, string> {
  const charts = new Map<string, string>();
  const rows: RatioRow[] = [];
  for (const profile of run.profiles) {
    const bars = barsOf(profile);
    if (bars !== null) charts.set(profile.name, bars);
    const latency = latencyOf(profile);
    if (latency !== null) charts.set(`${profile.name}-latency`, latency);
    rows.push(...ratiosOf(profile));
  }
  if (rows.length > 0) charts.set("ratios", drawRatios("Fairlead beside the reference of each profile", rows));
  return charts;
}

function barsOf(profile: ProfileResult): string | null {
  const [steer] = profile.figures;
  if (steer === undefined) return null;
  const bars = profile.subjects.flatMap((subject) => {
    const { figures, ratio } = summaryOf(profile, subject);
    const figure = figures.get(steer.name);
    if (figure === undefined || Number.isNaN(figure.median)) return [];
    const { label } = subject;
    return [{ label, isOurs: isOurs(subject.name), figure, digits: steer.digits, ratio: ratio?.median ?? null }];
  });
  if (bars.length === 0) return null;
  const sorted = bars.toSorted((a, b) => a.figure.median - b.figure.median);
  return drawBars([profile.name, profile.about], unitText(steer.name), profile.reference, sorted);
}

function latencyOf(profile: ProfileResult): string | null {
  const series = profile.subjects.flatMap((subject) => {
    const { percentiles } = summaryOf(profile, subject);
    return percentiles.length === 0 ? [] : [{ label: subject.label, points: percentiles }];
  });
  if (series.length === 0) return null;
  const reading = profile.isSaturating
    ? "Latency by percentile while as much is asked as is answered; both axes logarithmic, less is better"
    : "Latency by percentile, counted from when each request was due; both axes logarithmic, less is better";
  return drawLatency([`${profile.name}: latency`, profile.about, reading], series, maxPercentile(profile));
}

/** By the subject with the fewest requests. */
function maxPercentile(profile: ProfileResult): number {
  const rates = profile.subjects.flatMap((subject) => summaryOf(profile, subject).figures.get("req/s")?.median ?? []);
  const requests = Math.min(...rates.filter((rate) => rate > 0)) * profile.seconds;
  return [99.99, 99.9].find((percent) => requests * (1 - percent / 100) >= REQUESTS_BEYOND) ?? 99;
}

function ratiosOf(profile: ProfileResult): readonly RatioRow[] {
  const [first] = profile.ours;
  return profile.subjects.flatMap((subject) => {
    const { ratio } = summaryOf(profile, subject);
    if (subject.name !== first || ratio === null) return [];
    const note = /\((.*)\)$/.exec(subject.label)?.[1] ?? "";
    return [{ profile: profile.name, note, reference: profile.reference, ratio, target: profile.target }];
  });
}

/** Figures are called as keyboards can. */
function unitText(figure: string): string {
  return figure.replace(/\bus\b/, "µs");
}

function isOurs(name: string): boolean {
  return name.includes("fairlead");
}
