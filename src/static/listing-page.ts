/**
 * A listing as a page, in pieces: its top, rows, its end.
 *
 * Every name passes escapeText or {@link linkTo}; nothing else of a file reaches the markup. All links are relative,
 * so the page is right under any prefix and behind any proxy. Works without scripts and with any width of screen. It must
 * never look at the disk and never hold a whole page.
 */

import { escapeText } from "./escape-text.ts";
import type { ListingEntry } from "./listing-entries.ts";
import type { ListingColumn, ListingOrder } from "./listing-order.ts";
import { COLUMNS, formatOrder, startsDescending } from "./listing-order.ts";
import { LISTING_SCRIPT } from "./listing-script.ts";
import { ICON, iconOf, LISTING_STYLE } from "./listing-style.ts";
import { mediaTypeOf } from "./mime.ts";

/** What the page says besides its entries. */
export interface ListingFacts {
  /** Names of the folder below the root; none for the root. */
  readonly names: readonly string[];
  readonly order: ListingOrder;
  readonly folderCount: number;
  readonly fileCount: number;
  readonly isCut: boolean;
}

/** SHA-256 of what stands between the tags, as CSP wants it. */
const STYLE_HASH = "sha256-z4LFL65pk0zgLZx+FLVpJAs7cHg7vZVafn986Ns5t38=";
const SCRIPT_HASH = "sha256-GL6MeGwI4D4oVDS/Yuel5z0jRJUbdrkUeZNAYtTqwVE=";

/** Only what stands in this page may run or dress it; it loads nothing, sends nothing and is framed by its own site alone. */
export const LISTING_POLICY: string = `default-src 'none'; img-src data:; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}'; \
base-uri 'none'; form-action 'none'; frame-ancestors 'self'`;

const TITLES: Readonly<Record<ListingColumn, string>> = { name: "Name", size: "Size", time: "Modified" };

const NO_TYPES = {};

/** Rows of one group; the style sheet says how high so many are. */
const GROUP = 100;

