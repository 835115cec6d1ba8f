/**
 * An app put together: everything that can be decided before a request comes is decided here.
 *
 *  1 flatten   apps inside of apps to one list of endpoints, each with its layers of middleware from the outside in
 *  2 compose   layers, middleware of the route, handler -> one handler per variant of a pattern
 *  3 find      per request: the endpoint, its params, its pattern for observers; then that one handler
 *  4 otherwise OPTIONS, 405, 308, 404 and 400 as a handler of its own, with all layers whose scope covers the path
 *
 * RFC 9110 §9.3.7 (OPTIONS), §15.5.6 (405 and Allow), §15.4.9 (308). It holds no state of requests.
 */

import { type Context, NO_PARAMS } from "../web/context.ts";
import { type Handler, type Middleware, problemResponse } from "../web/handler.ts";
import { exchangeOf, type Request } from "../web/request.ts";
import { responseOfLines } from "../web/response.ts";
import { catching, compose, composeLayers, type ErrorHandler, type Layer } from "./compose.ts";
import { mounted, type Mountable } from "./mount.ts";
import { pathOf, PathText } from "./path-text.ts";
import { joinPatterns, parsePattern } from "./pattern.ts";
import { type Match, MOUNT, Router } from "./router.ts";
import { Scope } from "./scope.ts";

/** What a slash at the end of a path means; see `AppOptions.trailingSlash`. */
export type TrailingSlash = "strict" | "redirect" | "ignore";

/** A route as it was registered. */
export interface RoutePlan {
  readonly methods: readonly string[];
  readonly pattern: string;
  readonly middleware: readonly Middleware[];
  readonly handler: Handler;
}

/** All that was registered with an app. Prefixes are checked; patterns are relative to them. */
export interface AppPlan {
  readonly uses: ReadonlyArray<{ readonly path: string; readonly middleware: Middleware }>;
  readonly routes: readonly RoutePlan[];
  readonly mounts: ReadonlyArray<{ readonly prefix: string; readonly handler: Mountable }>;
  readonly apps: ReadonlyArray<{ readonly prefix: string; readonly plan: AppPlan }>;
  readonly notFound: Handler | null;
  readonly onError: ErrorHandler | null;
}

/** Who answers below a path where nothing is. */
interface Missing {
  readonly scope: Scope;
  readonly handler: Handler;
}

/** See the head of the file. */
export class CompiledApp {
  readonly #router: Router = new Router();
  readonly #trailingSlash: TrailingSlash;
  /** Of all apps, each around those inside of it. */
  readonly #layers: Layer[] = [];
  readonly #missing: Missing[] = [];
  readonly #otherwise: Handler;

