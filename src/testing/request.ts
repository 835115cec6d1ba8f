/**
 * `request()`: asks an app without a socket.
 *
 * The request goes through the same handler code as on a server, over an exchange that has no wire; the answer is held to
 * what the wire would hold it to. Steps: input -> platform Request -> head, content and facts -> the app -> response as
 * `fetch` gives it, with what else there is to know. Nothing here listens, and no state is kept between requests.
 */

import type { ConnectionInfo, SocketAddress, TlsFacts } from "../http/exchange.ts";
import { parseTarget } from "../http/target.ts";
import { type ServeOptions, resolveOptions } from "../server/options.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { createExchangeHandler, type Handler } from "../web/handler.ts";
import { LocalExchange } from "../web/local-exchange.ts";
import { platformResponse } from "../web/platform.ts";
import { platformRequestOf } from "../web/request.ts";
import { TestContent } from "./request-content.ts";
import { type ArrivedResponse, type InterimResponse, ResponseReader } from "./response-reader.ts";

/** What can be asked: a handler, or anything that has one as `fetch` (an App, a Hono app, the options of `serve`). */
export type TestApp = Handler | { readonly fetch: Handler };

/** Facts of the connection that handlers see in their context. */
export interface TestConnection {
  /** The client. An address alone has port 50000. Default `127.0.0.1`. */
  readonly remoteAddress?: string | SocketAddress;
  /** Our end. Default `127.0.0.1`, port 0. */
  readonly localAddress?: string | SocketAddress;
  /** Whether under TLS. Default: whether the URL begins with `https:`. */
  readonly encrypted?: boolean;
  /** Name of SNI. Default: the host of the URL under TLS, else null. */
  readonly serverName?: string | null;
  /** What was agreed on under TLS, with the client's certificate. Default null. */
  readonly tls?: TlsFacts | null;
}

/** What is asked: `RequestInit`, and what the standard lacks. */
export interface TestRequestInit extends RequestInit {
  /** A stream needs no `duplex: "half"` here. */
  readonly duplex?: "half";
  /** What the context says of the connection. */
  readonly context?: TestConnection;
  /** As of `serve()`; only `maxContentBytes` and `maxBufferedBytes` mean something here. */
  readonly limits?: NonNullable<ServeOptions["limits"]>;
  /** Called for each interim response, e.g. 103, when it is sent. */
  readonly onInformational?: (response: InterimResponse) => void;
  /** Where the Date of responses comes from. Default the system. */
  readonly time?: TimeSource;
}

/** What a handler did wrong. */
export interface TestFault {
  /** What the client was told to ask for; `""` if it was told nothing, and for a promise given to `waitUntil()`. */
  readonly id: string;
  readonly error: unknown;
}

/** A response as `fetch` gives it, and what a test wants to know besides. */
export interface TestResponse extends globalThis.Response {
  /** Interim responses that came before. */
  readonly informational: readonly InterimResponse[];
  /** What the handler did wrong so far; the list grows while content is read. */
  readonly faults: readonly TestFault[];
  /** Resolves when the content was taken or given up and all promises given to `waitUntil()` have settled. Never rejects. */
  readonly finished: Promise<void>;
}

const ORIGIN = "http://localhost";

/**
 * Asks `app`.
 *
 * A text that is a valid origin-form target (`/a/../b?c`, `//x`) is asked for as it stands, as a client could that knows
 * nothing of URLs; everything else goes through `URL`, relative to `http://localhost`.
 *
 * @returns the response, once its head is there; rejects with the reason of `init.signal`, and with the error for which the
 *   handler gave up without an answer, where a client would see a connection that broke
 * @throws TypeError for what is no request, ServerError ERR_OPTIONS for wrong limits (as rejections)
 */
export async function request(
  app: TestApp,
  input: string | URL | globalThis.Request,
  init: TestRequestInit = {},
): Promise<TestResponse> {
  const { context = {}, limits = {}, onInformational, time = SYSTEM_TIME, ...fetchInit } = init;
  const options = resolveOptions({ fetch: handlerOf(app), limits });
  const asked = new globalThis.Request(inputOf(input), { ...fetchInit, duplex: "half" });
  asked.signal.throwIfAborted();
  const asking = new Asking(asked, onInformational, time);
  const { maxBufferedBytes, maxContentBytes } = options.limits;
  const exchange = await asking.open(
    targetOf(input, asked),
    isStreamed(input, init),
    connectionOf(asked, context),
    maxContentBytes,
  );
  asked.signal.throwIfAborted();
  const handle = createExchangeHandler(options.fetch, {
    maxBufferedBytes,
    onFault: ({ id, error }) => asking.faults.push({ id, error }),
    waitUntil: (promise) => asking.waitFor(promise),
  });
  handle(exchange);
  return asking.response;
}

/** One request under way. */
class Asking {
  readonly faults: TestFault[] = [];
  readonly response: Promise<TestResponse>;
  readonly #asked: globalThis.Request;
  readonly #informational: InterimResponse[] = [];
  readonly #waitingFor: Promise<unknown>[] = [];
  readonly #onInformational: ((response: InterimResponse) => void) | undefined;
  readonly #time: TimeSource;
  readonly #finished: Promise<void>;
  #content: TestContent | null = null;
  #resolve: (response: TestResponse) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #finish: () => void = () => {};

  constructor(
    asked: globalThis.Request,
    onInformational: ((response: InterimResponse) => void) | undefined,
    time: TimeSource,
  ) {
    this.#asked = asked;
    this.#onInformational = onInformational;
    this.#time = time;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Given up before the app was asked, it is nobody's
    this.response.catch(() => {});
    this.#finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    }).then(() => this.#settle());
  }

