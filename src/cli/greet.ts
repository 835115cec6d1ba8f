/**
 * The first lines of a server that listens already: they gather what there is to say, and say it to a person or a program.
 *
 * Everything that takes time and is not needed to answer is done here: counting what is hidden, the browser, the QR code.
 */

import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { SYSTEM_TIME } from "../server/clock.ts";
import type { Server } from "../server/server.ts";
import { renderBanner, renderPlainBanner } from "./banner.ts";
import type { Welcome } from "./banner.ts";
import { messageOf } from "./command-error.ts";
import { countHidden, renderHidden } from "./hidden.ts";
import { isContainer, networkUrlsOf } from "./listen.ts";
import { jsonLine } from "./log-record.ts";
import type { Painter } from "./paint.ts";
import type { Settings } from "./settings.ts";
import { isLocal } from "./targets.ts";
import type { Subject } from "./subject.ts";

/** A server that has just begun to listen. */
export interface Start {
  readonly settings: Settings;
  readonly subject: Subject;
  readonly listening: {
    readonly servers: readonly Reachable[];
    readonly takenPort: number;
    /** `""` for none. */
    readonly redirectUrl: string;
  };
}

/** A server, or what is known of one in another process. */
export type Reachable = Pick<Server, "url" | "hostname" | "port">;

/** What greeting needs of the world. */
export interface GreetWorld {
  readonly workingFolder: string;
  readonly isTerminal: boolean;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

const SHUT_IN = "in a container nobody outside of it can reach this address: --host opens it";
const BARE_PASSWORD =
  "name and password travel unencrypted to other machines: only with --tls, or with TLS in front, are they a secret";

/** By then a browser has come, or there is none: xdg-open tries a dozen. */
const OPENING_MS = 10_000;

/** Says the first lines, then shows the browser and the QR code where they are wanted. */
export async function greet(
  start: Start,
  world: GreetWorld,
  paint: Painter,
  say: (text: string) => void,
): Promise<void> {
  const { settings } = start;
  const welcome = await welcomeOf(start, world);
  if (!settings.isQuiet) world.writeOutput(render(welcome, settings, world, paint));
  const [url = ""] = welcome.urls;
  if (settings.showsQrCode && !settings.isQuiet) await showQrCode(welcome.networkUrls[0] ?? url, world, say);
  if (settings.openPath !== "") await openBrowser(url, settings.openPath, world);
}

async function welcomeOf({ settings, subject, listening }: Start, world: GreetWorld): Promise<Welcome> {
  const { servers, takenPort, redirectUrl } = listening;
  const { workingFolder } = world;
  const shownPath = workingFolder === "" ? subject.path : relative(workingFolder, subject.path);
  const isLocalOnly = settings.targets.every(isLocal);
  const hidden =
    subject.kind === "folder" && !settings.isQuiet ? await countHidden(subject.path, settings.files) : null;
  const rules = subject.kind === "folder" && settings.files.hasRules ? rulesIn(subject.path) : "";
  const notes: string[] = [];
  if (takenPort !== 0) notes.push(`port ${takenPort} is taken, so this is the next free one`);
  const isShutIn = isLocalOnly && settings.targets.every(({ kind }) => kind === "tcp") && isContainer();
  if (isShutIn) notes.push(SHUT_IN);
  const isPlain = servers.every(({ url }) => url.protocol !== "https:");
  if (settings.gate.auth !== "" && !isLocalOnly && isPlain) notes.push(BARE_PASSWORD);
  notes.push(...settings.notes);
  return {
    version: readVersion(),
    subject,
    shownPath: shownPath === "" ? "this folder" : shownPath,
    modes: subject.kind === "module" ? [] : modesOf(settings),
    urls: servers.map((server) => server.url.href),
    networkUrls: [
      ...new Set(servers.flatMap((server) => networkUrlsOf(server.hostname, server.port, server.url.protocol))),
    ],
    redirectUrl,
    isLocal: isLocalOnly && !isShutIn,
    hidden: hidden === null ? "" : renderHidden(hidden),
    rules: rules === "" ? "" : `${rules} in force, and not served: --no-rules`,
    notes,
  };
}

/** The files that say what becomes of paths, as far as they are there; `""` for none. */
function rulesIn(folder: string): string {
  return ["_redirects", "_headers"].filter((name) => existsSync(join(folder, name))).join(" and ");
}

/** What is not as usual. */
function modesOf({ files, gate }: Settings): string[] {
  const modes: string[] = [];
  if (files.singlePage !== false) modes.push("single-page app");
  if (files.showsDotFiles) modes.push("dot files too");
  if (files.followsLinks) modes.push("links followed");
  if (gate.auth !== "") modes.push("with password");
  return modes;
}

function render(welcome: Welcome, settings: Settings, world: GreetWorld, paint: Painter): string {
  if (world.isTerminal) return renderBanner(welcome, paint);
  if (settings.logForm !== "json") return renderPlainBanner(welcome);
  const { version, subject, urls, networkUrls, redirectUrl, hidden, rules, notes } = welcome;
  const more = {
    ...(redirectUrl === "" ? {} : { redirectFrom: redirectUrl }),
    ...(hidden === "" ? {} : { hidden }),
    ...(rules === "" ? {} : { rules }),
    ...(notes.length === 0 ? {} : { notes }),
  };
  const members = { version, kind: subject.kind, path: subject.path, urls: [...urls, ...networkUrls], ...more };
  return `${jsonLine(SYSTEM_TIME.wallMs(), "info", "listening", members)}\n`;
}

async function showQrCode(url: string, world: GreetWorld, say: (text: string) => void): Promise<void> {
  const { renderUnicodeCompact } = await import("uqr");
  // On a light background whatever the terminal's: phones read no inverted code
  if (world.isTerminal) world.writeOutput(`${renderUnicodeCompact(url, { border: 2 })}\n\n`);
  else say("the QR code is shown on a terminal only");
}

/** A browser that does not come is a pity and no failure: then people open the address themselves. */
async function openBrowser(url: string, path: string, world: GreetWorld): Promise<void> {
  const isForBrowsers = /^https?:/.test(url);
  const page = isForBrowsers ? new URL(path.replace(/^\/+/, "/"), url).href : url;
  const complain = (why: string): void => {
    const advice = isForBrowsers ? `; open ${page} yourself` : "";
    world.writeError(`fairlead: the browser cannot be started: ${why}${advice}\n`);
  };
  if (!isForBrowsers) {
    complain(`${url} is nothing that a browser can show`);
    return;
  }
  try {
    const { default: open } = await import("open");
    const startedMs = SYSTEM_TIME.wallMs();
    const child = await open(page);
    // What starts browsers says by its exit code that it found none. Where it is the browser itself, it ends when people close it
    const judge = (code: number | null): void => {
      if (code !== null && code !== 0 && SYSTEM_TIME.wallMs() - startedMs < OPENING_MS)
        complain(`what starts it ended with exit code ${code}`);
    };
    if (child.exitCode === null) child.once("exit", judge);
    else judge(child.exitCode);
    child.once("error", (error) => complain(error.message));
  } catch (error) {
    complain(messageOf(error));
  }
}

/** Two folders up from src/cli as from dist/cli. */
export function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
