/**
 * File name -> Content-Type (RFC 9110 §8.3).
 *
 * The types come from mrmime; here stand only those that it lacks or that a web server means differently, and the rule
 * which types get a charset. It must never look at content: a type that is guessed from bytes is how a picture becomes a
 * script, and every answer says `nosniff` for the same reason.
 */

import { mimes } from "mrmime";

/** Types by extension, lower case, without the dot: `{ "gltf": "model/gltf+json" }`. */
export type MediaTypes = Readonly<Record<string, string>>;

/**
 * What the list lacks, or gives a meaning that hardly a file on a web server has: `.ts` is no MPEG stream there, and a browser
 * that is told `nosniff` takes `.cjs` as a script by no other type. Names are those registered at IANA; where there is none,
 * nginx's.
 */
const OWN_TYPES: ReadonlyMap<string, string> = new Map([
  ["7z", "application/x-7z-compressed"],
  ["avi", "video/x-msvideo"],
  ["bz2", "application/x-bzip2"],
  ["cjs", "text/javascript"],
  ["crt", "application/x-x509-ca-cert"],
  ["cts", "text/plain"],
  ["deb", "application/vnd.debian.binary-package"],
  ["der", "application/x-x509-ca-cert"],
  ["docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
  ["eot", "application/vnd.ms-fontobject"],
  ["flac", "audio/flac"],
  ["flv", "video/x-flv"],
  ["geojson", "application/geo+json"],
  ["ico", "image/x-icon"],
  ["jsonl", "application/jsonl"],
  ["kml", "application/vnd.google-earth.kml+xml"],
  ["kmz", "application/vnd.google-earth.kmz"],
  ["m3u8", "application/vnd.apple.mpegurl"],
  ["m4v", "video/x-m4v"],
  ["mkv", "video/matroska"],
  ["mts", "text/plain"],
  ["ndjson", "application/x-ndjson"],
  ["odg", "application/vnd.oasis.opendocument.graphics"],
  ["odp", "application/vnd.oasis.opendocument.presentation"],
  ["ods", "application/vnd.oasis.opendocument.spreadsheet"],
  ["odt", "application/vnd.oasis.opendocument.text"],
  ["pem", "application/x-x509-ca-cert"],
  ["ppt", "application/vnd.ms-powerpoint"],
  ["pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"],
  ["rar", "application/vnd.rar"],
  ["rpm", "application/x-redhat-package-manager"],
  ["tar", "application/x-tar"],
  ["ts", "text/plain"],
  ["tsx", "text/plain"],
  ["wmv", "video/x-ms-wmv"],
  ["xls", "application/vnd.ms-excel"],
  ["xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
  ["xz", "application/x-xz"],
  ["zst", "application/zstd"],
]);

/** What RFC 9110 §8.3 allows to assume of a file that says nothing: nothing. */
const UNKNOWN_TYPE = "application/octet-stream";

/**
 * Names the Content-Type of a file.
 *
 * @param name last segment of the path
 * @param own types that go before ours; a value with parameters is taken as it is
 * @returns the media type, with `charset=utf-8` where it is text
 */
export function mediaTypeOf(name: string, own: MediaTypes): string {
  const dot = name.lastIndexOf(".");
  // A name that is all extension (".profile") has none
  if (dot < 1) return UNKNOWN_TYPE;
  const extension = name.slice(dot + 1).toLowerCase();
  return withCharset(
    ownEntry(own, extension) ?? OWN_TYPES.get(extension) ?? ownEntry(mimes, extension) ?? UNKNOWN_TYPE,
  );
}

/** What a list says itself: `.constructor` is an extension that every object has. */
function ownEntry(types: MediaTypes, extension: string): string | undefined {
  return Object.hasOwn(types, extension) ? types[extension] : undefined;
}

/**
 * Says UTF-8 of text that names no charset itself: without it a browser falls back to a legacy encoding. Only of `text/`:
 * JSON has no such parameter (RFC 8259 §11) and the XML types declare their own encoding.
 */
function withCharset(type: string): string {
  return type.startsWith("text/") && !type.includes(";") ? `${type}; charset=utf-8` : type;
}
