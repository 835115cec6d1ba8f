/**
 * Fuzz target: patterns, routes and scopes (app/pattern.ts, router.ts, path-text.ts, scope.ts). An input is by lines: a target,
 * then patterns of routes.
 *
 * Invariants:
 * - A pattern is taken or refused with a TypeError that shows it; a target never makes anything throw.
 * - What is found is found the same way again, and params put into the place of their names match the same pattern.
 * - A route or a file below /admin is never reached by a target that the scope /admin does not cover (guard bypass).
 * - Work is bounded by the path: no way is gone twice.
 */

import { parsePattern } from "../../src/app/pattern.ts";
import { pathOf } from "../../src/app/path-text.ts";
import { Router } from "../../src/app/router.ts";
import { Scope } from "../../src/app/scope.ts";
import { parseTarget } from "../../src/http/target.ts";
import { resolveTarget } from "../../src/static/resolve.ts";
import { requestOf } from "../../src/web/request.ts";
import { MemoryExchange } from "../../test/web/support/memory-exchange.ts";
import { join, listOf, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";

const WORDS = ["/admin", "%2f", "%2e%2e", "..", ":id", "*", "?", "/:a-:b", "(\\d+)", "%61dmin", "//", "\\"];
const segment = wordsOf("admin Admin a%64min users 1 a-b a.json .. . %2e%2e a%2Fb a%5cb %c3%a9 \xe9 ");
const pattern = listOf(
  wordsOf("/users /:id /:id(\\d+) /:a-:b /:name.json /:page? /*rest /* /admin /caf\xe9 /{x} /:"),
  "",
  4,
);
const handler = (): undefined => undefined;

/** The target. */
export const routerTarget: FuzzTarget = {
  name: "router",
  about: "paths find the same route again, params fit their pattern, and no spelling slips past a scope",
  arbitrary: orMutated(
    join(
      listOf(segment, "/", 5).map((path) => `/${path}`),
      "\n",
      listOf(pattern, "\n", 4),
    ),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf(
      "/users/1\n/users/:id\n/users/*rest",
      "/a-b-c\n/:x-:y\n/:z(\\d+)",
      "/%61dmin/x\n/*",
      "/admin%2fx\n/:a/:b?",
      "//admin\n/admin",
    ),
  run(input) {
    const [target = "", ...patterns] = partsOf(input, 6);
    const router = new Router();
    for (const text of ["/admin", "/admin/*rest", ...patterns]) {
      const { value } = attempt(
        () => parsePattern(text),
        (error) => error instanceof TypeError && error.message.includes(JSON.stringify(text)),
      );
      for (const variant of value?.variants ?? []) router.add("GET", variant, { pattern: text, handler });
    }
    const parsed = parseTarget("GET", target);
    if (parsed === null || parsed.form !== "origin") return;
    const request = requestOf(new MemoryExchange({ method: "GET", target }, null), 1024);
    const path = attempt(() => pathOf(request)).value ?? "/";
    same(
      new URL(`http://a${path}`).pathname,
      new URL(request.url).pathname,
      "a path is what the URL standard makes of it",
    );
    checkScopes(target, request, router, path);
    const found = attempt(() => router.find("GET", path)).value;
    if (found === null) return;
    const params = router.params(found) ?? {};
    same(router.find("GET", path)?.pattern, found.pattern, "finds the same again");
    hold(router.methodsOf(path).has("GET"), "knows the method of what it finds");
    for (const [name, value] of Object.entries(params))
      hold(
        typeof value === "string" && (value !== "" || found.pattern.includes("*")),
        "params are not empty",
        () => name,
      );
  },
};

const ADMIN = new Scope("/admin");

function checkScopes(target: string, request: globalThis.Request, router: Router, path: string): void {
  const isCovered = attempt(() => ADMIN.covers(request)).value ?? false;
  const route = router.find("GET", path);
  // `/admin:a` has a param behind its first letters: not this segment
  if (route !== null && /^\/admin(?:\/|$)/.test(route.pattern))
    hold(isCovered, "no route below a scope is reached around it", () => target);
  // A folder that is served reads targets by itself
  const file = resolveTarget("GET", target, true);
  if (file?.names[0] === "admin") hold(isCovered, "no file below a scope is reached around it", () => target);
}
