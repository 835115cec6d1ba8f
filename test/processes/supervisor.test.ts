import { describe, expect, it } from "vitest";
import { type ProcessesSummary, Supervisor } from "../../src/processes/supervisor.ts";
import { FakeCrew, FakeTime, settle } from "./fake-crew.ts";

interface Stage {
  readonly supervisor: Supervisor;
  readonly crew: FakeCrew;
  readonly time: FakeTime;
  readonly said: string[];
}

function makeStage(workers: number, isHopeless: boolean = false): Stage {
  const crew = new FakeCrew();
  const time = new FakeTime();
  const said: string[] = [];
  const config = {
    workers,
    startMs: 60_000,
    lastCallMs: 2_000,
    say: (_level: "info" | "warning", text: string): void => void said.push(text),
    environmentOf: () => ({}),
    hopelessness: () => (isHopeless ? "All is lost." : ""),
    makeTicketKeys: () => "a2V5",
    chance: () => 0,
  };
  return { supervisor: new Supervisor(config, crew, time), crew, time, said };
}

/** So many workers, all ready. */
async function startStage(workers: number): Promise<Stage> {
  const stage = makeStage(workers);
  const started = stage.supervisor.start();
  for (let i = 0; i < workers; i++) {
    stage.crew.processes[i]?.ready();
    await settle();
  }
  await started;
  return stage;
}

describe("a start", () => {
  it("tries one worker before the others", async () => {
    const { supervisor, crew } = makeStage(3);
    const started = supervisor.start();
    await settle();
    expect(crew.processes.map(({ number }) => number)).toEqual([1]);
    crew.last.ready();
    await settle();
    expect(crew.processes.map(({ number }) => number)).toEqual([1, 2, 3]);
    for (const process of crew.processes.slice(1)) process.ready();
    await started;
    expect(supervisor.workers.map(({ state }) => state)).toEqual(["ready", "ready", "ready"]);
  });

  it.each([
    ["ends", (crew: FakeCrew) => crew.last.crash(2), /exit code 2/, 2],
    ["cannot be run", (crew: FakeCrew) => crew.last.failToStart(), /could not be started: spawn EAGAIN/, null],
  ])("fails with ERR_PROCESSES when the first worker %s", async (_how, fail, message, exitCode) => {
    const { supervisor, crew } = makeStage(2);
    const started = supervisor.start();
    await settle();
    fail(crew);
    const error = await started.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_PROCESSES" });
    expect(String(error)).toMatch(message);
    expect(supervisor.failedExitCode).toBe(exitCode);
    expect(crew.processes).toHaveLength(1);
    await supervisor.finished;
  });

  it("fails when the first worker never listens", async () => {
    const { supervisor, time } = makeStage(2);
    const started = supervisor.start();
    const failure = started.catch(String);
    await time.advance(60_000);
    expect(await failure).toContain("it was not ready within 60 s");
  });

  it("goes on when another worker fails, and tries that one again", async () => {
    const { supervisor, crew } = makeStage(2);
    const started = supervisor.start();
    crew.last.ready();
    await settle();
    crew.last.crash();
    await started;
    expect(crew.processes.map(({ number }) => number)).toEqual([1, 2, 2]);
  });

  it("ends quietly when somebody closes meanwhile", async () => {
    const { supervisor, crew } = makeStage(2);
    const started = supervisor.start();
    void supervisor.close();
    await started;
    expect(crew.last.isKilled).toBe(true);
  });
});

