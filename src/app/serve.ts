/**
 * serve() with a table of routes: paths to handlers, to handlers by method, or to responses that never change.
 *
 * The table becomes an app, so that patterns, precedence, 404 and 405 are the same. Without `routes` this is the server's own
 * serve() and nothing besides. All mistakes, of the table and of the other options, are told at once before anything listens.
 */

import { ServerError } from "../http/errors.ts";
import { resolveOptions, type ServeOptions } from "../server/options.ts";
import { serve as serveHandler, type Server } from "../server/server.ts";
import type { Handler } from "../web/handler.ts";
import { isFastResponse } from "../web/response.ts";
import { App, type RouteHandler } from "./app.ts";
import { constantHandler, constantResponse, NoConstant } from "./constant-response.ts";

/** What answers one pattern: a handler, handlers by method, or a response that every request gets. */
export type RouteEntry<Pattern extends string> =
  | RouteHandler<Pattern>
  | globalThis.Response
  | { readonly [method: Uppercase<string>]: RouteHandler<Pattern> | globalThis.Response };

/** Patterns and what answers them. */
export type RouteTable<Table> = { readonly [Pattern in keyof Table]: RouteEntry<Pattern & string> };

/** Options of serve() with a table: `fetch` answers where no route has the path, default 404. */
export type TableOptions<Table> = Omit<ServeOptions, "fetch"> & {
  readonly routes: RouteTable<Table>;
  readonly fetch?: Handler | undefined;
};

/**
 * Starts a server.
 *
 * @param options as {@link ServeOptions}; with `routes` no `fetch` is needed. A Response in the table is read here, once, and
 *   must be all there; its content is then sent for every request that asks for it
 * @returns when it listens
 * @throws ServerError ERR_OPTIONS with all mistakes at once, and what the server's own serve() throws
 */
export function serve(options: ServeOptions): Promise<Server>;
export function serve<Table>(options: TableOptions<Table>): Promise<Server>;
export function serve(options: ServeOptions | TableOptions<unknown>): Promise<Server> {
  const routes: unknown = typeof options === "object" && options !== null ? Reflect.get(options, "routes") : undefined;
  return routes === undefined ? serveHandler(options as ServeOptions) : serveTable(routes, options as ServeOptions);
}

async function serveTable(routes: unknown, options: ServeOptions): Promise<Server> {
  const mistakes: string[] = [];
  const app = new App();
  if (typeof routes !== "object" || routes === null || Array.isArray(routes)) {
    mistakes.push("routes: an object is allowed, of patterns and what answers them");
  } else {
    for (const [pattern, entry] of Object.entries(routes)) {
      await addEntry(app, pattern, entry, (text) => mistakes.push(`routes[${JSON.stringify(pattern)}]: ${text}`));
    }
  }
  // As a method of the options, like without a table
  const fallback = options.fetch as Handler | undefined;
  if (typeof fallback === "function") app.mount("/", (request, context) => options.fetch(request, context));
  const whole: ServeOptions = { ...options, fetch: fallback === undefined ? app.fetch : fallback };
  if (mistakes.length > 0) throw wholeMistake(mistakes, whole);
  return serveHandler(typeof fallback === "function" ? { ...whole, fetch: app.fetch } : whole);
}

async function addEntry(app: App, pattern: string, entry: unknown, tell: (mistake: string) => void): Promise<void> {
  if (typeof entry !== "object" || entry === null || isResponse(entry)) {
    return add(entry, (handler) => app.all(pattern, handler), tell);
  }
  const methods = Object.entries(entry);
  if (methods.length === 0) tell("it has no method");
  for (const [method, value] of methods) {
    await add(
      value,
      (handler) => app.on(method, pattern, handler),
      (text) => tell(`${method}: ${text}`),
    );
  }
}

async function add(
  value: unknown,
  register: (handler: Handler) => unknown,
  tell: (mistake: string) => void,
): Promise<void> {
  try {
    if (isResponse(value)) {
      register(constantHandler(await constantResponse(value)));
    } else if (typeof value === "function") register(value as Handler);
    else tell("a function, a Response, or an object of them by method is allowed");
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof NoConstant)) throw error;
    tell(error.message);
  }
}

/** Ours or the platform's. Nothing plain is asked for the platform's class: that loads all of its fetch, 1.3 MB of heap. */
function isResponse(value: unknown): value is globalThis.Response {
  if (typeof value !== "object" || value === null) return false;
  if (isFastResponse(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && prototype !== Object.prototype && value instanceof globalThis.Response;
}

/** One error for the table and all other options. */
function wholeMistake(mistakes: readonly string[], options: ServeOptions): ServerError {
  const own = `${mistakes.length === 1 ? "a route is" : `${mistakes.length} routes are`} wrong:\n  ${mistakes.join("\n  ")}`;
  try {
    resolveOptions(options);
  } catch (error) {
    if (error instanceof ServerError)
      return new ServerError("ERR_OPTIONS", `${own}\n${error.message}`, { cause: error });
  }
  return new ServerError("ERR_OPTIONS", own, { cause: mistakes });
}
