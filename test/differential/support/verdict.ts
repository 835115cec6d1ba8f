/** One row of the table of disagreements: what is sent, what we do and others do, and who is right by which rule. */
import type { Act } from "./difference.ts";

/** One row. */
export interface Verdict {
  /** The heading under which the page has it. */
  readonly group: string;
  /** What is sent, in words. */
  readonly sent: string;
  /** The code of our refusal or what we do. */
  readonly ours: string;
  /** What the others do; anything where it is left out. */
  readonly theirs?: readonly Act[];
  /** Both take it and read it differently. */
  readonly reading?: string;
  /** Narrows the row to octets, given as latin1. */
  readonly when?: RegExp;
  /** Only where we have closed in the end. */
  readonly weClose?: true;
  /** `both`: the rules leave the choice. */
  readonly right: "Fairlead" | "the others" | "both";
  /** The rule, and why we chose so where it leaves a choice. */
  readonly by: string;
}
