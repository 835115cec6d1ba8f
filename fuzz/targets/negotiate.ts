/**
 * Fuzz target: Accept, Accept-Encoding and their like (http/negotiate.ts, content-coding.ts, problem.ts). An input is one value.
 *
 * Invariants:
 * - Nothing throws, whatever the value; members that are malformed count as absent (RFC 9110 §12.5.1).
 * - What is selected is offered, and never with quality 0 (§12.4.2).
 * - Members written down again are read the same; order of members of one quality decides nothing but between equals.
 * - Without identity;q=0 or *;q=0 there is always something to send (§12.5.3).
 */

import { CodingPreferences } from "../../src/http/content-coding.ts";
import { parseMediaType } from "../../src/http/media-type.ts";
import {
  mediaTypeQuality,
  parseAccept,
  parseWeightedTokens,
  selectEncoding,
  selectMediaType,
} from "../../src/http/negotiate.ts";
import { renderProblem } from "../../src/http/problem.ts";
import { join, listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const OFFERED_TYPES = ["text/html", "application/json;v=1", "image/png"];
const OFFERED_CODINGS = ["br", "gzip", "zstd"];
const WORDS = ["gzip", "br", "identity", "*", ";q=0", ";q=1.000", "*/*", "text/*", "text/html", ";level=1", "x-gzip"];
const weight = wordsOf(' ;q=0 ;q=1 ;q=0.5 ;q=0.001 ;q=1.001 ;Q=0.3 ;q=.5 ;q= ;v=1;q=0.2 ;a="b,c"');
const member = fc.oneof(
  join(wordsOf("gzip br zstd identity * deflate x-gzip GZIP"), weight),
  join(wordsOf("text/html text/* */* application/json application/problem+json image/png */html text/"), weight),
);

/** The target. */
export const negotiateTarget: FuzzTarget = {
  name: "negotiate",
  about: "what is selected is offered and acceptable, whatever the Accept fields say",
  arbitrary: orMutated(listOf(member, fc.constantFrom(", ", ",", ",,", " , "), 6), WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      "",
      "gzip, br;q=0.5",
      "*;q=0",
      "identity;q=0, *",
      "text/html;level=1;q=0.4, */*;q=0.1",
      'a/b;c="d,e",text/html',
    ),
  run(input) {
    const text = latin1(input);
    const ranges = attempt(() => parseAccept(text)).value ?? [];
    const tokens = attempt(() => parseWeightedTokens(text)).value ?? [];
    hold(ranges.length <= 100 && tokens.length <= 100, "members are bounded");
    hold(
      [...ranges, ...tokens].every(({ quality }) => quality >= 0 && quality <= 1),
      "quality is 0 to 1",
    );
    const written = tokens.map(({ token, quality }) => `${token};q=${quality}`).join(",");
    same(parseWeightedTokens(written), tokens, "reads the same when written");
    const type = attempt(() => selectMediaType(text, OFFERED_TYPES)).value;
    if (type !== null) {
      const parsed = parseMediaType(type);
      hold(OFFERED_TYPES.includes(type) && parsed !== null, "selects of what is offered");
      hold(ranges.length === 0 || mediaTypeQuality(ranges, parsed) > 0, "selects nothing that is not acceptable");
    }
    checkCodings(text, tokens);
    const { contentType, text: problem } = renderProblem(
      { status: 400, title: "Bad Request", detail: text, field: text },
      text,
    );
    hold(!/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(problem), "a refusal has no controls", () => problem);
    if (contentType.includes("json")) attempt(() => JSON.parse(problem) as unknown);
  },
};

function checkCodings(text: string, tokens: ReadonlyArray<{ readonly token: string; readonly quality: number }>): void {
  const coding = attempt(() => selectEncoding(text, OFFERED_CODINGS)).value;
  const order = new CodingPreferences(OFFERED_CODINGS).of(text);
  same(order[0] ?? null, coding, "the best of all is the one that is selected");
  same(new Set(order).size, order.length, "no coding is there twice");
  const isNamed = (name: string): boolean => tokens.some(({ token, quality }) => token === name && quality === 0);
  if (coding === null) hold(isNamed("identity") || isNamed("*"), "always has something unless it is excluded");
  for (const one of order) {
    hold(one === "identity" || OFFERED_CODINGS.includes(one), "selects of what is offered");
    const first = tokens.find(({ token }) => token === one || (one === "gzip" && token === "x-gzip"));
    hold(first === undefined || first.quality > 0, "selects nothing of quality 0", () => one);
  }
}
