/**
 * The octets of the wire cases of test/wire as seeds: every message, sound or not, that a rule has been written down for.
 */

import { readdirSync, readFileSync } from "node:fs";
import { parseChapter } from "../test/support/wire-case.ts";

const FOLDER = new URL("../test/wire/", import.meta.url);
let seeds: readonly Buffer[] | null = null;

/** What the peer sends in each case, its events left out. */
export function wireSeeds(): readonly Buffer[] {
  seeds ??= readdirSync(FOLDER)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .flatMap((name) => parseChapter(readFileSync(new URL(name, FOLDER), "utf8")).cases)
    .map(({ steps }) => Buffer.concat(steps.flatMap((step) => ("bytes" in step ? [step.bytes] : []))))
    .filter((bytes) => bytes.length <= 4096);
  return seeds;
}
