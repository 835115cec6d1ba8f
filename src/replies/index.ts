/**
 * `fairlead/replies`: what handlers give out besides plain responses.
 *
 * Exports only. Whatever is wrong with what a handler gives to these functions throws where it gives it; what a client sends
 * never throws.
 */

export { clearCookie, readCookies, setCookie } from "./cookies.ts";
export type { CookieOptions, Cookies, CookieSource, CookieTarget } from "./cookies.ts";
export { download } from "./download.ts";
export type { DownloadOptions } from "./download.ts";
export { earlyHints, linkField } from "./early-hints.ts";
export type { HintLink } from "./early-hints.ts";
export type { EventSink, EventSource } from "./event-channel.ts";
export { eventStream } from "./event-stream.ts";
export type { EventStreamOptions } from "./event-stream.ts";
export type { EventInput, ServerEvent } from "./event-text.ts";
export { fileResponse, openFile } from "./file-response.ts";
export type { FileResponseOptions, OpenedFile } from "./file-response.ts";
export { escapeHtml, Html, html, trustedHtml } from "./html.ts";
export type { HtmlValue } from "./html.ts";
export { checkPreconditions } from "./preconditions.ts";
export type { CurrentVersion, PreconditionOptions } from "./preconditions.ts";
export { ranged } from "./ranged.ts";
export type { RangedOptions } from "./ranged.ts";
export { isLocalPath, redirect } from "./redirect.ts";
export type { RedirectOptions, RedirectStatus } from "./redirect.ts";
export { signedCookies, SignedCookies } from "./signed-cookies.ts";
export type { SignedCookiesOptions } from "./signed-cookies.ts";
export type { RangedBody, SlicePart, SliceSource } from "./sized.ts";
