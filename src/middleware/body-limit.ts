/**
 * How much content a request may bring here: less than the server takes in general.
 *
 * What declares to be more is answered 413 (RFC 9110 §15.5.14) before the handler is asked; of content that does not say how
 * long it is, the wire stops at the limit while the handler reads. It must never read content itself, nor raise a limit.
 */

import { HttpError } from "../http/errors.ts";
import { checkOptions, type OptionRules, whole } from "../server/option-rules.ts";
import type { Middleware } from "../web/handler.ts";

/** How much. */
export interface BodyLimitOptions {
  /** The most octets of content; 0 for none at all. Required. `limits.maxContentBytes` of the server stays above it. */
  readonly maxBytes: number;
}

/** @internal */
export const BODY_LIMIT_RULES: OptionRules<BodyLimitOptions> = {
  maxBytes: whole(0, Infinity, "octets"),
};

/**
 * Lowers the limit of content for what is inside.
 *
 * @throws TypeError that names every mistake in the options
 */
export function bodyLimit(options: BodyLimitOptions): Middleware {
  checkOptions("bodyLimit", options, BODY_LIMIT_RULES);
  const { maxBytes } = options;
  if ((maxBytes as number | undefined) === undefined) throw new TypeError("bodyLimit: maxBytes is required");
  return (request, context, next) => {
    const { content } = context.exchange;
    if (!content.isEmpty && content.maxBytes > maxBytes) {
      if (content.length !== null && content.length > maxBytes) {
        throw new HttpError(413, `the content has ${content.length} octets, ${maxBytes} are taken here`);
      }
      content.maxBytes = maxBytes;
    }
    return next(request, context);
  };
}
