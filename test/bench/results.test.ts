/** What rounds come to: ratios, verdicts, doubts; tables and the page of the docs; the time left. */
import { describe, expect, it } from "vitest";
import { replaceResults } from "../../bench/docs-page.ts";
import type { Busy } from "../../bench/noise.ts";
import type { Round } from "../../bench/profile.ts";
import { askedBy, findProfiles, onConnections } from "../../bench/profiles.ts";
import { durationText, Progress } from "../../bench/progress.ts";
import {
  joinRuns,
  poolRuns,
  type ProfileResult,
  type RunResult,
  type SubjectResult,
  summaryOf,
} from "../../bench/results.ts";
import { profileText, runMarkdown, runText } from "../../bench/table.ts";

const QUIET: Busy = { subject: 1, load: 0.5, foreign: 0, stolen: 0, loadCore: 0.5 };

function round(cpuUs: number, busy: Partial<Busy> = {}): Round {
  return {
    figures: { "CPU us/req": cpuUs, "req/s": 1e6 / cpuUs },
    percentiles: [[50, cpuUs]],
    busy: { ...QUIET, ...busy },
  };
}

function subject(name: string, rounds: readonly (Round | null)[], rest: Partial<SubjectResult> = {}): SubjectResult {
  return { label: name, name, about: "", version: `${name} 1`, reference: "node-http", rounds, failure: null, ...rest };
}

function profile(subjects: readonly SubjectResult[]): ProfileResult {
  return {
    name: "plaintext",
    about: "GET /",
    figures: [
      { name: "CPU us/req", digits: 2, better: "less" },
      { name: "req/s", digits: 0, better: "more" },
    ],
    reference: "node-http",
    ours: ["fairlead"],
    target: { must: 0.72, aim: 0.6 },
    isSaturating: true,
    seconds: 5,
    subjects,
  };
}

const REFERENCE = subject("node-http", [round(10), round(20), round(10)]);

function summary(rounds: readonly (Round | null)[]): ReturnType<typeof summaryOf> {
  const ours = subject("fairlead", rounds);
  return summaryOf(profile([ours, REFERENCE]), ours);
}

describe("a summary", () => {
  it("has the ratio round by round", () => {
    // 5 to 10, 10 to 20 and 6 to 10: the machine's slow second round is in neither
    expect(summary([round(5), round(10), round(6)]).ratio).toEqual({ median: 0.5, min: 0.5, max: 0.6 });
  });

  it.each([
    { cpuUs: 6, verdict: "aim met" },
    { cpuUs: 7.2, verdict: "must met" },
    { cpuUs: 7.3, verdict: "NOT met" },
  ])("of $cpuUs against 10 says: $verdict", ({ cpuUs, verdict }) => {
    expect(summary([round(cpuUs)]).verdict).toBe(verdict);
  });

  it("judges nobody but ours", () => {
    expect(summaryOf(profile([REFERENCE]), REFERENCE).verdict).toBeNull();
  });

  it.each([
    { why: "rounds differ", rounds: [round(5), round(8)], doubt: "rounds differ by ±23 %" },
    {
      why: "others worked",
      rounds: [round(5), round(5, { foreign: 0.2 })],
      doubt: "1 of 2 rounds disturbed (20 % of a core went to other processes)",
    },
    {
      why: "the load was full",
      rounds: [round(5, { subject: 0.6, loadCore: 1 })],
      doubt: "the load was the bottleneck",
    },
    { why: "nobody was full", rounds: [round(5, { subject: 0.6 })], doubt: "neither core was full" },
    {
      why: "the load was late",
      rounds: [{ ...round(5), figures: { "CPU us/req": 5, "late p99 us": 900 } }],
      doubt: "the load was late itself (p99 900 us)",
    },
    {
      why: "the rate was not held",
      rounds: [{ ...round(5), figures: { "CPU us/req": 5, "req/s": 14_988, "asked/s": 50_000 } }],
      doubt: "the rate was not held: 14988 of 50000 requests per second",
    },
  ])("doubts where $why", ({ rounds, doubt }) => {
    expect(summary(rounds).doubts.join("\n")).toContain(doubt);
  });

  it("doubts nothing of rounds that agree on a quiet machine", () => {
    expect(summary([round(5), round(5.1)]).doubts).toEqual([]);
    const held = { ...round(5), figures: { "CPU us/req": 5, "req/s": 49_956, "asked/s": 50_000 } };
    expect(summary([held]).doubts).toEqual([]);
  });
});