  constructor(plan: AppPlan, trailingSlash: TrailingSlash) {
    this.#trailingSlash = trailingSlash;
    this.#gatherMissing(plan, "");
    // The most special one first
    this.#missing.sort((a, b) => b.scope.depth - a.scope.depth);
    this.#flatten(plan, "", []);
    const coverageOf = (scope: Scope): "always" | "by-path" => (scope.isWhole ? "always" : "by-path");
    this.#otherwise = composeLayers(this.#layers, coverageOf, (request) => this.#answerOtherwise(request));
    if (this.#missing.length > 0) {
      this.#otherwise = composeLayers(this.#layers, coverageOf, (request, context) =>
        this.#isMissing(request) ? this.#answerMissing(request, context) : this.#answerOtherwise(request),
      );
    }
  }

  /** Answers a request, with what it has of `context` filled in. */
  answer(request: Request, context: Context): ReturnType<Handler> {
    const exchange = exchangeOf(request);
    let match = exchange === null ? null : this.#router.findLiteral(exchange.request.method, exchange.request.target);
    if (match !== null) {
      context.params = NO_PARAMS;
      context.route = match.pattern;
      return match.handler(request, context);
    }
    match = this.#find(request.method, pathOf(request));
    if (match === null) {
      context.params = NO_PARAMS;
      return this.#otherwise(request, context);
    }
    context.params = this.#router.params(match) ?? NO_PARAMS;
    context.route = match.pattern;
    return match.handler(request, context);
  }

  #find(method: string, path: string): Match | null {
    const match = this.#router.find(method, path);
    if (this.#trailingSlash === "strict" || this.#router.isKnown) return match;
    // A route with the slash, or without, goes before a mount that takes anything
    if (match !== null && !match.isMount) return match;
    const toggled = toggleSlash(path);
    const other = this.#router.find(method, toggled);
    const isBetter = other !== null && !other.isMount;
    if (isBetter && this.#trailingSlash === "redirect") return null;
    if (isBetter || this.#router.isKnown) return other;
    return match === null ? null : this.#router.find(method, path);
  }

  #gatherMissing(plan: AppPlan, prefix: string): void {
    if (plan.notFound !== null) this.#missing.push({ scope: new Scope(prefix), handler: plan.notFound });
    for (const app of plan.apps) this.#gatherMissing(app.plan, `${prefix}${app.prefix}`);
  }

  #flatten(plan: AppPlan, prefix: string, outer: readonly Layer[]): void {
    const own: Layer[] = [];
    const whole = new Scope(prefix);
    if (plan.onError !== null) own.push({ scope: whole, middleware: catching(plan.onError) });
    for (const { path, middleware } of plan.uses) {
      own.push({ scope: new Scope(joinPatterns(prefix, path)), middleware });
    }
    this.#layers.push(...own);
    const layers = [...outer, ...own];
    for (const route of plan.routes) this.#addRoute(joinPatterns(prefix, route.pattern), route, layers);
    for (const mount of plan.mounts) this.#addMount(`${prefix}${mount.prefix}`, mount.handler, layers);
    for (const app of plan.apps) this.#flatten(app.plan, `${prefix}${app.prefix}`, layers);
  }

  #addRoute(pattern: string, { methods, middleware, handler }: RoutePlan, layers: readonly Layer[]): void {
    const inner = compose(middleware, handler);
    for (const segments of parsePattern(pattern).variants) {
      const whole = composeLayers(layers, (scope) => scope.coverageOf(segments), inner);
      for (const method of methods) this.#router.add(method, segments, { pattern, handler: whole });
    }
  }

  #addMount(prefix: string, mountable: Mountable, layers: readonly Layer[]): void {
    const inner = mounted(prefix, mountable);
    // What lies below the root includes the root
    const patterns = prefix === "" ? ["/*"] : [prefix, `${prefix}/*`];
    for (const segments of patterns.flatMap((each) => parsePattern(each).variants)) {
      const handler = composeLayers(layers, (scope) => scope.coverageOf(segments), inner);
      this.#router.add(MOUNT, segments, { pattern: `${prefix}/*`, handler: this.#beside(prefix, handler) });
    }
  }

  /** A mount, but for what lies below an app inside of it that says itself what is answered where nothing is. */
  #beside(prefix: string, mount: Handler): Handler {
    const { depth } = new Scope(prefix);
    const inside = this.#missing.filter(({ scope }) => scope.depth > depth);
    if (inside.length === 0) return mount;
    return (request, context) => {
      if (!inside.some(({ scope }) => scope.covers(request))) return mount(request, context);
      context.params = NO_PARAMS;
      context.route = "";
      return this.#otherwise(request, context);
    };
  }

  #methodsOf(path: string): ReadonlySet<string> {
    const methods = this.#router.methodsOf(path);
    if (methods.size > 0 || this.#trailingSlash !== "ignore") return methods;
    return this.#router.methodsOf(toggleSlash(path));
  }

  #isMissing(request: Request): boolean {
    const path = pathOf(request);
    return isSound(path) && this.#methodsOf(path).size === 0 && this.#redirectFor(request, path) === null;
  }

  #answerMissing(request: Request, context: Context): ReturnType<Handler> {
    const missing = this.#missing.find(({ scope }) => scope.covers(request));
    return missing === undefined ? this.#answerOtherwise(request) : missing.handler(request, context);
  }

  #answerOtherwise(request: Request): globalThis.Response {
    const path = pathOf(request);
    if (!isSound(path))
      return problemResponse(request, 400, "the path is not valid percent-encoded UTF-8, or holds NUL");
    const methods = this.#methodsOf(path);
    if (methods.size > 0) {
      const allow = [...methods, ...(methods.has("OPTIONS") ? [] : ["OPTIONS"])].join(", ");
      if (request.method === "OPTIONS") return responseOfLines(204, ["allow", allow], null);
      return problemResponse(request, 405, `this path takes ${allow}`, ["allow", allow]);
    }
    const location = this.#redirectFor(request, path);
    // RFC 9110 §15.4.9: unlike 301 it keeps method and content
    if (location !== null) return responseOfLines(308, ["location", location], null);
    return problemResponse(request, 404, "nothing is at this path");
  }

  /** Whether a route has the path, with this method or another. */
  #knows(method: string, path: string): boolean {
    const match = this.#router.find(method, path);
    return this.#router.isKnown || (match !== null && !match.isMount);
  }

  /** Where a path belongs that has a slash too many or too few; null where it has not, or the policy is another. */
  #redirectFor(request: Request, path: string): string | null {
    if (this.#trailingSlash !== "redirect") return null;
    if (!this.#knows(request.method, toggleSlash(path))) return null;
    const { pathname, search } = new URL(request.url);
    const names = pathname.split("/");
    // Relative to the path itself (RFC 3986 §5.2): whatever that is, it cannot name another host (open redirect), and a prefix
    // that this app does not know of stays
    if (names.at(-1) === "") return `../${names.at(-2) ?? ""}${search}`;
    return `./${names.at(-1) ?? ""}/${search}`;
  }
}

const soundness: PathText = new PathText();

function isSound(path: string): boolean {
  return !path.includes("%") || soundness.read(path);
}

function toggleSlash(path: string): string {
  if (path === "/") return path;
  return path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
}
