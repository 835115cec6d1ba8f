/**
 * Why a reader does not take what was sent: an HttpError with a code of the table.
 *
 * Status, sentence and rule come from the table of http/errors.ts alone. An error of this kind is an answer: the connection
 * lives on, and a handler may catch it. It must never be given a path of the disk.
 */

import { type ContentErrorCode, ERRORS, HttpError, type HttpErrorOptions } from "../http/errors.ts";

/** Thrown by the readers of this room, and by no other. */
export class ContentError extends HttpError {
  override readonly name: string = "ContentError";
  declare readonly code: ContentErrorCode;

  /** @param detail what exactly, safe to show; `""` for nothing more than the table says */
  constructor(code: ContentErrorCode, detail = "", options: Omit<HttpErrorOptions, "code"> = {}) {
    const { status, sentence } = ERRORS[code];
    super(status, detail === "" ? sentence : `${sentence}: ${detail}`, { ...options, code });
  }
}
