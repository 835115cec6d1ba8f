/**
 * The geometry of charts without any drawing: scales with round ticks, and labels moved apart so that none covers another.
 */

/** Numbers to pixels. */
export interface Scale {
  /** @returns pixels */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** Pixels from and to. */
export type Pixels = readonly [from: number, to: number];

/**
 * @param max above 0; the scale ends at the round number above it
 * @param most ticks, about
 */
export function linearScale(max: number, [from, to]: Pixels, most = 6): Scale {
  const rough = Math.max(max, Number.MIN_VALUE) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const count = Math.max(1, Math.ceil(max / step - 1e-9));
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
  const end = ticks.at(-1) ?? max;
  return { at: (value) => from + ((to - from) * value) / end, ticks };
}

/** A scale of powers of ten with 1, 2 and 5 between where there is room. @param min above 0 */
export function logScale(min: number, max: number, [from, to]: Pixels): Scale {
  const decades = Math.log10(max / min);
  const factors = factorsOf(decades);
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(min)) - 1; power <= Math.ceil(Math.log10(max)) + 1; power++) {
    for (const factor of factors) all.push(Number((factor * 10 ** power).toPrecision(12)));
  }
  const first = all.filter((tick) => tick <= min * 1.0001).at(-1) ?? min;
  const last = all.find((tick) => tick >= max * 0.9999) ?? max;
  const span = Math.max(Math.log(last / first), 1e-9);
  return {
    at: (value) => from + ((to - from) * Math.log(Math.max(value, first) / first)) / span,
    ticks: all.filter((tick) => tick >= first && tick <= last),
  };
}

/** Where the ticks of one decade stand. */
function factorsOf(decades: number): readonly number[] {
  if (decades > 4) return [1];
  return decades > 2.5 ? [1, 3] : [1, 2, 5];
}

/** Percentiles in nines: 90, 99 and 99.9 are equally far apart, so that the tail has room. */
export function percentileScale(max: number, [from, to]: Pixels): Scale {
  const nines = (percent: number): number => Math.log10(1 / (1 - Math.min(percent, max) / 100));
  const ticks = [0, 50, 90, 99, 99.9, 99.99].filter((tick) => tick <= max);
  return { at: (percent) => from + ((to - from) * nines(percent)) / nines(max), ticks };
}

/**
 * Moves labels apart as little as needed.
 *
 * @param wanted pixels where they would stand
 * @param gap between two of them at least
 * @param limits within which all must stand; they are crowded only if there is no room at all
 * @returns pixels in the same order
 */
export function moveApart(wanted: readonly number[], gap: number, [top, bottom]: Pixels): readonly number[] {
  const order = wanted.map((y, index) => ({ y, index })).toSorted((a, b) => a.y - b.y);
  const room = order.length > 1 ? Math.min(gap, (bottom - top) / (order.length - 1)) : gap;
  let last = -Infinity;
  for (const one of order) {
    one.y = Math.max(one.y, last + room, top);
    last = one.y;
  }
  let next = Infinity;
  for (const one of order.toReversed()) {
    one.y = Math.min(one.y, next - room, bottom);
    next = one.y;
  }
  const places = wanted.map(() => 0);
  for (const { y, index } of order) places[index] = y;
  return places;
}

/** @returns a number as an axis says it: `0.25`, `1,500`, `20k` */
export function tickText(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 10_000) return `${Number((value / 1000).toPrecision(3))}k`;
  return value >= 1000 ? value.toLocaleString("en") : String(Number(value.toPrecision(3)));
}
