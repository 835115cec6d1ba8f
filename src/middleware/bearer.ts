/**
 * Tokens before everything else: the Bearer scheme (RFC 6750) in the frame of RFC 9110 §11.
 *
 * Known tokens are compared in constant time, all of them for every request, so that time tells nothing (timing attack);
 * anything else is for a function to verify. Tokens are taken from the field alone: those in a query end up in logs and
 * histories (RFC 6750 §5.3). A token must never be part of an answer or a message.
 */

import { trimWhiteSpace } from "../http/fields.ts";
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { A_FUNCTION, checkOptions, listOf, type OptionRules } from "../server/option-rules.ts";
import { type Context, type ContextKey, contextKey } from "../web/context.ts";
import { type Handler, type Middleware, problemResponse } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import type { Response } from "../web/response.ts";
import { isPromise } from "./edit-response.ts";
import { QUOTABLE, quoted } from "./field-values.ts";

/**
 * Says whose token it is: anything but false, null and undefined is let in, and handlers find it as `context.get(BEARER)`.
 * It may throw an HttpError to answer otherwise, e.g. 403 for a token that is valid and not enough.
 */
export type VerifyToken = (token: string, request: Request, context: Context) => unknown;

/** Who may come in. */
export interface BearerOptions {
  /** Tokens that are let in. Either these or `verify`. */
  readonly tokens?: readonly string[] | undefined;
  /** Asked for each token; may give a promise. */
  readonly verify?: VerifyToken | undefined;
  /** What the place is called in the challenge. Default `restricted`. */
  readonly realm?: string | undefined;
}

/** RFC 6750 §2.1: b64token. */
const TOKEN = /^[\w.~+/-]+=*$/;
const CREDENTIALS = /^bearer(?: +(.*))?$/i;

/** @internal */
export const BEARER_RULES: OptionRules<BearerOptions> = {
  tokens: listOf("tokens of letters, digits and -._~+/", (token) => TOKEN.test(token)),
  verify: A_FUNCTION,
  realm: QUOTABLE,
};

/** What `verify` gave for the token of this request; true for one of `tokens`; undefined without `bearer`. */
export const BEARER: ContextKey<unknown> = contextKey<unknown>("bearer");

/**
 * Asks for a token.
 *
 * @throws TypeError that names every mistake in the options, and for neither or both of `tokens` and `verify`
 */
export function bearer(options: BearerOptions): Middleware {
  checkOptions("bearer", options, BEARER_RULES);
  const { tokens, verify, realm = "restricted" } = options;
  if ((tokens === undefined) === (verify === undefined)) throw new TypeError("bearer: give either tokens or verify");
  if (tokens?.length === 0) throw new TypeError("bearer: nobody could come in, there is no token");
  const gate = new Gate(verify ?? knownTokens(tokens ?? []), `Bearer realm=${quoted(realm)}`);
  return (request, context, next) => gate.answer(request, context, next);
}

class Gate {
  readonly #verify: VerifyToken;
  readonly #challenge: string;

  constructor(verify: VerifyToken, challenge: string) {
    this.#verify = verify;
    this.#challenge = challenge;
  }

  answer(request: Request, context: Context, next: Handler): ReturnType<Handler> {
    const credentials = CREDENTIALS.exec(request.headers.get("authorization") ?? "");
    // RFC 6750 §3.1: who brings nothing is told no error
    if (credentials === null) return this.#refuse(request, 401, "", "this needs a token");
    // Not trimEnd(), which takes U+00A0 for white space: an octet of the token to the wire
    const given = credentials[1] ?? "";
    // RFC 9110 §11.4: behind the scheme stand spaces alone
    const token = given.startsWith("\t") ? given : trimWhiteSpace(given);
    if (!TOKEN.test(token)) return this.#refuse(request, 400, "invalid_request", "the credentials are no token");
    const verdict = this.#verify(token, request, context);
    if (isPromise(verdict)) return verdict.then((identity) => this.#admit(identity, request, context, next));
    return this.#admit(verdict, request, context, next);
  }

  #admit(identity: unknown, request: Request, context: Context, next: Handler): ReturnType<Handler> {
    if (identity === false || identity === null || identity === undefined) {
      return this.#refuse(request, 401, "invalid_token", "the token is not, or no longer, valid");
    }
    context.set(BEARER, identity);
    return next(request, context);
  }

  /** RFC 6750 §3: the challenge, which is a MUST with 401 (RFC 9110 §15.5.2). */
  #refuse(request: Request, status: number, error: string, detail: string): Response {
    const challenge =
      error === "" ? this.#challenge : `${this.#challenge}, error="${error}", error_description="${detail}"`;
    // The answer to somebody with a token must not be replaced by this one
    return problemResponse(request, status, detail, ["www-authenticate", challenge, "cache-control", "no-store"]);
  }
}

/** Digests of equal length, whatever the token, so that comparing tells nothing of it. */
function knownTokens(tokens: readonly string[]): VerifyToken {
  const secret = randomBytes(32);
  const digest = (token: string): Buffer => createHmac("sha256", secret).update(Buffer.from(token)).digest();
  const known = tokens.map(digest);
  return (token) => {
    const given = digest(token);
    let isKnown = false;
    for (const one of known) if (timingSafeEqual(one, given)) isKnown = true;
    return isKnown;
  };
}
