/**
 * How the server's own pages look: one palette in two schemes, the style sheet of listings, and its icons.
 *
 * All of it stands in the page, so that a listing is one request and needs nothing from elsewhere. Its hash is in the
 * Content-Security-Policy (CSP3 §2.3.1, source expressions); the tests tell what it must be after a change. No selector may
 * depend on a name of a file.
 */

/** Colours and type, light and dark. */
const PALETTE = `:root{color-scheme:light dark;--paper:#f5f1e9;--sheet:#fffdf9;--ink:#1d2a35;--faint:#5b6a74;\
--rule:#e4dccd;--sea:#14566b;--hover:#f0f5f4;--rope:#b06f2c;--focus:#2a87a4;\
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif}
@media (prefers-color-scheme:dark){:root{--paper:#0f1a22;--sheet:#16242e;--ink:#e6e1d6;--faint:#9dabb4;\
--rule:#263a47;--sea:#86cbde;--hover:#1d303c;--rope:#dfa864;--focus:#86cbde}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 var(--sans)}
a{color:var(--sea)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:4px}
`;

/** Symbols of 24 units, drawn with lines. */
const SYMBOLS: Readonly<Record<string, string>> = {
  archive: "M5 8h14v11.5H5zM5 8l1.8-3.5h10.4L19 8M10 12h4",
  audio: "M9 17.5V6l9-2v11.5M9 17.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0M18 15.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0",
  code: "M8 8l-4 4 4 4M16 8l4 4-4 4M13.5 5.5l-3 13",
  file: "M6 3.5h8l4.5 4.5v12.5h-12.5zM14 3.5v4.5h4.5",
  find: "M16.5 10.5a6 6 0 1 1-12 0 6 6 0 0 1 12 0M15 15l5 5",
  folder: "M3 7.5a2 2 0 0 1 2-2h4l2.2 2.5h7.8a2 2 0 0 1 2 2v7.5a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  home: "M4 11.5l8-7.5 8 7.5M6.5 9.5v10.5h11v-10.5",
  image: "M4 5.5h16v13H4zM10.5 9.8a1.4 1.4 0 1 1-2.8 0 1.4 1.4 0 0 1 2.8 0M4.5 17l4.5-4 3 2.5 4-4 3.8 3.8",
  text: "M6 3.5h8l4.5 4.5v12.5h-12.5zM14 3.5v4.5h4.5M9 12h6.5M9 15.5h6.5",
  up: "M12 19.5v-13M6.5 11.5l5.5-5.5 5.5 5.5",
  video: "M4 5.5h16v13H4zM10.2 9.2v5.6l4.6-2.8z",
};

/**
 * A symbol as a URL. As masks of generated boxes they take the colour of their place; a reference to a sprite in each of
 * 50,000 rows is a tree of its own, with which Chromium sorts in 1.4 s instead of 0.6 s.
 */
