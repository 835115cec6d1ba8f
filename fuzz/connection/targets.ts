/**
 * Whole connections as a fuzz target: octets decide what a script draws, so that they can be mutated, shortened and kept like
 * those of any other target. What holds is told in judge.ts and splits.ts, one sentence each.
 */

import fc from "fast-check";
import { BrokenInvariant } from "../invariant.ts";
import { Random } from "../random.ts";
import type { FuzzTarget } from "../target.ts";
import { check } from "./check.ts";
import { drawScriptWith, WEIGHTS, type Weights } from "./generate.ts";
import { describe, type Script } from "./script.ts";

/** Octets of a decision. */
const DECISION_BYTES = 2;

/** Draws what octets say, two for each decision, and behind their end what follows from their number. */
class Decisions extends Random {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    super(octets.length);
    this.#octets = octets;
  }

  override next(): number {
    const at = this.#at;
    if (at + DECISION_BYTES > this.#octets.length) return super.next();
    this.#at += DECISION_BYTES;
    return (this.#octets[at] as number) * 256 + (this.#octets[at + 1] as number);
  }
}

/** The script that octets stand for, and whether it is compared in its splits. */
export function scriptOfOctets(octets: Uint8Array): { readonly script: Script; readonly hasSplits: boolean } {
  const kind = octets[0] ?? 0;
  const weights = WEIGHTS[kind % WEIGHTS.length] as Weights;
  return { script: drawScriptWith(new Decisions(octets.subarray(1)), weights), hasSplits: kind >= 224 };
}

/** For the runner. */
export const CONNECTION_TARGETS: readonly FuzzTarget[] = [
  {
    name: "connection",
    about:
      "a connection gives exchanges or one refusal, valid responses in order, and an end to everything, whatever its peer and handlers do",
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    isSlow: true,
    seeds: () => WEIGHTS.flatMap((_, kind) => [Uint8Array.of(kind), Uint8Array.of(kind + 225)]),
    async run(input) {
      const { script, hasSplits } = scriptOfOctets(input);
      const [broken] = await check(script, hasSplits);
      if (broken === undefined) return;
      const words = broken.indexOf(": ");
      throw new BrokenInvariant(broken.slice(0, words), `${broken.slice(words + 2)}\n${describe(script)}`);
    },
  },
];
