/**
 * One script from its seed to what is broken of it: played, judged, and compared in its splits where that is worth the time.
 */

import { drawScript, WEIGHTS } from "./generate.ts";
import { judge } from "./judge.ts";
import { play, type Played, playTogether } from "./play.ts";
import type { Script } from "./script.ts";
import { judgeSplits } from "./splits.ts";

/** Once in so many seeds. */
const SPLITS_IN = 8;

/** Once in so many seeds a script is played beside another, whose seed is so far from its own. */
const TOGETHER_IN = 4;
const BESIDE = 7_777_777;

/** Whether the script of a seed is also compared in its splits. */
export function comparesSplits(seed: number): boolean {
  return Math.floor(Math.abs(seed) / WEIGHTS.length) % SPLITS_IN === 0;
}

/** All that does not hold of a script; empty. */
export async function check(script: Script, hasSplits: boolean): Promise<string[]> {
  try {
    return hasSplits ? await judgeSplits(script) : judge(await play(script));
  } catch (error) {
    return [`carrier: the player fails: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`];
  }
}

/** {@link check} of a seed, now and then beside the connection of another. */
export async function checkSeed(seed: number): Promise<string[]> {
  if (comparesSplits(seed) || seed % TOGETHER_IN !== 0) return check(drawScript(seed), comparesSplits(seed));
  const script = drawScript(seed);
  // On one server
  const { limits, isLenient } = script;
  const [one, other] = await playTogether([script, { ...drawScript(seed + BESIDE), limits, isLenient }]);
  return [...judge(one as Played), ...judge(other as Played)];
}

/** What broke first, without its numbers: the same for scripts that fail alike; `""` for nothing. */
export async function failureOf(script: Script, hasSplits: boolean): Promise<string> {
  const [first] = await check(script, hasSplits);
  return first === undefined
    ? ""
    : first
        .replace(/\d+/g, "#")
        .replace(/"[^"]*"/g, '"')
        .slice(0, 80);
}
