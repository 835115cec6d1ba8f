/**
 * `fairlead hash-password`: reads a password, prints what may stand in its place in the file of `--auth @FILE`.
 *
 * The password comes from the input and not from an argument, which every user of the machine could read.
 */

import { hashPassword } from "../middleware/basic-auth.ts";
import { CommandError } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";

/** What it needs of the world. */
export interface HashWorld {
  readonly isTerminal: boolean;
  readonly readLine: () => Promise<string>;
  readonly writeOutput: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * Reads one line and prints its hash.
 *
 * @throws CommandError with exit code 2 for arguments, and for an empty password
 */
export async function printHash(words: readonly string[], world: HashWorld): Promise<ExitCode> {
  if (words.length > 0) {
    throw new CommandError(2, "hash-password takes the password from its input, where nobody else can see it", [
      "As in: read -rs p; printf '%s\\n' \"$p\" | fairlead hash-password",
    ]);
  }
  if (world.isTerminal) world.writeError("Password (it shows as you type): ");
  const password = await world.readLine();
  if (password === "") throw new CommandError(2, "the password is empty");
  world.writeOutput(`${await hashPassword(password)}\n`);
  return 0;
}
