/**
 * A failure of the command as people shall read it: what happened, why, and what to do next.
 *
 * Everything that goes wrong before the server runs becomes one of these; the front door prints it without a stack.
 */

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

/** What a thrown thing says of itself. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
