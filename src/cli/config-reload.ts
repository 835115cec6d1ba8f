/**
 * Everything read again while the server goes on: environment and flags are what they were, file and folder may have changed.
 *
 * What is right takes the place of what was, for requests that come from then on; those under way keep the handler that they
 * have. What is wrong changes nothing and is said. What cannot change under a server that listens, its address above all, is
 * said as well and holds after a restart. The code of an app is not loaded anew: a process runs a module once.
 */

import type { Handler } from "../web/handler.ts";
import { CommandError, messageOf } from "./command-error.ts";
import { ownPathsOf } from "./config-hide.ts";
import type { OwnPaths } from "./config-hide.ts";
import { readIntent } from "./config-intent.ts";
import type { Intent, IntentWorld } from "./config-intent.ts";
import { settingOf } from "./config-layers.ts";
import type { FlagName, Flags } from "./flags.ts";
import { changedSettings, describeWaiting, givenSettings, keepConfigFile, listsFolders } from "./held-settings.ts";
import type { GivenSettings } from "./held-settings.ts";
import { makeHandler } from "./make-handler.ts";

/** Settings that take effect without a restart. */
const CHANGEABLE_FLAGS: readonly FlagName[] = [
  "root",
  "single",
  "cache",
  "clean-urls",
  "list",
  "dotfiles",
  "follow",
  "compress",
  "precompressed",
  "rules",
  "auth",
  "cors",
  "isolated",
  "header",
];
const CHANGEABLE: ReadonlySet<string> = new Set(CHANGEABLE_FLAGS.map(settingOf));

/** A handler that can be replaced under a server. */
export class Reloader {
  /** For the server: always the latest. */
  readonly fetch: Handler;
  readonly #word: string | undefined;
  readonly #flags: Flags;
  readonly #world: IntentWorld;
  readonly #say: (line: string) => void;
  readonly #warn: (line: string) => void;
  /** As the server was started. */
  readonly #start: Intent;
  readonly #given: GivenSettings;
  #intent: Intent;
  #handler: Handler;
  /** What the process has used since its start: keys and the log are in use until it ends, whatever settings say by now. */
  #own: OwnPaths;
  /** What is under way, so that the next one waits. */
  #last: Promise<boolean>;

  /**
   * @param word what was typed to be served
   * @param flags as they were typed
   * @param intent what was made of them
   * @param handler that was made of it
   * @param say what is done, a line each
   * @param warn what is wrong, a line each
   */
  constructor(
    word: string | undefined,
    flags: Flags,
    world: IntentWorld,
    intent: Intent,
    handler: Handler,
    say: (line: string) => void,
    warn: (line: string) => void = say,
  ) {
    this.#word = word;
    this.#flags = flags;
    this.#world = world;
    this.#say = say;
    this.#warn = warn;
    this.#start = intent;
    this.#given = givenSettings(intent);
    this.#intent = intent;
    this.#handler = handler;
    this.#own = ownPathsOf(intent.settings, world.workingFolder, world.environment, null);
    this.#last = Promise.resolve(true);
    this.fetch = (request, context) => this.#handler(request, context);
  }

  /**
   * Reads everything again. One after the other, however often it is asked for.
   *
   * @returns false if something is wrong and nothing has changed; never rejects
   */
  reload(): Promise<boolean> {
    this.#last = this.#last.then(() => this.#reload());
    return this.#last;
  }

  async #reload(): Promise<boolean> {
    try {
      const intent = await readIntent(this.#word, this.#flags, this.#world, true);
      const { subject, settings } = intent;
      keepConfigFile(this.#intent.settings.configFile, settings);
      const before = this.#intent.subject;
      if (subject.kind === "module" && (before.kind !== "module" || before.path !== subject.path)) {
        throw new CommandError(1, `${subject.path} is an app, which needs a restart`);
      }
      const { workingFolder, environment } = this.#world;
      // Also where something is wrong below: a key that a mistaken file names is no less a key
      this.#own = ownPathsOf(settings, workingFolder, environment, this.#own);
      // It listens where it did, and who can ask there is who could
      const files = { ...settings.files, listsFolders: listsFolders(intent, this.#start.settings.targets) };
      const { handler } = await makeHandler(subject, { ...settings, files }, intent.given, this.#world, this.#own);
      const waiting = changedSettings(this.#given, givenSettings(intent)).filter((name) => !CHANGEABLE.has(name));
      this.#handler = handler;
      this.#intent = intent;
      this.#say(`Read again${intent.settings.configFile === "" ? "" : `: ${intent.given.file?.shown ?? ""}`}.`);
      for (const note of settings.notes) this.#say(note);
      if (waiting.length > 0) this.#say(describeWaiting(waiting));
      return true;
    } catch (error) {
      this.#warn(`Nothing has changed: ${messageOf(error)}`);
      // A file that is code can fail in ways of its own: no mistake in it is worth the server that runs
      for (const line of error instanceof CommandError ? error.advice : []) this.#warn(`  ${line}`);
      return false;
    }
  }
}
