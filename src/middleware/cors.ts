/**
 * Cross-origin resource sharing (Fetch §3.2): which other sites' scripts may read what we answer.
 *
 * Preflights are answered here; of every other answer only the fields are changed. Origins are compared whole, never by prefix
 * or suffix (`https://example.org.evil.example`). It must never allow any origin together with credentials: that would let
 * every site act as the user who is logged in.
 */

import { isToken, trimWhiteSpace } from "../http/fields.ts";
import { checkOptions, listOf, type OptionRules, whole, YES_OR_NO } from "../server/option-rules.ts";
import type { Middleware } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { type Response, responseOfLines } from "../web/response.ts";
import { addMember, editAnswer, LineEdit, setLine } from "./edit-response.ts";

/** Who may read. */
export interface CorsOptions {
  /**
   * Origins as a browser sends them, `https://app.example`, `*` for all, or a function that is asked for each. Default `*`.
   * What a function allows may be remembered by nobody but the browser: answers vary by origin.
   */
  readonly origins?: "*" | readonly string[] | ((origin: string) => boolean) | undefined;
  /** Whether scripts may send and use cookies and passwords. Default false; not with `*`. */
  readonly credentials?: boolean | undefined;
  /** Methods that a preflight allows. Default GET, HEAD, POST, PUT, PATCH, DELETE. */
  readonly methods?: readonly string[] | undefined;
  /** Fields that scripts may send besides those that they always may. Default all that they ask for. */
  readonly allowedHeaders?: readonly string[] | undefined;
  /** Fields that scripts may read besides the seven that they always may. Default none. */
  readonly exposedHeaders?: readonly string[] | undefined;
  /** Seconds for which a browser may remember a preflight; 0 for not at all. Default 600; browsers have bounds of their own. */
  readonly maxAgeSeconds?: number | undefined;
  /** Whether pages of the public network may reach this server in a private one (Private Network Access). Default false. */
  readonly privateNetwork?: boolean | undefined;
}

/** @internal */
export const CORS_RULES: OptionRules<CorsOptions> = {
  origins: {
    allowed: '"*", an array of origins or a function',
    isAllowed: (value) =>
      value === "*" ||
      typeof value === "function" ||
      (Array.isArray(value) && value.every((one) => typeof one === "string")),
  },
  credentials: YES_OR_NO,
  methods: listOf("methods", isToken),
  allowedHeaders: listOf("names of fields", isToken),
  exposedHeaders: listOf("names of fields", isToken),
  maxAgeSeconds: whole(0, Infinity, "seconds"),
  privateNetwork: YES_OR_NO,
};

/** Fetch's CORS-safelisted methods, and those which APIs use. */
const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const MAX_AGE_SECONDS = 600;
/** Origins whose fields are remembered. A list may be longer, and a function may allow as many as there are. */
const MAX_REMEMBERED = 256;

/**
 * Lets scripts of other origins read the answers, also those to errors.
 *
 * @throws TypeError for `*` with credentials, for each that is no origin, and for invalid names
 */
export function cors(options: CorsOptions = {}): Middleware {
  checkOptions("cors", options, CORS_RULES);
  const rule = new CorsRule(options);
  return (request, context, next) => {
    const origin = request.headers.get("origin");
    if (origin !== null && isPreflight(request)) return rule.answerPreflight(request, origin);
    return editAnswer(next, request, context, rule.editFor(origin));
  };
}

class CorsRule {
  /** Null for all. */
  readonly #isAllowed: ((origin: string) => boolean) | null;
  readonly #allowsCredentials: boolean;
  readonly #methods: string;
  /** Null for those that are asked for. */
  readonly #allowedHeaders: string | null;
  readonly #exposedHeaders: string;
  readonly #maxAgeSeconds: number;
  readonly #allowsPrivateNetwork: boolean;
  /** For everybody, or for those who may not read. */
  readonly #common: LineEdit;
  readonly #byOrigin: Map<string, LineEdit>;

  constructor(options: CorsOptions) {
    const { origins = "*", credentials = false } = options;
    if (origins === "*" && credentials) {
      throw new TypeError("credentials cannot be allowed to every origin: name the origins");
    }
    this.#isAllowed = predicateOf(origins);
    this.#allowsCredentials = credentials;
    this.#methods = (options.methods ?? METHODS).join(", ");
    this.#allowedHeaders = options.allowedHeaders?.join(", ") ?? null;
    this.#exposedHeaders = (options.exposedHeaders ?? []).join(", ");
    this.#maxAgeSeconds = options.maxAgeSeconds ?? MAX_AGE_SECONDS;
    this.#allowsPrivateNetwork = options.privateNetwork ?? false;
    this.#common = new LineEdit((lines) => this.#apply(lines, null));
    this.#byOrigin = new Map();
  }

