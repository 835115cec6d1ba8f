/**
 * A failure of the command as people shall read it: what happened, why, and what to do next.
 *
 * Everything that goes wrong before the server runs becomes one of these; the front door prints it without a stack.
 */

import { relative } from "node:path";
import { inspect } from "node:util";

/** 0 a clean stop, 1 failed, 2 wrong usage, 22 an answer with an error status (as curl's). */
export type ExitCode = 0 | 1 | 2 | 22;

/** What the command says instead of starting. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly exitCode: ExitCode;
  /** What to do next, a line each; may be empty. */
  readonly advice: readonly string[];

  /** @param message what happened and why, in lower case and without a period */
  constructor(exitCode: ExitCode, message: string, advice: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.advice = advice;
  }
}

/** What a thrown thing says of itself; anything can be thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : inspect(error, { depth: 1 });
}

/** Why a file cannot be had, as people say it. Of what is rare the system's own words, which name its call and the path again. */
export function whyNotOpened(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  switch (code) {
    case "ENOENT":
      return "it does not exist";
    case "ENOTDIR":
      return "part of its path is no folder";
    case "EISDIR":
      return "it is a folder";
    case "ELOOP":
      return "its links lead in a circle";
    case "ENXIO":
      return "nobody reads it, or it is a socket (ENXIO)";
    case "EACCES":
    case "EPERM":
      return `the user that runs this may not (${code})`;
    default:
      return messageOf(error);
  }
}

/**
 * What to do about it.
 *
 * @param ifMissing what to do where there is none
 */
export function howToOpen(error: unknown, ifMissing: readonly string[]): readonly string[] {
  const code = error instanceof Error && "code" in error ? error.code : "";
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return ifMissing;
    case "EISDIR":
      return ["Give the name of a file"];
    case "EACCES":
    case "EPERM":
      return ["Let the user that runs this read it, as with chmod; ls -l shows who may"];
    default:
      return [];
  }
}

/** A path as it is shown: from the working folder, and absolute where that is gone or does not hold it. */
export function pathFromHere(workingFolder: string, path: string): string {
  if (workingFolder === "") return path;
  const fromHere = relative(workingFolder, path);
  return fromHere.startsWith("..") ? path : fromHere;
}

/** What is said where a path is relative to a working folder that is gone; null for other errors. */
export function explainGoneFolder(error: unknown): CommandError | null {
  // As path.resolve() throws it
  if (!(error instanceof Error) || Reflect.get(error, "syscall") !== "uv_cwd") return null;
  const advice = ["Change into one that is there, or give absolute paths"];
  return new CommandError(1, "the folder that this was started in has been removed", advice, { cause: error });
}

/** Gathers what is wrong, so that one mistake does not hide the next. */
export class Mistakes {
  readonly all: CommandError[] = [];

  /** Of several in one each counts; what has been told already is not told again. */
  add(error: CommandError): void {
    const several: unknown = error.cause;
    const each = isMistakes(several) ? several : [error];
    for (const one of each) if (!this.all.some(({ message }) => message === one.message)) this.all.push(one);
  }

  /** As the {@link CommandError} would. */
  tell(exitCode: ExitCode, message: string, advice: readonly string[] = []): void {
    this.add(new CommandError(exitCode, message, advice));
  }

  /** @param instead for the rest to go on with */
  async attempt<T>(run: () => T | Promise<T>, instead: T): Promise<T> {
    try {
      return await run();
    } catch (error) {
      return this.#take(error, instead);
    }
  }

  /** The same of what is not waited for. */
  attemptNow<T>(run: () => T, instead: T): T {
    try {
      return run();
    } catch (error) {
      return this.#take(error, instead);
    }
  }

  /** @throws CommandError if there is any */
  complain(what = "settings"): void {
    if (this.all.length > 0) throw joinMistakes(this.all, what);
  }

  #take<T>(error: unknown, instead: T): T {
    if (!(error instanceof CommandError)) throw error;
    this.add(error);
    return instead;
  }
}

function isMistakes(cause: unknown): cause is CommandError[] {
  return Array.isArray(cause) && cause.length > 0 && cause.every((one) => one instanceof CommandError);
}

/** Several mistakes as one error, whose `cause` are they. One stays what it is. */
export function joinMistakes(mistakes: readonly CommandError[], what = "settings"): CommandError {
  const [first] = mistakes;
  if (first !== undefined && mistakes.length === 1) return first;
  const lines = mistakes.flatMap(({ message, advice }) => [message, ...advice.map((line) => `  ${line}`)]);
  const exitCode = mistakes.some((one) => one.exitCode === 2) ? 2 : 1;
  return new CommandError(exitCode, `${mistakes.length} ${what} are wrong`, lines, { cause: mistakes });
}