describe("a worker that is gone", () => {
  it("is replaced at once the first time, then ever later, and a loop is called one", async () => {
    const { supervisor, crew, time, said } = await startStage(2);
    const waits: number[] = [];
    for (let round = 0; round < 7; round++) {
      const before = crew.processes.length;
      const victim = round === 0 ? crew.processes[0] : crew.last;
      victim?.crash();
      let waitedMs = 0;
      for (; crew.processes.length === before; waitedMs += 250) await time.advance(250);
      waits.push(waitedMs);
    }
    expect(waits).toEqual([0, 250, 500, 1000, 2000, 4000, 8000]);
    expect(said.filter((text) => text.includes("in a row"))).toHaveLength(3);
    expect(supervisor.crashes).toBe(7);
    expect(supervisor.ready.map(({ number }) => number)).toEqual([2]);
  });

  it("is not replaced where that is hopeless: all is closed", async () => {
    const { supervisor, crew, said } = makeStage(1, true);
    const started = supervisor.start();
    crew.last.ready();
    await started;
    crew.last.crash();
    await supervisor.finished;
    expect([crew.processes.length, supervisor.hasGivenUp]).toEqual([1, true]);
    expect(said).toEqual(["worker 1 is gone: it ended with exit code 1. All is lost."]);
  });

  it("is replaced at once again when it had worked for a while", async () => {
    const { crew, time, said } = await startStage(1);
    crew.last.crash();
    crew.last.ready();
    await time.advance(10_000);
    crew.last.crash();
    expect(crew.processes).toHaveLength(3);
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(/worker 1 is gone: it ended with exit code 1; another one is started at once/);
  });
});

describe("a restart", () => {
  it("that is asked for during the start begins when the first worker is ready", async () => {
    const { supervisor, crew } = makeStage(2);
    const started = supervisor.start();
    const restarted = supervisor.restart();
    await settle();
    expect(crew.processes).toHaveLength(1);
    while (crew.processes.length < 4) {
      for (const process of crew.processes) process.ready();
      await settle();
    }
    crew.last.ready();
    await Promise.all([started, restarted]);
    expect(supervisor.ready.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });

  it("replaces one by one: the old one retires when the new one is ready", async () => {
    const { supervisor, crew } = await startStage(2);
    const [one, two] = crew.processes;
    const restarted = supervisor.restart();
    await settle();
    expect(crew.processes).toHaveLength(3);
    expect(one?.heard).toEqual([]);
    crew.last.ready();
    await settle();
    expect(one?.sent.at(-1)).toEqual({ kind: "retire", lastCallMs: 2_000 });
    expect([crew.processes.length, two?.heard]).toEqual([4, []]);
    crew.last.ready();
    await restarted;
    one?.finish();
    two?.finish();
    expect(supervisor.workers).toEqual([
      { number: 1, pid: 1002, state: "ready" },
      { number: 2, pid: 1003, state: "ready" },
    ]);
    expect([supervisor.crashes, supervisor.restarts]).toEqual([0, 1]);
  });

  it("changes nothing when the new worker fails", async () => {
    const { supervisor, crew } = await startStage(2);
    const restarted = supervisor.restart();
    await settle();
    crew.last.crash();
    const error = await restarted.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "ERR_PROCESSES" });
    expect(String(error)).toContain("nothing has changed");
    expect(crew.processes.map(({ heard }) => heard)).toEqual([[], [], []]);
    expect(supervisor.ready.map(({ pid }) => pid)).toEqual([1000, 1001]);
  });

  it("never runs beside another, whenever it is asked for", async () => {
    const { supervisor, crew } = await startStage(1);
    // Asks again as soon as the first is over, and so before what has waited for that
    const all = Promise.all([supervisor.restart().then(() => supervisor.restart()), supervisor.restart()]);
    for (let i = 0; i < 2; i++) {
      await settle();
      expect(supervisor.workers.filter(({ state }) => state === "starting")).toHaveLength(1);
      crew.last.ready();
    }
    await all;
    expect([crew.processes.length, supervisor.restarts]).toEqual([3, 2]);
  });

  it("is done once more, and not twice, when it was asked for twice meanwhile", async () => {
    const { supervisor, crew } = await startStage(1);
    const all = [supervisor.restart(), supervisor.restart(), supervisor.restart()];
    for (let i = 0; i < 4; i++) {
      await settle();
      crew.last.ready();
    }
    await Promise.all(all);
    expect([crew.processes.length, supervisor.restarts]).toEqual([3, 2]);
  });

  it("does again what failed before", async () => {
    const { supervisor, crew } = await startStage(1);
    const failure = supervisor.restart().catch(String);
    const again = supervisor.restart();
    await settle();
    crew.last.crash();
    expect(await failure).toContain("nothing has changed");
    await settle();
    crew.last.ready();
    await again;
    expect(supervisor.restarts).toBe(1);
  });

  it("does not replace a worker twice that crashes while its successor starts", async () => {
    const { supervisor, crew } = await startStage(1);
    const restarted = supervisor.restart();
    await settle();
    crew.processes[0]?.crash();
    crew.last.ready();
    await restarted;
    expect(crew.processes).toHaveLength(2);
    expect(supervisor.ready.map(({ pid }) => pid)).toEqual([1001]);
  });

  it("replaces a worker as usual that crashed, when its successor fails as well", async () => {
    const { supervisor, crew } = await startStage(1);
    const restarted = supervisor.restart();
    await settle();
    crew.processes[0]?.crash();
    crew.last.crash();
    await expect(restarted).rejects.toThrow("nothing has changed");
    expect(crew.processes).toHaveLength(3);
  });

  it("fills the place of a worker that waits for its next start, which then does not come", async () => {
    const { supervisor, crew, time } = await startStage(2);
    crew.processes[0]?.crash();
    crew.last.crash();
    const restarted = supervisor.restart();
    await settle();
    crew.last.ready();
    await settle();
    crew.last.ready();
    await restarted;
    const count = crew.processes.length;
    await time.advance(60_000);
    expect(crew.processes).toHaveLength(count);
  });
});

