/** Ours in all profiles as ratios to each one's reference, with what is demanded: a row each, on a logarithmic axis. */
import type { Target } from "../profile.ts";
import type { Spread } from "../statistics.ts";
import { whisker } from "./bars.ts";
import { logScale, tickText } from "./scale.ts";
import { CHARACTER_PX, chart, element, label, line, ROW_PX, TOP_PX } from "./svg.ts";

/** A row: one profile on one Node. */
export interface RatioRow {
  readonly profile: string;
  /** What tells rows of the same profile apart, or the empty string. */
  readonly note: string;
  readonly reference: string;
  readonly ratio: Spread;
  readonly target: Target | null;
}

const WIDTH = 840;
const TOP = TOP_PX + 26;

export function drawRatios(title: string, rows: readonly RatioRow[]): string {
  const names = rows.map(({ profile, note }) => (note === "" ? profile : `${profile}, ${note}`));
  const ends = rows.map(({ ratio, reference }) => `${ratio.median.toFixed(2)} of ${reference}`);
  const left = 24 + CHARACTER_PX * Math.max(...names.map((name) => name.length));
  const right = WIDTH - 28 - CHARACTER_PX * Math.max(...ends.map((end) => end.length));
  const bottom = TOP + rows.length * ROW_PX;
  const values = rows.flatMap(({ ratio, target }) => [
    ratio.min,
    ratio.max,
    ...(target === null ? [] : [target.must, target.aim]),
  ]);
  const x = logScale(Math.min(0.5, ...values), Math.max(1, ...values), [left, right]);
  const parts = x.ticks.flatMap((tick) => [
    line(x.at(tick), TOP, x.at(tick), bottom, "grid"),
    label(x.at(tick), bottom + 18, tickText(tick), "middle", "small"),
  ]);
  parts.push(line(x.at(1), TOP, x.at(1), bottom, "one"), ...legend());
  for (const [i, { ratio, target }] of rows.entries()) {
    const middle = TOP + i * ROW_PX + ROW_PX / 2;
    parts.push(label(left - 10, middle + 4.5, names[i] ?? "", "end"));
    if (target !== null) {
      parts.push(
        line(x.at(target.must), middle - 9, x.at(target.must), middle + 9, "must"),
        line(x.at(target.aim), middle - 9, x.at(target.aim), middle + 9, "aim"),
      );
    }
    parts.push(
      ...whisker(x.at(ratio.min), x.at(ratio.max), middle),
      element("circle", { cx: x.at(ratio.median), cy: middle, r: 5, class: "ours" }),
      label(right + 12, middle + 4.5, ends[i] ?? ""),
    );
  }
  const about = "The reference's figure in the same run is 1, less is better";
  const reading = "Median and range of the rounds, each against the reference's own round; logarithmic";
  return chart(WIDTH, bottom + 30, [title, about, reading], parts);
}

/** What the marks mean, in a line of its own above the rows. */
function legend(): readonly string[] {
  const y = TOP_PX + 4;
  return [
    element("circle", { cx: 22, cy: y, r: 5, class: "ours" }),
    label(34, y + 4.5, "reached", "start", "small"),
    line(110, y - 8, 110, y + 8, "must"),
    label(118, y + 4.5, "must", "start", "small"),
    line(170, y - 8, 170, y + 8, "aim"),
    label(178, y + 4.5, "aim", "start", "small"),
  ];
}