function symbolUrl(name: string, colour: string): string {
  const fill = name === "folder" ? `fill='${colour}' fill-opacity='.18'` : "fill='none'";
  const pen = `stroke='${colour}' stroke-width='1.6' stroke-linecap='round' stroke-linejoin='round'`;
  const path = `%3Cpath d='${SYMBOLS[name] ?? ""}' ${fill} ${pen}/%3E`;
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E${path}%3C/svg%3E`;
}

/** The folder once more, as the icon of the page. */
export const ICON: string = symbolUrl("folder", "%23b06f2c");

const ICON_RULES = Object.keys(SYMBOLS)
  .map((name) => `.i-${name}{--i:url("${symbolUrl(name, "%23000")}")}`)
  .join("\n");

/** The style sheet of a page that says what went wrong. */
export const ERROR_STYLE: string = `${PALETTE}
body{min-height:100vh;min-height:100dvh;display:grid;place-items:center;padding:1.5rem}
main{width:min(32rem,100%);padding:2.25rem 2.5rem 1.75rem;background:var(--sheet);border:1px solid var(--rule);border-radius:.8rem;border-top:.3rem solid var(--rope)}
h1{margin:0 0 .75rem;font-size:1.6rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
h1 b{display:block;margin-bottom:.35rem;color:var(--rope);font-size:1rem;letter-spacing:.08em;font-variant-numeric:tabular-nums}
p{margin:0 0 1rem;overflow-wrap:anywhere}
small{color:var(--faint);font-size:.9rem}
a{text-underline-offset:.2em}
`;

/** The style sheet of a listing. Rows are grids, so that groups of them can be left undrawn until they come into sight. */
export const LISTING_STYLE: string = `${PALETTE}
header,main,footer{width:min(64rem,100% - 3rem);margin-inline:auto}
header{display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:center;padding-block:2.25rem 1.1rem}
${ICON_RULES}
[class^=i-]::before{content:"";flex:none;width:1.35rem;height:1.35rem;background:currentColor;-webkit-mask:var(--i) center/contain no-repeat;mask:var(--i) center/contain no-repeat}
nav{flex:1 1 20rem;min-width:0;font-size:1.45rem;font-weight:600;line-height:1.35;letter-spacing:-.01em}
ol{display:flex;flex-wrap:wrap;align-items:center;margin:0;padding:0;list-style:none}
li{display:flex;align-items:center;min-width:0;max-width:100%}
li+li::before{content:"/";margin-inline:.4rem;color:var(--rope);font-weight:400}
nav a{color:var(--sea);text-decoration:none;border-radius:4px}
nav a:hover{text-decoration:underline;text-underline-offset:.2em}
nav :is(a,h1){display:inline-flex;align-items:center;gap:.5rem;min-height:1.9rem;overflow-wrap:anywhere;unicode-bidi:plaintext}
h1{margin:0;font:inherit;min-width:0}
h1::before{color:var(--rope)}
form{position:relative;flex:0 1 18rem;min-width:12rem;margin:0}
[hidden]{display:none!important}
form::before{position:absolute;inset:0 auto 0 .7rem;width:1.1rem!important;margin-block:auto;color:var(--faint);pointer-events:none}
input{width:100%;padding:.5rem 2.2rem .5rem 2.2rem;border:1px solid var(--rule);border-radius:.6rem;background:var(--sheet);color:inherit;font:inherit}
input::placeholder{color:var(--faint);opacity:1}
input:focus{outline:2px solid var(--focus);outline-offset:0;border-radius:.6rem;border-color:transparent}
kbd{position:absolute;inset:0 .7rem 0 auto;margin-block:auto;height:1.35rem;padding-inline:.4rem;border:1px solid var(--rule);border-radius:.3rem;color:var(--faint);font:.75rem/1.25rem var(--sans);pointer-events:none}
input:focus+kbd,input:not(:placeholder-shown)+kbd{display:none}
table{display:block;background:var(--sheet);border:1px solid var(--rule);border-radius:.8rem;overflow:clip;font-variant-numeric:tabular-nums}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
thead,tbody{display:block}
tr{display:grid;grid-template-columns:minmax(0,1fr) 6.5rem 10.5rem;align-items:center;position:relative;padding-inline:.5rem 1.1rem}
tbody tr{min-height:2.75rem;border-top:1px solid var(--rule)}
tbody tr:hover{background:var(--hover)}
thead tr{min-height:2.6rem}
tbody.g{content-visibility:auto;contain-intrinsic-size:auto 275rem}
th,td{padding:0;text-align:start;font-weight:400}
th+th,td+td{text-align:end;color:var(--faint);font-size:.9rem;white-space:nowrap}
th{font-size:.85rem}
th a{display:inline-block;padding:.45rem .6rem;color:var(--faint);text-decoration:none;border-radius:.4rem}
th+th a{margin-inline-end:-.6rem}
th a:hover{color:var(--sea)}
th[aria-sort] a{color:var(--ink);font-weight:600}
th[aria-sort=ascending] a::after{content:" ↑"}
th[aria-sort=descending] a::after{content:" ↓"}
:is(td,.up) :is(a,i){display:flex;gap:.75rem;align-items:center;padding:.5rem .6rem;color:var(--ink);text-decoration:none;overflow-wrap:anywhere;unicode-bidi:plaintext;line-height:1.35}
td a::after{content:"";position:absolute;inset:0}
tr:hover a{color:var(--sea)}
td a:focus-visible{outline:0}
td a:focus-visible::after{outline:2px solid var(--focus);outline-offset:-3px;border-radius:.4rem}
td ::before{color:var(--faint)}
td .i-folder::before{color:var(--rope)}
.d a{font-weight:600}
td [title]{color:var(--faint);cursor:not-allowed}
.none{padding:2.5rem 1rem;margin:0;text-align:center;color:var(--faint)}
footer{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;justify-content:space-between;padding-block:1rem 3rem;color:var(--faint);font-size:.9rem}
@media (max-width:40rem){
header,main,footer{width:calc(100% - 1.5rem)}
header{padding-block:1.25rem .9rem}
nav{flex-basis:100%;font-size:1.25rem}
form{flex:1 1 100%}
tr{grid-template-columns:auto minmax(0,1fr);padding-inline:.25rem .75rem}
thead tr{grid-template-columns:1fr auto auto;column-gap:.25rem}
th+th a{margin:0}
tbody td:first-child{grid-column:1/-1}
tbody td a{padding-bottom:.15rem}
tbody td+td{padding:0 0 .55rem 2.7rem;text-align:start;font-size:.85rem}
tbody td+td+td{padding-inline-start:.4rem}
tbody td+td+td::before{content:"· "}
tbody td:empty{padding:0}
tbody td:empty+td{padding-inline-start:2.7rem}
:is(tbody .d td+td+td,tbody td:empty+td,tbody td:empty)::before{content:none!important}
kbd{display:none}
tbody td:only-child a{padding-bottom:.5rem}
tbody.g{contain-intrinsic-size:auto 375rem}
}
@media print{body{background:none}form{display:none}tbody.g{content-visibility:visible}}
`;

const ARCHIVE = /(?:zip|tar|compress|gzip|x-7z|x-rar|bzip|x-xz|zstd|java-archive|debian|x-apple-diskimage|x-iso)/;
const AUDIO_NAME = /\.(?:flac|opus|m4[ab]|aac|wma|aiff?)$/i;
const CODE = /(?:javascript|json|css|html|xml|wasm|x-sh|x-httpd|toml|yaml|typescript|sql)/;
const CODE_NAME = /\.(?:[cm]?[jt]sx?|py|rb|rs|go|c|cc|cpp|h|hpp|java|kt|php|sh|lua|swift|ya?ml|toml|ini)$/i;

/** Which icon says best what a file is. */
export function iconOf(name: string, mediaType: string): string {
  const type = mediaType.slice(0, mediaType.indexOf("/"));
  if (type === "image" || type === "audio" || type === "video") return type;
  if (AUDIO_NAME.test(name)) return "audio";
  if (CODE_NAME.test(name) || CODE.test(mediaType)) return "code";
  if (ARCHIVE.test(mediaType)) return "archive";
  return type === "text" || mediaType === "application/pdf" ? "text" : "file";
}
