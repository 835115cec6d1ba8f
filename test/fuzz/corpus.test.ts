/**
 * The kept inputs of every fuzz target, and their seeds, hold: what fuzzing has found once stays found.
 */
import { afterAll, describe, expect, it } from "vitest";
import { corpusFolders, keptInputs, reachingInputs } from "../../fuzz/corpus.ts";
import { failureOf } from "../../fuzz/shrink.ts";
import { PIECE_TARGETS } from "../../fuzz/targets.ts";

afterAll(async () => {
  for (const target of PIECE_TARGETS) await target.close?.();
});

describe.each(PIECE_TARGETS.map((target) => [target.name, target] as const))("the fuzz target %s", (name, target) => {
  const kept = keptInputs(name);

  it.runIf(kept.length > 0).each(kept.map((input) => [input.name, input.bytes] as const))(
    "holds for the kept input %s",
    async (_file, bytes) => {
      expect(await failureOf(target, bytes)).toBeNull();
    },
  );

  it("holds for the inputs that reached something new", { timeout: 60_000 }, async () => {
    for (const input of reachingInputs(name)) {
      expect({ input: input.name, failure: await failureOf(target, input.bytes) }).toEqual({
        input: input.name,
        failure: null,
      });
    }
  });

  it("holds for its seeds", async () => {
    let count = 0;
    for (const seed of target.seeds()) {
      expect(await failureOf(target, seed)).toBeNull();
      count++;
    }
    expect(count).toBeGreaterThan(0);
  });

  it("holds for nothing and for a single octet of each value", async () => {
    expect(await failureOf(target, new Uint8Array(0))).toBeNull();
    for (let code = 0; code < 256; code++) expect(await failureOf(target, Uint8Array.of(code))).toBeNull();
  });
});

it("keeps no inputs of targets that there are not", () => {
  const names = [...PIECE_TARGETS.map(({ name }) => name), "connection"];
  expect(corpusFolders().filter((folder) => !names.includes(folder))).toEqual([]);
});
