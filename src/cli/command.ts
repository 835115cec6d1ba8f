/**
 * The command from its arguments to its exit code, top to bottom.
 *
 *  1 read     arguments (usage.ts); environment, file and defaults (config-intent.ts); what is to be served (subject.ts)
 *  2 make     its handler, or tell all that is wrong (prepare.ts)
 *  3 listen   on the port that was asked for, or a free one (listen.ts)
 *  4 tell     the first lines (greet.ts), then a line per request (log.ts)
 *  5 stop     at a signal (stop.ts); SIGHUP reads everything again (config-reload.ts)
 *
 * What a start does not need is loaded when it is needed: the time to the first answer is mostly that of loading. It must
 * never touch `process`: whatever it needs of it is in the {@link CommandWorld}.
 */

import { ServerError } from "../http/errors.ts";
import type { Server } from "../server/server.ts";
import type { Hooks } from "../server/hooks.ts";
import type { Admin } from "./admin.ts";
import { CommandError, explainGoneFolder, joinMistakes, Mistakes } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import { ownPathsOf } from "./config-hide.ts";
import { lookAround, readIntent } from "./config-intent.ts";
import type { Intent } from "./config-intent.ts";
import { Reloader } from "./config-reload.ts";
import { isOn } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { greet, readVersion } from "./greet.ts";
import { checkDescriptors, listen } from "./listen.ts";
import { openLog } from "./log.ts";
import type { Log } from "./log.ts";
import { colourPainter, plainPainter } from "./paint.ts";
import type { Painter } from "./paint.ts";
import { prepare } from "./prepare.ts";
import type { Secured } from "./secure.ts";
import { wantsColour } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { ServiceManager } from "./service-manager.ts";
import { untilStopped } from "./stop.ts";
import { readUsage, UnknownFlag } from "./usage.ts";
import type { Usage } from "./usage.ts";
import type { CommandWorld } from "./world.ts";

/** What systemd shows of a service that is well. */
const SERVING = "Serving";

/**
 * Runs the command.
 *
 * @param args without node and the script
 * @returns the exit code, when the server has stopped or there was nothing to run
 */
export async function runCommand(args: readonly string[], world: CommandWorld): Promise<ExitCode> {
  try {
    return await run(args, world);
  } catch (thrown) {
    const error = thrown instanceof UnknownFlag ? await explainUnknown(thrown) : (explainGoneFolder(thrown) ?? thrown);
    if (!(error instanceof CommandError)) throw error;
    const advice = error.advice.map((line) => `  ${line}\n`).join("");
    world.writeError(`fairlead: ${error.message}\n${advice}`);
    return error.exitCode;
  }
}

async function explainUnknown(error: UnknownFlag): Promise<CommandError> {
  const { explainFlags } = await import("./foreign-flags.ts");
  return explainFlags(error);
}

async function run(args: readonly string[], world: CommandWorld): Promise<ExitCode> {
  const usage = readUsage(args);
  const { verb, flags } = usage;
  const paint = wantsColour(flags, world.environment, world.isTerminal) ? colourPainter : plainPainter;
  const answer = await answerTo(flags, paint, world);
  if (answer !== "") {
    world.writeOutput(answer);
    return 0;
  }
  if (verb === "serve") return serveSubject(usage, world, paint);
  if (verb === "hash-password") {
    const { printHash } = await import("./print-hash.ts");
    return printHash(usage.words, world);
  }
  if (verb === "trust") {
    const { printTrust } = await import("./secure.ts");
    return printTrust((await readIntent(undefined, flags, world)).settings, world);
  }
  if (verb === "check") {
    const { check } = await import("./check.ts");
    return check(usage, world, paint);
  }
  const { ask } = await import("./ask.ts");
  return ask(verb, usage, world, paint);
}

/** What `--help` and its like print; `""` if nothing of that kind is asked for. */
async function answerTo(flags: Flags, paint: Painter, world: CommandWorld): Promise<string> {
  if (isOn(flags, "help", false)) return (await import("./help.ts")).renderHelp(paint, world.columns);
  if (isOn(flags, "version", false)) return `${readVersion()}\n`;
  if (isOn(flags, "limits", false)) return (await import("./limits-table.ts")).renderLimits(paint);
  return "";
}

/** Certificates too, though their files are watched: not every disk tells of changes. */
async function reloadAll(
  reloader: Reloader,
  servers: readonly Server[],
  warn: (line: string) => void,
  manager: ServiceManager | null,
): Promise<void> {
  manager?.reloading();
  await reloader.reload();
  reloadCertificates(servers, warn);
  manager?.ready(SERVING);
}

