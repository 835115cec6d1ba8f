/**
 * Paths of requests: from target or URL to decoded segments, once, for routing and for the scopes of middleware alike.
 *
 * A path is what the URL standard makes of it, as `request.url` shows it: dot segments are gone, encoded ones too, and nothing
 * else has changed. Then it is cut at its slashes and each segment decoded once (RFC 3986 §2.4): an encoded slash does not cut.
 * Routing and guarding must never read a path in two ways, so both read it here.
 */

import { decodePath, isOriginForm, splitTarget } from "../http/target.ts";
import { exchangeOf } from "../web/request.ts";

/** Of them a URL parser removes some (RFC 3986 §5.2.4); it alone decides which. */
const DOT_SEGMENT = /\/(?:\.|%2e)/i;
/** What separates somewhere: a slash in paths, a backslash on some systems. */
const ENCODED_SEPARATOR = /%(?:2f|5c)/gi;

const SLASH = 0x2f;
const PERCENT = 0x25;

/** The path of a request, as `new URL(request.url).pathname` has it but for characters that decoding makes the same. */
export function pathOf(request: globalThis.Request): string {
  const exchange = exchangeOf(request);
  if (exchange !== null) {
    const { target } = exchange.request;
    if (isOriginForm(target)) {
      const { path } = splitTarget(target);
      if (!path.includes("/.") && !(path.includes("%") && DOT_SEGMENT.test(path))) return path;
    }
  }
  return new URL(request.url).pathname;
}

/**
 * A path, cut into decoded segments. One object reads many paths, one at a time: whoever wants to keep something takes it
 * before the next is read.
 */
export class PathText {
  /** The decoded segments with slashes between; those inside of segments look the same, so that bounds are told by numbers. */
  text: string;
  readonly starts: number[];
  readonly ends: number[];
  /** Segments, at least 1: the root has an empty one. */
  count: number;
  /** Each segment with encoded separators as they came; null where nothing is encoded. */
  #rests: readonly string[] | null;

  constructor() {
    this.text = "/";
    this.starts = [];
    this.ends = [];
    this.count = 0;
    this.#rests = null;
  }

  /**
   * Reads a path that begins with a slash.
   *
   * @returns false for a malformed percent-encoding, malformed UTF-8, and NUL: then the segments are as they came
   */
  read(path: string): boolean {
    this.text = path;
    this.#rests = null;
    const { starts, ends } = this;
    let count = 0;
    starts[0] = 1;
    // One pass for slashes and encodings
    for (let i = 1; i < path.length; i++) {
      const code = path.charCodeAt(i);
      if (code === PERCENT) return this.#readEncoded(path);
      if (code !== SLASH) continue;
      ends[count++] = i;
      starts[count] = i + 1;
    }
    ends[count] = path.length;
    this.count = count + 1;
    return true;
  }

  #readEncoded(path: string): boolean {
    const raw = path.slice(1).split("/");
    const decoded = raw.map(decodePath);
    const isSound = !decoded.includes(null);
    const segments = isSound ? (decoded as string[]) : raw;
    if (isSound) this.#rests = raw.map(decodeButSeparators);
    let at = 1;
    for (let i = 0; i < segments.length; i++) {
      this.starts[i] = at;
      at += (segments[i] as string).length;
      this.ends[i] = at++;
    }
    this.text = `/${segments.join("/")}`;
    this.count = segments.length;
    return isSound;
  }

  /** The decoded segment at `index`. */
  segment(index: number): string {
    return this.text.slice(this.starts[index], this.ends[index]);
  }

  /**
   * All from the segment at `index` on, decoded but for encoded slashes and backslashes: as part of a longer path they would be
   * separators that were none (path traversal).
   */
  rest(index: number): string {
    if (this.#rests !== null) return this.#rests.slice(index).join("/");
    return this.text.slice(this.starts[index]);
  }
}

function decodeButSeparators(segment: string): string {
  if (!segment.includes("%")) return segment;
  // Encoded once more, they come out of decoding as they came
  return decodePath(segment.replaceAll(ENCODED_SEPARATOR, (match) => `%25${match.slice(1)}`)) ?? segment;
}
