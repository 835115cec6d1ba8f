/**
 * Fuzz target: values put together from tokens, quoted strings, parameters and lists (http/value-reader.ts, media-type.ts,
 * content-disposition.ts, cache-control.ts, field checks of fields.ts). An input is one field value.
 *
 * Invariants:
 * - Reading never throws, and writing throws TypeError alone.
 * - A media type that is read, written and read again is the same (RFC 9110 §8.3.1, §5.6.6).
 * - Content-Disposition has one line, and its extended name decodes to its plain name's text (RFC 6266 §4.3, RFC 8187 §3.2).
 * - No name that leads out of a folder gets into it, and safeFileName gives one that is safe already (RFC 6266 §4.3).
 */

import { safeFileName } from "../../src/bodies/file-name.ts";
import { isHashedName, parseCacheSetting } from "../../src/http/cache-control.ts";
import { contentDisposition } from "../../src/http/content-disposition.ts";
import { isFieldValue, isToken, trimWhiteSpace } from "../../src/http/fields.ts";
import { charsetOf, formatMediaType, parseMediaType } from "../../src/http/media-type.ts";
import { join, listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = ["charset=", "utf-8", '"', "\\", "; ", "text/html", "filename*=UTF-8''", "../", "C:\\", "con.txt", "10m"];
const value = fc.oneof(wordsOf('a utf-8 "a" "a;b" "a\\"b" "" "\\\\" "é" a.b'), fc.constant('"a b"'));
const mediaType = join(
  wordsOf("text/html a/b */* multipart/form-data application/vnd.a+json T/S"),
  listOf(join(wordsOf("; ; ;; ;"), wordsOf("charset q a boundary"), "=", value), "", 4),
);
const name = fc.oneof(
  wordsOf("a.txt ../a a/b C:\\a con.txt .hidden a.tar.gz na\xefve.txt %41 a.3f2a9c1b.js 10m 1w off ... a.. x:y"),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => Buffer.from(text).toString("latin1")),
);

/** The target. */
export const fieldsTarget: FuzzTarget = {
  name: "fields",
  about: "values of fields are read without error, and what is written reads the same",
  arbitrary: orMutated(fc.oneof(mediaType, name), WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      'text/html; charset="utf-8"',
      "a/b;c=d;;e=f",
      "../../etc/passwd",
      "na\xefve.txt",
      "10 minutes",
      "\u202egnp.exe",
    ),
  run(input) {
    const text = latin1(input);
    checkMediaType(text);
    const trimmed = attempt(() => trimWhiteSpace(text)).value ?? "";
    same(trimmed, text.replaceAll(/^[ \t]+|[ \t]+$/g, ""), "trims space and tab");
    same(isToken(text), /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text), "knows tokens (RFC 9110 §5.6.2)");
    same(isFieldValue(text), /^[\t\x20-\x7e\x80-\xff]*$/.test(text), "knows field values (RFC 9110 §5.5)");
    const setting = attempt(() => parseCacheSetting(text)).value;
    if (typeof setting === "number")
      hold(setting >= 0 && setting <= 2 ** 31 && Number.isInteger(setting), "a lifetime is 0 to 2^31 seconds");
    attempt(() => isHashedName(text));
    // Names come as text of any script
    checkName(Buffer.from(input).toString("utf8"));
    checkName(text);
  },
};

function checkMediaType(text: string): void {
  const parsed = attempt(() => parseMediaType(text)).value;
  if (parsed === null) return;
  attempt(() => charsetOf(parsed));
  const written = formatMediaType(parsed);
  hold(isFieldValue(written), "a media type is written as a field value");
  same(parseMediaType(written), parsed, "a media type reads the same when written");
}

function checkName(text: string): void {
  const safe = attempt(() => safeFileName(text)).value ?? "";
  hold(
    safe !== "" && !/[/\\\0]/.test(safe) && !/^\.+$/.test(safe) && Buffer.byteLength(safe) <= 255,
    "a safe name is one",
    () => safe,
  );
  // Names of devices grow by an octet behind the cut
  if (Buffer.byteLength(safe) <= 200) same(safeFileName(safe), safe, "a safe name is safe already");
  const written = attempt(
    () => contentDisposition("attachment", text),
    (error) => error instanceof TypeError,
  ).value;
  if (written === null) return;
  hold(isFieldValue(written) && !/[^\x20-\x7e]/.test(written), "a disposition is visible ASCII", () => written);
  const match = /^attachment(?:; filename="([^"\\%]*)"(?:; filename\*=UTF-8''([\w!#$&+.^`|~%-]+))?)?$/.exec(written);
  hold(match !== null, "a disposition has the form of RFC 6266", () => written);
  const [, plain = "", extended = ""] = match;
  const meant = extended === "" ? plain : decodeURIComponent(extended);
  hold(!/[/\\]/.test(meant) && meant !== "..", "a disposition names no folder", () => meant);
  hold(text === "" || !/^\.{0,2}$/.test(plain), "a disposition has a name", () => written);
}
