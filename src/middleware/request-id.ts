/**
 * A name for each request, in the answer and for handlers and logs: `context.get(REQUEST_ID)`.
 *
 * A name that the client sends is taken only where the option says so, and only if it is plain and short: it ends up in logs
 * (log injection) and in fields (response splitting), and who can choose it can make two requests look like one.
 */

import { randomUUID } from "node:crypto";
import type { FieldEdit, FieldLines } from "../http/exchange.ts";
import { isToken } from "../http/fields.ts";
import { A_FUNCTION, checkOptions, type OptionRules } from "../server/option-rules.ts";
import { type Context, type ContextKey, contextKey } from "../web/context.ts";
import type { Middleware } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { editAnswer, setLine } from "./edit-response.ts";

/** Where names come from. */
export interface RequestIdOptions {
  /** The field that has the name, in both directions. Default `x-request-id`. */
  readonly field?: string | undefined;
  /**
   * Whether a name that comes with the request is taken, if it has 1 to 128 letters, digits and `._~+/=:-`; or a function that
   * says so, e.g. by the address of the proxy. Default false.
   */
  readonly trustIncoming?: boolean | ((request: Request, context: Context) => boolean) | undefined;
  /** Makes a name. Default a random UUID (RFC 9562, version 4). */
  readonly generate?: (() => string) | undefined;
}

/** @internal */
export const REQUEST_ID_RULES: OptionRules<RequestIdOptions> = {
  field: { allowed: "the name of a field", isAllowed: (value) => typeof value === "string" && isToken(value) },
  trustIncoming: {
    allowed: "true, false or a function",
    isAllowed: (value) => typeof value === "boolean" || typeof value === "function",
  },
  generate: A_FUNCTION,
};

/** The name of the request; `""` without `requestId` around the handler. */
export const REQUEST_ID: ContextKey<string> = contextKey("request id", "");

const VALID = /^[\w.~+/=:-]{1,128}$/;

/**
 * Names each request.
 *
 * @throws TypeError that names every mistake in the options; later, from `generate` making no valid name
 */
export function requestId(options: RequestIdOptions = {}): Middleware {
  checkOptions("requestId", options, REQUEST_ID_RULES);
  const { trustIncoming = false, generate } = options;
  const field = (options.field ?? "x-request-id").toLowerCase();
  return (request, context, next) => {
    const isTrusted = typeof trustIncoming === "function" ? trustIncoming(request, context) : trustIncoming;
    const incoming = isTrusted ? request.headers.get(field) : null;
    const id = incoming !== null && VALID.test(incoming) ? incoming : make(generate);
    context.set(REQUEST_ID, id);
    // For observers, who see no context
    context.exchange.requestId = id;
    return editAnswer(next, request, context, new OneLine(field, id));
  };
}

function make(generate: (() => string) | undefined): string {
  if (generate === undefined) return randomUUID();
  const id = generate();
  if (!VALID.test(id)) throw new TypeError("requestId: generate() must give 1 to 128 letters, digits and ._~+/=:-");
  return id;
}

/** Sets one field. */
class OneLine implements FieldEdit {
  readonly #name: string;
  readonly #value: string;

  constructor(name: string, value: string) {
    this.#name = name;
    this.#value = value;
  }

  apply(lines: FieldLines): FieldLines {
    const changed = [...lines];
    setLine(changed, this.#name, this.#value);
    return changed;
  }
}
