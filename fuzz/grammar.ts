/**
 * What grammars of targets are put together from: words, joined; valid values, and the same with something wrong.
 */

import fc from "fast-check";
import { latin1, mutate } from "./mutate.ts";
import { Random } from "./random.ts";

/** Text in latin1, one character an octet. */
type Text = fc.Arbitrary<string>;

/** One of the words between the spaces of `words`. */
export function wordsOf(words: string): Text {
  return fc.constantFrom(...words.split(" "));
}

/** One after the other. */
export function join(...parts: readonly (Text | string)[]): Text {
  return fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(part) : part)))
    .map((texts) => texts.join(""));
}

/** None to `most`, with one of `separators` between. */
export function listOf(member: Text, separators: Text | string, most: number): Text {
  const separator = typeof separators === "string" ? fc.constant(separators) : separators;
  return fc
    .array(fc.tuple(member, separator), { maxLength: most })
    .map((pairs) => pairs.map(([text, between], i) => (i === 0 ? text : between + text)).join(""));
}

/** Valid text half the time, else with up to four changes. */
export function orMutated(text: Text, words: readonly string[] = []): fc.Arbitrary<Uint8Array> {
  return fc.tuple(text, fc.boolean(), fc.integer()).map(([value, isLeft, seed]) => {
    const bytes = Buffer.from(value, "latin1");
    return isLeft ? bytes : mutate(bytes, new Random(seed), words, bytes);
  });
}

/** Text -> seeds. Characters beyond latin1 become their UTF-8. */
export function seedsOf(...texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, /[^\0-\xff]/.test(text) ? "utf8" : "latin1"));
}

/** An input cut at its line feeds into exactly `count` parts; missing ones are empty, the last has all that is left. */
export function partsOf(input: Uint8Array, count: number): string[] {
  const lines = latin1(input).split("\n");
  const parts = lines.slice(0, count - 1);
  while (parts.length < count - 1) parts.push("");
  return [...parts, lines.slice(count - 1).join("\n")];
}

/** As `get()` of header fields has it: values by name, no others. */
export function fieldsOf(values: Readonly<Record<string, string | null>>): { get(name: string): string | null } {
  return { get: (name) => values[name] ?? null };
}
