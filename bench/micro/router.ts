/**
 * Finding a route: ours beside find-my-way and rou3, with 10, 100 and 5,000 routes.
 *
 * Each is asked for a handler and the params of a decoded path, as a server asks it. Run compiled, since loaders that rewrite
 * imports change what is measured:
 * `npx tsc -p . --noEmit false --outDir .cache/bench && node .cache/bench/bench/micro/router.js`.
 */

import findMyWay from "find-my-way";
import { bench, do_not_optimize, run, summary } from "mitata";
import { addRoute, createRouter, findRoute } from "rou3";
import { parsePattern } from "../../src/app/pattern.ts";
import { Router } from "../../src/app/router.ts";

type Find = (path: string) => unknown;

const WORDS = ["users", "books", "orders", "files", "events", "teams", "tags", "posts", "images", "notes"];

/** Four kinds of routes in equal parts, spread over many first segments. `:a` etc. in the syntax that all share. */
function patternsOf(count: number): string[] {
  const patterns = ["/static/page", "/param/:id", "/three/:org/items/:item/parts/:part", "/wild/*"];
  for (let i = 0; patterns.length < count; i++) {
    const base = `/${WORDS[i % WORDS.length] as string}${Math.floor(i / 40)}`;
    const kinds = [
      `${base}/list${i}`,
      `${base}/s${i}/:id`,
      `${base}/t${i}/:org/items/:item/parts/:part`,
      `${base}/w${i}/*`,
    ];
    patterns.push(kinds[Math.floor(i / WORDS.length) % 4] as string);
  }
  return patterns;
}

function ours(patterns: readonly string[]): Find {
  const router = new Router();
  const handler = (): undefined => undefined;
  for (const pattern of patterns) {
    for (const segments of parsePattern(pattern).variants) router.add("GET", segments, { pattern, handler });
  }
  return (path) => {
    const match = router.findLiteral("GET", path) ?? router.find("GET", path);
    return match === null ? null : (router.params(match) ?? match);
  };
}

function theirsFindMyWay(patterns: readonly string[]): Find {
  const router = findMyWay();
  const handler = (): undefined => undefined;
  for (const pattern of patterns) router.on("GET", pattern, handler);
  return (path) => router.find("GET", path);
}

function theirsRou3(patterns: readonly string[]): Find {
  const router = createRouter<string>();
  for (const pattern of patterns) addRoute(router, "GET", pattern.replace(/\*$/, "**"), pattern);
  return (path) => findRoute(router, "GET", path);
}

const PATHS: readonly (readonly [name: string, path: string, isFound: boolean])[] = [
  ["static", "/static/page", true],
  ["1 param", "/param/42", true],
  ["3 params", "/three/acme/items/1234/parts/abcdef", true],
  ["wildcard", "/wild/a/b/c.png", true],
  ["miss", "/users0/nobody/here", false],
];

for (const count of [10, 100, 5_000]) {
  const patterns = patternsOf(count);
  const routers: readonly (readonly [name: string, find: Find])[] = [
    ["fairlead", ours(patterns)],
    ["find-my-way", theirsFindMyWay(patterns)],
    ["rou3", theirsRou3(patterns)],
  ];
  for (const [kind, path, isFound] of PATHS) {
    for (const [name, find] of routers) {
      const found = find(path);
      if ((found !== null && found !== undefined) !== isFound) throw new Error(`${name} is wrong about ${path}`);
    }
    summary(() => {
      for (const [name, find] of routers) bench(`${count} routes, ${kind}: ${name}`, () => do_not_optimize(find(path)));
    });
  }
}

await run();
