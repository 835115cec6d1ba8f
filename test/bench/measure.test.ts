/** Subjects that misbehave, as processes: none of them holds up the bench, and none leaves anything behind. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { measureProfile } from "../../bench/measure.ts";
import { runLoad, type Subject } from "../../bench/process.ts";
import type { Profile, Round } from "../../bench/profile.ts";
import { Progress } from "../../bench/progress.ts";
import type { SubjectResult } from "../../bench/results.ts";

const ROUND: Round = { figures: {}, percentiles: [], busy: null };
/** Has a child, whose number it tells who connects; what it is sent is its order to crash. */
const SUBJECT = `
  const { pid } = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  const server = require("node:net").createServer((socket) => {
    socket.on("data", () => process.exit(3)).write(String(pid));
  });
  server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
`;
const isHere = process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0;

async function measure(
  run: (subject: Subject) => Promise<Round>,
  prepare: () => () => void = () => () => {},
): Promise<SubjectResult | undefined> {
  const profile: Profile = {
    name: "made",
    about: "made",
    family: "plain",
    figures: [],
    reference: "none",
    ours: [],
    peers: [],
    target: null,
    tools: [],
    isSaturating: false,
    prepare,
    run,
  };
  const node = { path: process.execPath, version: "20", label: "Node 20" };
  const spec = {
    name: "made",
    about: "made",
    runsOn: "node",
    serves: ["plain"],
    missing: () => null,
    version: () => "1",
    command: (path: string) => [path, "-e", SUBJECT],
  } as const;
  const { subjects } = await measureProfile(profile, [{ spec, node, label: "made", reference: null }], {
    rounds: 1,
    repeats: 0,
    settings: { seconds: 0, connections: null, load: "wrk", subjectCore: 0, loadCore: 0 },
    progress: new Progress([], { isTerminal: false, write: () => {}, nowMs: () => 0 }),
    abort: new AbortController().signal,
    // Besides four times 2.5 s, what the least round is thought to take
    patienceMs: -9_000,
  });
  return subjects[0];
}

/** The number of its child, and the connection that told it. */
async function childOf({ port }: Subject): Promise<{ readonly pid: number; readonly socket: Socket }> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  const [text] = (await once(socket, "data")) as [string];
  return { pid: Number(text), socket };
}

/** Gone, or dead and not yet collected by who collects orphans. */
function hasGone(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

describe.skipIf(!isHere)("a subject", () => {
  it("that never answers is put out, and the run goes on", async () => {
    let pid = 0;
    const result = await measure(async (subject) => {
      ({ pid } = await childOf(subject));
      return new Promise(() => {});
    });
    expect(result?.failure).toMatch(/^the round was not over after \d+ s$/);
    await expect.poll(() => hasGone(pid)).toBe(true);
  });

  it("that crashes leaves no child of its own behind", async () => {
    let pid = 0;
    const result = await measure(async (subject) => {
      const child = await childOf(subject);
      ({ pid } = child);
      child.socket.end("crash");
      await once(child.socket, "close");
      throw new Error("connection closed");
    });
    expect(result?.failure).toBe("connection closed");
    await expect.poll(() => hasGone(pid)).toBe(true);
  });

  it("that answers wrongly takes its load with it, which would run beside the next one", async () => {
    let ended: Promise<unknown> = Promise.resolve();
    const result = await measure(async () => {
      ended = runLoad(["sleep", "60"], 0).catch((error: unknown) => error);
      throw new Error("wrong answer");
    });
    expect(result?.failure).toBe("wrong answer");
    expect(String(await ended)).toContain("SIGKILL");
  });

  it("whose profile cannot be prepared is put out, and what was measured before is not lost", async () => {
    const result = await measure(
      () => Promise.resolve(ROUND),
      () => {
        throw new Error("no space left on device");
      },
    );
    expect(result).toMatchObject({ failure: "no space left on device", rounds: [] });
  });

  it("that does its work is measured, and ended with its child", async () => {
    let pid = 0;
    const result = await measure(async (subject) => {
      ({ pid } = await childOf(subject));
      return ROUND;
    });
    expect(result).toMatchObject({ failure: null, rounds: [ROUND] });
    await expect.poll(() => hasGone(pid)).toBe(true);
  });
});
