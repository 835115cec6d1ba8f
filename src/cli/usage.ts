/**
 * Flags: what there is, how it is read, and what is said when it is none of ours.
 *
 * Reading is commander's; here stand the names, the help and the way from other tools' flags to ours.
 */

import { Command, CommanderError } from "commander";
import { CommandError } from "./command-error.ts";
import type { Flags } from "./settings.ts";

/** What was typed. */
export interface Usage {
  /** Folder, file or module; undefined if nothing was given. */
  readonly subject: string | undefined;
  readonly flags: Flags;
}

/** Flags of other tools that people try, and what they are called here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "--address": "--host",
  "--bind": "--host",
  "--hostname": "--host",
  "-a": "--host",
  "-b": "--host",
  "--listen": "--port",
  "-l": "--port",
  "-v": "--version",
  "--no-colour": "--no-color",
};

const EXAMPLES = `
Examples:
  fairlead                     serve ./public, ./dist or ./htdocs, else this folder
  fairlead ./site -p 3000      serve a folder at http://127.0.0.1:3000/
  fairlead app.ts              run a module that exports fetch(request)
  fairlead --host 0.0.0.0      let other machines in

A flag goes before the environment, the environment before the default.
Port 8080 is left for the next free one if it is taken; a port that was asked for is not.`;

/**
 * Reads arguments.
 *
 * @param args without node and the script
 * @param write for help and version
 * @returns null if help or version was asked for and is printed
 * @throws CommandError with exit code 2 that names our flags
 */
export function readUsage(args: readonly string[], version: string, write: (text: string) => void): Usage | null {
  const command = new Command("fairlead")
    .description("Serves a folder or a file, or runs a module that answers requests.")
    .usage("[folder | file | module] [flags]")
    .argument("[subject]", "a folder, a file, or a module (.js, .mjs, .ts) that exports fetch")
    .option("-p, --port <N>", "TCP port, 0 for any free one (default 8080, env PORT)")
    .option("--host <ADDR>", "address to listen on, 0.0.0.0 for all (default 127.0.0.1, env HOST)")
    .option("-q, --quiet", "say nothing but errors")
    .option("--limits", "print every limit and timeout with its default, and stop")
    .option("--no-color", "no colour, also by env NO_COLOR")
    .helpOption("-h, --help", "show this")
    .version(version, "-V, --version", "print the version")
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {} });
  command.addOption(command.createOption("--silent", "as --quiet").hideHelp());
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw explain(command, error);
  }
  return { subject: command.args[0], flags: command.opts<Flags>() };
}

function explain(command: Command, error: CommanderError): CommandError {
  const flags = command.options.filter((option) => !option.hidden).map((option) => option.flags);
  const advice = [`The flags are: ${[...flags, "-h, --help"].join("; ")}`, "fairlead --help says what they do"];
  const [said = "", hint = ""] = error.message.replace(/^error: /, "").split("\n");
  if (error.code !== "commander.unknownOption") return new CommandError(2, said, advice, { cause: error });
  const flag = /'([^'=]+)/.exec(said)?.[1] ?? "";
  const ours = ELSEWHERE[flag] ?? /--[\w-]+/.exec(hint)?.[0];
  const meant = ours === undefined ? "" : `; did you mean ${ours}?`;
  return new CommandError(2, `there is no flag ${flag}${meant}`, advice, { cause: error });
}
