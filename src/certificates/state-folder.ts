/**
 * Where certificates, keys and accounts are kept, by the customs of each system.
 *
 * What was made once for a person (the local authority) lies with the configuration, what a service obtained lies with its
 * state: systemd says where (STATE_DIRECTORY), else the XDG base directories, ~/Library and %APPDATA% do. It only names
 * folders; private-file.ts makes them.
 */

import { join } from "node:path";

/** What the place depends on. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Absolute. */
  readonly homeFolder: string;
}

/** Of the local authority and what it issued. */
export function localFolder(surroundings: Surroundings): string {
  return join(baseFolder(surroundings, "XDG_CONFIG_HOME", ".config"), "certificates");
}

/** Of ACME accounts and what they obtained. */
export function acmeFolder(surroundings: Surroundings): string {
  // systemd.exec(5): several directories are separated by colons
  const given = surroundings.environment["STATE_DIRECTORY"]?.split(":")[0];
  if (given !== undefined && given !== "") return join(given, "acme");
  return join(baseFolder(surroundings, "XDG_STATE_HOME", ".local/state"), "acme");
}

function baseFolder({ environment, platform, homeFolder }: Surroundings, variable: string, byDefault: string): string {
  const given = environment[variable];
  // XDG Base Directory Specification: a path that is not absolute is invalid and ignored
  if (given !== undefined && given.startsWith("/")) return join(given, "fairlead");
  if (platform === "darwin") return join(homeFolder, "Library/Application Support/fairlead");
  if (platform === "win32") return join(environment["APPDATA"] ?? join(homeFolder, "AppData/Roaming"), "fairlead");
  return join(homeFolder, byDefault, "fairlead");
}
