/**
 * The shortest input that still breaks the same invariant: stretches are taken out, halving their length, then octets are
 * made plain. It ends after a number of runs, whatever it has reached.
 */

import { failureKey } from "./invariant.ts";
import type { FuzzTarget } from "./target.ts";

const MAX_RUNS = 3_000;

/** Runs an input. Returns what was thrown, or null. */
export async function failureOf(target: FuzzTarget, input: Uint8Array): Promise<unknown> {
  try {
    const pending = target.run(input);
    if (pending !== undefined) await pending;
    return null;
  } catch (error) {
    return error ?? new Error("threw null or undefined");
  }
}

/** @returns an input no longer than `input` that fails in the same way. */
export async function shrink(target: FuzzTarget, input: Uint8Array, failure: unknown): Promise<Buffer> {
  const key = failureKey(failure);
  let runs = 0;
  let best: Buffer = Buffer.from(input);
  const take = async (candidate: Buffer): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs++;
    const found = await failureOf(target, candidate);
    if (found === null || failureKey(found) !== key) return false;
    best = candidate;
    return true;
  };
  for (let before = -1; before !== best.length && runs < MAX_RUNS;) {
    before = best.length;
    for (let length = Math.ceil(best.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
      for (let at = 0; at < best.length;) {
        const isTaken = await take(Buffer.concat([best.subarray(0, at), best.subarray(at + length)]));
        if (!isTaken) at += length;
      }
    }
  }
  for (let at = 0; at < best.length; at++) {
    const code = best[at] ?? 0;
    for (const plain of [0x61, 0x30]) {
      if (code === plain || code === 0x61) break;
      const candidate = Buffer.from(best);
      candidate[at] = plain;
      if (await take(candidate)) break;
    }
  }
  return best;
}
