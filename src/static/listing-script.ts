/**
 * The script of a listing: instant search, sorting without a request, local times, arrow keys.
 *
 * The page does without it: search is hidden then, the columns are links, times are in UTC. It runs in the browser, reads
 * only what the page says, and never makes markup out of a name. Its hash is in the Content-Security-Policy; the tests
 * tell what it must be after a change. Rows are read on the first use, so that a long page is not held up by it.
 */

export const LISTING_SCRIPT = `(() => {
"use strict";
const $ = (selector) => document.querySelector(selector);
const table = $("table"), form = $("form"), input = $("input"), said = $("output"), none = $(".none");
const heads = [...document.querySelectorAll("th")];
const order = new Intl.Collator("en", { numeric: true });
const pad = (number) => String(number).padStart(2, "0");
const GROUP = 100;
let rows = null;

for (const time of document.getElementsByTagName("time")) {
  const date = new Date(time.dateTime);
  time.textContent = date.getFullYear() + "-" + pad(date.getMonth() + 1) + "-" + pad(date.getDate()) +
    " " + pad(date.getHours()) + ":" + pad(date.getMinutes());
}
for (const zone of document.querySelectorAll(".utc")) zone.remove();

const read = () => rows ??= [...document.querySelectorAll(".g tr")].map((row) => {
  const [name, size, time] = row.cells;
  const text = name.textContent;
  return {
    row, text, words: text.toLowerCase(), folder: row.className === "d",
    size: Number(size.firstElementChild?.value ?? -1), time: Date.parse(time.firstElementChild?.dateTime) || -Infinity,
  };
});

const show = () => {
  const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const seen = read().filter((entry) => words.every((word) => entry.words.includes(word)));
  const groups = [];
  for (let i = 0; i < seen.length; i += GROUP) {
    const group = document.createElement("tbody");
    group.append(...seen.slice(i, i + GROUP).map((entry) => entry.row));
    if (seen.length - i >= GROUP) group.className = "g";
    groups.push(group);
  }
  for (const group of [...table.tBodies]) if (group.className !== "up") group.remove();
  table.append(...groups);
  none.hidden = seen.length > 0 || rows.length === 0;
  said.textContent = words.length === 0 ? "" : seen.length + " of " + rows.length;
};

const compare = {
  name: (a, b) => order.compare(a.text, b.text) || (a.text < b.text ? -1 : Number(a.text > b.text)),
  size: (a, b) => a.size - b.size,
  time: (a, b) => (a.time === b.time ? 0 : a.time - b.time),
};

const sort = (head, column, direction) => {
  const sign = direction === "asc" ? 1 : -1;
  read().sort((a, b) => b.folder - a.folder || sign * compare[column](a, b) || compare.name(a, b));
  for (const other of heads) {
    const link = other.firstElementChild, its = new URL(link.href).searchParams;
    if (other === head) other.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
    else other.removeAttribute("aria-sort");
    const first = its.get("sort") === "name" ? "asc" : "desc";
    const next = other === head ? (sign === 1 ? "desc" : "asc") : first;
    link.setAttribute("href", "?sort=" + its.get("sort") + "&order=" + next);
  }
  show();
  history.replaceState(null, "", "?sort=" + column + "&order=" + direction);
};

for (const head of heads) {
  head.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.target.tagName !== "A") return;
    event.preventDefault();
    const asked = new URL(event.target.href).searchParams;
    sort(head, asked.get("sort"), asked.get("order"));
  });
}

let due = 0;
input.addEventListener("input", () => {
  cancelAnimationFrame(due);
  due = requestAnimationFrame(show);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  table.querySelector("tbody:not(.up) a")?.click();
});
form.hidden = false;

document.addEventListener("mouseover", (event) => {
  const size = event.target.closest?.("data");
  if (size && !size.title) size.title = Number(size.value).toLocaleString("en") + " bytes";
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = document.activeElement;
  if (event.key === "/" && at !== input) {
    event.preventDefault();
    input.select();
  } else if (event.key === "Escape" && at === input) {
    if (input.value === "") input.blur();
    input.value = "";
    show();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const links = [...table.querySelectorAll("td a")];
    const now = links.indexOf(at);
    if (now === -1 && at !== input && at !== document.body) return;
    const next = event.key === "ArrowDown" ? now + 1 : now - 1;
    event.preventDefault();
    (next < 0 ? input : links[Math.min(next, links.length - 1)])?.focus();
  }
});
})();
`;
