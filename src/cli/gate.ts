/**
 * What stands before the handler, from the outside in: fields for every response, other sites' scripts, name and password.
 *
 * Fields come first so that a 401 has them too; CORS before the password, because browsers ask their preflights without one.
 * Each is loaded only where it is wanted.
 */

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Handler, Middleware } from "../web/handler.ts";
import { CommandError, messageOf } from "./command-error.ts";
import type { GateSettings } from "./settings.ts";

/** What scripts of other sites may read of a file besides what they always may: all that resuming and seeking needs. */
const EXPOSED = ["accept-ranges", "content-encoding", "content-range", "etag"];

/**
 * Puts the gate before a handler.
 *
 * @param workingFolder where a relative `--auth @FILE` lies
 * @throws CommandError with exit code 2 for an impossible origin, field or user, 1 for a file that cannot be read
 */
export async function putGateBefore(handler: Handler, settings: GateSettings, workingFolder: string): Promise<Handler> {
  const inside = settings.auth === "" ? handler : before(await authOf(settings.auth, workingFolder), handler);
  const shared = settings.corsOrigins === null ? inside : before(await corsOf(settings), inside);
  if (settings.headers.length === 0 && !settings.isIsolated) return shared;
  return before(await headersOf(settings), shared);
}

function before(middleware: Middleware, next: Handler): Handler {
  return (request, context) => middleware(request, context, next);
}

async function headersOf({ headers, isIsolated }: GateSettings): Promise<Middleware> {
  const { ISOLATION, responseHeaders } = await import("../middleware/response-headers.ts");
  return attempt("--header", () => responseHeaders([...(isIsolated ? Object.entries(ISOLATION) : []), ...headers]));
}

async function corsOf({ corsOrigins, auth }: GateSettings): Promise<Middleware> {
  const { cors } = await import("../middleware/cors.ts");
  // A password is a credential; to all sites it is never let through
  const credentials = auth !== "" && corsOrigins !== "*";
  return attempt("--cors", () => cors({ origins: corsOrigins ?? "*", credentials, exposedHeaders: EXPOSED }));
}

async function authOf(auth: string, workingFolder: string): Promise<Middleware> {
  const { basicAuth } = await import("../middleware/basic-auth.ts");
  const users = auth.startsWith("@")
    ? await readUsers(resolve(workingFolder, auth.slice(1)))
    : [splitUser(auth, "--auth")];
  return attempt("--auth", () => basicAuth({ users: Object.fromEntries(users) }));
}

function attempt<T>(flag: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new CommandError(2, `${flag}: ${messageOf(error)}`, [], { cause: error });
  }
}

type User = readonly [name: string, password: string];

/** A user per line; empty lines and those that begin with `#` do not count. */
async function readUsers(path: string): Promise<User[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new CommandError(1, `--auth: ${path} cannot be read: ${messageOf(error)}`, [], { cause: error });
  }
  const lines = text.split(/\r?\n/).map((line, index) => ({ line, place: `line ${index + 1} of ${path}` }));
  const users = lines.filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
  return users.map(({ line, place }) => splitUser(line, place));
}

/** At the first colon (RFC 7617 §2). What is said of a mistake must not hold the password. */
function splitUser(text: string, place: string): User {
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1) {
    throw new CommandError(2, `${place} is no name and password`, [
      "Give both with a colon between them, as in --auth ada:secret; or @FILE with one such line per user",
    ]);
  }
  return [text.slice(0, colon), text.slice(colon + 1)];
}
