/**
 * App: what people register routes, middleware and other apps with, and a `fetch` that answers.
 *
 * It keeps what was said, checks it where it is said, and puts it together at the first request, and anew after a change
 * (compiled-app.ts). `fetch` is a property of the app itself and needs no `this`, so that `serve({ ...app, port })` works.
 * It must never look at a request.
 */

import { isToken } from "../http/fields.ts";
import { checkOptions, oneOf, type OptionRules } from "../server/option-rules.ts";
import { Context } from "../web/context.ts";
import type { Handler, Middleware } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { type AppPlan, CompiledApp, type RoutePlan, type TrailingSlash } from "./compiled-app.ts";
import type { ErrorHandler } from "./compose.ts";
import { answerWithoutServer } from "./detached.ts";
import { checkMount, type Mountable } from "./mount.ts";
import type { PathParams } from "./path-params.ts";
import { checkPrefix, joinPatterns, parsePattern, shapeOf } from "./pattern.ts";
import { ANY_METHOD, MOUNT } from "./router.ts";
import { Scope } from "./scope.ts";

/** How an app takes paths. */
export interface AppOptions {
  /**
   * What to make of a path that has a slash at its end which its route has not, or the other way round. `"strict"`, the default:
   * it is another path (Hono, Fastify, h3's router). `"redirect"`: 308 to the route's. `"ignore"`: it is the same (Express);
   * then one resource has two URLs. Of apps inside of others that of the outermost counts. Mounts take both.
   */
  readonly trailingSlash?: TrailingSlash | undefined;
}

/** A handler with params known from the text of its pattern. */
export type RouteHandler<Pattern extends string> = Handler<PathParams<Pattern>>;

/** An app as a handler; also of requests that no server has brought, in tests and in other frameworks. */
export interface AppFetch {
  (request: Request, context: Context): ReturnType<Handler>;
  (request: globalThis.Request): Promise<globalThis.Response>;
}

/** Registers a handler for a pattern, behind middleware of its own. */
export interface RouteMethod<Base extends string, Self> {
  <P extends string>(pattern: P, handler: RouteHandler<`${Base}${P}`>): Self;
  <P extends string>(pattern: P, first: Middleware, handler: RouteHandler<`${Base}${P}`>): Self;
  <P extends string>(pattern: P, first: Middleware, second: Middleware, handler: RouteHandler<`${Base}${P}`>): Self;
  <P extends string>(pattern: P, ...handlers: [...Middleware[], RouteHandler<`${Base}${P}`>]): Self;
}

/** {@link RouteMethod} for methods that are named. */
export interface RouteOn<Base extends string, Self> {
  <P extends string>(methods: string | readonly string[], pattern: P, handler: RouteHandler<`${Base}${P}`>): Self;
  <P extends string>(
    methods: string | readonly string[],
    pattern: P,
    first: Middleware,
    handler: RouteHandler<`${Base}${P}`>,
  ): Self;
  <P extends string>(
    methods: string | readonly string[],
    pattern: P,
    ...handlers: [...Middleware[], RouteHandler<`${Base}${P}`>]
  ): Self;
}

const RULES: OptionRules<AppOptions> = { trailingSlash: oneOf("strict", "redirect", "ignore") };

/** What a route takes for itself: no other may have the same method and match the same paths. */
interface Claim {
  readonly method: string;
  readonly pattern: string;
}

/** An app inside of another. */
interface Placed {
  readonly prefix: string;
  readonly app: App<string>;
}

/**
 * Routes, middleware and apps as one handler. `Base` is the prefix that the app is registered under, if its handlers are to
 * know that prefix's params. Every method that registers gives back the app, and throws TypeError for what is wrong.
 */
export class App<Base extends string = ""> {
  /** Answers a request: to be given to `serve()`, or to any other that calls it with a request. */
  readonly fetch: AppFetch;
  declare readonly get: RouteMethod<Base, this>;
  declare readonly head: RouteMethod<Base, this>;
  declare readonly post: RouteMethod<Base, this>;
  declare readonly put: RouteMethod<Base, this>;
  declare readonly patch: RouteMethod<Base, this>;
  declare readonly delete: RouteMethod<Base, this>;
  declare readonly options: RouteMethod<Base, this>;
  /** For every method that the path has no route of its own for. */
  declare readonly all: RouteMethod<Base, this>;
  /** For methods by name, upper case: `app.on(["GET", "POST"], "/form", …)`. */
  declare readonly on: RouteOn<Base, this>;
  readonly #trailingSlash: TrailingSlash;
  readonly #uses: { readonly path: string; readonly middleware: Middleware }[] = [];
  readonly #routes: RoutePlan[] = [];
  readonly #mounts: { readonly prefix: string; readonly handler: Mountable }[] = [];
  readonly #apps: Placed[] = [];
  /** The apps that this one is in. */
  readonly #places: Placed[] = [];
  readonly #claims: Map<string, Claim> = new Map();
  #notFound: Handler | null = null;
  #onError: ErrorHandler | null = null;
  #compiled: CompiledApp | null = null;

