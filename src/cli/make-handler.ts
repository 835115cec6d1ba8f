/**
 * What is served and how -> the handler, with the gate before it.
 *
 * Flags about files mean nothing to a module, which decides itself; giving one to it is a mistake that is said, not ignored.
 */

import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, parse, relative, sep } from "node:path";
import { ServerError } from "../http/errors.ts";
import { HiddenPaths } from "../static/hidden-paths.ts";
import { serveKeptFile } from "../static/serve-file.ts";
import type { FileOptions } from "../static/serve-file.ts";
import { OwnThings } from "../static/own-things.ts";
import type { KeptBack } from "../static/own-things.ts";
import { serveKept } from "../static/serve-static.ts";
import type { StaticHandler, StaticOptions } from "../static/serve-static.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import type { Handler } from "../web/handler.ts";
import { CommandError, joinMistakes, Mistakes, pathFromHere } from "./command-error.ts";
import { CONFIG_NAMES } from "./config-find.ts";
import { ownPathsOf, pathsBelow } from "./config-hide.ts";
import type { OwnPaths } from "./config-hide.ts";
import type { Environment, Given, Origins } from "./config-layers.ts";
import { FLAG_TABLE } from "./flags.ts";
import type { FlagName } from "./flags.ts";
import type { FileSettings, GateSettings, Settings } from "./settings.ts";
import type { Subject } from "./subject.ts";

/** What is needed of the world. */
export interface HandlerWorld {
  readonly environment: Environment;
  /** Absolute. */
  readonly workingFolder: string;
}

/** The handler, and the part of it that serves files. */
export interface MadeHandler {
  readonly handler: Handler;
  /** Null for a module. */
  readonly files: StaticHandler | null;
}

/**
 * Makes the handler.
 *
 * @param given where each setting came from
 * @param own what the process uses besides, since earlier settings: it is kept back too
 * @throws CommandError for a module that cannot be run, for flags that do not go with it, and for an impossible gate
 */
export async function makeHandler(
  subject: Subject,
  settings: Settings,
  given: Given,
  world: HandlerWorld,
  own: OwnPaths | null = null,
): Promise<MadeHandler> {
  const { origins } = given;
  const { workingFolder } = world;
  if (subject.kind === "module") {
    refuseFileFlags(origins, subject);
    const { loadModule } = await import("./load-module.ts");
    return {
      handler: await guarded(await loadModule(subject.path), settings.gate, origins, workingFolder),
      files: null,
    };
  }
  const kept = keptIn(subject, ownPathsOf(settings, workingFolder, world.environment, own));
  if (subject.kind === "file") await refuseOwn(subject.path, kept, workingFolder);
  const files = filesHandlerOf(subject, settings.files, kept, given, workingFolder);
  return { handler: await guarded(files, settings.gate, origins, workingFolder), files };
}

function filesHandlerOf(
  { kind, path }: Subject,
  files: FileSettings,
  kept: KeptBack,
  given: Given,
  workingFolder: string,
): StaticHandler {
  const options = fileOptionsOf(files);
  try {
    refuseClosed(kind, path);
    if (kind === "file") {
      if (!files.followsLinks) refuseLinkOut(path);
      return serveKeptFile(path, options, kept);
    }
    const all: StaticOptions = {
      ...options,
      spa: files.singlePage,
      cleanUrls: files.hasCleanUrls,
      listing: files.listsFolders,
      dotFiles: files.showsDotFiles,
      rules: files.hasRules,
      ...files.more,
    };
    return serveKept(path, all, kept);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const ofRules = explainRules(error, path, workingFolder);
    if (ofRules !== null) throw ofRules;
    const mistakes = new Mistakes();
    mistakes.add(explainFiles(error, given));
    // They are read last, and not where something else is wrong
    if (kind === "folder" && files.hasRules)
      mistakes.attemptNow(() => checkRules(path, files.followsLinks, workingFolder), undefined);
    throw joinMistakes(mistakes.all);
  }
}

/** @throws CommandError for what is wrong with the rules of a folder, and for nothing else */
function checkRules(folder: string, followLinks: boolean, workingFolder: string): void {
  try {
    serveKept(folder, { rules: true, followLinks }, null);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    const ofRules = explainRules(error, folder, workingFolder);
    if (ofRules !== null) throw ofRules;
  }
}

/**
 * How files are served, for nothing but to know whether they can be, where there is no folder yet.
 *
 * @throws CommandError if they cannot
 */
export function checkFiles(files: FileSettings, given: Given, workingFolder: string): void {
  // A folder that there always is
  const anywhere: Subject = { kind: "folder", path: parse(workingFolder).root };
  const kept = keptIn(anywhere, { files: [], folders: [], logs: [] });
  filesHandlerOf(anywhere, { ...files, hasRules: false }, kept, given, workingFolder);
}

/** What is wrong with the rules of a folder, each with its file and line; null if it is something else. */
function explainRules({ cause }: ServerError, folder: string, workingFolder: string): CommandError | null {
  if (!Array.isArray(cause)) return null;
  const fromHere = pathFromHere(workingFolder, folder);
  const place = join(fromHere, "./");
  const said = (cause as readonly string[]).map((mistake) => (fromHere === "" ? mistake : place + mistake));
  const closed = said.filter((mistake) => CLOSED_RULES.test(mistake));
  const faulty = said.filter((mistake) => !closed.includes(mistake));
  // What was to be redirected or hidden would be shown without the rules
  const way = "or serve the folder as if there were no rules: --no-rules";
  return joinMistakes(
    [
      ...withAdvice(closed, `Let the user that runs this read it, as with chmod; ls -l shows who may; ${way}`),
      ...withAdvice(faulty, `Mend them, ${way}`),
    ],
    "rules",
  );
}

