/** Latency by percentile: both axes logarithmic, the tail as wide as the rest, every line named at its end. */
import { logScale, moveApart, percentileScale, tickText } from "./scale.ts";
import { CHARACTER_PX, chart, element, label, line, SERIES_COLOURS, TOP_PX } from "./svg.ts";

/** A subject's latencies. */
export interface Series {
  readonly label: string;
  /** `[percentile, microseconds]`, ascending. */
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 840;
const HEIGHT = 300;
const LEFT = 76;
const LABEL_GAP_PX = 17;
const DASHES = ["", "7 4", "2 3"];

/** @param max percentile at most: with few requests the tail is one of them */
export function drawLatency(
  words: readonly [title: string, about: string, reading: string],
  series: readonly Series[],
  max: number,
): string {
  const right = WIDTH - 40 - CHARACTER_PX * Math.max(...series.map((one) => one.label.length));
  const bottom = TOP_PX + HEIGHT;
  const shown = series.map((one) => ({
    ...one,
    points: one.points.filter(([percent, us]) => percent <= max && us > 0),
  }));
  const values = shown.flatMap(({ points }) => points.map(([, us]) => us));
  const x = percentileScale(max, [LEFT, right]);
  const y = logScale(Math.min(...values), Math.max(...values), [bottom, TOP_PX]);
  const parts = [
    ...x.ticks.flatMap((tick) => [
      line(x.at(tick), TOP_PX, x.at(tick), bottom, "grid"),
      label(x.at(tick), bottom + 20, tick === 0 ? "min" : `${tick} %`, "middle", "small"),
    ]),
    ...y.ticks.flatMap((tick) => [
      line(LEFT, y.at(tick), right, y.at(tick), "grid"),
      label(LEFT - 8, y.at(tick) + 4, timeText(tick), "end", "small"),
    ]),
  ];
  const ends = moveApart(
    shown.map(({ points }) => y.at(points.at(-1)?.[1] ?? 1)),
    LABEL_GAP_PX,
    [TOP_PX, bottom],
  );
  for (const [i, { label: name, points }] of shown.entries()) {
    const colour = i % SERIES_COLOURS;
    const dash = DASHES[Math.floor(i / SERIES_COLOURS)] ?? "1 2";
    const path = points.map(([percent, us]) => `${x.at(percent).toFixed(1)},${y.at(us).toFixed(1)}`).join(" ");
    const end = ends[i] ?? bottom;
    const from = points.at(-1);
    parts.push(
      element("polyline", {
        points: path,
        class: `series line${colour}`,
        ...(dash !== "" && { "stroke-dasharray": dash }),
      }),
      line(right, y.at(from?.[1] ?? 1), right + 12, end, `line${colour}`),
      label(right + 16, end + 4.5, name, "start", `fill${colour}`),
    );
  }
  return chart(WIDTH, bottom + 34, words, parts);
}

function timeText(us: number): string {
  if (us >= 1e6) return `${tickText(us / 1e6)} s`;
  return us >= 1000 ? `${tickText(us / 1000)} ms` : `${tickText(us)} µs`;
}
