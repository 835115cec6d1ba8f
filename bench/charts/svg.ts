/**
 * SVG as text: elements, and one style for all charts.
 *
 * Colours follow the reader's scheme (prefers-color-scheme works inside of an image too). A picture in a page cannot know the
 * page's own colours, so every chart has an opaque ground of its own. Text stays text: it can be searched, copied and read out.
 */

/** A character of the labels is at most about this wide, in pixels at 13 px; system fonts differ. */
export const CHARACTER_PX = 8.2;
export const ROW_PX = 26;

/** Colours that people with any colour vision tell apart (Okabe and Ito), in a light and a dark tone. */
const LIGHT = ["#c2410c", "#0066b3", "#00795c", "#a8447e", "#7a6400", "#4d5a66", "#0b7d91", "#8a3ffc"];
const DARK = ["#ff9d5c", "#62b5f5", "#3dd1a5", "#f08cc4", "#e5cc4f", "#a9b6c2", "#5cd3e6", "#c3a1ff"];

/** How many series have a colour of their own; dashes tell the others. */
export const SERIES_COLOURS: number = LIGHT.length;

function tones(colours: readonly string[]): string {
  return colours.map((colour, i) => `.line${i}{stroke:${colour}}.fill${i}{fill:${colour}}`).join("");
}

const STYLE = `
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.small{font-size:12px;fill:#59636e}.strong{font-weight:600}
.ground{fill:#fff;stroke:#d1d9e0}.grid{stroke:#e4e8ec}.axis{stroke:#8c959f}
.bar{fill:#b6c2cd}.dot{fill:#6e7b87}.ours{fill:#e0713a}.whisker{stroke:#1f2328;stroke-width:1.5}
.must{stroke:#b42318;stroke-width:2.5}.aim{stroke:#1a7f37;stroke-width:2.5}.one{stroke:#59636e;stroke-dasharray:4 3}
.series{fill:none;stroke-width:2}${tones(LIGHT)}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.small{fill:#a5b0bb}.ground{fill:#0d1117;stroke:#3d444d}.grid{stroke:#262d36}.axis{stroke:#7d8590}
.bar{fill:#5a6775}.dot{fill:#94a3b1}.ours{fill:#e8793f}.whisker{stroke:#e6edf3}.must{stroke:#ff7b72}.aim{stroke:#56d364}.one{stroke:#a5b0bb}
${tones(DARK)}}`;

/** Attributes of an element; numbers are rounded to a tenth of a pixel. */
type Attributes = Readonly<Record<string, string | number>>;

/** @returns an element with nothing in it */
export function element(name: string, attributes: Attributes): string {
  return `<${name}${attributesText(attributes)}/>`;
}

/** @returns text at a place; `anchor` says which end of it stands there */
export function label(
  x: number,
  y: number,
  words: string,
  anchor: "start" | "middle" | "end" = "start",
  className = "",
): string {
  const attributes = {
    x,
    y,
    ...(anchor !== "start" && { "text-anchor": anchor }),
    ...(className && { class: className }),
  };
  return `<text${attributesText(attributes)}>${escapeXml(words)}</text>`;
}

/** @returns a straight line */
export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return element("line", { x1, y1, x2, y2, class: className });
}

/** Where a chart's own drawing may begin, below its title and the two lines under that. */
export const TOP_PX = 84;

/** @param words title, what is asked, how to read it: told to people who do not see the picture, and shown in it */
export function chart(
  width: number,
  height: number,
  [title, about, reading]: readonly [title: string, about: string, reading: string],
  parts: readonly string[],
): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`;
  const ground = element("rect", { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 6, class: "ground" });
  const words = [
    label(16, 26, title, "start", "title"),
    label(16, 46, about, "start", "small"),
    label(16, 64, reading, "start", "small"),
  ];
  const told = `<title>${escapeXml(title)}</title><desc>${escapeXml(`${about}. ${reading}`)}</desc>`;
  return `${head}${told}<style>${STYLE}</style>\n${[ground, ...words, ...parts].join("\n")}\n</svg>\n`;
}

function attributesText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${typeof value === "number" ? Math.round(value * 10) / 10 : escapeXml(value)}"`)
    .join("");
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
