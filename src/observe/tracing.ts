/**
 * A span per request for OpenTelemetry, with the stable semantic conventions of HTTP servers (1.23 and later).
 *
 * Steps: the middleware begins the span where the request says it belongs, and runs the handler inside of it -> the answer ->
 * the hooks end it, with what is known then. Without `@opentelemetry/api` there are no hooks and the handler is called as if
 * nothing stood before it; with it, and without an SDK, spans record nothing and cost little. It must never change an answer.
 */

import { createRequire } from "node:module";
import type * as OpenTelemetry from "@opentelemetry/api";
import type { Exchange } from "../http/exchange.ts";
import { isOriginForm, parseTarget, splitTarget } from "../http/target.ts";
import type { Hooks, ResponseInfo } from "../server/hooks.ts";
import type { Context } from "../web/context.ts";
import { type Handler, type Middleware, statusToError } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { AN_OBJECT, A_FUNCTION, checkOptions, listOf, type OptionRules } from "../server/option-rules.ts";
import { Redactor, SECRET_PARAMETERS } from "./redact.ts";
import { readTraceContext, renderTraceParent } from "./trace-context.ts";

/** What is traced, and how. */
export interface TracingOptions {
  /** `@opentelemetry/api`. Default: the one that is installed, or no tracing. */
  readonly api?: typeof OpenTelemetry | undefined;
  /** Whether a request shall have no span, e.g. a probe. Default: all have one. */
  readonly skip?: ((exchange: Exchange) => boolean) | undefined;
  /**
   * Where requests say which span they belong to: `w3c` reads `traceparent` and `tracestate`, `global` asks the propagator that
   * the SDK has set (B3, Jaeger, baggage), `none` begins all traces here, for servers whose clients nobody trusts. Default `w3c`.
   */
  readonly parent?: "w3c" | "global" | "none" | undefined;
  /** Query parameters whose values are left out of `url.query`, or true for all. Default names of secrets. */
  readonly redactQuery?: readonly string[] | true | undefined;
  /** Attributes besides, when the span begins. Default none. */
  readonly attributes?: ((exchange: Exchange) => OpenTelemetry.Attributes) | undefined;
}

/** Both halves of tracing. Made by {@link tracing}. */
export interface Tracing {
  /** Around the outermost handler: `app.use(…)`, or {@link wrap}. */
  readonly middleware: Middleware;
  /** For `serve({ hooks })`: spans then end with the response, and not with the handler. */
  readonly hooks: Hooks;
  /** False without `@opentelemetry/api`. */
  readonly isActive: boolean;
  /** A handler with a span around each of its requests; without the interface, the handler itself. */
  wrap(handler: Handler): Handler;
}

const PARENTS: readonly unknown[] = ["w3c", "global", "none"];
const NAMES = listOf("names", (name) => name !== "");

const TRACING_RULES: OptionRules<TracingOptions> = {
  api: AN_OBJECT,
  skip: A_FUNCTION,
  parent: { allowed: '"w3c", "global" or "none"', isAllowed: (value) => PARENTS.includes(value) },
  redactQuery: {
    allowed: "an array of names, or true",
    isAllowed: (value) => value === true || NAMES.isAllowed(value),
  },
  attributes: A_FUNCTION,
};

/**
 * Makes the middleware and the hooks.
 *
 * @throws TypeError that names every mistake in the options
 */
export function tracing(options: TracingOptions = {}): Tracing {
  checkOptions("tracing", options, TRACING_RULES);
  const api = options.api ?? findApi();
  if (api !== null) return new ActiveTracing(api, options);
  return {
    middleware: (request, context, next) => next(request, context),
    hooks: {},
    isActive: false,
    wrap: (handler) => handler,
  };
}

/** Loaded when it is wanted, and nothing if it is not installed. What it keeps is global, however it was loaded. */
function findApi(): typeof OpenTelemetry | null {
  try {
    return createRequire(import.meta.url)("@opentelemetry/api") as typeof OpenTelemetry;
  } catch {
    return null;
  }
}

/** Registered methods; others would be as many span names as a client likes (semantic conventions, `http.request.method`). */
const METHODS: ReadonlySet<string> = new Set("GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE QUERY".split(" "));

class ActiveTracing implements Tracing {
  readonly middleware: Middleware;
  readonly hooks: Hooks;
  readonly isActive = true;
  readonly #api: typeof OpenTelemetry;
  readonly #tracer: OpenTelemetry.Tracer;
  readonly #options: TracingOptions;
  readonly #redactor: Redactor;
  /** By the name that their exchange has for them: below a prefix an exchange is another object. */
  readonly #spans: Map<string, OpenTelemetry.Span> = new Map();
  /** Whether a server tells when responses end. */
  #isHooked = false;

  constructor(api: typeof OpenTelemetry, options: TracingOptions) {
    this.#api = api;
    this.#options = options;
    this.#tracer = api.trace.getTracer("fairlead");
    this.#redactor = new Redactor(options.redactQuery ?? SECRET_PARAMETERS, []);
    this.middleware = (request, context, next) => this.#run(request, context, next);
    this.hooks = {
      onRequest: () => {
        this.#isHooked = true;
      },
      onResponse: (info) => this.#end(info),
    };
  }

  wrap(handler: Handler): Handler {
    return (request, context) => this.#run(request, context, handler);
  }

