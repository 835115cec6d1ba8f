/**
 * Settings about TLS -> options of serve(): the certificate is made or obtained, and kept.
 *
 *  local   an authority of this machine issues it; how to trust that is told
 *  files   as given; they are read again when they change
 *  ACME    a keeper obtains and renews it, and answers the authority on the port of plain HTTP
 *
 * Loaded only where TLS is wanted. It runs no command and changes no store of trust.
 */

import { existsSync } from "node:fs";
import { homedir, hostname, networkInterfaces, userInfo } from "node:os";
import { AcmeKeeper } from "../certificates/acme-keeper.ts";
import { orderCertificate } from "../certificates/acme-order.ts";
import { provideLocalCertificate } from "../certificates/local-certificate.ts";
import type { LocalCertificate } from "../certificates/local-certificate.ts";
import { acmeFolder, localFolder } from "../certificates/state-folder.ts";
import type { Surroundings } from "../certificates/state-folder.ts";
import { trustSteps } from "../certificates/trust-advice.ts";
import type { ServerConfig } from "../config/config.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import { CommandError, messageOf } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import type { Environment } from "./config-layers.ts";
import type { Settings } from "./settings.ts";
import { isEveryAddress } from "./targets.ts";
import { resolvedFiles, withTls } from "./tls-settings.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** What it needs of the world. */
export interface SecureWorld {
  readonly environment: Environment;
  readonly workingFolder: string;
  /** 0: the only process; else only the first one keeps certificates. */
  readonly workerNumber: number;
}

/** A server that speaks TLS. */
export interface Secured {
  readonly settings: Settings;
  /**
   * Once it listens: what is kept is kept from now on.
   *
   * @param onObtained called when there is a new certificate; the watch over its file notices it too, later
   */
  start(onObtained: () => void): void;
  stop(): void;
}

/** Where authorities ask (RFC 8555 §8.3), and where browsers come first. */
const PLAIN_PORT = 80;

/**
 * Provides the certificate.
 *
 * @param say a line about what becomes of it while the server runs
 * @param warn a line about what goes wrong with it
 * @throws CommandError with exit code 1 if it cannot be made or kept
 */
export async function secure(
  settings: Settings,
  world: SecureWorld,
  say: (line: string) => void,
  warn: (line: string) => void = say,
): Promise<Secured> {
  const { tls } = settings;
  switch (tls?.kind) {
    case "local": {
      const local = await attemptLocal(settings, world.environment);
      const files = { certFile: local.bundlePath, keyFile: local.bundlePath };
      const notes = adviceOf(local);
      return idle({ ...settings, notes: [...settings.notes, ...notes], server: withTls(settings.server, files) });
    }
    case "files":
      return idle({ ...settings, server: withTls(settings.server, resolvedFiles(tls, world.workingFolder)) });
    case "acme":
      return keepAcme(settings, tls, world, say, warn);
    case undefined:
      return idle(settings);
  }
}

function idle(settings: Settings): Secured {
  return { settings, start: () => {}, stop: () => {} };
}

/** Of several workers one obtains the certificate, and the others learn of it by its file, whatever a configuration says. */
function withWatch(server: ServerConfig): ServerConfig {
  return server.tls === undefined ? server : { ...server, tls: { ...server.tls, watch: true } };
}

async function provideLocal(settings: Settings, folder: string): Promise<LocalCertificate> {
  return provideLocalCertificate({
    folder,
    names: namesOf(settings),
    owner: `${userName()}@${hostname()}`,
    time: SYSTEM_TIME,
  });
}

/** Of this machine, and the addresses under which others may reach it. */
function namesOf({ targets }: Settings): string[] {
  const names = [hostname().toLowerCase()].filter((name) => /^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/.test(name));
  for (const target of targets) {
    if (target.kind !== "tcp") continue;
    if (isEveryAddress(target.hostname)) names.push(...networkAddresses());
    else names.push(target.hostname);
  }
  return names;
}

function networkAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  // A link-local address would need its zone, which no certificate can hold
  return all
    .filter(({ internal, family, scopeid }) => !internal && (family === "IPv4" || scopeid === 0))
    .map(({ address }) => address);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container runs under a number that nobody has a name for
    return "user";
  }
}

function surroundingsOf(environment: Environment): Surroundings {
  return { environment, platform: process.platform, homeFolder: environment["HOME"] ?? homedir() };
}

/** Said in full when nobody can trust it yet. */
function adviceOf({ authorityPath, isNewAuthority }: LocalCertificate): string[] {
  if (!isNewAuthority) return ["browsers trust this certificate after what fairlead trust prints"];
  const steps = trustSteps(authorityPath, { platform: process.platform, exists: existsSync });
  return [
    "a local authority was made; browsers warn until you trust it, once:",
    ...steps.map(({ who, command }) => `${who}: ${command}`),
  ];
}

async function keepAcme(
  settings: Settings,
  { mail, domains, directory }: Extract<TlsSettings, { kind: "acme" }>,
  world: SecureWorld,
  say: (line: string) => void,
  warn: (line: string) => void,
): Promise<Secured> {
  let tell = (): void => {};
  const folder = acmeFolder(surroundingsOf(world.environment));
  const keeper = await attempt(folder, "STATE_DIRECTORY=/path, or XDG_STATE_HOME,", () =>
    AcmeKeeper.open({
      mail,
      domains,
      directoryUrl: directory,
      folder,
      time: SYSTEM_TIME,
      random: Math.random,
      order: orderCertificate,
      onObtained: () => tell(),
      say,
      warn,
    }),
  );
  const files = { certFile: keeper.bundlePath, keyFile: keeper.bundlePath };
  const redirectFrom = { port: PLAIN_PORT, ...settings.server.redirectFrom, challenge: keeper.challenge };
  const notes = keeper.isTrue ? [] : ["there is no certificate yet: it is being obtained"];
  return {
    settings: {
      ...settings,
      notes: [...settings.notes, ...notes],
      server: { ...withWatch(withTls(settings.server, files)), redirectFrom },
    },
    start: (onObtained) => {
      tell = onObtained;
      if (world.workerNumber <= 1) keeper.start();
    },
    stop: () => keeper.stop(),
  };
}

/** @param variables of the environment that say where it is kept */
async function attempt<T>(folder: string, variables: string, provide: () => Promise<T>): Promise<T> {
  try {
    return await provide();
  } catch (error) {
    // Only the file system names what it was asked for
    const isOfFiles = error instanceof Error && "syscall" in error && "path" in error;
    const advice = isOfFiles ? [`It is kept in ${folder}; ${variables} names another place`] : [];
    throw new CommandError(1, `the certificate cannot be kept: ${messageOf(error)}`, advice, { cause: error });
  }
}

/** Keeps what is made for a person. */
function attemptLocal(settings: Settings, environment: Environment): Promise<LocalCertificate> {
  const folder = localFolder(surroundingsOf(environment));
  return attempt(folder, "XDG_CONFIG_HOME=/path", () => provideLocal(settings, folder));
}

/** `fairlead trust`: the steps, for reading. */
export async function printTrust(
  settings: Settings,
  world: { readonly environment: Environment; readonly writeOutput: (text: string) => void },
): Promise<ExitCode> {
  const { authorityPath } = await attemptLocal(settings, world.environment);
  const steps = trustSteps(authorityPath, { platform: process.platform, exists: existsSync });
  const lines = steps.map(({ who, command }) => `${who}:\n  ${command}\n`);
  world.writeOutput(
    `The local authority of fairlead --tls is ${authorityPath}\nWho trusts it trusts what this machine serves. Its key stays beside it; nothing has been changed.\n\n${lines.join("\n")}`,
  );
  return 0;
}
