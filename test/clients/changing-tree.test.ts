/**
 * A folder that changes in every way while many clients read it, every answer judged: one whole version of the last second, or
 * nothing where there was nothing, or a message visibly broken off where the file was written to.
 *
 * The built command serves in a process of its own, so that changes and answers truly cross. Some seconds in the suite;
 * `FAIRLEAD_SOAK_SECONDS=60` is the minute, `FAIRLEAD_SOAK_SEED=n` draws as another run did.
 */
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RunningCommand } from "../cli/run-command.ts";
import type { Subject } from "./support/changing-tree.ts";
import { ChangingTree, seeded } from "./support/changing-tree.ts";
import type { Question } from "./support/judge.ts";
import { Judge } from "./support/judge.ts";
import { drawQuestion, fieldsOf, pickSubject } from "./support/questions.ts";
import { RawClient } from "./support/raw-client.ts";

const SECONDS = Number(process.env["FAIRLEAD_SOAK_SECONDS"] ?? 4);
const SEED = Number(process.env["FAIRLEAD_SOAK_SEED"] ?? Math.floor(Math.random() * 1e9));
const POOLED_CLIENTS = 6;
const PIPELINING_CLIENTS = 2;
const SLOW_CLIENTS = 2;
const PIPELINED = 4;
/** Answers for each change; fewer, and no version would live long enough to be asked for in parts. */
const ANSWERS_PER_CHANGE = 12;
/** Others' answers between two pieces of a slow reader's. */
const ANSWERS_PER_PIECE = 12;

/** Why the server says that it broke a message off. */
const BROKEN_OFF = /^fairlead: \S+ broken off at .*: the file changed while it was sent/;

const draw = seeded(SEED);
const answered = new EventEmitter().setMaxListeners(0);
const judge = new Judge();

let base = "";
let tree: ChangingTree;
let command: RunningCommand;
let url = "";
let endMs = 0;
let answers = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "fairlead-changing-"));
  tree = new ChangingTree(base, draw);
  command = new RunningCommand(["www", "--port", "0", "--log", "off"], { cwd: base });
  url = await command.url();
});
afterAll(async () => {
  await command.end("SIGKILL");
  rmSync(base, { recursive: true, force: true });
});

/** Counts an answer, and changes something now and then. */
function tick(): void {
  answers++;
  if (answers % ANSWERS_PER_CHANGE === 0) tree.changeOne();
  answered.emit("answer");
}

const isOver = (): boolean => Date.now() >= endMs || command.child.exitCode !== null || judge.mistakes.length > 10;

const ask = (subject: Subject): Question => drawQuestion(subject, judge, draw);
const pick = (): Subject => pickSubject(tree, draw);

/** As most programs ask: one after the other over a connection that is kept. */
async function readPooled(pool: Pool): Promise<void> {
  while (!isOver()) {
    const question = ask(pick());
    try {
      const { path } = question.subject;
      const response = await pool.request({ path, method: question.method, headers: question.fields });
      const content = Buffer.from(await response.body.arrayBuffer());
      judge.judge(question, { status: response.statusCode, fields: fieldsOf(response), content });
    } catch (error) {
      judge.judgeBroken(question, error);
    }
    tick();
  }
}

/** Several questions at once. */
async function readPipelined(port: number): Promise<void> {
  let client = new RawClient(port);
  while (!isOver()) {
    const questions = Array.from({ length: PIPELINED }, () => ask(pick()));
    client.ask(questions);
    for (const question of questions) {
      const answer = await client.read(question.method);
      if (answer === null) {
        judge.judgeBroken(question, "connection closed");
        client = new RawClient(port);
        break;
      }
      judge.judge(question, answer);
      tick();
    }
  }
  client.close();
}

/** A large file, read in pieces with pauses in which others are answered and the file may change. */
async function readSlowly(port: number): Promise<void> {
  const large = tree.subjects.filter(({ isLarge }) => isLarge);
  while (!isOver()) {
    const client = new RawClient(port);
    const question: Question = {
      subject: large[draw(large.length)] as Subject,
      method: "GET",
      fields: {},
      askedMs: Date.now(),
    };
    let isRead = false;
    client.socket.on("data", () => {
      // Nobody else is answered any more
      if (isRead || isOver()) return;
      client.socket.pause();
      let toWait = ANSWERS_PER_PIECE;
      const goOn = (): void => {
        if (--toWait > 0 && !isOver()) return;
        answered.off("answer", goOn);
        client.socket.resume();
      };
      answered.on("answer", goOn);
    });
    client.ask([question]);
    const answer = await client.read("GET");
    isRead = true;
    if (answer === null) judge.judgeBroken(question, "connection closed");
    else judge.judge(question, answer);
    tick();
    client.close();
  }
}

function say(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([what, count]) => `${count} ${what}`).join(", ");
}

it(
  `answers with whole versions of the last second while everything changes (FAIRLEAD_SOAK_SEED=${SEED})`,
  async () => {
    endMs = Date.now() + SECONDS * 1000;
    const port = Number(new URL(url).port);
    const pool = new Pool(url, { connections: POOLED_CLIENTS, pipelining: 1 });
    const slow = Array.from({ length: SLOW_CLIENTS }, () => readSlowly(port));
    await Promise.all([
      ...Array.from({ length: POOLED_CLIENTS }, () => readPooled(pool)),
      ...Array.from({ length: PIPELINING_CLIENTS }, () => readPipelined(port)),
    ]);
    // Those who wait for others' answers go on
    answered.emit("answer");
    await Promise.all(slow);
    await pool.close();
    process.stdout.write(
      `soak of ${SECONDS} s, seed ${SEED}: ${answers} answers (${say(judge.counts)}); changes: ${say(tree.changes)}\n`,
    );
    expect(judge.mistakes).toEqual([]);
    // A message that was broken off is told to the operator, nothing else is
    const told = command.errors.match(/^.+$/gm) ?? [];
    expect(told.filter((line) => !BROKEN_OFF.test(line))).toEqual([]);
    expect(told.length > 0 || command.errors === "", command.errors).toBe(true);
    expect(command.child.exitCode).toBe(null);
    // It was no idle run: answers of each kind came, and most of them were content
    for (const kind of ["200", "206", "304", "404", "200 gzip", "200 br", "from siblings"]) {
      expect(judge.counts.get(kind) ?? 0, kind).toBeGreaterThan(0);
    }
    expect(judge.counts.get("503") ?? 0).toBeLessThan(answers / 20);
    expect(judge.counts.get("broken off") ?? 0).toBeLessThan(answers / 20);
    const ended = once(command.child, "exit");
    command.child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  },
  (SECONDS + 30) * 1000,
);