describe("closing", () => {
  async function finished(supervisor: Supervisor): Promise<ProcessesSummary> {
    const { destroyedConnections, ...rest } = await supervisor.finished;
    return { destroyedConnections, ...rest };
  }

  it("asks all workers, waits for them, and adds up", async () => {
    const { supervisor, crew } = await startStage(2);
    void supervisor.close();
    expect(crew.processes.map(({ heard }) => heard)).toEqual([["close"], ["close"]]);
    crew.processes[0]?.finish(2);
    crew.processes[1]?.finish(1);
    expect(await finished(supervisor)).toMatchObject({ destroyedConnections: 3 });
    expect(crew.processes).toHaveLength(2);
  });

  it("tells those that are being replaced too: nobody takes their place any more", async () => {
    const { supervisor, crew } = await startStage(1);
    const restarted = supervisor.restart();
    await settle();
    crew.last.ready();
    await restarted;
    void supervisor.close();
    expect(crew.processes.map(({ heard }) => heard)).toEqual([["retire", "close"], ["close"]]);
    for (const process of crew.processes) process.finish();
    await supervisor.finished;
  });

  it("lets a worker leave only when it has said that it has closed, so that what is on its way to it can be given back", async () => {
    const { supervisor, crew } = await startStage(1);
    void supervisor.close();
    const wordsOf = (): string[] => crew.last.sent.map(({ kind }) => kind).slice(1);
    expect(wordsOf()).toEqual(["close"]);
    crew.last.finish();
    expect(wordsOf()).toEqual(["close", "leave"]);
    await supervisor.finished;
  });

  it("kills those that do not end when they are told to do so at once", async () => {
    const { supervisor, crew, time } = await startStage(1);
    void supervisor.close();
    supervisor.closeNow();
    expect(crew.last.heard).toEqual(["close", "close-now"]);
    await time.advance(1_000);
    expect(crew.last.isKilled).toBe(true);
    await supervisor.finished;
  });

  it("waits for one whose event loop turns, and not for one that stands still", async () => {
    const { supervisor, crew, time } = await startStage(1);
    void supervisor.close();
    await time.advance(10_000);
    crew.last.say({ kind: "alive" });
    await time.advance(10_000);
    expect(crew.last.isKilled).toBe(false);
    await time.advance(10_000);
    expect(crew.last.isKilled).toBe(true);
    await supervisor.finished;
  });

  it("starts none any more that was to be started", async () => {
    const { supervisor, crew, time } = await startStage(1);
    crew.last.crash();
    crew.last.crash();
    void supervisor.close();
    await supervisor.finished;
    await time.advance(60_000);
    expect(crew.processes).toHaveLength(2);
  });
});

