/**
 * Cross-origin resource sharing (Fetch §3.2): which other sites' scripts may read what we answer.
 *
 * Preflights are answered here; of every other answer only the fields are changed. Origins are compared whole, never by prefix
 * or suffix (`https://example.org.evil.example`). It must never allow any origin together with credentials: that would let
 * every site act as the user who is logged in.
 */

import { isToken } from "../http/fields.ts";
import type { Middleware } from "../web/handler.ts";
import { Response } from "../web/response.ts";
import { addMember, editAnswer, setLine } from "./edit-response.ts";

/** Who may read. */
export interface CorsOptions {
  /** Origins as a browser sends them, `https://app.example`, or `*` for all. Default `*`. */
  readonly origins?: "*" | readonly string[] | undefined;
  /** Whether scripts may send and use cookies and passwords. Default false; not with `*`. */
  readonly credentials?: boolean | undefined;
  /** Methods that a preflight allows. Default GET, HEAD, POST, PUT, PATCH, DELETE. */
  readonly methods?: readonly string[] | undefined;
  /** Fields that scripts may read besides the seven that they always may. Default none. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** Seconds for which a browser may remember a preflight. Default 600; browsers have bounds of their own. */
  readonly maxAgeSeconds?: number | undefined;
}

/** Fetch's CORS-safelisted methods, and those which APIs use. */
const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const MAX_AGE_SECONDS = 600;

/**
 * Lets scripts of other origins read the answers.
 *
 * @throws TypeError for `*` with credentials, for what is no origin, and for invalid names
 */
export function cors(options: CorsOptions = {}): Middleware {
  const rule = new CorsRule(options);
  return (request, context, next) => {
    const origin = request.headers.get("origin");
    if (origin !== null && isPreflight(request)) return rule.answerPreflight(request, origin);
    return editAnswer(next, request, context, (lines) => rule.apply(lines, origin));
  };
}

class CorsRule {
  readonly #origins: ReadonlySet<string> | null;
  readonly #allowsCredentials: boolean;
  readonly #methods: string;
  readonly #exposedHeaders: string;
  readonly #maxAgeSeconds: number;

  constructor({
    origins = "*",
    credentials = false,
    methods = METHODS,
    exposedHeaders = [],
    maxAgeSeconds,
  }: CorsOptions) {
    if (origins === "*" && credentials) {
      throw new TypeError("credentials cannot be allowed to every origin: name the origins");
    }
    this.#origins = origins === "*" ? null : new Set(origins.map(originOf));
    for (const name of [...methods, ...exposedHeaders]) {
      if (!isToken(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a method or field`);
    }
    this.#allowsCredentials = credentials;
    this.#methods = methods.join(", ");
    this.#exposedHeaders = exposedHeaders.join(", ");
    this.#maxAgeSeconds = maxAgeSeconds ?? MAX_AGE_SECONDS;
  }

  /** Fields of an actual answer. */
  apply(lines: string[], origin: string | null): void {
    if (!this.#allow(lines, origin)) return;
    if (this.#exposedHeaders !== "") setLine(lines, "access-control-expose-headers", this.#exposedHeaders);
  }

  /** Fetch §4.8: 204 with what is allowed, or without, which the browser takes for a no. */
  answerPreflight(request: Request, origin: string): Response {
    const lines: string[] = [];
    if (this.#allow(lines, origin)) {
      setLine(lines, "access-control-allow-methods", this.#methods);
      const wanted = request.headers.get("access-control-request-headers");
      // Names only: the value comes from the peer
      if (wanted !== null && wanted.split(",").every((name) => isToken(name.trim()))) {
        setLine(lines, "access-control-allow-headers", wanted);
        addMember(lines, "vary", "access-control-request-headers");
      }
      setLine(lines, "access-control-max-age", String(this.#maxAgeSeconds));
    }
    const headers: [string, string][] = [];
    for (let i = 0; i < lines.length; i += 2) headers.push([lines[i] as string, lines[i + 1] as string]);
    return new Response(null, { status: 204, headers });
  }

  /** Says who may read; false: not this one. */
  #allow(lines: string[], origin: string | null): boolean {
    if (this.#origins === null) {
      setLine(lines, "access-control-allow-origin", "*");
      return true;
    }
    // Also on an answer to nobody in particular: a cache must not give it to somebody (Fetch §3.2.5)
    addMember(lines, "vary", "origin");
    if (origin === null || !this.#origins.has(origin)) return false;
    setLine(lines, "access-control-allow-origin", origin);
    if (this.#allowsCredentials) setLine(lines, "access-control-allow-credentials", "true");
    return true;
  }
}

function isPreflight(request: Request): boolean {
  return request.method === "OPTIONS" && request.headers.has("access-control-request-method");
}

/** An origin as a browser serialises it (HTML, "serialization of an origin"): lower case, without the default port and slash. */
function originOf(text: string): string {
  // That of files and sandboxed frames: everybody's
  if (text === "null") throw new TypeError("the origin null is that of every sandboxed page: use * if all may read");
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new TypeError(`${JSON.stringify(text)} is no origin, as https://app.example is one`, { cause: error });
  }
  const isBare = url.pathname === "/" || url.pathname === "";
  if (url.host === "" || !isBare || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new TypeError(`${JSON.stringify(text)} is no origin, as https://app.example is one: scheme, host, port`);
  }
  return `${url.protocol}//${url.host}`;
}
