/**
 * Errors as node:http makes them: the same codes, classes and messages, because libraries look at `error.code`.
 *
 * Only those that our own members raise; what is inherited from Node brings its own. None of them reaches a client: they are
 * for whoever wrote the listener. The codes are Node's (https://nodejs.org/api/errors.html), not of our table.
 */

/** A code that {@link nodeError} knows. */
export type NodeErrorCode =
  | "ERR_HTTP_HEADERS_SENT"
  | "ERR_HTTP_INVALID_STATUS_CODE"
  | "ERR_HTTP_CONTENT_LENGTH_MISMATCH"
  | "ERR_INVALID_ARG_TYPE"
  | "ERR_INVALID_ARG_VALUE"
  | "ERR_INVALID_CHAR"
  | "ERR_STREAM_ALREADY_FINISHED"
  | "ERR_STREAM_DESTROYED"
  | "ERR_STREAM_NULL_VALUES"
  | "ERR_STREAM_WRITE_AFTER_END"
  | "ERR_SERVER_ALREADY_LISTEN"
  | "ERR_SERVER_NOT_RUNNING";

/** Class and sentence of each code. */
const SENTENCES: Readonly<Record<NodeErrorCode, readonly [new (message: string) => Error, string]>> = {
  ERR_HTTP_HEADERS_SENT: [Error, "Cannot %s after they are sent to the client"],
  ERR_HTTP_INVALID_STATUS_CODE: [RangeError, "Invalid status code: %s"],
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: [
    Error,
    "Response body's content-length of %s does not match the content-length header",
  ],
  ERR_INVALID_ARG_TYPE: [TypeError, 'The "%s" argument is of the wrong type'],
  ERR_INVALID_ARG_VALUE: [TypeError, 'The argument "%s" is invalid'],
  ERR_INVALID_CHAR: [TypeError, "Invalid character in %s"],
  ERR_STREAM_ALREADY_FINISHED: [Error, "Cannot call %s after a stream was finished"],
  ERR_STREAM_DESTROYED: [Error, "Cannot call %s after a stream was destroyed"],
  ERR_STREAM_NULL_VALUES: [TypeError, "May not write null values to %s"],
  ERR_STREAM_WRITE_AFTER_END: [Error, "write after end"],
  ERR_SERVER_ALREADY_LISTEN: [Error, "Listen method has been called more than once without closing"],
  ERR_SERVER_NOT_RUNNING: [Error, "Server is not running"],
};

/** An error with Node's code. */
export interface NodeError extends Error {
  readonly code: NodeErrorCode | "ECONNRESET";
}

/** @param subject what the sentence is about */
export function nodeError(code: NodeErrorCode, subject = ""): NodeError {
  const [Kind, sentence] = SENTENCES[code];
  return Object.assign(new Kind(sentence.replace("%s", subject)), { code });
}

/** What a request is destroyed with when its client leaves. */
export function connectionReset(): NodeError {
  return Object.assign(new Error("aborted"), { code: "ECONNRESET" as const });
}
