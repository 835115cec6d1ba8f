/**
 * Runs the wire cases of this folder's Markdown files: each whole, octet by octet, in every two-way split, and with a
 * request behind it, and demands the same log every time. Where a case is long the splits are sampled (wire-splits.ts).
 *
 * Behind a message that leaves the connection open the neighbour must be answered, and neither may change the other;
 * behind one that closes it nothing more may be answered (RFC 9112 §9.6).
 */

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/http1/limits.ts";
import { escape, type Step } from "../support/wire-bytes.ts";
import { type Chapter, parseChapter, type WireCase } from "../support/wire-case.ts";
import { type Run, runSteps } from "../support/wire-run.ts";
import { NEIGHBOUR_LOG, type Variant, variantsOf, withNeighbour } from "../support/wire-splits.ts";

const folder = new URL("./", import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".md") && name !== "README.md")
  .toSorted();
const chapters: Array<[string, Chapter]> = files.map((name) => [name, read(name)]);

function read(name: string): Chapter {
  try {
    return parseChapter(readFileSync(new URL(name, folder), "utf8"));
  } catch (error) {
    throw new Error(`test/wire/${name}:${(error as Error).message}`, { cause: error });
  }
}

describe.each(chapters)("%s", (file, chapter) => {
  test.each(chapter.cases.map((wireCase) => [wireCase.title, wireCase] as const))("%s", async (_, wireCase) => {
    await runCase(`test/wire/${file}:${wireCase.line}`, wireCase);
  });
});

test("has the cases that it promises", () => {
  const count = chapters.reduce((sum, [, chapter]) => sum + chapter.cases.length, 0);
  expect(count).toBeGreaterThanOrEqual(250);
});

async function runCase(place: string, wireCase: WireCase): Promise<void> {
  const limits = Object.values({ ...DEFAULT_LIMITS, ...wireCase.options.limits }).filter(Number.isFinite);
  // `waiting` and `open` are one state from outside; the neighbour tells them apart
  const log = wireCase.log.map((line) => (line === "waiting" ? "open" : line));
  for (const variant of variantsOf(wireCase.steps, limits)) await compare(place, variant, wireCase, log, true);

  const end = wireCase.log.at(-1);
  if (end === "waiting" || end === "upgraded" || endsByEvent(wireCase.steps)) return;
  for (const variant of withNeighbour(wireCase.steps)) {
    await compare(
      place,
      variant,
      wireCase,
      end === "open" ? [...log.slice(0, -1), ...NEIGHBOUR_LOG] : log,
      end !== "open",
    );
  }
}

/** Events after the octets (time, the peer's end) are about silence: a neighbour would break it. */
function endsByEvent(steps: readonly Step[]): boolean {
  return steps.some((step) => !("bytes" in step));
}

/** @param isAll false: the log goes on, with the answer to the neighbour */
async function compare(
  place: string,
  variant: Variant,
  wireCase: WireCase,
  log: readonly string[],
  isAll: boolean,
): Promise<void> {
  const run: Run = await runSteps(variant.steps, wireCase.options);
  const wanted = log.filter((line) => !isOptional(line));
  const got = withoutOptional(run.log, log);
  const report = `${place}, ${variant.name}; written:\n${escape(run.output.toString("latin1")).replaceAll("\\r\\n", "\n")}`;
  expect(isAll ? got : got.slice(0, wanted.length), report).toEqual(wanted);
  expect(run.faults, report).toEqual([]);
  if (!isAll) expect(got[wanted.length], report).toMatch(/^(response|interim|rejected) /);
  if (wireCase.wire !== null && isAll)
    expect(run.output.toString("latin1"), report).toBe(wireCase.wire.toString("latin1"));
}

/** `interim 100?`: may be there or not, because it depends on what has arrived (RFC 9110 §10.1.1). */
function isOptional(line: string): boolean {
  return line.endsWith("?") && line.startsWith("interim ");
}

function withoutOptional(lines: readonly string[], log: readonly string[]): string[] {
  const optional = new Set(log.filter(isOptional).map((line) => line.slice(0, -1)));
  return lines.filter((line) => !optional.has(line));
}
