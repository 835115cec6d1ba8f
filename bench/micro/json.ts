/**
 * JSON on its way in: what it costs to judge depth and dangerous names before and to say where a mistake is, beside
 * `JSON.parse` alone. Run compiled (bench/README.md).
 */
import { bench, do_not_optimize, run, summary } from "mitata";
import { parseJson } from "../../src/web/json.ts";
import { findTooDeep } from "../../src/web/json-depth.ts";
import { mustBe } from "./peer.ts";

const MAX_DEPTH = 64;

function items(count: number): string {
  const one = (id: number): object => ({ id, title: `Book ${id}`, cents: 950 + id, tags: ["fiction", "sea"] });
  return JSON.stringify({ items: Array.from({ length: count }, (_, i) => one(i + 1)) });
}

for (const [name, text] of [
  ["60 octets", JSON.stringify({ title: "The Wire", authors: ["A. Author"], price: 12.5 })],
  ["1 KB", items(15)],
  ["8 KB", items(120)],
] as const) {
  mustBe(name, parseJson(text), JSON.parse(text));
  mustBe("depth", findTooDeep(text, MAX_DEPTH), -1);
  summary(() => {
    bench(`${name}: depth judged and parsed, fairlead`, () => {
      do_not_optimize(findTooDeep(text, MAX_DEPTH));
      do_not_optimize(parseJson(text));
    });
    bench(`${name}: JSON.parse`, () => do_not_optimize(JSON.parse(text)));
  });
}

await run();