describe("a question to all", () => {
  it("gathers answers by number, without those who know nothing or are late", async () => {
    const { supervisor, crew, time } = await startStage(4);
    const [one, two, three] = crew.processes;
    const answers = supervisor.ask("figures");
    two?.say({ kind: "answer", id: 1, hasAnswer: true, answer: 22 });
    one?.say({ kind: "answer", id: 1, hasAnswer: true, answer: 11 });
    three?.say({ kind: "answer", id: 1, hasAnswer: false, answer: null });
    await time.advance(2_000);
    expect(await answers).toEqual([
      { worker: 1, pid: 1000, answer: 11 },
      { worker: 2, pid: 1001, answer: 22 },
    ]);
  });

  it("does not wait for one that ends", async () => {
    const { supervisor, crew } = await startStage(1);
    const answers = supervisor.ask("figures");
    crew.last.crash();
    expect(await answers).toEqual([]);
  });

  it("can come from a worker", async () => {
    const { crew } = await startStage(1);
    const worker = crew.last;
    worker.say({ kind: "ask-all", id: 7, topic: "figures" });
    worker.say({ kind: "answer", id: 1, hasAnswer: true, answer: 5 });
    await settle();
    expect(worker.sent.at(-1)).toEqual({ kind: "answers", id: 7, answers: [{ worker: 1, pid: 1000, answer: 5 }] });
  });

  it("reaches those that close too, for what they do still counts", async () => {
    const { supervisor, crew } = await startStage(1);
    const restarted = supervisor.restart();
    await settle();
    crew.processes[1]?.ready();
    await restarted;
    const answers = supervisor.ask("figures");
    for (const [i, process] of crew.processes.entries())
      process.say({ kind: "answer", id: 1, hasAnswer: true, answer: i });
    expect(await answers).toEqual([
      { worker: 1, pid: 1000, answer: 0 },
      { worker: 1, pid: 1001, answer: 1 },
    ]);
  });
});

describe("the end of a worker", () => {
  it("is told with what it said last, until somebody has heard enough", async () => {
    const { supervisor, crew } = await startStage(2);
    const ends: unknown[] = [];
    const stop = supervisor.onWorkerEnd((end) => ends.push(end));
    crew.processes[0]?.finish(0, { figures: 7 });
    crew.processes[1]?.crash();
    expect(ends).toEqual([
      { number: 1, pid: 1000, lastAnswers: { figures: 7 } },
      { number: 2, pid: 1001, lastAnswers: {} },
    ]);
    stop();
    crew.processes[2]?.crash();
    expect(ends).toHaveLength(2);
  });

  it("is told when its place is filled again, and a listener that fails is told of and harms nobody", async () => {
    const { supervisor, crew, said } = await startStage(1);
    const seen: unknown[] = [];
    supervisor.onWorkerEnd(() => {
      throw new Error("no disk");
    });
    supervisor.onWorkerEnd(() => Promise.reject(new Error("no net")) as unknown as void);
    supervisor.onWorkerEnd(() => seen.push(supervisor.places));
    crew.processes[0]?.crash();
    expect(crew.processes).toHaveLength(2);
    expect(seen).toEqual([[{ number: 1, isUp: false, starts: 2, crashes: 1 }]]);
    await settle();
    const failures = said.filter((text) => text.startsWith("a listener of onWorkerEnd() failed: "));
    expect(failures).toHaveLength(2);
    expect(failures.join("\n")).toMatch(/no disk[^]*no net/);
    void supervisor.close();
    crew.last.finish();
    expect((await supervisor.finished).destroyedConnections).toBe(0);
  });

  it("is counted for its place if nobody has asked for it", async () => {
    const { supervisor, crew } = await startStage(2);
    expect(supervisor.isReady).toBe(true);
    crew.processes[1]?.crash();
    await settle();
    expect(supervisor.places).toEqual([
      { number: 1, isUp: true, starts: 1, crashes: 0 },
      { number: 2, isUp: false, starts: 2, crashes: 1 },
    ]);
    expect(supervisor.isReady).toBe(true);
    crew.processes[0]?.crash();
    expect(supervisor.isReady).toBe(false);
    crew.last.ready();
    expect(supervisor.isReady).toBe(true);
    void supervisor.close();
    expect(supervisor.isReady).toBe(false);
  });
});

describe("keys of session tickets", () => {
  it("are the same in all workers, and renewed", async () => {
    const { crew, time } = await startStage(2);
    const keysOf = (): number[] =>
      crew.processes.map(({ sent }) => sent.filter(({ kind }) => kind === "ticket-keys").length);
    expect(keysOf()).toEqual([1, 1]);
    await time.advance(12 * 3_600_000);
    expect(keysOf()).toEqual([2, 2]);
  });
});
