/**
 * Every kind of input on which Fairlead and another server have been seen to part, judged: who is right, and by which rule.
 *
 * The first row that fits a difference is its verdict; a difference without one is news, and fails the test. No row may excuse
 * a message that we take with another end than others see in it: such a row would have `reading: "length"` or `"name"`, and
 * the test says that there is none. docs/disagreements.md is written from this table and what was seen.
 */
import { CONTENT_VERDICTS } from "./content-verdicts.ts";
import type { Difference } from "./difference.ts";
import { HEAD_VERDICTS } from "./head-verdicts.ts";
import { HOST_VERDICTS } from "./host-verdicts.ts";
import type { Verdict } from "./verdict.ts";

/** All rows; the first that fits counts. */
export const VERDICTS: readonly Verdict[] = [...CONTENT_VERDICTS, ...HEAD_VERDICTS, ...HOST_VERDICTS];

/** The verdict on a difference, or undefined where there is none. */
export function verdictOn(difference: Difference, text: string): Verdict | undefined {
  return VERDICTS.find(
    ({ ours, theirs, reading, when, weClose }) =>
      ours === difference.ours &&
      (reading ?? "") === difference.reading &&
      (theirs === undefined || theirs.includes(difference.theirs)) &&
      (weClose === undefined || difference.weClose) &&
      (when === undefined || when.test(text)),
  );
}
