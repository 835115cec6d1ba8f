/**
 * `jiti bench/check-subjects.ts [names]`: asks every subject all questions of the profiles once and says what differs.
 *
 * A wrong status, content, range or framing is a fault, whoever gives it. Of fields it says what others have that ours has not
 * (`+server`), what they have not (`-etag`) and what has another value (`=content-type`). Differences that are known, with the
 * reason why they are harmless, stand in the table of fairness.md; any other one, like any fault, ends this with status 1.
 * Names may be families too, or a beginning with a star: `static`, `bun*`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ETAG, faultsOf, type Question, questionsFor } from "./check-questions.ts";
import { Asker, askTogether, type RawAnswer } from "./raw-answer.ts";
import { makeStaticTree, type StaticTree } from "./static-tree.ts";
import { SUBJECTS, type SubjectSpec } from "./subject-list.ts";

/** What the others are compared with: ours, by family or by the name of a subject that has one of its own. */
const REFERENCES: Readonly<Record<string, string>> = {
  "plain": "fairlead",
  "app": "fairlead-app",
  "fairlead-routed": "fairlead-bare",
  "hono-node": "hono-fairlead",
  "express-node": "express-fairlead",
  "static": "fairlead-static",
  "tls": "fairlead-tls",
  "static-tls": "fairlead-static-tls",
};
/** Fields whose values are each server's own. */
const OWN_VALUES = new Set(["date", "etag", "keep-alive", "server", "content-encoding", "content-length"]);
/** Levels 3 and 6 of gzip differ by a tenth for the JSON of the profile. */
const LEVEL_SPREAD = 0.04;
const PIPELINED = 16;
const PAGE = "<!doctype html><title>first</title><h1>first answer</h1>\n";
const START_MS = 15_000;

/** A subject that runs. */
interface Running {
  readonly port: number;
  stop(): Promise<void>;
}

/** What a subject said to one question, or what was wrong. */
interface Outcome {
  readonly question: string;
  readonly faults: readonly string[];
  /** Null where only its octets were looked at. */
  readonly answer: RawAnswer | null;
  /** Found without a comparison. */
  readonly differences?: readonly string[];
}

/** A row of the table of known differences. */
interface Known {
  readonly subjects: readonly string[];
  readonly differences: readonly string[];
  /** Those of them that were met. */
  readonly met: Set<string>;
}

function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((one) => (one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : name === one));
}

