/**
 * Whatever octets come, however they are cut: the same is understood, the same is answered, and every answer is well-formed.
 *
 * The wire cases say so for what somebody has thought of; here generated octets say it for the rest.
 */

import fc from "fast-check";
import { expect, test } from "vitest";
import { likeRequests } from "../support/wire-arbitrary.ts";
import type { Step } from "../support/wire-bytes.ts";
import { runSteps } from "../support/wire-run.ts";

/** Cuts `bytes` at the given fractions of its length. */
function cut(bytes: Buffer, fractions: readonly number[]): Step[] {
  const places = fractions.map((fraction) => Math.floor(fraction * bytes.length)).toSorted((a, b) => a - b);
  const steps: Step[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) steps.push({ bytes: bytes.subarray(from, place) });
    from = Math.max(from, place);
  }
  return steps;
}

/** 100 (Continue) may be left out when content has come already (RFC 9110 §10.1.1), which depends on the cut. */
const withoutContinue = (log: readonly string[]): string[] => log.filter((line) => line !== "interim 100");

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 });
const anyOctets = fc.uint8Array({ maxLength: 200 }).map((octets) => Buffer.from(octets));

test.each([
  ["what looks like requests", likeRequests, 3000],
  ["any octets", anyOctets, 500],
])("understands and answers %s the same however they are cut", async (_, octets, numRuns) => {
  await fc.assert(
    fc.asyncProperty(
      octets,
      cuts,
      fc.constantFrom<"read" | "later">("read", "later"),
      async (bytes, fractions, handler) => {
        const whole = await runSteps([{ bytes }], { handler });
        const inPieces = await runSteps(cut(bytes, fractions), { handler });
        expect(whole.faults).toEqual([]);
        expect(inPieces.faults).toEqual([]);
        expect(withoutContinue(inPieces.log)).toEqual(withoutContinue(whole.log));
      },
    ),
    { numRuns },
  );
});
