/**
 * Fuzz target: request-targets to names below a root (static/resolve.ts), and the folder's rules over them (static/rules-*.ts).
 * An input is a target on the first line, then the text of `_redirects`.
 *
 * Invariants:
 * - Names joined below a root never lead outside of it, on systems of either separator (path traversal).
 * - Hidden names are not shown unless asked for, `.well-known` at the root aside (RFC 8615).
 * - A folder's path for Location is a path of this site: one slash first, never two (open redirect), and resolves to the same names.
 * - Rules are read without error, mistakes as `file:line: sentence`; a redirect's target splits nothing and names no other site
 *   that its line does not name.
 */

import { posix, win32 } from "node:path";
import { folderPath, resolveRoute, resolveTarget } from "../../src/static/resolve.ts";
import { RedirectRules } from "../../src/static/rules-redirects.ts";
import { HeaderRules } from "../../src/static/rules-headers.ts";
import { Mistakes, readRulesLines } from "../../src/static/rules-text.ts";
import { isFieldValue } from "../../src/http/fields.ts";
import { join, listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";

const WORDS = [
  "..",
  "%2e%2e",
  "%2e%2e%2f",
  "..%5c",
  "%00",
  "/.well-known/",
  "/.git",
  "C:",
  "//",
  "%252e",
  "http://a/",
  "/:a",
  "/*",
  " 301",
  ":splat",
];
const segment = wordsOf(
  "a .. . ... %2e%2e %2E. ..%2f a%2f..%2fb %5c.. a%00 .git .well-known a. C: con %c0%ae %252e%252e a%20b %c3%a9",
);
const rule = join(
  wordsOf("/a /:x /* /a/* /:x/:y a /%2e%2e"),
  " ",
  wordsOf("/b /:x /:splat http://b.example/:splat //evil https://:x/ /b?q=:x /:y"),
  wordsOf(" |301 |302! |200 |404 |999").map((text) => text.replace("|", " ")),
);

/** The target. */
export const staticPathTarget: FuzzTarget = {
  name: "static-path",
  about: "names never lead outside of the root, and redirects never elsewhere than their rules say",
  arbitrary: orMutated(
    join(wordsOf("/ / / http://a/ x"), listOf(segment, "/", 5), wordsOf(" / ?a /?b"), "\n", listOf(rule, "\n", 4)),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf(
      "/a/b?c\n/a /b 301",
      "/../../etc/passwd\n/* /:splat",
      "//evil.example/\n/* //:splat",
      "/%2e%2e%2fa\n",
      "/a/.\n# x\n/:x https://b.example/:x 302!",
      "http://a/b\n",
    ),
  run(input) {
    const at = input.indexOf(0x0a);
    const target = latin1(at === -1 ? input : input.subarray(0, at));
    const rules = at === -1 ? Buffer.alloc(0) : input.subarray(at + 1);
    for (const showsDotFiles of [false, true]) {
      const resolved = attempt(() => resolveTarget("GET", target, showsDotFiles)).value;
      const route = attempt(() => resolveRoute("GET", target, showsDotFiles)).value;
      for (const found of [resolved, route]) if (found !== null) checkNames(found.names, showsDotFiles);
      if (resolved !== null) checkRules(rules, resolved.names, resolved.isFolderPath, resolved.search);
    }
  },
};

function checkNames(names: readonly string[], showsDotFiles: boolean): void {
  hold(posix.join("/root", ...names) === ["/root", ...names].join("/"), "names lie below the root", () =>
    names.join("|"),
  );
  hold(
    !names.some((name) => /[\\\0]/.test(name)) && win32.join("C:\\root", ...names).startsWith("C:\\root"),
    "names lie below the root with backslashes too",
    () => names.join("|"),
  );
  const hidden = names.filter((name, i) => name.startsWith(".") && !(i === 0 && name === ".well-known"));
  hold(showsDotFiles || hidden.length === 0, "hidden names are not asked for");
  const path = folderPath(names);
  hold(/^\/(?!\/)[!-~]*$/.test(path) && !path.includes("\\"), "a folder's path is one of this site", () => path);
  same(resolveTarget("GET", path, true)?.names, names, "a folder's path resolves to the same names");
}

function checkRules(bytes: Uint8Array, names: readonly string[], isFolderPath: boolean, search: string): void {
  const mistakes = new Mistakes("_redirects");
  const lines = attempt(() => readRulesLines(bytes, mistakes)).value ?? [];
  const rules = attempt(() => RedirectRules.parse(lines, mistakes)).value;
  const headers = attempt(() => HeaderRules.parse(lines, new Mistakes("_headers"))).value;
  hold(
    headers !== null && mistakes.list.every((one) => /^_redirects(?::\d+)?: ./.test(one)),
    "mistakes have their place",
    () => mistakes.list.join("|"),
  );
  if (rules === null) return;
  const named = new Set(["self.invalid", ...lines.flatMap(({ text }) => text.split(/\s+/).map(hostOf))]);
  const asked = { names, isFolderPath, search };
  for (const isForced of [true, false]) {
    const action = attempt(() => (isForced ? rules.findForced(asked, "") : rules.find(asked, ""))).value;
    if (action === null || !("location" in action)) continue;
    const { location } = action;
    hold(isFieldValue(location) && !/[\0-\x20\x7f-\xff]/.test(location), "a location splits nothing", () => location);
    hold(named.has(hostOf(location)), "a location names no site that its rule does not", () => location);
  }
}

/** Which site a reference leads to, as the URL standard reads it; `""` for none. */
function hostOf(reference: string): string {
  return URL.canParse(reference, "http://self.invalid/") ? new URL(reference, "http://self.invalid/").host : "";
}