/** Systemd, where it has started this and wants to know. */
async function findServiceManager(world: CommandWorld): Promise<ServiceManager | null> {
  if ((world.environment["NOTIFY_SOCKET"] ?? "") === "") return null;
  return (await import("./service-manager.ts")).openServiceManager();
}

function reloadCertificates(servers: readonly Server[], warn: (line: string) => void): void {
  for (const server of servers) {
    try {
      server.reloadCertificates();
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      warn(`The certificates stay as they were: ${error.message}`);
    }
  }
}

/** What is observed besides the lines, where --admin wants it; a worker only counts, and its primary tells. */
async function openAdmin(settings: Settings, log: Log, world: CommandWorld): Promise<Admin | null> {
  if (settings.admin === null) return null;
  const module = await import("./admin.ts");
  return world.workerNumber > 0
    ? module.countAsWorker(settings, log)
    : module.openAdmin(settings.admin, settings, log, world);
}

async function secure(settings: Settings, world: CommandWorld, log: Log): Promise<Secured> {
  const module = await import("./secure.ts");
  return module.secure(settings, world, log.say, log.warn);
}

async function serveSubject({ words, flags }: Usage, world: CommandWorld, paint: Painter): Promise<ExitCode> {
  const mistakes = new Mistakes();
  const read = await lookAround(words[0], flags, world, mistakes);
  const worker = world.workerNumber > 0 ? await import("./processes-worker.ts") : null;
  const isSound = mistakes.all.length === 0;
  const held = worker?.holdToStart(read, world.environment, isSound);
  const { outlook, waiting } = held ?? { outlook: read, waiting: [] };
  const { settings, subject } = outlook;
  // A worker gets its sockets from the primary
  if (world.workerNumber === 0) await mistakes.attempt(() => checkDescriptors(settings), undefined);
  if (subject !== null && mistakes.all.length === 0) {
    if (settings.workers > 0 && world.workerNumber === 0) {
      const { serveInProcesses } = await import("./processes.ts");
      return serveInProcesses({ ...outlook, subject }, world, paint);
    }
    if (subject.kind === "module" && world.handOver !== null) return world.handOver();
  }
  const before = worker?.usedBefore(world.environment) ?? null;
  const made = await prepare(outlook, world, mistakes, false, before);
  if (made === null || subject === null || mistakes.all.length > 0) throw joinMistakes(mistakes.all, "things");
  const { handler } = made;
  const intent: Intent = { ...outlook, subject };
  const log = openLog(settings, world, paint);
  const secured = settings.tls === null ? null : await secure(settings, world, log);
  const effective = secured?.settings ?? settings;
  const admin = await openAdmin(settings, log, world);
  const hooks: Hooks = admin?.hooks ?? log.hooks;
  if (worker !== null) {
    // It listens before an authority has answered the first question
    secured?.start(() => {});
    const { environment } = world;
    // Certificates are kept by the worker in its place
    const onClosing = (): void => secured?.stop();
    const own = ownPathsOf(settings, world.workingFolder, environment, before);
    return worker.serveAsWorker({ settings: effective, handler, log, hooks, environment, own, waiting, onClosing });
  }
  // On a terminal SIGHUP says that it was closed
  const reloader = world.isTerminal ? null : new Reloader(words[0], flags, world, intent, handler, log.say, log.warn);
  const listening = await listen(effective, reloader?.fetch ?? handler, hooks).catch(async (error: unknown) => {
    await admin?.close();
    throw error;
  });
  admin?.watch(listening.servers);
  secured?.start(() => reloadCertificates(listening.servers, log.warn));
  const manager = await findServiceManager(world);
  const reload = reloader === null ? null : (): void => void reloadAll(reloader, listening.servers, log.warn, manager);
  const onStopping = (): void => manager?.stopping();
  const { signals, onHangup } = world;
  const stopped = untilStopped(listening.servers, signals, () => log.running, log.say, reload, onStopping, onHangup);
  const noted = admin === null ? effective : { ...effective, notes: [...effective.notes, admin.note] };
  await greet({ settings: noted, subject, listening }, world, paint, log.say);
  manager?.ready(SERVING);
  world.onServing();
  const exitCode = await stopped;
  secured?.stop();
  manager?.close();
  await admin?.close();
  await log.close();
  return exitCode;
}
