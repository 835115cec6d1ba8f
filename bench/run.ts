/**
 * `npm run bench`: subjects side by side, on the same core, in the same run, each on the same Node as its reference.
 *
 * Steps: settings -> (list | install | earlier results | measure) -> show. Ctrl-C ends what runs, shows what was finished and
 * leaves no process behind.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { drawCharts } from "./charts/draw.ts";
import { chooseNames, type Contestant, contestantsOf } from "./contestants.ts";
import { replaceResults } from "./docs-page.ts";
import { describeMachine, missingTools } from "./machine.ts";
import { measureProfile, secondsPerRound } from "./measure.ts";
import { findNodes } from "./nodes.ts";
import { endAll } from "./process.ts";
import type { Profile } from "./profile.ts";
import { askedBy, findProfiles, onConnections, PROFILES } from "./profiles.ts";
import { durationText, Progress } from "./progress.ts";
import { joinRuns, poolRuns, type ProfileResult, type RunResult, withSummaries } from "./results.ts";
import { parseSettings, type Settings, USAGE } from "./settings.ts";
import { SUBJECTS } from "./subject-list.ts";
import { docChartsOf, runMarkdown, runText } from "./table.ts";

const SUBJECT_CORE = 0;
const LOAD_CORE = 1;
const PEERS = fileURLToPath(new URL("peers", import.meta.url));
const PAGE = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
const DOC_CHARTS = fileURLToPath(new URL("../docs/bench", import.meta.url));

/** A profile with those who take part. */
interface Heat {
  readonly profile: Profile;
  readonly contestants: readonly Contestant[];
}

function list(): void {
  console.log("Profiles (reference; must / aim):");
  for (const { name, about, reference, target } of PROFILES) {
    const demanded = target === null ? "" : `; ${target.must} / ${target.aim}`;
    console.log(`  ${name.padEnd(22)} ${about} (${reference}${demanded})`);
  }
  console.log("\nSubjects:");
  for (const spec of SUBJECTS) {
    const missing = spec.missing();
    const families = spec.serves.join(", ");
    console.log(
      `  ${spec.name.padEnd(22)} ${families.padEnd(11)} ${missing === null ? spec.about : `NOT HERE: ${missing}`}`,
    );
  }
}

/** Who takes part in what. */
function heatsOf(settings: Settings, skip: (message: string) => void): readonly Heat[] {
  const chosen = findProfiles(settings.profiles.length === 0 ? ["plaintext"] : settings.profiles);
  const profiles = chosen.flatMap((one) => {
    const profile = askedBy(onConnections(one, settings.connections), settings.load);
    if (profile === null) skip(`${one.name}: ${settings.load} cannot ask this`);
    return profile ?? [];
  });
  const nodes = findNodes(settings.nodes, skip);
  return profiles.flatMap((profile) => {
    const missing = missingTools(["taskset", ...profile.tools]);
    if (missing.length > 0) {
      skip(`${profile.name}: needs ${missing.join(" and ")}`);
      return [];
    }
    const names = chooseNames(profile, SUBJECTS, settings, skip);
    const contestants = contestantsOf(profile, SUBJECTS, names, nodes, skip);
    return contestants.length === 0 ? [] : [{ profile, contestants }];
  });
}

async function measure(settings: Settings): Promise<RunResult> {
  const skipped: string[] = [];
  const skip = (message: string): void => {
    skipped.push(message);
    console.error(`SKIPPED ALOUD: ${message}`);
  };
  const heats = heatsOf(settings, skip);
  // This process is part of the load, so it belongs to the load's core
  execFileSync("taskset", ["-acp", String(LOAD_CORE), String(process.pid)], { stdio: "ignore" });
  const { rounds, repeats, seconds, connections, load } = settings;
  const steps = heats.map(({ profile, contestants }) => ({
    profile: profile.name,
    count: rounds * contestants.length,
    seconds: secondsPerRound(profile, seconds),
  }));
  const progress = new Progress(steps, {
    isTerminal: process.stderr.isTTY,
    write: (text) => process.stderr.write(text),
    nowMs: () => performance.now(),
  });
  progress.say(`${heats.length} profiles, ${rounds} rounds: about ${durationText(progress.secondsLeft)}`);
  const abort = abortOnSignals();
  const roundSettings = { seconds, connections, load, subjectCore: SUBJECT_CORE, loadCore: LOAD_CORE };
  const profiles: ProfileResult[] = [];
  for (const { profile, contestants } of heats) {
    if (abort.aborted) break;
    profiles.push(
      await measureProfile(profile, contestants, { rounds, repeats, settings: roundSettings, progress, abort }),
    );
  }
  progress.done();
  return {
    format: 1,
    date: new Date().toISOString(),
    command: ["npm run bench --", ...process.argv.slice(2)].join(" "),
    isWhole: !abort.aborted,
    machine: describeMachine(),
    skipped,
    profiles: profiles.filter(({ subjects }) =>
      subjects.some(({ rounds: done, failure }) => done.length > 0 || failure !== null),
    ),
  };
}