  #run(request: Request, context: Context, next: Handler): ReturnType<Handler> {
    const { exchange } = context;
    // One span per request, however often this stands in the way of it
    if (exchange.traceParent !== "" || this.#options.skip?.(exchange) === true) return next(request, context);
    const { trace, context: contexts, SpanKind } = this.#api;
    const parent = this.#parentOf(exchange);
    const attributes = this.#attributesOf(exchange);
    const span = this.#tracer.startSpan(methodOf(exchange), { kind: SpanKind.SERVER, attributes }, parent);
    const { traceId, spanId, traceFlags } = span.spanContext();
    const inside = trace.setSpan(parent, span);
    const name = renderTraceParent(traceId, spanId, traceFlags);
    if (this.#api.isSpanContextValid(span.spanContext())) {
      exchange.traceParent = name;
      this.#spans.set(name, span);
    }
    try {
      const result = contexts.with(inside, next, undefined, request, context);
      if (!(result instanceof Promise)) return this.#answered(name, exchange, result);
      return result.then(
        (response) => this.#answered(name, exchange, response),
        (error: unknown) => this.#failed(name, exchange, error),
      );
    } catch (error) {
      return this.#failed(name, exchange, error);
    }
  }

  /** Without a server's hooks nobody tells of the end but the handler. */
  #answered(
    name: string,
    exchange: Exchange,
    response: globalThis.Response | undefined,
  ): globalThis.Response | undefined {
    if (!this.#isHooked) this.#finish(name, exchange, exchange.route, response?.status ?? exchange.status, "");
    return response;
  }

  #failed(name: string, exchange: Exchange, error: unknown): never {
    // An HttpError is an answer; the status of anybody else's, an HTTP client's for example, says nothing of ours
    const status = statusToError(error);
    if (status >= 500) this.#spans.get(name)?.recordException(toException(error));
    if (!this.#isHooked) this.#finish(name, exchange, exchange.route, status, status >= 500 ? typeOf(error) : "");
    throw error;
  }

  #parentOf(exchange: Exchange): OpenTelemetry.Context {
    const { ROOT_CONTEXT, trace, propagation, createTraceState, context } = this.#api;
    const { fields } = exchange.request;
    if (this.#options.parent === "none") return ROOT_CONTEXT;
    if (this.#options.parent === "global") {
      return propagation.extract(context.active(), fields, {
        keys: (carrier) => Array.from(carrier, ([name]) => name.toLowerCase()),
        get: (carrier, name) => carrier.get(name.toLowerCase()) ?? undefined,
      });
    }
    const remote = readTraceContext(fields);
    if (remote === null) return ROOT_CONTEXT;
    const { traceId, spanId, flags, state } = remote;
    const traceState = state === "" ? {} : { traceState: createTraceState(state) };
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true, ...traceState });
  }

  #attributesOf(exchange: Exchange): OpenTelemetry.Attributes {
    const { request, connection } = exchange;
    const { method, target, scheme, version, fields, authority } = request;
    const { path, query } = (isOriginForm(target) ? null : parseTarget(method, target)) ?? splitTarget(target);
    const [host, port] = splitAuthority(authority);
    const attributes: OpenTelemetry.Attributes = {
      "http.request.method": METHODS.has(method) ? method : "_OTHER",
      "url.scheme": scheme,
      "url.path": path,
      "network.protocol.name": "http",
      "network.protocol.version": version,
      "client.address": connection.remoteAddress.address,
    };
    if (!METHODS.has(method)) attributes["http.request.method_original"] = method;
    if (query !== null) attributes["url.query"] = this.#redactor.query(query);
    if (host !== "") attributes["server.address"] = host;
    if (port !== 0) attributes["server.port"] = port;
    const peer = connection.forwardedBy ?? connection.proxy ?? connection.remoteAddress;
    attributes["network.peer.address"] = peer.address;
    if (peer.family !== "unix") attributes["network.peer.port"] = peer.port;
    const userAgent = fields.get("user-agent");
    if (userAgent !== null) attributes["user_agent.original"] = userAgent;
    return { ...attributes, ...this.#options.attributes?.(exchange) };
  }

  #end({ exchange, outcome, status, route, contentBytes, requestContentBytes }: ResponseInfo): void {
    const name = exchange.traceParent;
    const span = name === "" ? undefined : this.#spans.get(name);
    if (span === undefined) return;
    span.setAttribute("http.response.body.size", contentBytes);
    if (requestContentBytes > 0) span.setAttribute("http.request.body.size", requestContentBytes);
    this.#finish(name, exchange, route, status, outcome === "aborted" || outcome === "broken" ? outcome : "");
  }

  /** @param errorType what went wrong besides a status; `""` for nothing */
  #finish(name: string, exchange: Exchange, route: string, status: number, errorType: string): void {
    const span = this.#spans.get(name);
    if (span === undefined) return;
    this.#spans.delete(name);
    if (route !== "") {
      span.setAttribute("http.route", route);
      span.updateName(`${methodOf(exchange)} ${route}`);
    }
    if (status !== 0) span.setAttribute("http.response.status_code", status);
    // For a server 4xx is the client's mistake, and leaves the status of the span unset
    if (status >= 500 || errorType !== "") {
      span.setAttribute("error.type", errorType === "" ? String(status) : errorType);
      span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
    }
    span.end();
  }
}

/** A span name must not be made by clients. */
function methodOf({ request }: Exchange): string {
  return METHODS.has(request.method) ? request.method : "HTTP";
}

function splitAuthority(authority: string): readonly [host: string, port: number] {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(authority);
  const host = (match?.[1] ?? "").replace(/^\[(.*)\]$/, "$1");
  return [host, Number(match?.[2] ?? 0)];
}

function toException(error: unknown): Error | string {
  return error instanceof Error ? error : String(error);
}

function typeOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
