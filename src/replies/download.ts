/**
 * Downloads: content that a browser saves under a name, in place of showing it (RFC 6266).
 *
 * The type says nothing of what could run here, sniffing is off, and the name is made harmless by http/content-disposition.ts:
 * what somebody has uploaded can be given out without becoming a page of this site.
 */

import { contentDisposition } from "../http/content-disposition.ts";
import { checkOptions, HEADERS, type OptionRules, TEXT, YES_OR_NO } from "../server/option-rules.ts";
import type { HeadersInput } from "../web/header-lines.ts";
import { Response } from "../web/response.ts";
import type { ResponseBody } from "../web/response-body.ts";

/** What goes with a download. */
export interface DownloadOptions {
  /** Media type. Default that of a Blob, else `application/octet-stream`. */
  readonly type?: string | undefined;
  /** Show it where that is possible, and save it under the name only on request. Default false. */
  readonly inline?: boolean | undefined;
  /** More fields, e.g. Cache-Control. */
  readonly headers?: HeadersInput | undefined;
}

const RULES: OptionRules<DownloadOptions> = { type: TEXT, inline: YES_OR_NO, headers: HEADERS };

/**
 * Gives content out to be saved.
 *
 * @param filename any name; see {@link contentDisposition} for what becomes of it
 * @throws TypeError for a name with a control character (response splitting), wrong options or headers
 */
export function download(body: ResponseBody, filename: string, options: DownloadOptions = {}): Response {
  checkOptions("download", options, RULES);
  if (typeof filename !== "string" || filename === "") throw new TypeError("a download needs the name of a file");
  const disposition = contentDisposition(options.inline === true ? "inline" : "attachment", filename);
  const response = new Response(body, options.headers === undefined ? {} : { headers: options.headers });
  const { headers } = response;
  const ofBlob = body instanceof Blob && body.type !== "" ? body.type : null;
  headers.set("content-type", options.type ?? ofBlob ?? "application/octet-stream");
  headers.set("content-disposition", disposition);
  headers.set("x-content-type-options", "nosniff");
  return response;
}
