/**
 * What holds from start to end, whatever is read later: names of settings that have changed and wait for a restart; and, for a
 * worker that starts later, the settings as they were when the command started.
 *
 * A worker reads everything anew, so that only what all of them share is held: how many they are, where they listen, where
 * they are observed. It must never change what is read, nor say anything.
 */

import { basename } from "node:path";
import type { ServerConfig } from "../config/config.ts";
import { CommandError } from "./command-error.ts";
import { FOREIGN_NAME } from "./config-find.ts";
import type { Intent, Outlook } from "./config-intent.ts";
import { SETTABLE, settingOf } from "./config-layers.ts";
import { isOn } from "./flags.ts";
import type { Settings } from "./settings.ts";
import { isLocal } from "./targets.ts";
import type { AdminPlace, Target } from "./targets.ts";

/** Each setting that was given, by its name in a file. */
export type GivenSettings = Readonly<Record<string, unknown>>;

/** What a worker takes from the start of the command. As JSON it says the same. */
export interface HeldSettings {
  /** See {@link keepConfigFile}. */
  readonly configFile: string;
  readonly targets: readonly Target[];
  readonly isPortFixed: boolean;
  readonly admin: AdminPlace | null;
  readonly server: Pick<ServerConfig, "mode" | "backlog" | "redirectFrom">;
  /** What was given of {@link SHARED}. */
  readonly given: GivenSettings;
}

/** Settings of what all workers share. */
const SHARED: ReadonlySet<string> = new Set([
  "port",
  "host",
  "listen",
  "portSwitching",
  "workers",
  "admin",
  "mode",
  "backlog",
  "redirectFrom",
]);

/** What was given, for comparing. */
export function givenSettings({ given, settings }: Pick<Intent, "given" | "settings">): GivenSettings {
  const flags = SETTABLE.filter(({ name }) => given.flags.has(name));
  return {
    ...Object.fromEntries(flags.map(({ name }) => [settingOf(name), given.flags.get(name)])),
    ...settings.server,
  };
}

/** Names of settings that are other than before. */
export function changedSettings(before: GivenSettings, after: GivenSettings): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** Says which settings wait; `""` for none. */
export function describeWaiting(names: readonly string[]): string {
  return names.length === 0 ? "" : `Changed, and in force after a restart: ${names.join(", ")}.`;
}

/**
 * Refuses to go on without a configuration file where one held: what it says of the folder and of who may come in would be gone
 * with it, and a file that is only being replaced must not open the server. To have none takes a restart.
 *
 * @param before absolute path of the file that held, `""` for none
 * @throws CommandError if there was one and there is none, or a `serve.json` alone
 */
export function keepConfigFile(before: string, { configFile }: Pick<Settings, "configFile">): void {
  // What lies in the folder for others is looked for last, and says nothing of who may come in
  const isLast = configFile === "" || (basename(configFile) === FOREIGN_NAME && basename(before) !== FOREIGN_NAME);
  if (before === "" || !isLast) return;
  throw new CommandError(1, `${before} is gone, which held until now`, ["To serve without it, restart"]);
}

/** What workers take from a start with these settings. */
export function heldSettings(intent: Pick<Intent, "given" | "settings">): HeldSettings {
  const { configFile, targets, isPortFixed, admin, server } = intent.settings;
  const { mode, backlog, redirectFrom } = server;
  const given = shared(givenSettings(intent));
  return { configFile, targets, isPortFixed, admin, server: { mode, backlog, redirectFrom }, given };
}

/** Names of the settings that a worker has read otherwise than it holds them. */
export function waitingSettings(held: HeldSettings, outlook: Pick<Intent, "given" | "settings">): string[] {
  // Through JSON, as what is held came
  return changedSettings(held.given, JSON.parse(JSON.stringify(shared(givenSettings(outlook)))) as GivenSettings);
}

function shared(given: GivenSettings): GivenSettings {
  return Object.fromEntries(Object.entries(given).filter(([name]) => SHARED.has(name)));
}

/** What a worker has read, with what is held in its place. */
export function withHeld(outlook: Outlook, { targets, isPortFixed, admin, server }: HeldSettings): Outlook {
  const { given, settings } = outlook;
  const { mode: _mode, backlog: _backlog, redirectFrom, ...others } = settings.server;
  const { redirectFrom: start, ...place } = server;
  const redirect = heldRedirect(start, redirectFrom, settings);
  return {
    ...outlook,
    settings: {
      ...settings,
      targets,
      isPortFixed,
      admin,
      files: { ...settings.files, listsFolders: listsFolders({ given }, targets) },
      server: { ...others, ...place, ...(redirect === undefined ? {} : { redirectFrom: redirect }) },
    },
  };
}

/** Whether folders are listed; where nobody said so, it depends on who can ask at the places that are listened on. */
export function listsFolders({ given }: Pick<Intent, "given">, targets: readonly Target[]): boolean {
  return isOn(given.flags, "list", targets.every(isLocal));
}

/** The port of the start; what answers challenges there is code, and comes from what was read. */
function heldRedirect(
  held: ServerConfig["redirectFrom"],
  read: ServerConfig["redirectFrom"],
  { tls, server }: Settings,
): ServerConfig["redirectFrom"] {
  if (held === undefined) return undefined;
  // Without TLS, and with nobody in front who has it, there is nothing to redirect to
  if (tls === null && server.tls === undefined && (held.toPort ?? 0) === 0) return read;
  return read?.challenge === undefined ? held : { ...held, challenge: read.challenge };
}