/** Rows `| names | differences | why |` whose first two cells hold words in backticks. */
function readKnown(): Known[] {
  const text = readFileSync(new URL("fairness.md", import.meta.url), "utf8");
  const wordsOf = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
  return text
    .split("\n")
    .map((line) => line.split("|"))
    .filter(([, , differences = ""]) => /^\s*`[+=-]/.test(differences))
    .map(([, subjects, differences]) => ({
      subjects: wordsOf(subjects),
      differences: wordsOf(differences),
      met: new Set(),
    }));
}

async function start(spec: SubjectSpec): Promise<Running> {
  const [program = "", ...words] = spec.command(process.execPath);
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  const timer = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), exited])) as unknown[];
  clearTimeout(timer);
  if (typeof line !== "string") throw new Error("ended, or said nothing, before it listened");
  return { port: (JSON.parse(line) as { port: number }).port, stop };
}

/** All questions over one connection, in turn. */
async function askAll(
  port: number,
  family: string,
  questions: readonly Question[],
  tree: StaticTree,
): Promise<Outcome[]> {
  const asker = new Asker(port, family.endsWith("tls"));
  const outcomes: Outcome[] = [];
  let etag = "";
  for (const question of questions) {
    try {
      const fields = Object.entries(question.fields).map(([name, value]) => [name, value === ETAG ? etag : value]);
      const answer = await asker.ask({ ...question, fields: Object.fromEntries(fields) as Record<string, string> });
      const faults = faultsOf(question, answer, tree);
      if (outcomes.length > 0 && !answer.isReused) faults.push("the connection was not kept");
      outcomes.push({ question: question.name, faults, answer });
      etag = answer.fields.get("etag") ?? "";
    } catch (error) {
      outcomes.push({ question: question.name, faults: [String(error)], answer: null });
    }
  }
  asker.close();
  return outcomes;
}

/** Sixteen at once on one connection, and one that asks for the end of its connection. */
async function askPlainly(port: number): Promise<Outcome[]> {
  const countOf = (text: string): number => text.split("Hello, World!").length - 1;
  const together = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  const text = await askTogether(port, together, PIPELINED, (so) => countOf(so) === PIPELINED);
  const last = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  const ended = await askTogether(port, last, 1, () => false);
  const isTogether = countOf(text) === PIPELINED && text.split("HTTP/1.1 200 ").length === PIPELINED + 1;
  const isSaid = /\r\nconnection: close\r\n/i.test(ended);
  return [
    { question: "pipelined", faults: isTogether ? [] : [`${countOf(text)} answers of ${PIPELINED}`], answer: null },
    {
      question: "close",
      faults: countOf(ended) === 1 ? [] : [`${countOf(ended)} answers`],
      answer: null,
      differences: isSaid ? [] : ["-connection/close"],
    },
  ];
}

/** `{ difference: [question, …] }` */
function differencesOf(outcomes: readonly Outcome[], ours: readonly Outcome[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { question, answer, differences = [] } of outcomes) {
    for (const difference of differences) found.set(difference, [question]);
    const reference = ours.find((one) => one.question === question)?.answer;
    if (answer === null || reference === null || reference === undefined) continue;
    for (const difference of compare(answer, reference)) {
      found.set(difference, [...(found.get(difference) ?? []), question]);
    }
  }
  return found;
}

/** Those of other statuses than 200 have it behind a slash: `-vary/304`. */
function compare(answer: RawAnswer, reference: RawAnswer): string[] {
  const differences: string[] = [];
  const scope = answer.status === 200 ? "" : `/${answer.status}`;
  const names = new Set([...answer.fields.keys(), ...reference.fields.keys()]);
  const plain = (value: string | undefined): string => (value ?? "").toLowerCase().replaceAll(/[ ;]+/g, ";");
  for (const name of names) {
    if (!reference.fields.has(name)) differences.push(`+${name}${scope}`);
    else if (!answer.fields.has(name)) differences.push(`-${name}${scope}`);
    else if (!OWN_VALUES.has(name) && plain(answer.fields.get(name)) !== plain(reference.fields.get(name))) {
      differences.push(`=${name}${scope}`);
    }
  }
  const octets = [answer, reference].map((one) => (one.fields.has("content-encoding") ? one.content.length : 0));
  const ratio = (octets[0] ?? 0) / (octets[1] || 1);
  if (ratio > 0 && Math.abs(ratio - 1) > LEVEL_SPREAD) differences.push("=coded-octets");
  if (answer.security !== reference.security) differences.push("=tls");
  return differences;
}

/** What a command serves from its start on. */
async function checkStart(spec: SubjectSpec): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-start-"));
  writeFileSync(join(folder, "index.html"), PAGE);
  process.env["FAIRLEAD_BENCH_PORT"] = String(20_000 + Math.floor(Math.random() * 12_000));
  const served = process.env["FAIRLEAD_BENCH_FOLDER"];
  process.env["FAIRLEAD_BENCH_FOLDER"] = folder;
  const [program = "", ...words] = spec.command(process.execPath);
  process.env["FAIRLEAD_BENCH_FOLDER"] = served;
  const child = spawn(program, words, { stdio: "ignore" });
  try {
    const text = await firstAnswer(child, Number(process.env["FAIRLEAD_BENCH_PORT"]));
    return [{ question: "first", faults: text.endsWith(PAGE) ? [] : [`other content: ${text}`], answer: null }];
  } catch (error) {
    return [{ question: "first", faults: [String(error)], answer: null }];
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

async function firstAnswer(child: ChildProcess, port: number): Promise<string> {
  const deadlineMs = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
    if (Date.now() > deadlineMs) throw new Error("no answer came");
    const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
    const text = await askTogether(port, request, 1, () => false).catch(() => "");
    if (text !== "") return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function check(
  spec: SubjectSpec,
  family: string,
  questions: readonly Question[],
  tree: StaticTree,
): Promise<Outcome[]> {
  if (family === "startup") return checkStart(spec);
  try {
    const running = await start(spec);
    try {
      const more = family === "plain" ? await askPlainly(running.port) : [];
      return [...(await askAll(running.port, family, questions, tree)), ...more];
    } finally {
      await running.stop();
    }
  } catch (error) {
    return [{ question: "start", faults: [String(error)], answer: null }];
  }
}

function listed(questions: readonly string[]): string {
  return questions.length > 4
    ? `${questions.slice(0, 3).join(", ")} and ${questions.length - 3} more`
    : questions.join(", ");
}

/** Prints one subject. @returns whether everything is as it should be or known */
function report(
  spec: SubjectSpec,
  outcomes: readonly Outcome[],
  ours: readonly Outcome[],
  known: readonly Known[],
): boolean {
  const rows = known.filter(({ subjects }) => isNamed(spec.name, subjects));
  const differences = differencesOf(outcomes, ours);
  const isKnown = (difference: string): boolean => {
    const words = [difference, difference.replace(/\/.*/, "")];
    const found = rows.flatMap((row) =>
      row.differences.filter((one) => words.includes(one)).map((one) => row.met.add(one)),
    );
    return found.length > 0;
  };
  const fresh = [...differences].filter(([difference]) => !isKnown(difference));
  const faults = outcomes.filter((one) => one.faults.length > 0);
  const isRight = fresh.length === 0 && faults.length === 0;
  const list = [...differences.keys()].toSorted().join(" ");
  console.log(`${isRight ? "ok    " : "FAILED"} ${spec.name} (${spec.version(process.execPath)}) ${list}`);
  const byFault = new Map<string, string[]>();
  for (const { question, faults: said } of faults) {
    const text = said.join("; ");
    byFault.set(text, [...(byFault.get(text) ?? []), question]);
  }
  for (const [text, asked] of byFault) console.log(`         ${listed(asked)}: ${text}`);
  for (const [difference, asked] of fresh) {
    const name = difference.slice(1).replace(/\/.*/, "");
    const at = (some: readonly Outcome[]): string =>
      some.find((one) => one.question === asked[0])?.answer?.fields.get(name) ?? "none";
    console.log(`         ${difference}: ${at(outcomes)}; ours ${at(ours)} (${listed(asked)})`);
  }
  const security = outcomes.find((one) => one.answer !== null)?.answer?.security ?? "";
  if (security !== "") console.log(`         ${security}`);
  return isRight;
}

/** Files and a certificate; subjects read where they are from the environment. */
function openStage(): StaticTree {
  const tree = makeStaticTree();
  const home = `${tree.folder}-nginx`;
  mkdirSync(home, { recursive: true });
  const [cert, key] = [join(home, "check.pem"), join(home, "check.key")];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...words, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  Object.assign(process.env, {
    FAIRLEAD_BENCH_FOLDER: tree.folder,
    FAIRLEAD_BENCH_CERT: cert,
    FAIRLEAD_BENCH_KEY: key,
    FAIRLEAD_BENCH_LOGS: home,
  });
  return tree;
}

async function main(patterns: readonly string[]): Promise<void> {
  const known = readKnown();
  const tree = openStage();
  let failed = 0;
  let checked = 0;
  try {
    const questions = questionsFor(tree);
    const references = new Map<string, Outcome[]>();
    for (const spec of SUBJECTS) {
      const family = spec.serves[0] ?? "";
      if (patterns.length > 0 && !isNamed(spec.name, patterns) && !patterns.includes(family)) continue;
      const missing = spec.missing();
      if (missing !== null) {
        console.log(`SKIPPED ALOUD: ${spec.name}: ${missing}`);
        continue;
      }
      const own = SUBJECTS.find(({ name }) => name === (REFERENCES[spec.name] ?? REFERENCES[family])) ?? spec;
      const ours = references.get(own.name) ?? (await check(own, family, questions[family] ?? [], tree));
      references.set(own.name, ours);
      const outcomes = own === spec ? ours : await check(spec, family, questions[family] ?? [], tree);
      checked += 1;
      if (!report(spec, outcomes, ours, known)) failed += 1;
    }
  } finally {
    tree.remove();
  }
  const stale = known.flatMap(({ subjects, differences, met }) =>
    differences.filter((one) => !met.has(one)).map((one) => `${one} of ${subjects.join(" ")}`),
  );
  if (checked === SUBJECTS.length && stale.length > 0) {
    console.log(`FAILED fairness.md tells of what nobody met: ${stale.join("; ")}`);
    failed += 1;
  }
  console.log(`${checked - failed} of ${checked} subjects answer as they should`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