  /** What becomes of an actual answer. */
  editFor(origin: string | null): LineEdit {
    if (this.#isAllowed === null || origin === null || !this.#isAllowed(origin)) return this.#common;
    let edit = this.#byOrigin.get(origin);
    if (edit === undefined) {
      edit = new LineEdit((lines) => this.#apply(lines, origin));
      if (this.#byOrigin.size < MAX_REMEMBERED) this.#byOrigin.set(origin, edit);
    }
    return edit;
  }

  /** Fetch §4.8: 204 with what is allowed, or without, which the browser takes for a no. */
  answerPreflight(request: Request, origin: string): Response {
    const lines: string[] = [];
    const isAllowed = this.#isAllowed === null || this.#isAllowed(origin);
    this.#allow(lines, isAllowed ? origin : null);
    if (isAllowed) this.#permit(lines, request);
    return responseOfLines(204, lines, null);
  }

  #permit(lines: string[], request: Request): void {
    lines.push("access-control-allow-methods", this.#methods);
    if (this.#allowedHeaders === null) {
      const wanted = request.headers.get("access-control-request-headers");
      // Names only: the value comes from the peer
      if (wanted !== null && wanted.split(",").every((name) => isToken(trimWhiteSpace(name)))) {
        lines.push("access-control-allow-headers", wanted);
        addMember(lines, "vary", "access-control-request-headers");
      }
    } else if (this.#allowedHeaders !== "") lines.push("access-control-allow-headers", this.#allowedHeaders);
    if (this.#allowsPrivateNetwork && request.headers.get("access-control-request-private-network") === "true") {
      lines.push("access-control-allow-private-network", "true");
      addMember(lines, "vary", "access-control-request-private-network");
    }
    lines.push("access-control-max-age", String(this.#maxAgeSeconds));
  }

  /** @param origin that may read; null for one that may not, and for everybody where all may */
  #apply(lines: string[], origin: string | null): void {
    const mayRead = this.#isAllowed === null || origin !== null;
    this.#allow(lines, origin);
    if (mayRead && this.#exposedHeaders !== "") setLine(lines, "access-control-expose-headers", this.#exposedHeaders);
  }

  #allow(lines: string[], origin: string | null): void {
    if (this.#isAllowed === null) {
      setLine(lines, "access-control-allow-origin", "*");
      return;
    }
    // Also on an answer to nobody in particular: a cache must not give it to somebody (Fetch §3.2.5)
    addMember(lines, "vary", "origin");
    if (origin === null) return;
    setLine(lines, "access-control-allow-origin", origin);
    if (this.#allowsCredentials) setLine(lines, "access-control-allow-credentials", "true");
  }
}

function predicateOf(
  origins: "*" | readonly string[] | ((origin: string) => boolean),
): ((origin: string) => boolean) | null {
  if (origins === "*") return null;
  if (typeof origins === "function") return origins;
  const mistakes: string[] = [];
  const known = new Set(origins.map((one) => originOf(one, mistakes)));
  if (mistakes.length > 0) throw new TypeError(mistakes.join("; "), { cause: mistakes });
  return (origin) => known.has(origin);
}

function isPreflight(request: Request): boolean {
  return request.method === "OPTIONS" && request.headers.has("access-control-request-method");
}

/** An origin as a browser serialises it (HTML, "serialization of an origin"): lower case, without the default port and slash. */
function originOf(text: string, mistakes: string[]): string {
  // That of files and sandboxed frames: everybody's
  if (text === "null") {
    mistakes.push("the origin null is that of every sandboxed page: use * if all may read");
    return "";
  }
  if (!URL.canParse(text)) {
    mistakes.push(`${JSON.stringify(text)} is no origin, as https://app.example is one`);
    return "";
  }
  const url = new URL(text);
  const isBare = url.pathname === "/" || url.pathname === "";
  if (url.host === "" || !isBare || url.search !== "" || url.hash !== "" || url.username !== "") {
    mistakes.push(`${JSON.stringify(text)} is no origin, as https://app.example is one: scheme, host, port`);
  }
  return `${url.protocol}//${url.host}`;
}
