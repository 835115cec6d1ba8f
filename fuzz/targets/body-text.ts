/**
 * Fuzz target: JSON and url-encoded content (bodies/read-json.ts, pairs.ts, json-shape.ts, web/json.ts, json-depth.ts).
 *
 * Invariants:
 * - JSON is what JSON.parse takes, no deeper than allowed and without names of the prototype; else one error of status 400,
 *   413 or 415 whose place lies in the text (RFC 8259).
 * - The place of a mistake is where the text stops being the beginning of JSON: what stands before it could be gone on with.
 * - Pairs are those of URLSearchParams, or refused for their number alone; objects made of them have no prototype.
 */

import { findPrototypeName } from "../../src/bodies/json-shape.ts";
import { parsePairs, recordOf } from "../../src/bodies/pairs.ts";
import { HttpError } from "../../src/http/errors.ts";
import { findTooDeep } from "../../src/web/json-depth.ts";
import { findJsonError, JsonSyntaxError, parseJson } from "../../src/web/json.ts";
import { listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = [
  '{"a":',
  "[",
  "]",
  "}",
  '"__proto__":',
  '"constructor":{"prototype":',
  "\\u005f",
  "1e400",
  "-",
  "&",
  "a=b",
  "%F0%9F%98%80",
  "null",
  "truE",
];
const MAX_DEPTH = 5;
const MAX_FIELDS = 8;
const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text).toString("latin1"));
const form = listOf(
  wordsOf("a=b a a= =b a=%20 a=+ %zz=1 a%5B%5D=1 __proto__=x constructor=1 é=1"),
  fc.constantFrom("&", "&&", ";"),
  12,
);

/** The target. */
export const bodyTextTarget: FuzzTarget = {
  name: "body-text",
  about: "JSON and forms are what the platform reads, bounded, or one error with its place",
  arbitrary: orMutated(fc.oneof(json, form), WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      '{"a":[1,2,{"b":null}]}',
      '{"__proto__":1}',
      "[[[[[[1]]]]]]",
      '"\\u00e9\\ud800"',
      "a=b&c=d&a=e",
      '{"constructor":{"prototype":{}}}',
      "01",
      '{"a":1,}',
      "é",
    ),
  run(input) {
    const text = Buffer.from(input).toString("utf8");
    checkJson(text);
    const isContentError = (error: unknown): boolean =>
      error instanceof HttpError && error.status >= 400 && error.status < 500;
    const { value: pairs } = attempt(() => parsePairs(text, MAX_FIELDS), isContentError);
    const expected = [...new URLSearchParams(text)];
    if (pairs === null) hold(expected.length > MAX_FIELDS, "refuses for the number alone");
    else {
      same([...pairs], expected, "pairs are those of the URL standard");
      hold(expected.length <= MAX_FIELDS, "takes no more pairs than allowed");
      const { value: record } = attempt(() => recordOf(pairs, ["a"]), isContentError);
      if (record === null) hold(pairs.has("__proto__"), "refuses __proto__ alone");
      else same(Object.getPrototypeOf(record), null, "has no prototype");
    }
  },
};

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** What may follow the beginning of JSON, so that one of them ends it. */
function canGoOn(text: string): boolean {
  for (const end of [
    "",
    '"',
    "0",
    "u",
    "\\",
    "0000",
    "\\0",
    "e",
    "ull",
    "rue",
    "alse",
    "ll",
    "l",
    "ue",
    "lse",
    "se",
    "1",
    '":1',
    ":1",
    '":1',
    '"a":1',
    '1"',
    "n",
  ]) {
    let candidate = text + end;
    for (const inner of [
      "",
      ":1",
      '"',
      '":1',
      '000"',
      '00"',
      '0"',
      '0000"',
      '000":1',
      '00":1',
      '0":1',
      '0000":1',
      "1",
      "0",
    ]) {
      candidate = text + end + inner;
      if (isJson(candidate + closersOf(candidate))) return true;
    }
  }
  return false;
}

/** Brackets that are open outside of strings. */
function closersOf(text: string): string {
  const open: string[] = [];
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? "";
    if (isString) {
      if (character === "\\") i++;
      else if (character === '"') isString = false;
    } else if (character === '"') isString = true;
    else if (character === "{") open.unshift("}");
    else if (character === "[") open.unshift("]");
    else if (character === "}" || character === "]") open.shift();
  }
  return open.join("");
}

function checkJson(text: string): void {
  const { value, error } = attempt(
    () => ({ json: parseJson(text) }),
    (thrown) => thrown instanceof JsonSyntaxError,
  );
  const place = attempt(() => findJsonError(text)).value ?? -1;
  const tooDeep = attempt(() => findTooDeep(text, MAX_DEPTH)).value ?? -1;
  if (value !== null) {
    same(place, text.length, "finds no mistake where there is none");
    same(tooDeep !== -1, depthOf(value.json) > MAX_DEPTH, "measures depth");
    const name = attempt(() => findPrototypeName(text, value.json)).value;
    let isThere = false;
    JSON.parse(text, (key, item: unknown) => {
      isThere ||= key === "__proto__";
      return item;
    });
    hold(name !== null || !isThere, "finds names of the prototype", () => text);
    return;
  }
  hold(!isJson(text), "refuses no JSON");
  const { offset, line, column, byteOffset } = error as JsonSyntaxError;
  same(offset, place, "names the place");
  hold(place >= 0 && place <= text.length, "a place lies in the text");
  const before = text.slice(0, place);
  same([line, column], [before.split("\n").length, place - before.lastIndexOf("\n")], "counts lines and columns");
  same(byteOffset, Buffer.byteLength(before), "counts octets");
  if (text.length > 40) return;
  hold(canGoOn(before), "before the place nothing is wrong", () => JSON.stringify(before));
  // A number that stops in its exponent or fraction is wrong from there on, not from its end
  if (/\d[eE.]$/.test(text.slice(0, place + 1))) return;
  if (place < text.length)
    hold(!canGoOn(text.slice(0, place + 1)), "at the place something is wrong", () =>
      JSON.stringify(text.slice(0, place + 1)),
    );
}