const RUN: RunResult = {
  format: 1,
  date: "2026-01-02T03:04:05.000Z",
  command: "npm run bench -- --profile plaintext",
  isWhole: false,
  machine: {
    cpu: "Some CPU",
    cores: 2,
    memoryGib: 4,
    kernel: "6.1",
    governor: "performance",
    hypervisor: null,
    tools: { wrk: "4.1.0" },
  },
  skipped: ["plaintext: bun: bun is not installed"],
  profiles: [profile([subject("fairlead", [round(5), round(10), round(6)]), REFERENCE])],
};

describe("text", () => {
  it("has machine, tools, command, figures, verdict and what was left out", () => {
    const text = runText(RUN);
    for (const part of [
      "Some CPU, 2 cores, 4 GiB, Linux 6.1, governor performance",
      "wrk 4.1.0",
      "npm run bench -- --profile plaintext",
      "6.00 (5.00-10.00)",
      "0.50 (0.50-0.60)",
      "fairlead: aim met (must 0.72, aim 0.6)",
      "bun is not installed",
      "ENDED EARLY",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("gives no figures of a subject that was put out", () => {
    const out = subject("fairlead", [], { failure: "wrong answer: content" });
    const text = profileText(profile([out, REFERENCE]));
    expect(text).toContain("fairlead was put out: wrong answer: content");
    expect(text).not.toContain("NaN");
  });

  it("has a line in Markdown for what was put out or left out, whatever was said of it", () => {
    const out = subject("fairlead", [], { failure: "no <b>\nat x" });
    const text = runMarkdown(
      { ...RUN, profiles: [profile([out])], skipped: ["bun: failed\n\n# Error\n| a_b |"] },
      new Map(),
    );
    expect(text).toContain("- fairlead was put out: no \\<b\\>\n");
    expect(text).toContain("Left out: bun: failed # Error \\| a\\_b \\|.\n");
  });

  it("is Markdown with the charts that there are", () => {
    const text = runMarkdown(RUN, new Map([["plaintext", "bench/plaintext.svg"]]));
    expect(text).toContain("![GET /](bench/plaintext.svg)");
    expect(text).toContain("Ended early: only what was finished is shown.");
    expect(text).toContain("| plaintext | fairlead | node-http | 0.50 (0.50-0.60) | 0.72 | 0.6 | aim met |");
  });
});

describe("a profile asked on other connections, or by another load", () => {
  it.each([
    ["idle", / that has made one request, of 20$/],
    ["plaintext", /on 20 keep-alive connections$/],
    ["plaintext-c512", /on 20 connections$/],
    ["static-4k", /^a file of 4 KB \(--connections 20\)$/],
  ])("says so, and is not judged: %s", (name, about) => {
    const [found] = findProfiles([name]);
    if (found === undefined) throw new Error(name);
    expect(onConnections(found, 20).about).toMatch(about);
    expect(onConnections(found, 20).target).toBe(null);
    expect(onConnections(found, null)).toBe(found);
  });

  it.each([
    { name: "plaintext", asked: ["h2load"] },
    { name: "tls-64k", asked: ["h2load", "openssl"] },
    { name: "log-on", asked: ["h2load"] },
    { name: "one-per-connection", asked: null },
    { name: "static-304", asked: null },
    { name: "mix", asked: null },
    { name: "rate-20k", asked: [] },
  ])("$name by h2load needs $asked, and says by whom it was asked", ({ name, asked }) => {
    const [found] = findProfiles([name]);
    if (found === undefined) throw new Error("no such profile");
    const other = askedBy(found, "h2load");
    expect(other?.tools ?? null).toEqual(asked);
    if (asked?.includes("h2load") === true) expect(other?.about).toBe(`${found.about} (asked by h2load)`);
    expect(askedBy(found, "wrk")).toBe(found);
  });

  it("a name that is none is refused beside all", () => {
    expect(() => findProfiles(["all", "plain"])).toThrow("no profile plain;");
    expect(findProfiles(["all"]).length).toBeGreaterThan(30);
  });
});

describe("joined runs", () => {
  it("have all profiles, the later of two of the same name", () => {
    const json = { ...profile([REFERENCE]), name: "json" };
    const joined = joinRuns([RUN, { ...RUN, isWhole: true, profiles: [json, { ...profile([]), about: "later" }] }]);
    expect(joined.profiles.map(({ name, about }) => `${name} ${about}`)).toEqual(["plaintext later", "json GET /"]);
    expect(joined.isWhole).toBe(false);
  });

  it("keep subjects of an earlier run that the later one does not have, compared with the reference of their own", () => {
    const earlier = profile([
      subject("fairlead", [round(5)]),
      subject("old", [round(30)]),
      subject("node-http", [round(10)]),
    ]);
    const later = profile([subject("fairlead", [round(16)]), subject("node-http", [round(20)])]);
    const [joined] = joinRuns([
      { ...RUN, profiles: [earlier] },
      { ...RUN, profiles: [later] },
    ]).profiles;
    const ratios = joined?.subjects.map((one) => `${one.label} ${summaryOf(joined, one).ratio?.median}`);
    expect(ratios).toEqual(["fairlead 0.8", "node-http 1", "old 3"]);
  });

  it("of two machines are refused", () => {
    const other = { ...RUN, machine: { ...RUN.machine, cpu: "Another" } };
    expect(() => joinRuns([RUN, other])).toThrow("different machines");
  });
});

describe("pooled runs", () => {
  const run = (subjects: readonly SubjectResult[], rest: Partial<ProfileResult> = {}): RunResult => ({
    ...RUN,
    profiles: [{ ...profile(subjects), ...rest }],
  });

  it("have the rounds of all of them, each compared with the reference of its own round", () => {
    const [pooled] = poolRuns([
      run([subject("fairlead", [round(5), round(6)]), subject("node-http", [round(10), round(10)])]),
      run([subject("fairlead", [round(18)]), subject("bun", [round(8)]), subject("node-http", [round(20)])]),
    ]).profiles;
    const [ours, , theirs] = (pooled?.subjects ?? []).map((one) => ({
      ratio: summaryOf(pooled as ProfileResult, one).ratio,
      rounds: one.rounds.length,
      label: one.label,
    }));
    expect(ours).toEqual({ label: "fairlead", rounds: 3, ratio: { median: 0.6, min: 0.5, max: 0.9 } });
    expect(theirs).toEqual({ label: "bun", rounds: 3, ratio: { median: 0.4, min: 0.4, max: 0.4 } });
  });

  it("keep a failure of any of them", () => {
    const failed = subject("fairlead", [null], { failure: "answered wrongly" });
    const [pooled] = poolRuns([run([failed, REFERENCE]), run([subject("fairlead", [round(5)]), REFERENCE])]).profiles;
    expect(pooled?.subjects[0]).toMatchObject({ failure: "answered wrongly" });
    const { ratio, verdict } = summaryOf(pooled as ProfileResult, pooled?.subjects[0] as SubjectResult);
    expect({ ratio, verdict }).toEqual({ ratio: null, verdict: null });
    expect(pooled?.subjects[0]?.rounds).toHaveLength(6);
  });

  it("of different lengths, or of two machines, are refused", () => {
    expect(() => poolRuns([run([REFERENCE]), run([REFERENCE], { seconds: 2 })])).toThrow(
      "plaintext: rounds of 5 and 2 s",
    );
    const other = { ...RUN, machine: { ...RUN.machine, cpu: "Another" } };
    expect(() => poolRuns([RUN, other])).toThrow("different machines");
    expect(() => poolRuns([run([REFERENCE]), run([REFERENCE], { about: "on 8 connections" })])).toThrow(
      "on 8 connections",
    );
  });
});

describe("the page of the docs", () => {
  const page = [
    "before",
    "<!-- results of the bench: written by `npm run bench -- --write-docs` -->",
    "old",
    "<!-- end of results -->",
    "after",
  ].join("\n");

  it("has new results between its markers and all else as it was", () => {
    const once = replaceResults(page, "new\n");
    expect(once).toBe(page.replace("\nold\n", "\n\nnew\n\n"));
    expect(replaceResults(once, "new")).toBe(once);
  });

  it.each([{ text: "no markers" }, { text: page + page }])("without them, once each, is left alone", ({ text }) => {
    expect(() => replaceResults(text, "new")).toThrow("once each");
  });
});

describe("the time left", () => {
  it("is that of the steps left, and learns from those that were done", () => {
    let nowMs = 0;
    const lines: string[] = [];
    const steps = [{ profile: "plaintext", count: 3, seconds: 8 }];
    const progress = new Progress(steps, {
      isTerminal: false,
      write: (text) => lines.push(text),
      nowMs: () => nowMs,
    });
    expect(progress.secondsLeft).toBe(24);
    progress.begin("plaintext", 1, 3, "bun");
    nowMs += 12_000;
    progress.end();
    expect(progress.secondsLeft).toBe(20);
    expect(lines).toEqual(["plaintext, round 1 of 3, bun: 24 s left\n"]);
  });

  it.each([
    { seconds: 12.2, text: "13 s" },
    { seconds: 100, text: "2 min" },
    { seconds: 3_900, text: "1 h 5 min" },
  ])("of $seconds s reads $text", ({ seconds, text }) => {
    expect(durationText(seconds)).toBe(text);
  });
});
