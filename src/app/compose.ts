/**
 * Middleware and a handler -> one handler.
 *
 * Chains are put together once, when an app is: each link calls the next with request and context as arguments, and no request
 * pays for a closure, an array or a promise. Errors pass a chain as they are, thrown or rejected, so that middleware around
 * may catch them; {@link catching} is such a one. It must never await what is not a promise.
 */

import { HttpError } from "../http/errors.ts";
import type { Context } from "../web/context.ts";
import { editResponse } from "../web/edited-response.ts";
import { ErrorHandlerFailure, type Handler, isThenable, type Middleware } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import type { Coverage, Scope } from "./scope.ts";

/**
 * Answers an error that was thrown inside of an app. Undefined leaves it to the app around, at last to the server: the status of
 * an HttpError, else 500 with an id that the log has too. It may throw an HttpError instead of returning a response. Fields
 * that middleware inside sets on every answer (`cors`, `securityHeaders`) are set on this one as well.
 */
export type ErrorHandler = (
  error: unknown,
  request: Request,
  context: Context,
) => globalThis.Response | undefined | Promise<globalThis.Response | undefined>;

/** Middleware and where it applies. */
export interface Layer {
  readonly scope: Scope;
  readonly middleware: Middleware;
}

/** Middleware around a handler, the first the outermost. */
export function compose(middleware: readonly Middleware[], handler: Handler): Handler {
  return middleware.reduceRight<Handler>((next, each) => (request, context) => each(request, context, next), handler);
}

/** The same for layers, of which some are asked for by the path of the request. */
export function composeLayers(
  layers: readonly Layer[],
  coverageOf: (scope: Scope) => Coverage,
  handler: Handler,
): Handler {
  const middleware = layers.flatMap((layer) => {
    switch (coverageOf(layer.scope)) {
      case "always":
        return [layer.middleware];
      case "never":
        return [];
      case "by-path":
        return [within(layer)];
    }
  });
  return compose(middleware, handler);
}

function within({ scope, middleware }: Layer): Middleware {
  return (request, context, next) =>
    scope.covers(request) ? middleware(request, context, next) : next(request, context);
}

/** The way of errors through an app, as middleware. */
export function catching(onError: ErrorHandler): Middleware {
  return (request, context, next) => {
    try {
      const answer = next(request, context);
      if (!isThenable(answer)) return answer;
      // Itself, if it is a promise already
      return Promise.resolve(answer).then(undefined, (error: unknown) => recover(onError, error, request, context));
    } catch (error) {
      return recover(onError, error, request, context);
    }
  };
}

function recover(onError: ErrorHandler, error: unknown, request: Request, context: Context): ReturnType<Handler> {
  try {
    const answer = onError(error, request, context);
    if (!isThenable(answer)) return answerOr(error, answer, context);
    return Promise.resolve(answer)
      .then((response) => answerOr(error, response, context))
      .catch((mistake: unknown) => {
        throw failureOf(error, mistake, context);
      });
  } catch (mistake) {
    throw failureOf(error, mistake, context);
  }
}

/** What came through middleware as an error comes out as an answer: it gets the fields that it would have got there. */
function answerOr(error: unknown, answer: globalThis.Response | undefined, context: Context): globalThis.Response {
  if (answer === undefined) throw error;
  const edit = context.failureEdit(error);
  if (edit === null) return answer;
  context.noteEdit(edit);
  return editResponse(answer, edit);
}

/** An HttpError is an answer, wherever it is thrown, and the error itself thrown again is left alone. */
function failureOf(error: unknown, mistake: unknown, context: Context): unknown {
  if (mistake === error) return error;
  const failure = mistake instanceof HttpError ? mistake : new ErrorHandlerFailure(error, mistake);
  context.replaceFailure(error, failure);
  return failure;
}
