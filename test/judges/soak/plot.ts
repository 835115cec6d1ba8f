/**
 * Memory over time as a drawing: what a judge looks at to see whether it goes on growing.
 *
 * The soak has one line for all processes together, with a mark for each restart; others have a line for each kind of memory.
 * Legible in light and dark.
 */

/** Memory at one time. */
export interface Sample {
  readonly seconds: number;
  readonly residentMib: number;
  readonly processes: number;
  readonly descriptors: number;
  readonly answers: number;
}

const WIDTH = 900;
const HEIGHT = 360;
const LEFT = 60;
const BOTTOM = 40;
const TOP = 30;
const GRID_LINES = 5;

/** One thing over time. */
export interface Line {
  /** Shown where there are several. */
  readonly label: string;
  readonly points: ReadonlyArray<{ readonly seconds: number; readonly mib: number }>;
}

/** An SVG of resident memory by time. */
export function plotMemory(samples: readonly Sample[], restartsAt: readonly number[], title: string): string {
  const points = samples.map(({ seconds, residentMib }) => ({ seconds, mib: residentMib }));
  return plotLines([{ label: "", points }], restartsAt, title);
}

/** An SVG of up to four lines by time; the axis begins at zero, so that growth looks as large as it is. */
export function plotLines(lines: readonly Line[], marksAt: readonly number[], title: string): string {
  const all = lines.flatMap(({ points }) => points);
  const last = Math.max(1, ...all.map(({ seconds }) => seconds));
  const most = Math.ceil((Math.max(1, ...all.map(({ mib }) => mib)) * 1.1) / 50) * 50;
  const x = (seconds: number): string => (LEFT + (seconds / last) * (WIDTH - LEFT - 20)).toFixed(1);
  const y = (mib: number): string => (HEIGHT - BOTTOM - (mib / most) * (HEIGHT - BOTTOM - TOP)).toFixed(1);
  const rows = Array.from({ length: GRID_LINES + 1 }, (_, row) => (most / GRID_LINES) * row);
  const minutes = Array.from({ length: Math.floor(last / 60) + 1 }, (_, minute) => minute * 60);
  const drawn = lines.flatMap(({ label, points }, index) => {
    const shape = `<polyline class="line of${index}" points="${points.map(({ seconds, mib }) => `${x(seconds)},${y(mib)}`).join(" ")}"/>`;
    const end = points.at(-1);
    if (label === "" || end === undefined) return [shape];
    return [
      shape,
      `<text x="${WIDTH - 24}" y="${(Number(y(end.mib)) - 6).toFixed(1)}" text-anchor="end">${label}</text>`,
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    "<style>text{fill:#333}.grid{stroke:#8884}.line{stroke:#0969da;fill:none;stroke-width:1.5}.of1{stroke:#1a7f37}.of2{stroke:#bf3989}.of3{stroke:#9a6700}.mark{stroke:#d29922;stroke-dasharray:2 3}.back{fill:#fff}",
    "@media (prefers-color-scheme:dark){text{fill:#ddd}.back{fill:#0d1117}.line{stroke:#58a6ff}.of1{stroke:#3fb950}.of2{stroke:#f778ba}.of3{stroke:#d29922}}</style>",
    `<rect class="back" width="${WIDTH}" height="${HEIGHT}"/><text x="${LEFT}" y="18" font-size="14">${title}</text>`,
    ...rows.map(
      (mib) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - 20}" y1="${y(mib)}" y2="${y(mib)}"/><text x="${LEFT - 8}" y="${Number(y(mib)) + 4}" text-anchor="end">${mib} MiB</text>`,
    ),
    ...minutes
      .filter((_, index) => index % Math.ceil(minutes.length / 20) === 0)
      .map(
        (seconds) =>
          `<text x="${x(seconds)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${seconds / 60} min</text>`,
      ),
    ...marksAt.map((at) => `<line class="mark" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