/** Of a file as a whole: what is wrong with a line has its number before the colon. */
const CLOSED_RULES = /_(?:redirects|headers): cannot be read \((?:EACCES|EPERM)\)$/;

/** What to do about all of them, said behind the last. */
function withAdvice(mistakes: readonly string[], advice: string): CommandError[] {
  return mistakes.map((one, index) => new CommandError(1, one, index === mistakes.length - 1 ? [advice] : []));
}

/**
 * Where nothing can be opened every answer would be 404. A folder that can be entered and not listed is served: its files can
 * be asked for by name.
 */
function refuseClosed(kind: Subject["kind"], path: string): void {
  const isFile = kind === "file";
  try {
    accessSync(path, isFile ? constants.R_OK : constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") return;
    throw new CommandError(
      1,
      `the ${kind} ${path} cannot be read (${code})`,
      [`Let the user that runs this read${isFile ? "" : " and enter"} it, as with chmod; ls -ld shows who may`],
      { cause: error },
    );
  }
}

/** A file that is a link to elsewhere would be 404: links that lead out of a folder are not followed, and its folder is one. */
function refuseLinkOut(path: string): void {
  const destination = realpathSync(path);
  const way = relative(realpathSync(dirname(path)), destination);
  if (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return;
  throw new CommandError(1, `${path} is a link that leads out of its folder, and such links are not followed`, [
    `Give ${destination} itself, or --follow`,
  ]);
}

/** In a folder it would be 404, and here so would be everything. @throws CommandError with exit code 1 */
async function refuseOwn(path: string, { paths, things }: KeptBack, workingFolder: string): Promise<void> {
  const name = basename(path);
  const stats = statSync(path, { throwIfNoEntry: false });
  const isOwn = new HiddenPaths(paths.map((one) => one.split("/"))).has([name]);
  if (!isOwn && (stats === undefined || !(await things.has(stats, path)))) return;
  throw new CommandError(1, `${path} is a file that the command uses itself, and such files are not served`, [
    CONFIG_NAMES.includes(name)
      ? `To serve what it says: -c ${pathFromHere(workingFolder, path)}`
      : "Configuration, users, keys and logs are nobody else's: give another file, or a folder",
  ]);
}

/** Options of files that flags say under other names. */
const FLAG_OF: Readonly<Partial<Record<string, FlagName>>> = { spa: "single", cacheControl: "cache" };
/** Where what is said of an option begins. */
const OPTION = /^(spa|cacheControl|index|notFound|prefix|mediaTypes|maxCacheBytes|maxCacheEntries)\b/;
const BETWEEN_OPTIONS = new RegExp(`; (?=${OPTION.source.slice(1).replace("(", "(?:")})`);

/** What is wrong with a folder and its options, each by the name and the place that people gave it. */
function explainFiles(error: ServerError, { origins, file }: Given): CommandError {
  const mistakes = new Mistakes();
  for (const said of error.message.split(BETWEEN_OPTIONS)) {
    const [name = ""] = OPTION.exec(said) ?? [];
    const flag = FLAG_OF[name];
    const origin = flag === undefined ? undefined : origins.get(flag);
    if (origin !== undefined) mistakes.tell(origin.source === "file" ? 1 : 2, origin.shown + said.slice(name.length));
    else if (name !== "" && file !== null) mistakes.tell(1, `${file.placeOf(`files.${name}`)}: files.${said}`);
    else mistakes.tell(2, said);
  }
  return joinMistakes(mistakes.all);
}

/** What lies in the folder, or is led to by it, and is the command's own: a configuration or a key often is. */
function keptIn({ kind, path }: Subject, { files, folders, logs }: OwnPaths): KeptBack {
  const folder = kind === "file" ? dirname(path) : path;
  const looked = CONFIG_NAMES.map((name) => join(folder, name));
  return {
    paths: [...CONFIG_NAMES, ...pathsBelow(folder, [...files, ...folders])],
    things: new OwnThings([...new Set([...looked, ...files])], folders, SYSTEM_TIME, logs),
  };
}

/** Most servers have no gate, and need not load it. */
async function guarded(
  handler: Handler,
  gate: GateSettings,
  origins: Origins,
  workingFolder: string,
): Promise<Handler> {
  const isOpen = gate.auth === "" && gate.corsOrigins === null && !gate.isIsolated && gate.headers.length === 0;
  if (isOpen) return handler;
  const { putGateBefore } = await import("./gate.ts");
  return putGateBefore(handler, gate, origins, workingFolder);
}

/**
 * Makes the gate for nothing but to know whether it can be made.
 *
 * @throws CommandError if it cannot
 */
export async function checkGate(gate: GateSettings, origins: Origins, workingFolder: string): Promise<void> {
  await guarded(() => undefined, gate, origins, workingFolder);
}

/** What was typed; a file may serve several runs of the command. */
function refuseFileFlags(origins: Origins, subject: Subject): void {
  const names = FLAG_TABLE.filter(({ name, isOfFiles }) => isOfFiles && origins.get(name)?.source === "flag");
  if (names.length === 0) return;
  const shown = names.map(({ name }) => `--${name}`).join(", ");
  const [are, them, options] =
    names.length === 1 ? ["is", "it", "an option for it"] : ["are", "them", "options for them"];
  throw new CommandError(2, `${shown} ${are} about files, and ${subject.path} is a module that answers itself`, [
    `Leave ${them} out; in the module, serveStatic() has ${options}`,
  ]);
}

/** The options that a single file has as well. */
function fileOptionsOf(files: FileSettings): FileOptions {
  return {
    cacheControl: files.cache,
    followLinks: files.followsLinks,
    compress: files.compresses,
    precompressed: files.usesPrecompressed,
  };
}
