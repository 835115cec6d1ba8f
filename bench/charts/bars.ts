/**
 * One figure of every subject with the range of its rounds, ours in a colour of its own: as bars from zero, or, where the most
 * is many times the least, as points on a logarithmic axis, because a bar without a zero tells nothing.
 */
import { linearScale, logScale, tickText } from "./scale.ts";
import { CHARACTER_PX, chart, element, label, line, ROW_PX, TOP_PX } from "./svg.ts";
import type { Spread } from "../statistics.ts";

/** A bar. */
export interface Bar {
  readonly label: string;
  readonly isOurs: boolean;
  readonly figure: Spread;
  readonly digits: number;
  readonly ratio: number | null;
}

const WIDTH = 840;
const BAR_PX = 16;
/** From this ratio of the most to the least bars of the smaller ones tell nothing any more. */
const LOG_FROM = 12;

/** @param figure name with its unit, which less of is better */
export function drawBars(
  [title, about]: readonly [title: string, about: string],
  figure: string,
  reference: string,
  bars: readonly Bar[],
): string {
  const left = 24 + CHARACTER_PX * Math.max(...bars.map((bar) => bar.label.length));
  const notes = bars.map(noteOf);
  const right = WIDTH - 24 - CHARACTER_PX * Math.max(...notes.map((note) => note.length));
  const most = Math.max(...bars.map((bar) => bar.figure.max));
  const least = Math.min(...bars.map((bar) => bar.figure.min));
  const isLog = least > 0 && most / least > LOG_FROM;
  const scale = isLog ? logScale(least, most, [left, right]) : linearScale(most, [left, right], 5);
  const bottom = TOP_PX + bars.length * ROW_PX;
  const parts = scale.ticks.flatMap((tick) => [
    line(scale.at(tick), TOP_PX - 4, scale.at(tick), bottom + 2, tick === 0 ? "axis" : "grid"),
    label(scale.at(tick), bottom + 18, tickText(tick), "middle", "small"),
  ]);
  for (const [row, { label: name, isOurs, figure: spread }] of bars.entries()) {
    const middle = TOP_PX + row * ROW_PX + ROW_PX / 2;
    const strength = isOurs ? "strong" : "";
    const box = { x: left, y: middle - BAR_PX / 2, width: scale.at(spread.median) - left, height: BAR_PX };
    parts.push(
      label(left - 8, middle + 4.5, name, "end", strength),
      isLog ? line(left, middle, right, middle, "grid") : element("rect", { ...box, class: isOurs ? "ours" : "bar" }),
      ...whisker(scale.at(spread.min), scale.at(spread.max), middle),
      ...(isLog
        ? [element("circle", { cx: scale.at(spread.median), cy: middle, r: 6, class: isOurs ? "ours" : "dot" })]
        : []),
      label(right + 8, middle + 4.5, notes[row] ?? "", "start", strength),
    );
  }
  const reading = `${figure}, less is better; median and range of the rounds; in brackets the ratio to ${reference}${isLog ? "; logarithmic" : ""}`;
  return chart(WIDTH, bottom + 30, [title, about, reading], parts);
}

function noteOf({ figure, digits, ratio }: Bar): string {
  return `${figure.median.toFixed(digits)}${ratio === null ? "" : ` (${ratio.toFixed(2)})`}`;
}

/** The range of the rounds. */
export function whisker(from: number, to: number, y: number): readonly string[] {
  if (to - from < 1) return [];
  return [
    line(from, y, to, y, "whisker"),
    line(from, y - 4, from, y + 4, "whisker"),
    line(to, y - 4, to, y + 4, "whisker"),
  ];
}
