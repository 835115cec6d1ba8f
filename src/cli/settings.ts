/**
 * Flags and environment -> settings, by one rule: flag over environment over default.
 *
 * It must never read `process` itself, so that the rule can be tested as a table.
 */

import { CommandError } from "./command-error.ts";

/** Flags as they were typed. */
export interface Flags {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly quiet?: boolean | undefined;
  /** Also under the name that other tools give it. */
  readonly silent?: boolean | undefined;
  readonly limits?: boolean | undefined;
  /** False with `--no-color`. */
  readonly color?: boolean | undefined;
}

/** Names and values of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What holds. */
export interface Settings {
  /** 0 to 65535; 0: any free one. */
  readonly port: number;
  /** Somebody asked for this port, so that another one will not do. */
  readonly isPortFixed: boolean;
  readonly hostname: string;
  readonly isQuiet: boolean;
}

const DEFAULT_PORT = 8080;
const DEFAULT_HOSTNAME = "127.0.0.1";

/**
 * Applies the rule.
 *
 * @throws CommandError with exit code 2 that names the flag or variable with an impossible value
 */
export function readSettings(flags: Flags, environment: Environment): Settings {
  const port = flags.port ?? valueOf(environment, "PORT");
  const origin = flags.port === undefined ? "the environment's PORT" : "--port";
  const hostname = flags.host ?? valueOf(environment, "HOST") ?? DEFAULT_HOSTNAME;
  if (hostname === "") {
    throw new CommandError(2, "--host is empty", ["Give an address, as in --host 127.0.0.1 or --host 0.0.0.0 for all"]);
  }
  return {
    port: port === undefined ? DEFAULT_PORT : parsePort(port, origin),
    isPortFixed: port !== undefined,
    hostname,
    isQuiet: flags.quiet === true || flags.silent === true,
  };
}

/** A variable that is set to nothing counts as not set, as in most scripts. */
function valueOf(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === "" ? undefined : value;
}

function parsePort(text: string, origin: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new CommandError(2, `${origin} is ${JSON.stringify(text)}, which is no port`, [
      "Give a number from 1 to 65535, or 0 for any free one",
    ]);
  }
  return port;
}

/**
 * Whether to write in colour: on a terminal that can, unless somebody does not want it (no-color.org).
 */
export function wantsColour(flags: Flags, environment: Environment, isTerminal: boolean): boolean {
  if (flags.color === false || !isTerminal) return false;
  return valueOf(environment, "NO_COLOR") === undefined && environment["TERM"] !== "dumb";
}
