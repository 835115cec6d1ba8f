/**
 * Inputs made of inputs: one to four changes of the kinds that parsers are known to trip over. It works on text in latin1,
 * one character an octet, and draws everything from one {@link Random}, so that a seed repeats it.
 *
 * The kinds, in the order of the table: numbers at the borders; the case of letters; white space, line ends and controls;
 * repeated, swapped, split and folded lines; percent-encoding and overlong UTF-8; quoted strings; lists with empty members;
 * words of the target's grammar; octets changed, taken out, doubled; a piece of another input.
 */

import type { Random } from "./random.ts";

/** Where counting goes wrong: zeros, signs, powers of two, more digits than fit, other bases. */
const NUMBERS = [
  ..."0 -0 +0 00 1 -1 +1 01 1.0 1e3 0x10 0b1 255 256 65535 65536 65537 4294967295 4294967296".split(" "),
  ..."2147483647 2147483648 2147483649 9007199254740991 9007199254740992 9007199254740993".split(" "),
  ..."9223372036854775807 18446744073709551615 18446744073709551616 NaN Infinity 1_0 ffffffff 7fffffff".split(" "),
  ..."FFFFFFFFFFFFF FFFFFFFFFFFFFFFFF 00000000000000000000000001".split(" "),
  "\xb2",
  "1 1",
  "1,1",
  "",
];
const SPACES = [
  " ",
  "  ",
  "\t",
  "\v",
  "\f",
  "\r",
  "\n",
  "\r\n",
  "\0",
  "\xa0",
  "\x85",
  "\r\n ",
  "\r\n\t",
  "\n\r",
  "\r\r\n",
];
const CONTROLS = ["\x01", "\x08", "\x1b", "\x7f", "\x80", "\xff", "\xc0\xaf", "\xe2\x80\xa8", "\xef\xbb\xbf"];
const PUNCTUATION = [..."()<>@,;:\\\"/[]?={}!#$%&'*+-.^_`|~"];
const ENCODED = [
  "%",
  "%2",
  "%2e",
  "%2F",
  "%5c",
  "%00",
  "%0d%0a",
  "%25",
  "%252e",
  "%c0%af",
  "%e0%80%af",
  "%u002f",
  "%zz",
];
const ENCODED_WIDE = [
  "%f0%9f%98%80",
  "%ff",
  "%C3%A9",
  "\xc3\xa9",
  "\xed\xa0\x80",
  "\xf4\x90\x80\x80",
  "xn--",
  "\xe3\x80\x82",
];
const LIST_ENDS = [
  ",",
  ",,",
  ", ,",
  ";",
  ";;",
  "; ;",
  "=",
  "==",
  ";a",
  ";a=",
  ";=b",
  ";q=0",
  ";q=1.0001",
  '="',
  '"',
  '\\"',
];

type Change = (text: string, random: Random, words: readonly string[], other: string) => string;

const splice = (text: string, at: number, length: number, put: string): string =>
  text.slice(0, at) + put + text.slice(at + length);
const insert = (text: string, random: Random, put: string): string =>
  splice(text, random.below(text.length + 1), random.once(3) ? 1 : 0, put);

/** A stretch of up to `most` characters. */
function stretch(text: string, random: Random, most: number): [at: number, length: number] {
  const at = random.below(text.length);
  return [at, Math.min(text.length - at, 1 + random.below(most))];
}

/** Replaces one match of `pattern`, chosen; leaves the text alone where there is none. */
function replaceOne(text: string, random: Random, pattern: RegExp, by: (found: string) => string): string {
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return text;
  const { 0: found, index } = random.pick(matches);
  return splice(text, index, found.length, by(found));
}

/** Its lines, each with its end, given to `change`. */
function lines(text: string, change: (lines: string[]) => void): string {
  const list = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  if (list.length > 0) change(list);
  return list.join("");
}

