/**
 * What stands before the handler, from the outside in: fields for every response, other sites' scripts, name and password.
 *
 * Fields come first so that a 401 has them too; CORS before the password, because browsers ask their preflights without one.
 * Each is loaded only where it is wanted.
 */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Handler, Middleware } from "../web/handler.ts";
import { noteUser } from "./asked-by.ts";
import { CommandError, howToOpen, joinMistakes, Mistakes, messageOf, whyNotOpened } from "./command-error.ts";
import type { Origin, Origins } from "./config-layers.ts";
import type { FlagName } from "./flags.ts";
import type { GateSettings } from "./settings.ts";

/** What scripts of other sites may read of a file besides what they always may: all that resuming and seeking needs. */
const EXPOSED = ["accept-ranges", "content-encoding", "content-range", "etag"];

/**
 * Puts the gate before a handler.
 *
 * @param origins where each setting came from
 * @param workingFolder where a relative `--auth @FILE` lies
 * @throws CommandError that tells all impossible origins, fields and users; exit code 2, or 1 for what a file says
 */
export async function putGateBefore(
  handler: Handler,
  settings: GateSettings,
  origins: Origins,
  workingFolder: string,
): Promise<Handler> {
  const mistakes = new Mistakes();
  const make = (
    name: FlagName,
    isWanted: boolean,
    maker: (shown: string) => Promise<Middleware>,
  ): Promise<Middleware | null> =>
    isWanted ? mistakes.attempt(() => attempt(origins.get(name), name, maker), null) : Promise.resolve(null);
  const auth = await make("auth", settings.auth !== "", (shown) => authOf(settings.auth, workingFolder, shown));
  const shared = await make("cors", settings.corsOrigins !== null, () => corsOf(settings));
  const fields = await make("header", settings.headers.length > 0 || settings.isIsolated, () => headersOf(settings));
  mistakes.complain();
  return [auth, shared, fields].reduce<Handler>((next, one) => (one === null ? next : before(one, next)), handler);
}

function before(middleware: Middleware, next: Handler): Handler {
  return (request, context) => middleware(request, context, next);
}

async function headersOf({ headers, isIsolated }: GateSettings): Promise<Middleware> {
  const { ISOLATION, responseHeaders } = await import("../middleware/response-headers.ts");
  return responseHeaders([...(isIsolated ? Object.entries(ISOLATION) : []), ...headers]);
}

async function corsOf({ corsOrigins, auth }: GateSettings): Promise<Middleware> {
  const { cors } = await import("../middleware/cors.ts");
  // A password is a credential; to all sites it is never let through
  const credentials = auth !== "" && corsOrigins !== "*";
  return cors({ origins: corsOrigins ?? "*", credentials, exposedHeaders: EXPOSED });
}

async function authOf(auth: string, workingFolder: string, shown: string): Promise<Middleware> {
  const { basicAuth, basicNameOf } = await import("../middleware/basic-auth.ts");
  if (auth === "@")
    throw new CommandError(2, `${shown}: @ names no file`, [`Behind @ goes the name of a file ${IN_IT}`]);
  const users = auth.startsWith("@")
    ? readUsers(resolve(workingFolder, auth.slice(1)), shown)
    : [splitUser(auth, shown)];
  const names = new Set(users.map(([name]) => name));
  const guard = basicAuth({ users: Object.fromEntries(users) });
  return (request, context, next) => {
    const name = basicNameOf(request.headers.get("authorization"));
    if (name !== null) noteUser(context.exchange, names.has(name) ? name : "");
    return guard(request, context, next);
  };
}

/** @param shown where it was given */
async function attempt<T>(origin: Origin | undefined, name: FlagName, make: (shown: string) => Promise<T>): Promise<T> {
  const shown = origin?.shown ?? `--${name}`;
  try {
    return await make(shown);
  } catch (error) {
    const exitCode = origin?.source === "file" ? 1 : 2;
    if (!(error instanceof CommandError)) {
      const said = saidBy(error).map((one) => new CommandError(exitCode, `${shown}: ${one}`, [], { cause: error }));
      throw joinMistakes(said);
    }
    throw error.exitCode === 2 && exitCode === 1
      ? new CommandError(exitCode, error.message, error.advice, { cause: error })
      : error;
  }
}

/** Of several fields or origins each is a mistake of its own. */
function saidBy(error: unknown): readonly string[] {
  const several: unknown = error instanceof TypeError ? error.cause : undefined;
  const isList = Array.isArray(several) && several.length > 0 && several.every((one) => typeof one === "string");
  return isList ? several : [messageOf(error)];
}

const IN_IT = "with one name:password per line; fairlead hash-password prints what may stand for a password";

/** A file of something else has as many mistakes as lines. */
const MOST_TOLD = 5;

type User = readonly [name: string, password: string];

/** A user per line; empty lines and those that begin with `#` do not count. */
function readUsers(path: string, shown: string): User[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const advice = howToOpen(error, [`Give the name of a file that is there, or make it, ${IN_IT}`]);
    throw new CommandError(1, `${shown}: ${path} cannot be read: ${whyNotOpened(error)}`, advice, { cause: error });
  }
  const lines = text.split(/\r?\n/).map((line, index) => ({ line, place: `line ${index + 1} of ${path}` }));
  const users = lines.filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
  const wrong = users.filter(({ line }) => readUser(line) === null).map(({ place }) => place);
  if (wrong.length > 0) throw tellUsers(wrong, path);
  return users.map(({ line }) => readUser(line)).filter((user) => user !== null);
}

/** What is to be done is the same for all. @param places of lines that are wrong */
function tellUsers(places: readonly string[], path: string): CommandError {
  const advice = ["Give both with a colon between them, as in ada:secret"];
  if (places.length > MOST_TOLD) {
    const first = `The first is ${places[0]}; is it a file of users?`;
    return new CommandError(2, `${places.length} lines of ${path} are no name and password`, [first, ...advice]);
  }
  return joinMistakes(
    places.map((one, index) => {
      const isLast = index === places.length - 1;
      return new CommandError(2, `${one} is no name and password`, isLast ? advice : []);
    }),
    "users",
  );
}

/** A text that was given in place of a file. What is said of a mistake must not hold the password. */
function splitUser(text: string, place: string): User {
  const user = readUser(text);
  if (user !== null) return user;
  throw new CommandError(2, `${place} is no name and password`, [
    "Give both with a colon between them, as in --auth ada:secret; or @FILE with one such line per user",
  ]);
}

/** At the first colon (RFC 7617 §2); null for what is none. */
function readUser(text: string): User | null {
  const colon = text.indexOf(":");
  return colon < 1 || colon === text.length - 1 ? null : [text.slice(0, colon), text.slice(colon + 1)];
}