  static {
    const prototype = this.prototype as App<string>;
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      define(prototype, method.toLowerCase(), (app, [pattern, ...handlers]) =>
        app.#register([method], pattern, handlers),
      );
    }
    define(prototype, "all", (app, [pattern, ...handlers]) => app.#register([ANY_METHOD], pattern, handlers));
    define(prototype, "on", (app, [methods, pattern, ...handlers]) =>
      app.#register(checkMethods(methods), pattern, handlers),
    );
  }

  /** @throws TypeError for an option that there is not, or a value that it cannot have */
  constructor(options: AppOptions = {}) {
    checkOptions("App", options, RULES);
    this.#trailingSlash = options.trailingSlash ?? "strict";
    const answer = (request: globalThis.Request, context?: Context): ReturnType<Handler> => {
      const compiled = this.#compiled ?? this.#compile();
      if (context instanceof Context) return compiled.answer(request as Request, context);
      return answerWithoutServer(compiled, request as Request);
    };
    this.fetch = answer as AppFetch;
  }

  /**
   * Puts middleware around all of a scope: routes, mounts and apps, registered before or after, and the answers where there is
   * none (404, 405, OPTIONS). First registered is outermost; that of an app inside comes after all of the app around.
   *
   * @param path scope: `/admin`, `/admin/` and `/admin/*` all mean that path and everything below it; default everything
   */
  use(...middleware: readonly Middleware[]): this;
  use(path: string, ...middleware: readonly Middleware[]): this;
  use(first: string | Middleware, ...others: readonly Middleware[]): this {
    const path = typeof first === "string" ? first : "/";
    const middleware = typeof first === "string" ? others : [first, ...others];
    if (middleware.length === 0) throw new TypeError("use() takes middleware");
    // Throws here for what is no scope
    const scope = new Scope(path);
    for (const each of middleware) checkFunction(each, "middleware");
    const place = scope.isWhole ? "/" : path;
    this.#uses.push(...middleware.map((each) => ({ path: place, middleware: each })));
    return this.#change();
  }

  /**
   * Puts the routes of another app under a prefix. They see whole paths, and `context.route` has the prefix; what the other app
   * is told later counts too. Its middleware, `notFound` and `onError` are for what is below the prefix; with a `notFound` all of
   * that is its own, and a mount around it is not asked.
   */
  route<Inner extends string>(prefix: string, app: App<Inner>): this {
    if (!(app instanceof App)) throw new TypeError("route() takes an App; mount() takes other handlers");
    const place = checkPrefix(prefix);
    if ((app as unknown) === this || app.#contains(this)) throw new TypeError("an app cannot be inside of itself");
    const claims = [...app.#claims.values()];
    for (const claim of claims) this.#checkClaim(prefixed(place, claim));
    for (const claim of claims) this.#addClaim(prefixed(place, claim));
    this.#apps.push({ prefix: place, app });
    app.#places.push({ prefix: place, app: this });
    return this.#change();
  }

  /** Registers routes under a prefix, whose params their handlers know: `app.group("/users/:id", (user) => user.get("/", …))`. */
  group<Prefix extends string>(prefix: Prefix, register: (group: App<`${Base}${Prefix}`>) => unknown): this {
    const group = new App<`${Base}${Prefix}`>();
    this.route(prefix, group);
    register(group);
    return this;
  }

  /**
   * Gives all below a prefix, and the prefix itself, to a handler that sees the rest of the path only: an app of another
   * framework, `serveStatic()`. One that was made for the same prefix, such as `serveStatic(root, { prefix })`, sees the whole
   * path. Where a route has the path, a mount is not asked: other methods are answered 405.
   */
  mount(prefix: string, handler: Mountable): this {
    const place = checkPrefix(prefix);
    checkMount(place, handler);
    const claim = { method: MOUNT, pattern: place === "" ? "/*" : `${place}/*` };
    this.#checkClaim(claim);
    this.#addClaim(claim);
    this.#mounts.push({ prefix: place, handler });
    return this.#change();
  }

  /**
   * Answers where there is nothing, in place of a plain 404; in an app inside of another only below its prefix, and there
   * before any mount around it.
   */
  notFound(handler: Handler): this {
    checkFunction(handler, "the handler");
    this.#notFound = handler;
    return this.#change();
  }

  /** Answers errors that handlers and middleware throw; see {@link ErrorHandler}. */
  onError(handler: ErrorHandler): this {
    checkFunction(handler, "the handler");
    this.#onError = handler;
    return this.#change();
  }

  #register(methods: readonly string[], pattern: unknown, handlers: readonly unknown[]): this {
    if (typeof pattern !== "string") throw new TypeError(`a pattern is text, not ${typeof pattern}`);
    if (handlers.length === 0) throw new TypeError(`${JSON.stringify(pattern)} has no handler`);
    for (const each of handlers) checkFunction(each, "a handler");
    const claims = methods.map((method) => ({ method, pattern: parsePattern(pattern === "" ? "/" : pattern).text }));
    for (const claim of claims) this.#checkClaim(claim);
    for (const claim of claims) this.#addClaim(claim);
    const middleware = handlers.slice(0, -1) as Middleware[];
    this.#routes.push({ methods, pattern, middleware, handler: handlers.at(-1) as Handler });
    return this.#change();
  }

  /** Something was registered: this app and those around it are put together anew. */
  #change(): this {
    this.#compiled = null;
    for (const { app } of this.#places) app.#change();
    return this;
  }

  #compile(): CompiledApp {
    this.#compiled = new CompiledApp(this.#plan(), this.#trailingSlash);
    return this.#compiled;
  }

