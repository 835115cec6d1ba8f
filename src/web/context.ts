/**
 * Context: what a handler gets beside its request, close to `ServerContext` of the WinterTC Fetch Server API draft.
 *
 * One small object over the exchange; everything is looked up when asked. What the draft leaves to frameworks (its §"Routing")
 * is here too, since they need a place for it: params, the route, and what middleware has to say to handlers. It must never
 * hold state of the wire.
 */

import { HttpError } from "../http/errors.ts";
import { isToken } from "../http/fields.ts";
import type { ClientCertificate, Exchange, FieldEdit, SocketAddress, TlsFacts } from "../http/exchange.ts";
import { AnswerEdits, FailureFields } from "./failure-fields.ts";
import { appendLines, type HeadersInput, indexOfLine } from "./header-lines.ts";
import { type Tunnel, tunnelOf } from "./tunnel.ts";

/** What a pattern of the path matched. */
export type Params = Readonly<Record<string, string>>;

/** No params at all: what a context has until a router fills it. */
export const NO_PARAMS: Params = Object.freeze({});

/** Names a value of a context, and says of what type it is. Made by {@link contextKey}. */
export class ContextKey<T> {
  /** For people. Two keys of one name are two keys. */
  readonly name: string;
  /** What {@link Context.get} gives before anything was set. */
  readonly initial: T;

  /** @internal */
  constructor(name: string, initial: T) {
    this.name = name;
    this.initial = initial;
  }
}

/**
 * Makes a key for state of one request, e.g. `const user = contextKey<User>("user")`: middleware says
 * `context.set(user, …)`, handlers ask `context.get(user)`. Nobody without the key can read or overwrite the value.
 *
 * @param initial what is there before anything was set; default undefined
 */
export function contextKey<T>(name: string): ContextKey<T | undefined>;
export function contextKey<T>(name: string, initial: T): ContextKey<T>;
export function contextKey<T>(name: string, initial?: T): ContextKey<T | undefined> {
  return new ContextKey<T | undefined>(name, initial);
}

/** The server's side of one request. `P` is what its params are known to be. */
export class Context<P extends object = Params> {
  /** Filled by a router; empty otherwise. */
  params: P;
  readonly #exchange: Exchange;
  readonly #waitUntil: (promise: Promise<unknown>) => void;
  /** The context that this one was made from, null for a first one; state is kept there. */
  readonly #outer: Context<object> | null;
  /** Made by the first {@link set}. */
  #state: Map<ContextKey<unknown>, unknown> | null;
  /** Made by the first {@link editFailure}. */
  #failures: FailureFields | null;
  /** Of {@link noteEdit}: the one, or a chain of several. */
  #edits: FieldEdit | null;
  /** Made by the first {@link query}. */
  #query: URLSearchParams | null;

  constructor(
    exchange: Exchange,
    waitUntil: (promise: Promise<unknown>) => void,
    outer: Context<object> | null = null,
  ) {
    this.params = NO_PARAMS as P;
    this.#exchange = exchange;
    this.#waitUntil = waitUntil;
    this.#outer = outer;
    this.#state = null;
    this.#failures = null;
    this.#edits = null;
    this.#query = null;
  }

  /**
   * What the request's URL has behind its first `?`, taken apart: the same as `new URL(request.url).searchParams`, for less
   * than half of its price, since the rest of the URL is not looked at. Empty without a query. The same object each
   * time, for all handlers of one app; to change it changes neither the request nor its URL.
   */
  get query(): URLSearchParams {
    if (this.#query === null) {
      const { target } = this.#exchange.request;
      const mark = target.indexOf("?");
      // With its mark: one is taken away, and without it that would be one of the query's own
      this.#query = new URLSearchParams(mark === -1 ? "" : target.slice(mark));
    }
    return this.#query;
  }