  /** Makes the exchange. Content of known length is there whole, as it mostly is when a head arrives. */
  async open(
    target: string,
    isStream: boolean,
    connection: Partial<ConnectionInfo>,
    maxContentBytes: number,
  ): Promise<LocalExchange> {
    const asked = this.#asked;
    const lines = [...asked.headers];
    const { body } = asked;
    let bytes: Uint8Array | null = null;
    if (body !== null && !isStream) bytes = new Uint8Array(await asked.arrayBuffer());
    declareLength(lines, body === null ? 0 : (bytes?.length ?? null), asked.method);
    if (!asked.headers.has("host")) lines.unshift(["host", new URL(asked.url).host]);
    const reader = new ResponseReader(asked.method, asked.headers.get("accept"), this.#time, {
      onInterim: (response) => this.#inform(response),
      onResponse: (response) => this.#resolve(this.#dress(response)),
      onEnd: (reason) => this.#end(reason),
    });
    const source = bytes ?? body;
    // RFC 9112 §6: Content-Length: 0 is content that is not there
    const hasContent = source !== null && !(source instanceof Uint8Array && source.length === 0);
    if (hasContent) {
      this.#content = new TestContent(source, maxContentBytes, (error) => exchange.refuse(error));
    }
    const content = this.#content === null ? {} : { content: this.#content };
    const exchange = new LocalExchange(asked.method, target, lines, { ...content, connection, peer: reader });
    reader.attach(exchange);
    asked.signal.addEventListener("abort", () => {
      this.#reject(asked.signal.reason);
      exchange.leave();
    });
    return exchange;
  }

  waitFor(promise: Promise<unknown>): void {
    this.#waitingFor.push(promise);
    promise.catch((error: unknown) => this.faults.push({ id: "", error }));
  }

  #inform(response: InterimResponse): void {
    this.#informational.push(response);
    this.#onInformational?.(response);
  }

  #dress({ status, statusText, lines, body }: ArrivedResponse): TestResponse {
    const headers = lines.map(([name, value]): [string, string] => [name, value]);
    const response = new (platformResponse())(body as ReadableStream | null, { status, statusText, headers });
    return Object.defineProperties(response, {
      url: { value: this.#asked.url.split("#")[0] },
      informational: { value: this.#informational, enumerable: true },
      faults: { value: this.faults, enumerable: true },
      finished: { value: this.#finished, enumerable: true },
    }) as TestResponse;
  }

  #end(reason: Error | null): void {
    if (reason !== null) {
      this.#reject(reason);
      this.#content?.fail(reason);
    } else if (this.#content?.isStarted === false) {
      // Nobody has read it, and now nobody will
      this.#content.cancel();
    }
    this.#finish();
  }

  /** Promises may be added while others are waited for. */
  async #settle(): Promise<void> {
    for (const promise of this.#waitingFor) await Promise.allSettled([promise]);
  }
}

function handlerOf(app: unknown): Handler {
  if (typeof app === "function") return app as Handler;
  const fetch: unknown = typeof app === "object" && app !== null ? Reflect.get(app, "fetch") : undefined;
  if (typeof fetch !== "function") throw new TypeError("what is asked must be a function or have a method fetch");
  // Called as written: a `fetch` that uses `this` finds its object
  return (fetch as Handler).bind(app);
}

function inputOf(input: string | URL | globalThis.Request): string | globalThis.Request {
  if (typeof input === "string") return input.startsWith("/") ? ORIGIN + input : new URL(input, `${ORIGIN}/`).href;
  return input instanceof URL ? input.href : (platformRequestOf(input) ?? input);
}

/** The request-target: as given where it is one, else as the URL standard writes it. */
function targetOf(input: string | URL | globalThis.Request, asked: globalThis.Request): string {
  if (typeof input === "string" && input.startsWith("/") && parseTarget(asked.method, input) !== null) return input;
  const { pathname, search } = new URL(asked.url);
  return pathname + search;
}

function isStreamed(input: string | URL | globalThis.Request, init: TestRequestInit): boolean {
  const body: unknown = init.body;
  if (body === undefined || body === null) return typeof input === "object" && !(input instanceof URL);
  return typeof body === "object" && (body instanceof ReadableStream || Symbol.asyncIterator in body);
}

/** RFC 9110 §8.6: SHOULD send Content-Length where it is known, and where a method with content has none. */
function declareLength(lines: [string, string][], length: number | null, method: string): void {
  const declared = lines.find(([name]) => name === "content-length")?.[1];
  if (declared !== undefined) {
    if (declared !== String(length)) {
      throw new TypeError(
        `Content-Length is ${JSON.stringify(declared)}, the content ${length === null ? "a stream" : `has ${length} octets`}`,
      );
    }
    return;
  }
  const isExpected = length !== 0 || method === "POST" || method === "PUT" || method === "PATCH";
  if (length !== null && isExpected) lines.push(["content-length", String(length)]);
}

function connectionOf(asked: globalThis.Request, facts: TestConnection): Partial<ConnectionInfo> {
  const { protocol, hostname } = new URL(asked.url);
  const isEncrypted = facts.encrypted ?? protocol === "https:";
  return {
    id: 1,
    remoteAddress: addressOf(facts.remoteAddress ?? "127.0.0.1", 50_000),
    localAddress: addressOf(facts.localAddress ?? "127.0.0.1", 0),
    isEncrypted,
    serverName: facts.serverName ?? (isEncrypted ? hostname : null),
    tls: facts.tls ?? null,
  };
}

function addressOf(address: string | SocketAddress, port: number): SocketAddress {
  if (typeof address !== "string") return address;
  return Object.freeze({ address, port, family: address.includes(":") ? "IPv6" : "IPv4" });
}