/** Everything before the first entry. */
export function renderTop(facts: ListingFacts): string {
  const path = `/${facts.names.map((name) => `${name}/`).join("")}`;
  const title = escapeText(path);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Index of ${title}</title>
<link rel="icon" href="${ICON}">
<style>${LISTING_STYLE}</style>
</head>
<body>
<header>
<nav aria-label="Path"><ol>${renderCrumbs(facts.names)}</ol></nav>
<form class="i-find" role="search" hidden><input type="search" aria-label="Search in this folder" \
placeholder="Search" autocomplete="off" autocapitalize="off" spellcheck="false"><kbd aria-hidden="true">/</kbd></form>
</header>
<main>
<table>
<caption>Content of ${title}</caption>
<thead><tr>${COLUMNS.map((column) => renderHead(column, facts.order)).join("")}</tr></thead>
${facts.names.length === 0 ? "" : `<tbody class="up"><tr><td><a class="i-up" href="../">Parent folder</a></td></tr></tbody>\n`}`;
}

/** The way from the root; the folder itself is the heading. */
function renderCrumbs(names: readonly string[]): string {
  const depth = names.length;
  if (depth === 0) return `<li><h1 class="i-home" aria-current="page">Home</h1></li>`;
  const crumbs = names.map((name, index) => {
    const text = escapeText(name);
    if (index === depth - 1) return `<li><h1 aria-current="page">${text}</h1></li>`;
    return `<li><a href="${"../".repeat(depth - 1 - index)}">${text}</a></li>`;
  });
  return `<li><a class="i-home" href="${"../".repeat(depth)}" aria-label="Home"></a></li>${crumbs.join("")}`;
}

/** A column that is in order already is turned round by its link. */
function renderHead(column: ListingColumn, order: ListingOrder): string {
  const isActive = column === order.column;
  const isDescending = isActive ? !order.isDescending : startsDescending(column);
  const state = order.isDescending ? "descending" : "ascending";
  const zone = column === "time" ? '<span class="utc"> (UTC)</span>' : "";
  const href = formatOrder({ column, isDescending }).replace("&", "&amp;");
  return `<th scope="col"${isActive ? ` aria-sort="${state}"` : ""}><a href="${href}">${TITLES[column]}${zone}</a></th>`;
}

/** Rows as they come, in groups of a hundred, and what they add up to. */
export class RowWriter {
  #count: number;
  #totalBytes: number;

  constructor() {
    this.#count = 0;
    this.#totalBytes = 0;
  }

  /** Rows written so far. */
  get count(): number {
    return this.#count;
  }

  /** Octets of the files so far. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The next rows. */
  write(entries: readonly ListingEntry[]): string {
    let text = "";
    for (const entry of entries) {
      if (this.#count++ % GROUP === 0) text += '<tbody class="g">\n';
      if (entry.sizeBytes > 0) this.#totalBytes += entry.sizeBytes;
      text += renderRow(entry);
    }
    return text;
  }
}

/** End tags are left out where HTML allows it (HTML §13.1.2.4): a long listing has each 50,000 times. */
function renderRow(entry: ListingEntry): string {
  const icon = entry.isFolder ? "folder" : iconOf(entry.name, mediaTypeOf(entry.name, NO_TYPES));
  const name = escapeText(entry.name);
  const href = linkTo(entry);
  const label =
    href === null
      ? `<i class=i-${icon} title="This name cannot be asked for: it is not UTF-8, or holds a backslash">${name}</i>`
      : `<a class=i-${icon} href="${href}">${name}</a>`;
  const size = entry.sizeBytes < 0 ? "" : `<data value=${entry.sizeBytes}>${formatSize(entry.sizeBytes)}</data>`;
  return `<tr${entry.isFolder ? " class=d" : ""}><td>${label}<td>${size}<td>${renderTime(entry.mtimeMs)}</tr>\n`;
}

function renderTime(mtimeMs: number): string {
  // Beyond the years that a Date knows there is nothing to show
  if (!(Math.abs(mtimeMs) < 8.64e15)) return "";
  const text = new Date(mtimeMs).toISOString();
  const isUsual = text.length === 24;
  return isUsual
    ? `<time datetime=${text.slice(0, 19)}Z>${text.slice(0, 10)} ${text.slice(11, 16)}</time>`
    : `<time datetime="${text}">${text}</time>`;
}

/** Everything behind the last entry. */
export function renderEnd(facts: ListingFacts, rows: RowWriter): string {
  const isEmpty = facts.folderCount + facts.fileCount === 0;
  const counts = [count(facts.folderCount, "folder"), count(facts.fileCount, "file")].filter((text) => text !== "");
  const sum = facts.fileCount > 0 ? `, ${formatSize(rows.totalBytes)}` : "";
  const cut = facts.isCut ? " Only the first of many are shown." : "";
  // That a folder is empty was said already
  const told = isEmpty ? "" : `${counts.join(", ")}${sum}.${cut}`;
  return `</table>
<p class="none"${isEmpty ? "" : " hidden"}>${isEmpty ? "This folder is empty." : "Nothing here has that name."}</p>
</main>
<footer><span>${told}</span><output aria-live="polite"></output></footer>
<script>${LISTING_SCRIPT}</script>
</body>
</html>
`;
}

function count(number: number, noun: string): string {
  if (number === 0) return "";
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** A size as people say it, in powers of 1000: `0 B`, `999 B`, `1.2 kB`, `34 MB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be rounded to 1000 of the smaller unit
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Where an entry leads to from the page of its folder; null for what nobody can ask for. */
export function linkTo(entry: ListingEntry): string | null {
  if (!entry.isAskable) return null;
  // A colon is encoded too: `javascript:…` would be a scheme. So are all that could end the attribute but `'`, which cannot.
  return encodeURIComponent(entry.name) + (entry.isFolder ? "/" : "");
}
