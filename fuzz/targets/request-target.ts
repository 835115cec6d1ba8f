/**
 * Fuzz target: request-targets and authorities (http/target.ts). An input is a method, a target and an authority, by lines.
 *
 * Invariants:
 * - Nothing throws but requestUrl for what a wire does not accept (RFC 9112 §3.2).
 * - An accepted target and authority make a URL that the URL standard reads, and the shortcut is what it writes (§3.3).
 * - An accepted authority is one host with a port to 65535: no user, no path, no query (RFC 9110 §4.2.4, §7.2).
 * - decodePath is decodeURIComponent without NUL; dot segments are removed as the URL standard does (RFC 3986 §5.2.4).
 */

import {
  decodePath,
  hostOf,
  isValidAuthority,
  parseTarget,
  removeDotSegments,
  requestUrl,
} from "../../src/http/target.ts";
import { join, listOf, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = [
  "http://",
  "https://",
  "//",
  "..",
  "%2e",
  "%2f",
  "[::1]",
  ":80",
  "@",
  "xn--",
  "?",
  "localhost",
  "0x7f.1",
  "%00",
];
const segment = wordsOf("a . .. %2e %2E%2e a%2Fb %41 %C3%A9 ... .a a;b=c {x} [ ] | ^ ` %zz %");
const host = wordsOf(
  "a.example A.EXAMPLE localhost 127.0.0.1 127.1 0x7f.1 1.2.3.256 [::1] [::ffff:1.2.3.4] [::1%25eth0] xn--a xn--nxasmq6b a_b a..b a. .a %41 a%00 ABC-",
);
const authority = join(host, wordsOf(" :80 :0 :65535 :65536 : :080 :443 :-1 :8e1"));
const target = fc.oneof(
  join(
    listOf(segment, "/", 6).map((path) => `/${path}`),
    wordsOf(" ?a=b ? ?a?b ?% ?é ?'"),
  ),
  join(
    wordsOf("http:// https:// HTTP:// ftp:// http:/ //"),
    authority,
    listOf(segment, "/", 3).map((path) => `/${path}`),
  ),
  fc.constant("*"),
  authority,
);

/** The target. */
export const requestTargetTarget: FuzzTarget = {
  name: "request-target",
  about: "targets and authorities that are accepted make the URL that the URL standard would write",
  arbitrary: orMutated(join(wordsOf("GET GET GET OPTIONS CONNECT"), "\n", target, "\n", authority), WORDS),
  words: WORDS,
  seeds: () => seedsOf("GET\n/a/../b?c\na.example:80", "OPTIONS\n*\n", "CONNECT\na:80\na", "GET\nhttp://a:80/b\n[::1]"),
  run(input) {
    const [method = "", text = "", given = ""] = partsOf(input, 3);
    const parsed = attempt(() => parseTarget(method, text)).value;
    const isValid = attempt(() => isValidAuthority(given)).value === true;
    if (isValid) checkAuthority(given);
    if (parsed !== null) {
      same(parseTarget(method, text), parsed, "is the same again");
      hold(!/[\0-\x20"#<>\\\x7f-\xff]/.test(text), "takes visible characters alone");
      if (parsed.authority !== "") checkAuthority(parsed.authority);
      if (method !== "CONNECT") checkUrl(text, isValid ? given : "", parsed.path);
    }
    const decoded = attempt(() => decodePath(text)).value;
    same(decoded, expectedDecoding(text), "decodes as decodeURIComponent does, without NUL");
    // Of paths of plain characters the URL parser removes the same
    if (/^\/[a-z./]*$/.test(text) && !text.startsWith("//") && !LEFT_BY_SOME.test(text)) {
      same(
        removeDotSegments(text),
        new URL(`http://a${text}`).pathname,
        "removes dot segments as the URL standard does",
      );
    }
  },
};

/** The URL parser of Node 20 and 22 leaves dot segments where a name before them begins with a dot (`/a/.b/..`). */
const LEFT_BY_SOME = /\/(?:\.|%2e){1,2}(?!\.|%2e)[^/?]|\/(?:\.|%2e){3}/i;

function expectedDecoding(text: string): string | null {
  try {
    const decoded = decodeURIComponent(text);
    return decoded.includes("\0") ? null : decoded;
  } catch {
    return null;
  }
}

function checkAuthority(text: string): void {
  const url = attempt(() => new URL(`http://${text}`)).value;
  if (url === null) return;
  hold(
    url.username === "" && url.password === "" && url.pathname === "/" && url.search === "" && url.hash === "",
    "an authority is host and port",
    () => text,
  );
  hold(url.hostname !== "", "an authority has a host", () => text);
  const again = new URL(`http://${hostOf(text)}`);
  same(again.hostname, url.hostname, "hostOf cuts off the port alone");
}

function checkUrl(target: string, authority: string, path: string): void {
  for (const scheme of ["http", "https"]) {
    const href = attempt(() => requestUrl(scheme, authority, target)).value ?? "";
    const base = `${scheme}://${authority === "" ? "localhost" : authority}`;
    const absolute = target === "*" ? base : target;
    const expected = new URL(target.startsWith("/") ? base + target : absolute);
    if (!LEFT_BY_SOME.test(target)) same(href, expected.href, "the URL is what the URL standard writes");
    const [inPath = ""] = href.slice(href.indexOf("/", "https://".length)).split("?");
    hold(!/\/\.{1,2}(?:\/|$)/.test(inPath), "a URL has no dot segments", () => href);
    if (target.startsWith("/")) hold(path === target.split("?")[0], "the path is what stands before the first ?");
  }
}
