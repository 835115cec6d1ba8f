/**
 * Scripts that once broke an invariant, kept in fuzz/connection/corpus as JSON: read for the tests and for whoever fuzzes on.
 */

import { readdirSync, readFileSync } from "node:fs";
import type { Script } from "./script.ts";

const CORPUS = new URL("corpus/", import.meta.url);

/** One file. */
export interface Regression {
  readonly name: string;
  /** What broke, in the words of the judge. */
  readonly about: string;
  readonly hasSplits: boolean;
  readonly script: Script;
}

/** All of them, by name. */
export function readRegressions(): Regression[] {
  const names = readdirSync(CORPUS).filter((name) => name.endsWith(".json"));
  return names.toSorted().map((name) => {
    const kept = JSON.parse(readFileSync(new URL(name, CORPUS), "utf8")) as Omit<Regression, "name">;
    return { ...kept, name: name.slice(0, -".json".length) };
  });
}