const CHANGES: readonly Change[] = [
  (text, random) => replaceOne(text, random, /[0-9]+/g, () => random.pick(NUMBERS)),
  (text, random) => replaceOne(text, random, /[0-9]+/g, (found) => String(Number(found) + (random.once(2) ? 1 : -1))),
  (text, random) => replaceOne(text, random, /[0-9]+/g, (found) => "0".repeat(1 + random.below(20)) + found),
  (text, random) => insert(text, random, random.pick(NUMBERS)),
  (text, random) => replaceOne(text, random, /[A-Za-z]/g, (found) => String.fromCharCode(found.charCodeAt(0) ^ 0x20)),
  (text, random) => replaceOne(text, random, /[A-Za-z-]+/g, (found) => found.toUpperCase()),
  (text, random) => insert(text, random, random.pick(SPACES)),
  (text, random) => insert(text, random, random.pick(SPACES)),
  (text, random) => replaceOne(text, random, /\r\n|[ \t]+/g, () => random.pick(SPACES)),
  (text, random) => insert(text, random, random.pick(CONTROLS)),
  (text, random) => lines(text, (list) => void list.splice(random.below(list.length + 1), 0, random.pick(list))),
  (text, random) => lines(text, (list) => void list.splice(random.below(list.length), 1)),
  (text, random) => lines(text, (list) => void list.push(...list.splice(random.below(list.length), 1))),
  (text, random) => insert(text, random, random.once(2) ? "\r\n" : "\r\n "),
  (text, random) => insert(text, random, random.pick(ENCODED)),
  (text, random) => insert(text, random, random.pick(ENCODED_WIDE)),
  (text, random) =>
    replaceOne(text, random, /[^%]/g, (found) => `%${found.charCodeAt(0).toString(16).padStart(2, "0")}`),
  (text, random) => replaceOne(text, random, /[\w-]+/g, (found) => `"${found}"`),
  (text, random) => replaceOne(text, random, /[\w-]+/g, (found) => `"${found.split("").join("\\")}"`),
  (text, random) => insert(text, random, random.pick(LIST_ENDS)),
  (text, random) => replaceOne(text, random, /,/g, () => random.pick(LIST_ENDS)),
  (text, random) => insert(text, random, random.pick(PUNCTUATION)),
  (text, random, words) => (words.length === 0 ? text : insert(text, random, random.pick(words))),
  (text, random, words) => (words.length === 0 ? text : insert(text, random, random.pick(words))),
  (text, random, words) => (words.length === 0 ? text : replaceOne(text, random, /[\w-]+/g, () => random.pick(words))),
  (text, random) => insert(text, random, String.fromCharCode(random.below(256))),
  (text, random) => splice(text, random.below(text.length), 1, String.fromCharCode(random.below(256))),
  (text, random) => splice(text, ...stretch(text, random, 8), ""),
  (text, random) => splice(text, ...stretch(text, random, text.length), ""),
  (text, random) => {
    const [at, length] = stretch(text, random, 16);
    return splice(text, at, 0, text.slice(at, at + length).repeat(1 + random.below(4)));
  },
  (text, random, _words, other) => {
    const [at, length] = stretch(other, random, other.length);
    return insert(text, random, other.slice(at, at + length));
  },
  (text, random, _words, other) =>
    text.slice(0, random.below(text.length + 1)) + other.slice(random.below(other.length)),
];

/** Above this many octets nothing more is put into an input: long ones cost time and find nothing that short ones do not. */
export const MAX_INPUT_BYTES: number = 32 * 1024;

/**
 * @param input what is changed; left alone itself
 * @param words what stands in the grammar as it is
 * @param other an input that a piece may be taken of
 * @returns an input of at most {@link MAX_INPUT_BYTES}
 */
export function mutate(input: Uint8Array, random: Random, words: readonly string[], other: Uint8Array): Buffer {
  let text = latin1(input);
  const otherText = latin1(other);
  for (let left = 1 + (random.once(2) ? 0 : random.below(4)); left > 0; left--) {
    text = random.pick(CHANGES)(text, random, words, otherText);
  }
  return Buffer.from(text.length > MAX_INPUT_BYTES ? text.slice(0, MAX_INPUT_BYTES) : text, "latin1");
}

/** Octets as text, one character each. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
