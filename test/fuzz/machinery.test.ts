/**
 * The machinery of fuzzing itself: an invariant that does not hold is found, shortened, and repeated by what is printed.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Campaign } from "../../fuzz/campaign.ts";
import { parseInput, renderInput, showInput } from "../../fuzz/corpus.ts";
import { attempt, BrokenInvariant, failureKey, hold, same } from "../../fuzz/invariant.ts";
import { MAX_INPUT_BYTES, mutate } from "../../fuzz/mutate.ts";
import { Random } from "../../fuzz/random.ts";
import { renderFailure } from "../../fuzz/report.ts";
import { shrink } from "../../fuzz/shrink.ts";
import { cutsOf, octetsOf } from "../../fuzz/splits.ts";
import type { FuzzTarget } from "../../fuzz/target.ts";
import type { Watchdog } from "../../fuzz/watchdog.ts";

const sleeping = { begins: () => {}, rests: () => {} } as unknown as Watchdog;

function targetOf(run: FuzzTarget["run"], texts: readonly string[] = ["GET / HTTP/1.1\r\n"]): FuzzTarget {
  return {
    name: "test",
    about: "",
    arbitrary: fc.constantFrom(...texts).map((text) => Buffer.from(text)),
    seeds: () => texts.map((text) => Buffer.from(text)),
    run,
  };
}

const isBroken = (input: Uint8Array): void => hold(!Buffer.from(input).includes("\r\r"), "has no CR twice", () => "");

describe("a campaign", () => {
  it("finds what mutation can reach, and shortens it", async () => {
    const campaign = new Campaign(targetOf(isBroken), 1, null, sleeping);
    for (let i = 0; i < 50 && campaign.failures.length === 0; i++) await campaign.batch();
    expect(campaign.failures.map(({ key, input }) => [key, showInput(input)])).toEqual([["has no CR twice", "\\r\\r"]]);
  });

  it("tells how a failure is repeated", async () => {
    const campaign = new Campaign(
      targetOf(() => Promise.reject(new Error("no"))),
      1,
      null,
      sleeping,
    );
    await campaign.batch();
    const [failure] = campaign.failures;
    expect(failure && renderFailure(failure)).toContain("npm run fuzz -- --only test --hex ");
    expect(failure?.input).toHaveLength(0);
  });

  it("draws the same inputs for the same seed", async () => {
    const runs = await Promise.all(
      [5, 5, 6].map(async (seed) => {
        const inputs: string[] = [];
        const campaign = new Campaign(
          targetOf((input) => void inputs.push(showInput(input))),
          seed,
          null,
          sleeping,
        );
        await campaign.batch();
        await campaign.batch();
        return inputs.join("\n");
      }),
    );
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).not.toBe(runs[2]);
  });

  it("gives a target up that fails in many ways", async () => {
    let count = 0;
    const failing = targetOf(() => {
      throw new BrokenInvariant(`the ${"x".repeat(count++)}`, "");
    });
    const campaign = new Campaign(failing, 1, null, sleeping);
    // The seeds, then a batch
    for (let i = 0; i < 2; i++) await campaign.batch();
    expect(campaign.isGivenUp).toBe(true);
    expect(campaign.failures).toHaveLength(5);
  });
});

describe("shortening", () => {
  it("does not slide into another failure", async () => {
    const target = targetOf((input) => {
      hold(input.length !== 1, "is not one octet");
      isBroken(input);
    });
    const input = Buffer.from("some\r\rtext");
    const shortest = await shrink(target, input, new BrokenInvariant("has no CR twice", ""));
    expect(showInput(shortest)).toBe("\\r\\r");
  });
});

describe("inputs", () => {
  it("are written so that they can be read, and read as they were", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom("", "why it is kept"), (bytes, why) => {
        const text = renderInput(bytes, why);
        expect(text).toMatch(/^[\n -~]*\n$/);
        expect(text).not.toMatch(/ \n/);
        expect([...parseInput(text)]).toEqual([...bytes]);
      }),
    );
  });

  it.each(["\\q", "\\xzz", "a\\"])("are refused with an escape that is none: %s", (text) => {
    expect(() => parseInput(text)).toThrow("unknown escape");
  });

  it("are changed by octets, and never beyond the limit", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer(), (bytes, seed) => {
        const mutated = mutate(bytes, new Random(seed), ["word"], bytes);
        expect(mutated.length).toBeLessThanOrEqual(MAX_INPUT_BYTES);
        expect([...mutate(bytes, new Random(seed), ["word"], bytes)]).toEqual([...mutated]);
      }),
    );
  });

  it("are whole in every split", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer(), (bytes, seed) => {
        expect(Buffer.concat(cutsOf(bytes, new Random(seed))).equals(bytes)).toBe(true);
        expect(octetsOf(bytes).every((octet) => octet.length === 1)).toBe(true);
      }),
    );
  });
});

describe("invariants", () => {
  it("say what was seen instead", () => {
    expect(() => same({ a: 1 }, { a: 2 }, "is two")).toThrow('is two: {"a":1} is not {"a":2}');
  });

  it("let declared errors through as values", () => {
    const throwing = (): never => {
      throw new TypeError("no");
    };
    expect(attempt(throwing, (error) => error instanceof TypeError).error).toBeInstanceOf(TypeError);
    expect(() => attempt(throwing)).toThrow("throws nothing but what is declared: TypeError: no");
  });

  it("are one failure whatever the numbers in it", () => {
    expect(failureKey(new Error("at 12: 'a'"))).toBe(failureKey(new Error("at 7: 'bc'")));
    expect(failureKey(new BrokenInvariant("a", "1"))).toBe(failureKey(new BrokenInvariant("a", "2")));
  });
});