/** The first signal ends what runs, the second the bench: also that of a terminal which goes, since subjects would outlive it. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      console.error("\nending: once more to see nothing at all");
      controller.abort();
      endAll();
      process.once(signal, () => process.exit(130));
    });
  }
  return controller.signal;
}

function show(run: RunResult, settings: Settings): void {
  console.log(`\n${runText(run)}`);
  // Whoever was to be measured, nobody was: what earlier runs have written there says more
  if (run.profiles.length === 0) return;
  if (settings.jsonFile !== null) writeFileSync(settings.jsonFile, `${JSON.stringify(withSummaries(run), null, 1)}\n`);
  if (settings.chartFolder !== null) writeCharts(run, settings.chartFolder, null);
  if (settings.isWritingDocs) {
    const shown = new Set(["ratios", ...run.profiles.flatMap(docChartsOf)]);
    const charts = writeCharts(run, DOC_CHARTS, shown);
    const page = replaceResults(readFileSync(PAGE, "utf8"), runMarkdown(run, charts));
    writeFileSync(PAGE, page);
  }
}

/**
 * @param shown names of the charts that are wanted, null for all
 * @returns paths relative to the page of the docs, by name
 */
function writeCharts(run: RunResult, folder: string, shown: ReadonlySet<string> | null): ReadonlyMap<string, string> {
  mkdirSync(folder, { recursive: true });
  const paths = new Map<string, string>();
  for (const [name, svg] of drawCharts(run)) {
    if (shown !== null && !shown.has(name)) continue;
    const file = join(folder, `${name}.svg`);
    writeFileSync(file, svg);
    paths.set(name, relative(join(PAGE, ".."), file));
  }
  return paths;
}

/** What is written at the end of an hour must have its place at the beginning. */
function openPlaces({ jsonFile, chartFolder }: Settings): void {
  if (chartFolder !== null) mkdirSync(chartFolder, { recursive: true });
  if (jsonFile === null) return;
  // What stands there stays until then
  closeSync(openSync(jsonFile, "a"));
}

/** A subject that answers wrongly is a failure, and so is nobody at all; a target that is not met is a result. */
function hasFailed(run: RunResult): boolean {
  return (
    run.profiles.length === 0 ||
    run.profiles.some((profile) => profile.subjects.some(({ failure }) => failure !== null))
  );
}

function readRun(file: string): RunResult {
  return JSON.parse(readFileSync(file, "utf8")) as RunResult;
}

async function main(words: readonly string[]): Promise<number> {
  const settings = parseSettings(words);
  if (settings.isHelp) console.log(USAGE);
  else if (settings.isListing) list();
  else if (settings.isInstalling)
    return spawnSync("npm", ["install", "--no-save", "--prefix", PEERS], { stdio: "inherit" }).status ?? 1;
  else if (settings.from.length > 0) {
    show(joinRuns(settings.from.map((files) => poolRuns(files.split("+").map(readRun)))), settings);
  } else if (process.platform !== "linux" || cpus().length < 2) {
    console.error("SKIPPED ALOUD: this needs Linux and two cores");
  } else {
    openPlaces(settings);
    const run = await measure(settings);
    // The page has results of a whole run, which a piece of one must not replace
    show(run, { ...settings, isWritingDocs: settings.isWritingDocs && run.isWhole });
    if (!run.isWhole) return 130;
    return hasFailed(run) ? 1 : 0;
  }
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
} finally {
  endAll();
}