  #plan(): AppPlan {
    return {
      uses: this.#uses,
      routes: this.#routes,
      mounts: this.#mounts,
      apps: this.#apps.map(({ prefix, app }) => ({ prefix, plan: app.#plan() })),
      notFound: this.#notFound,
      onError: this.#onError,
    };
  }

  #contains(app: App<string>): boolean {
    return this.#apps.some((placed) => placed.app === app || placed.app.#contains(app));
  }

  /** @throws TypeError if this app, or one that it is in, has a route that cannot be told from the claim's */
  #checkClaim(claim: Claim): void {
    for (const key of this.#keysOf(claim)) {
      const other = this.#claims.get(key);
      if (other === undefined) continue;
      const what =
        claim.method === MOUNT
          ? "a mount"
          : `a route for ${claim.method === ANY_METHOD ? "all methods" : claim.method}`;
      const same =
        other.pattern === claim.pattern ? "" : `: it matches the same paths as ${JSON.stringify(other.pattern)}`;
      throw new TypeError(`there is ${what} at ${JSON.stringify(claim.pattern)} already${same}`);
    }
    for (const { prefix, app } of this.#places) app.#checkClaim(prefixed(prefix, claim));
  }

  #addClaim(claim: Claim): void {
    for (const key of this.#keysOf(claim)) this.#claims.set(key, claim);
    for (const { prefix, app } of this.#places) app.#addClaim(prefixed(prefix, claim));
  }

  #keysOf({ method, pattern }: Claim): string[] {
    return parsePattern(pattern).variants.map((segments) => {
      const last = segments.at(-1);
      const isSame =
        this.#trailingSlash !== "strict" && segments.length > 1 && last?.kind === "static" && last.text === "";
      return `${method} ${shapeOf(isSame ? segments.slice(0, -1) : segments)}`;
    });
  }
}

function define(
  prototype: App<string>,
  name: string,
  register: (app: App<string>, args: readonly unknown[]) => App<string>,
): void {
  const value = {
    [name](this: App<string>, ...args: unknown[]): App<string> {
      return register(this, args);
    },
  }[name];
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
}

function prefixed(prefix: string, { method, pattern }: Claim): Claim {
  return { method, pattern: joinPatterns(prefix, pattern) };
}

function checkFunction(value: unknown, what: string): void {
  if (typeof value !== "function")
    throw new TypeError(`${what} is a function, not ${value === null ? "null" : typeof value}`);
}

function checkMethods(methods: unknown): string[] {
  const names: unknown[] = Array.isArray(methods) ? (methods as unknown[]) : [methods];
  if (names.length === 0) throw new TypeError("on() takes one method or more");
  for (const name of names) {
    if (typeof name !== "string" || !isToken(name) || name === ANY_METHOD) {
      throw new TypeError(`${JSON.stringify(name)} is no method; all() is for every one`);
    }
    // RFC 9110 §9.1: methods are case-sensitive
    if (name !== name.toUpperCase()) throw new TypeError(`methods are written in upper case: ${name.toUpperCase()}`);
  }
  return [...new Set(names as string[])];
}
