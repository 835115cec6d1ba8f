/**
 * Fuzz target: cookies read and written (replies/cookies.ts, signed-cookies.ts). An input is by lines: a Cookie field; a name, a
 * value, a domain, a path.
 *
 * Invariants:
 * - Reading never throws, and gives own values of names that are tokens, `__proto__` among them (RFC 6265 §4.2).
 * - Of several with one name the first counts (§5.4).
 * - Writing throws TypeError alone, or gives one line that splits nothing (response splitting), and a browser that keeps it
 *   gives back the value that was set (§4.1, §5.2).
 * - A signed cookie is believed as written, and not with any octet changed.
 */

import { isFieldValue, isToken } from "../../src/http/fields.ts";
import { readCookies, setCookie } from "../../src/replies/cookies.ts";
import { signedCookies } from "../../src/replies/signed-cookies.ts";
import { fieldsOf, join, listOf, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = ["; ", "=", "__Host-", "__Secure-", "__proto__=", "Path=/", "%3B", "%", '"', "a=b", "Secure"];
const pair = join(
  wordsOf("a b __proto__ constructor __Host-a a[b] %41 $Version"),
  wordsOf("= = = =="),
  wordsOf('1 "1" %3D %zz a=b é "a'),
);
const isTypeError = (error: unknown): boolean => error instanceof TypeError;
const signed = signedCookies({ keys: ["k".repeat(32)] });

/** The target. */
export const cookiesTarget: FuzzTarget = {
  name: "cookies",
  about: "cookies are read without error, and written as one line that reads the same",
  arbitrary: orMutated(
    join(
      listOf(pair, fc.constantFrom("; ", ";", ";;", " ; ", ","), 4),
      "\n",
      wordsOf("a __Host-a __Secure-b a;b __proto__"),
      "\n",
      fc.string({ maxLength: 10, unit: "binary-ascii" }).map((text) => text.replaceAll("\n", "")),
      "\n",
      wordsOf(" a.example .a a;b"),
      "\n",
      wordsOf("/ /a /a;b a"),
    ),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf("a=b; c=d; a=e\na\nb;c\n\n/", "__proto__=x; a\n__Host-a\n\xe9\n\n/", ' a = "b" \na\nb\na.example\n/a'),
  run(input) {
    const [field = "", name = "", value = "", domain = "", path = ""] = partsOf(input, 5);
    const source = { headers: fieldsOf({ cookie: field }) };
    const cookies = attempt(() => readCookies(source)).value ?? {};
    same(Object.getPrototypeOf(cookies), null, "has no prototype");
    for (const [key, text] of Object.entries(cookies))
      hold(isToken(key) && typeof text === "string", "names are tokens, values text", () => key);
    attempt(() => signed.readAll(source));
    const headers = new Headers();
    const options = { ...(domain === "" ? {} : { domain }), path };
    const written = attempt(() => setCookie(headers, name, value, options), isTypeError);
    if (written.error === null) checkWritten(headers, name, value, path);
    const signedHeaders = new Headers();
    if (attempt(() => signed.set(signedHeaders, name, value, {}), isTypeError).error === null)
      checkSigned(signedHeaders, name, value);
  },
};

const pairOf = (headers: Headers): string => headers.getSetCookie()[0]?.split(";")[0] ?? "";

function checkWritten(headers: Headers, name: string, value: string, path: string): void {
  const lines = headers.getSetCookie();
  same(lines.length, 1, "sets one cookie");
  const line = lines[0] ?? "";
  hold(isFieldValue(line) && !/[^\x20-\x7e]/.test(line), "is a line of visible ASCII", () => line);
  const attributes = line.split("; ").slice(1);
  hold(
    attributes.includes(`Path=${path}`) && attributes.includes("HttpOnly") && attributes.includes("Secure"),
    "has the attributes asked for",
    () => line,
  );
  hold(
    attributes.every((one) => /^(?:Path|Domain|SameSite)=|^(?:HttpOnly|Secure)$/.test(one)),
    "has no other attributes",
    () => line,
  );
  same(readCookies({ headers: fieldsOf({ cookie: pairOf(headers) }) })[name], value, "reads the value that was set");
  setCookie(headers, name, value, { path });
  hold(headers.getSetCookie().length <= 2, "replaces a cookie with the same name, domain and path");
}

function checkSigned(headers: Headers, name: string, value: string): void {
  const cookie = pairOf(headers);
  same(signed.read({ headers: fieldsOf({ cookie }) }, name), value, "a signed cookie is believed");
  const at = cookie.length - 1 - (value.length % 40);
  const changed = `${cookie.slice(0, at)}${cookie[at] === "A" ? "B" : "A"}${cookie.slice(at + 1)}`;
  // The last character of a signature has two bits that mean nothing
  if (at < cookie.length - 1)
    same(signed.read({ headers: fieldsOf({ cookie: changed }) }, name), null, "a changed one is not");
}
