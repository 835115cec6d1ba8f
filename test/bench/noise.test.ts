/** Whether a round is believed: readings of /proc and what they say. */
import { describe, expect, it } from "vitest";
import { busyBetween, coresOf, type Reading } from "../../bench/accounting.ts";
import { bottleneckOf, type Busy, disturbanceOf, isDisturbed } from "../../bench/noise.ts";

const QUIET: Busy = { subject: 1, load: 0.8, foreign: 0.01, stolen: 0, loadCore: 0.8 };

describe("a round", () => {
  it.each([
    { busy: QUIET, is: false },
    { busy: { ...QUIET, foreign: 0.1 }, is: true },
    { busy: { ...QUIET, stolen: 0.1 }, is: true },
    { busy: { ...QUIET, foreign: 0.04, stolen: 0.04 }, is: true },
  ])("with $busy.foreign of a core foreign and $busy.stolen stolen is disturbed: $is", ({ busy, is }) => {
    expect(isDisturbed(busy)).toBe(is);
  });

  it("says who disturbed it", () => {
    expect(disturbanceOf({ ...QUIET, foreign: 0.123, stolen: 0.02 })).toBe(
      "12 % of a core went to other processes, 2 % were taken by the hypervisor",
    );
    expect(disturbanceOf({ ...QUIET, foreign: 0 })).toBe("nobody else worked");
  });

  it.each([
    { subject: 0.99, loadCore: 0.99, who: "server" },
    { subject: 0.6, loadCore: 0.99, who: "load" },
    { subject: 0.6, loadCore: 0.5, who: "neither" },
  ])("with a server at $subject and a load's core at $loadCore is limited by: $who", ({ who, ...shares }) => {
    expect(bottleneckOf({ ...QUIET, ...shares })).toBe(who);
  });
});

describe("/proc/stat", () => {
  const text = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 50 900 5 2 8 3 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 5\n";

  it("gives busy and stolen time of each core, with that of interrupts", () => {
    const [first, second] = coresOf(text, false);
    expect(first).toEqual({ busyUs: 1_700_000, stolenUs: 30_000 });
    expect(second).toEqual({ busyUs: 50_000, stolenUs: 10_000 });
  });

  it("leaves interrupts out where the kernel keeps them out of processes", () => {
    expect(coresOf(text, true)[0]?.busyUs).toBe(1_600_000);
  });
});

it("takes what is neither the subject's nor the load's for foreign", () => {
  const reading = (ms: number, subject: number, own: number, cores: readonly number[]): Reading => ({
    wallMs: ms,
    subject: { userUs: subject / 2, systemUs: subject / 2 },
    ownUs: own,
    machine: cores.map((busyUs) => ({ busyUs, stolenUs: 0 })),
  });
  const before = reading(0, 1000, 2000, [10_000, 20_000]);
  const after = reading(1000, 901_000, 502_000, [1_010_000, 720_000]);
  const busy = busyBetween(before, after, 1);
  expect(busy.subject).toBeCloseTo(0.9);
  expect(busy.load).toBeCloseTo(0.5);
  expect(busy.foreign).toBeCloseTo(0.3);
  expect(busy.loadCore).toBeCloseTo(0.7);
});