  /**
   * Pattern of the route that matched, e.g. `/users/:id`, with the prefixes of the apps around it; `""` before, and where
   * none did. Observers see it too, as `route` of `hooks.onResponse`.
   */
  get route(): string {
    return this.#exchange.route;
  }

  set route(pattern: string) {
    this.#exchange.route = pattern;
  }

  /** What was {@link set} for this request, else the key's initial value. */
  get<T>(key: ContextKey<T>): T {
    const state = this.#outer === null ? this.#state : this.#outer.#state;
    if (state === null || !state.has(key)) return key.initial;
    return state.get(key) as T;
  }

  /** Keeps a value until the request is answered, for whoever has the key. */
  set<T>(key: ContextKey<T>, value: NoInfer<T>): void {
    const home = this.#outer ?? this;
    (home.#state ??= new Map()).set(key, value);
  }

  /**
   * Asks for other fields of the answer to an error that is on its way out, whoever gives that answer. For middleware that
   * changes the fields of every answer; what it has caught it throws on.
   *
   * @internal
   */
  editFailure(error: unknown, edit: FieldEdit): void {
    const home = this.#outer ?? this;
    (home.#failures ??= new FailureFields()).add(error, edit);
  }

  /**
   * Says what is done to the fields of the answer on its way out, the innermost first: should it turn out that it cannot be
   * sent, the one in its place gets them too.
   *
   * @internal
   */
  noteEdit(edit: FieldEdit): void {
    const home = this.#outer ?? this;
    home.#edits = home.#edits === null ? edit : new AnswerEdits(edit, home.#edits);
  }

  /**
   * What becomes of the fields of the answer in place of one that could not be sent; null for nothing.
   *
   * @internal
   */
  get notedEdits(): FieldEdit | null {
    const home = this.#outer ?? this;
    return home.#edits;
  }

  /**
   * The same was thrown in another form: what was asked for holds for that.
   *
   * @internal
   */
  replaceFailure(before: unknown, after: unknown): void {
    const home = this.#outer ?? this;
    home.#failures?.replace(before, after);
  }

  /**
   * What becomes of the fields of the answer to an error; null for nothing.
   *
   * @internal
   */
  failureEdit(error: unknown): FieldEdit | null {
    const home = this.#outer ?? this;
    return home.#failures === null ? null : home.#failures.of(error);
  }

  /**
   * The context of a handler that sees the request in another light, e.g. below a prefix: another exchange, params of its own,
   * the same state.
   *
   * @param exchange stands for the same request and the same answer
   */
  derive(exchange: Exchange): Context {
    return new Context(exchange, this.#waitUntil, this.#outer ?? this);
  }

  /**
   * The client's address: the peer's end of the connection, or what a proxy says that is trusted (`proxyProtocol`,
   * `trustProxy`). Its address is `""` where such a proxy knows its client, but hides it.
   */
  get remoteAddress(): SocketAddress {
    return this.#exchange.connection.remoteAddress;
  }

  /** The peer's end of the connection itself: the client's, or that of the last proxy before us. */
  get peerAddress(): SocketAddress {
    const { proxy, forwardedBy, remoteAddress } = this.#exchange.connection;
    return proxy ?? forwardedBy ?? remoteAddress;
  }

  /** Our end of the connection. */
  get localAddress(): SocketAddress {
    return this.#exchange.connection.localAddress;
  }

  /** `"http/1.1"`, also where nothing was negotiated. */
  get alpnProtocol(): string {
    return this.#exchange.connection.alpnProtocol;
  }

  /** Whether the client's connection is under TLS: this one, or, where `trustProxy` believes a proxy that says so, the one before. */
  get encrypted(): boolean {
    return this.#exchange.connection.isEncrypted;
  }

  /** The server name that the client asked for (SNI), null without TLS. */
  get serverName(): string | null {
    return this.#exchange.connection.serverName;
  }

  /** What client and server agreed on under TLS: version, cipher suite, whether a session was resumed; null without TLS. */
  get tls(): TlsFacts | null {
    return this.#exchange.connection.tls ?? null;
  }

  /** The certificate that the client has shown (`tls.requestCert`), null if none; look at its `isAuthorized`. */
  get clientCertificate(): ClientCertificate | null {
    return this.#exchange.connection.tls?.clientCertificate ?? null;
  }

  /** The proxy that the connection comes from, where it has said who its client is (PROXY protocol); else null. */
  get proxyAddress(): SocketAddress | null {
    return this.#exchange.connection.proxy ?? null;
  }

  /** The exchange itself, for what the web's objects cannot say: the raw target, content of a GET, trailers, the state of the answer. */
  get exchange(): Exchange {
    return this.#exchange;
  }

  /**
   * Sends an interim response now (RFC 9110 §15.2), usually 103 (Early Hints). Nothing is sent to a client of HTTP/1.0.
   *
   * @param status 100 to 199 without 101, which is {@link upgrade}'s
   * @throws RangeError for another status, TypeError for an invalid header, HandlerError after the final response
   */
  sendInformational(status: number, headers?: HeadersInput): void {
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
      throw new RangeError(`an interim status is 100 or 102 to 199, not ${status}`);
    }
    const lines: string[] = [];
    if (headers !== undefined) appendLines(lines, headers);
    this.#exchange.inform(status, lines);
  }

  /**
   * Keeps a graceful shutdown waiting for `promise`, e.g. for work that goes on after the answer; what it rejects with is told
   * to `hooks.onFault`. What is no promise has settled already.
   */
  waitUntil(promise: Promise<unknown>): void {
    this.#waitUntil(Promise.resolve(promise));
  }

  /**
   * Switches protocols (RFC 9110 §7.8): sends 101 and hands the connection over. The handler returns nothing afterwards.
   *
   * @param init fields of the 101; `upgrade` defaults to the first protocol that the client names
   * @throws HttpError 426 or 400 if the request asks for no upgrade, 400 if it has content that was not read, TypeError for an
   *   invalid header
   */
  upgrade(init: { readonly headers?: HeadersInput } = {}): Tunnel {
    const lines: string[] = [];
    if (init.headers !== undefined) appendLines(lines, init.headers);
    const offered = firstProtocol(this.#exchange.request.fields.get("upgrade") ?? "");
    // RFC 9110 §7.8: a 101 names the protocol that is switched to
    if (offered !== "" && indexOfLine(lines, "upgrade") === -1) lines.push("upgrade", offered);
    const stream = this.#exchange.upgrade(lines);
    if (stream === null && offered !== "" && !this.#exchange.content.isEmpty) {
      // RFC 9110 §7.8: a server cannot switch before it has read the request whole. Who wants content reads it first; else it
      // is the client's mistake, who could make any endpoint fail with it
      throw new HttpError(400, "the request has content, which is to be read before the protocol is switched");
    }
    if (stream === null) throw upgradeRequired(lines);
    return tunnelOf(stream);
  }
}

/** RFC 9110 §7.8: protocol-name ["/" protocol-version]; what is neither, clients say what they like, cannot be switched to. */
function firstProtocol(value: string): string {
  const isProtocol = (member: string): boolean => {
    const parts = member.split("/");
    return parts.length <= 2 && parts.every((part) => isToken(part));
  };
  const members = value.split(",").map((member) => member.trim());
  return members.find(isProtocol) ?? "";
}

/** RFC 9110 §15.5.22: a 426 must name the protocol; where the handler did not either, the request is merely wrong. */
function upgradeRequired(lines: readonly string[]): HttpError {
  const index = indexOfLine(lines, "upgrade");
  if (index === -1) return new HttpError(400, "the request asks for no upgrade");
  const headers = { upgrade: lines[index + 1] as string, connection: "upgrade" };
  return new HttpError(426, "the request asks for no upgrade", { headers });
}
