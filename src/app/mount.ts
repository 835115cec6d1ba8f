/**
 * Handlers below a prefix that know nothing of it: they see the rest of the path as if it were all.
 *
 * Request and context are shown over an exchange with another target; content, connection and answer are the true ones, and
 * state that middleware keeps on the context is shared. A handler that was told its prefix itself (it has a `prefix`, as that
 * of `serveStatic(root, { prefix })`) sees the whole path, since it writes paths into its answers. What a mounted handler
 * answers is passed on untouched.
 */

import type { ProtocolError } from "../http/errors.ts";
import type {
  ByteStream,
  ConnectionInfo,
  Content,
  ContentSource,
  Exchange,
  FieldEdit,
  FieldLines,
  OnBreak,
  RequestHead,
  ResponseHead,
} from "../http/exchange.ts";
import type { Context } from "../web/context.ts";
import type { Handler } from "../web/handler.ts";
import { native } from "../web/native.ts";
import { exchangeOf, type Request, requestOver } from "../web/request.ts";
import { pathOf } from "./path-text.ts";
import { checkPrefix, joinPatterns } from "./pattern.ts";

/** What can be mounted: a function, or anything with a `fetch`, which is called as its method. */
export type Mountable = MountedHandler | { readonly fetch: MountedHandler };

/** A handler of ours, of another framework, or of the platform alone. */
export type MountedHandler = (
  request: Request,
  context: Context,
) => globalThis.Response | undefined | Promise<globalThis.Response | undefined>;

/**
 * Says what is wrong with mounting a handler, as far as that can be known before the prefixes of apps around are.
 *
 * @param prefix as checkPrefix() gives it
 * @throws TypeError for what is no handler, and for one that was told another prefix
 */
export function checkMount(prefix: string, mountable: Mountable): void {
  handlerOf(mountable);
  const own = ownPrefixOf(mountable);
  if (own !== null && !own.endsWith(prefix)) throw wrongPrefix(prefix, own);
}

/**
 * A handler for all below a prefix.
 *
 * @param prefix as checkPrefix() gives it, with those of all apps around
 * @throws TypeError for what is no handler, and for one that was told another prefix
 */
export function mounted(prefix: string, mountable: Mountable): Handler {
  const handler = handlerOf(mountable);
  const own = ownPrefixOf(mountable);
  if (own !== null) {
    if (own !== prefix) throw wrongPrefix(prefix, own);
    return handler;
  }
  if (prefix === "") return handler;
  const depth = prefix.split("/").length - 1;
  return (request, context) => {
    const target = targetBelow(request, depth);
    const exchange = new MountedExchange(exchangeOf(request) ?? context.exchange, target, prefix);
    const inner = requestOver(request, exchange) ?? platformRequestAt(request, target);
    const derived = context.derive(exchange);
    derived.params = context.params;
    return handler(inner, derived);
  };
}

/** The prefix that a handler was made for, null if it was made for none. */
function ownPrefixOf(mountable: Mountable): string | null {
  const own: unknown = Reflect.get(mountable, "prefix");
  return typeof own === "string" ? checkPrefix(own) : null;
}

function wrongPrefix(prefix: string, own: string): TypeError {
  return new TypeError(
    `the handler mounted at ${JSON.stringify(prefix === "" ? "/" : prefix)} was made for ${JSON.stringify(own === "" ? "/" : own)}: tell it its prefix, which is the same`,
  );
}

/**
 * The function behind what can be mounted.
 *
 * @throws TypeError if there is none
 */
function handlerOf(mountable: Mountable): Handler {
  if (typeof mountable === "function") return mountable;
  if (typeof mountable === "object" && mountable !== null && typeof mountable.fetch === "function") {
    return (request, context) => mountable.fetch(request, context);
  }
  throw new TypeError("a handler to be mounted is a function, or an object with a fetch function");
}

/** Path and query behind the first `depth` segments, as they came. It begins with a slash. */
function targetBelow(request: Request, depth: number): string {
  const path = pathOf(request);
  let at = 0;
  // Slashes inside of segments are encoded, so that the prefix has as many here as in its pattern
  for (let i = 0; i < depth && at !== -1; i++) at = path.indexOf("/", at + 1);
  const below = at === -1 ? "/" : path.slice(at);
  const target = exchangeOf(request)?.request.target ?? request.url;
  const query = target.indexOf("?");
  if (query === -1) return below;
  const fragment = target.indexOf("#", query);
  return `${below}${target.slice(query, fragment === -1 ? undefined : fragment)}`;
}

/** The platform makes another, which takes over the content. */
function platformRequestAt(request: Request, target: string): Request {
  const { origin } = new URL(request.url);
  return new globalThis.Request(`${origin}${target}`, native(request)) as Request;
}

/** An exchange as seen from below a prefix. */
class MountedExchange implements Exchange {
  readonly request: RequestHead;
  readonly #outer: Exchange;
  readonly #prefix: string;

  constructor(outer: Exchange, target: string, prefix: string) {
    const { method, version, scheme, authority, fields } = outer.request;
    this.request = { method, target, version, scheme, authority, fields };
    this.#outer = outer;
    this.#prefix = prefix;
  }

  get content(): ContentSource {
    return this.#outer.content;
  }

  get connection(): ConnectionInfo {
    return this.#outer.connection;
  }

  get isAnswered(): boolean {
    return this.#outer.isAnswered;
  }

  get status(): number {
    return this.#outer.status;
  }

  get contentBytesSent(): number {
    return this.#outer.contentBytesSent;
  }

  get mark(): number {
    return this.#outer.mark;
  }

  set mark(value: number) {
    this.#outer.mark = value;
  }

  get route(): string {
    return this.#outer.route;
  }

  set route(pattern: string) {
    this.#outer.route = joinPatterns(this.#prefix, pattern);
  }

  get contentMark(): number {
    return this.#outer.contentMark;
  }

  set contentMark(value: number) {
    this.#outer.contentMark = value;
  }

  get requestId(): string {
    return this.#outer.requestId;
  }

  set requestId(id: string) {
    this.#outer.requestId = id;
  }

  get traceParent(): string {
    return this.#outer.traceParent;
  }

  set traceParent(value: string) {
    this.#outer.traceParent = value;
  }

  inform(status: number, fields: FieldLines): void {
    this.#outer.inform(status, fields);
  }

  respond(head: ResponseHead, content: Content, onBreak: OnBreak = null): void | Promise<void> {
    // As everywhere, told of the exchange that was answered on
    return this.#outer.respond(head, content, onBreak === null ? null : (_, error) => onBreak(this, error));
  }

  upgrade(fields: FieldLines): ByteStream | null {
    return this.#outer.upgrade(fields);
  }

  refuse(error: ProtocolError, edit: FieldEdit | null = null, id: string = ""): void {
    this.#outer.refuse(error, edit, id);
  }

  abort(reason: Error): void {
    this.#outer.abort(reason);
  }

  onAbort(callback: (reason: Error) => void): void {
    this.#outer.onAbort(callback);
  }
}
