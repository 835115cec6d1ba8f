/**
 * What is demanded of us, by profile: the ratio of our first figure to the reference's in the same run, on the same Node.
 *
 * "Must" is what a release has to reach, "aim" what is thought to be reachable: both were set by experiments with throw-away
 * servers before the first line of this one was written. Where a profile has no number here, nothing is demanded of it.
 */
import type { Target } from "./profile.ts";

const TARGETS: Readonly<Record<string, readonly [must: number, aim: number]>> = {
  "plaintext": [0.72, 0.6],
  "pipelined": [0.15, 0.1],
  "mix": [0.7, 0.6],
  "json": [0.85, 0.78],
  "json-gzip": [0.5, 0.38],
  "ten-per-connection": [0.75, 0.65],
  "one-per-connection": [0.85, 0.7],
  "upload": [0.9, 0.8],
  "static-mixed": [1.75, 1.4],
  "static-4k": [1.25, 1.05],
  "static-64k": [1.75, 1.45],
  "static-1m": [1, 0.8],
  "static-100m": [1.25, 1.05],
  "static-100m-sendfile": [1.25, 1.05],
  "static-304": [1.5, 1.3],
  "static-range": [1.3, 1.1],
  "tls-plaintext": [0.68, 0.6],
  "tls-64k": [0.85, 0.7],
  "idle": [0.65, 0.45],
  "startup": [0.95, 0.75],
  "rate-20k": [1.1, 1],
  "log-on": [1, 0.9],
  "log-cost": [1.1, 1.05],
};

/** @returns what is demanded, or null */
export function targetOf(profile: string): Target | null {
  const target = TARGETS[profile];
  return target === undefined ? null : { must: target[0], aim: target[1] };
}

/** @returns how a ratio stands to its target */
export function verdictOf(ratio: number, target: Target): "aim met" | "must met" | "NOT met" {
  if (ratio <= target.aim) return "aim met";
  return ratio <= target.must ? "must met" : "NOT met";
}
