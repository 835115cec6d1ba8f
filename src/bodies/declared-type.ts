/**
 * What a request declares its content to be, held against what its reader takes: media type, charset, content coding.
 *
 * What is declared decides; content is never guessed at (RFC 9110 §8.3: sniffing is a risk). A refusal says what would have
 * been taken: Accept and Accept-Encoding (RFC 9110 §15.5.16), Accept-Patch (RFC 5789 §2.2), Accept-Post.
 */

import { charsetOf, type MediaType, parseMediaType } from "../http/media-type.ts";
import { ContentError } from "./content-error.ts";

/** The declared media type, null if there is none or if it is none. */
export function declaredType(request: Request): MediaType | null {
  const value = request.headers.get("content-type");
  return value === null ? null : parseMediaType(value);
}

/** Whether it is `application/json` or has the structured syntax suffix `+json` (RFC 6839 §3.1). */
export function isJson(mediaType: MediaType): boolean {
  return (mediaType.type === "application" && mediaType.subtype === "json") || mediaType.subtype.endsWith("+json");
}

/** `type/subtype` without parameters. */
export function essenceOf(mediaType: MediaType): string {
  return `${mediaType.type}/${mediaType.subtype}`;
}

/**
 * The error for content of a type that is not taken.
 *
 * @param taken the media types that are, for the answer
 */
export function typeRefusal(request: Request, taken: readonly string[]): ContentError {
  // Whoever sent nothing at all is told so, rather than to declare it
  if (request.body === null && !request.bodyUsed) return new ContentError("ERR_CONTENT_MISSING");
  const list = taken.join(", ");
  const headers: Record<string, string> = { accept: list };
  // RFC 5789 §2.2: a 415 for PATCH names what is taken; Accept-Post (W3C LDP §7.1) is the same for POST
  if (request.method === "PATCH") headers["accept-patch"] = list;
  if (request.method === "POST") headers["accept-post"] = list;
  const value = request.headers.get("content-type");
  const given = value === null ? "it has no Content-Type" : `it is declared ${value}`;
  return new ContentError("ERR_CONTENT_TYPE", `${given}, and ${list} is taken`, { headers });
}

/** @throws ContentError ERR_CONTENT_CHARSET for another charset than UTF-8, of which US-ASCII is a part */
export function requireUtf8(mediaType: MediaType): void {
  const charset = charsetOf(mediaType);
  if (charset === null || charset === "utf-8" || charset === "utf8" || charset === "us-ascii") return;
  throw new ContentError("ERR_CONTENT_CHARSET", "it is declared otherwise", { headers: { "accept-charset": "utf-8" } });
}

/** Codings that can be undone here. */
export type RequestCoding = "gzip" | "deflate" | "br";

const CODINGS: ReadonlyMap<string, RequestCoding> = new Map([
  ["gzip", "gzip"],
  // RFC 9110 §8.4.1.3: to be taken for the same
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "br"],
]);

/**
 * The content coding to undo, null for none.
 *
 * @param decompress whether any is taken
 * @throws ContentError ERR_CONTENT_CODING for one that is not, and for several on top of one another
 */
export function declaredCoding(request: Request, decompress: boolean): RequestCoding | null {
  const value = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (value === "" || value === "identity") return null;
  const coding = decompress ? CODINGS.get(value) : undefined;
  if (coding !== undefined) return coding;
  // RFC 9110 §12.5.3: the answer to an unsupported coding says which are taken
  const headers = { "accept-encoding": decompress ? "gzip, deflate, br" : "identity" };
  throw new ContentError("ERR_CONTENT_CODING", `it is coded ${value}`, { headers });
}

/** The length that the request declares, null for none: chunked content. */
export function declaredLength(request: Request): number | null {
  const value = request.headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}
