/**
 * Request targets and authorities: the four forms of RFC 9112 §3.2, `uri-host [ ":" port ]` (RFC 9110 §7.2), the target
 * URI (RFC 9112 §3.3) as the URL standard writes it, and the rules of paths (RFC 3986 §2.1, §3.3, §5.2.4).
 *
 * An authority that passes here also passes `new URL()`, so that reading `request.url` cannot throw later. Nearly all
 * targets are in origin-form and begin with "/": {@link isOriginForm} lets a wire skip the rest. This file must never
 * decide what a path means to a resource.
 */

/** Which of the four forms a request-target has (RFC 9112 §3.2.1 to §3.2.4). */
type TargetForm = "origin" | "absolute" | "authority" | "asterisk";

/** A request-target, taken apart. */
export interface RequestTarget {
  readonly form: TargetForm;
  /** `http` or `https` in absolute-form, else `""`. */
  readonly scheme: string;
  /** `uri-host [ ":" port ]` in absolute-form and authority-form, else `""`. */
  readonly authority: string;
  /** Begins with `/`; `*` for the server as a whole; `""` in authority-form. Nothing is decoded. */
  readonly path: string;
  /** What follows the first `?`, which may be nothing; null without `?`. */
  readonly query: string | null;
}

/** Path and query of a target, undecoded. */
export interface SplitTarget {
  readonly path: string;
  /** What follows the first `?`; null without `?`. */
  readonly query: string | null;
}

const SLASH = 0x2f;
const COLON = 0x3a;
const DOT = 0x2e;

/** Visible US-ASCII without `"`, `<`, `>`, `\` and `#`. `{ } | ^ [ ]` and the backtick pass, because browsers send them raw. */
const TARGET_CHARACTERS = /^[!$-;=?-[\]-~]+$/;
/** scheme, authority, rest (RFC 9110 §4.2.1, §4.2.2); schemes are case-insensitive (RFC 3986 §3.1). */
const ABSOLUTE_FORM = /^(https?):\/\/([^/?]+)(.*)$/i;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
/** RFC 3986 §3.2.2 without IPvFuture, which the URL standard does not know; reg-name without the empty one, which http refuses. */
const AUTHORITY = /^(?:\[[0-9a-f:.]+\]|(?:[a-z0-9\-._~!$&'()*+,;=]|%[0-9a-f]{2})+)(?::(\d*))?$/i;

/**
 * A path and query that `new URL()` would leave as they are: no character of the percent-encode sets of paths and
 * special queries (`^`, on which versions of the URL standard differ, and `|` are left out too), and no segment that
 * begins with a dot, encoded or not, since it could be a dot segment.
 */
const NORMAL_TARGET = /^(?:\/(?!\.|%2e)[!$-.0-;=@-[\]_a-z~]*)+(?:\?[!$-&(-;=?-[\]_a-z~]*)?$/i;

/** Whether `target` is in origin-form (RFC 9112 §3.2.1), given that its characters are valid. */
export function isOriginForm(target: string): boolean {
  return target.charCodeAt(0) === SLASH;
}

/** Whether `text` is an IPv4 address in dotted decimal, without leading zeros (RFC 3986 §3.2.2). */
export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** The port that `scheme` implies: 443 for https, else 80 (RFC 9110 §4.2.1, §4.2.2). */
export function defaultPort(scheme: string): number {
  return scheme === "https" ? 443 : 80;
}

/**
 * Takes a request-target apart.
 *
 * @param method case-sensitive; decides whether authority-form (CONNECT) and asterisk-form (OPTIONS) are possible
 * @param target as received
 * @returns null if `target` has none of the forms that `method` permits, or holds a character that must be percent-encoded
 */
export function parseTarget(method: string, target: string): RequestTarget | null {
  if (!TARGET_CHARACTERS.test(target)) return null;
  // RFC 9112 §3.2.3: authority-form is only used for CONNECT, and CONNECT uses no other
  if (method === "CONNECT") return parseAuthorityForm(target);
  if (isOriginForm(target)) {
    const { path, query } = splitTarget(target);
    return { form: "origin", scheme: "", authority: "", path, query };
  }
  if (target === "*") {
    // RFC 9112 §3.2.4: asterisk-form is only used for OPTIONS
    return method === "OPTIONS" ? { form: "asterisk", scheme: "", authority: "", path: "*", query: null } : null;
  }
  return parseAbsoluteForm(method, target);
}

/** RFC 9110 §9.3.6: there is no default port, an empty or invalid one is refused. */
function parseAuthorityForm(target: string): RequestTarget | null {
  const port = /:0*([1-9]\d*)$/.exec(target);
  if (port === null || !isValidAuthority(target)) return null;
  return { form: "authority", scheme: "", authority: target, path: "", query: null };
}

function parseAbsoluteForm(method: string, target: string): RequestTarget | null {
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return null;
  const [, scheme = "", authority = "", rest = ""] = match;
  // RFC 9110 §4.2.4: userinfo is an error, since it serves to obscure the authority (phishing); "@" is in no authority
  if (!isValidAuthority(authority)) return null;
  const { path, query } = splitTarget(rest);
  // RFC 9112 §3.2.4: OPTIONS with an empty path and no query means the server as a whole
  const whole = method === "OPTIONS" && query === null ? "*" : "/";
  return { form: "absolute", scheme: scheme.toLowerCase(), authority, path: path === "" ? whole : path, query };
}

/** Cuts an origin-form target at its first `?`. */
export function splitTarget(target: string): SplitTarget {
  const mark = target.indexOf("?");
  if (mark === -1) return { path: target, query: null };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Whether `text` is `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2) with a port of at most 65535, and a host
 * that `new URL()` accepts. The empty host is refused: no http URI has it (RFC 9110 §4.2.1).
 */
export function isValidAuthority(text: string): boolean {
  if (commonPort(text, true) !== UNCOMMON) return true;
  const match = AUTHORITY.exec(text);
  if (match === null || Number(match[1] ?? 0) > MAX_PORT) return false;
  // The URL parser alone knows which percent-encoded names, internationalised labels and IPv6 literals are sound
  return URL.canParse(`http://${text}`);
}

const MAX_PORT = 65_535;
/** {@link commonPort}: an authority without port, and one that takes more to judge. */
const NO_PORT = -1;
const UNCOMMON = -2;

/**
 * The port of an authority written as nearly everybody does, so that `new URL()` would leave it as it is (but for case
 * and a default port): labels of letters, digits, "-" and "_", the last not beginning with a digit; or a dotted IPv4
 * address; a port without leading zeros.
 *
 * @returns 0 to 65535, {@link NO_PORT}, or {@link UNCOMMON}: not necessarily invalid
 */
function commonPort(text: string, allowUpperCase: boolean): number {
  const length = text.length;
  let labelStart = 0;
  let i = 0;
  for (; i < length; i++) {
    const code = text.charCodeAt(i);
    if ((code >= 0x61 && code <= 0x7a) || code === 0x2d || code === 0x5f || (code >= 0x30 && code <= 0x39)) continue;
    if (code >= 0x41 && code <= 0x5a && allowUpperCase) continue;
    if (code !== DOT) break;
    if (i === labelStart || isReservedLabel(text, labelStart)) return UNCOMMON;
    labelStart = i + 1;
  }
  if (i === labelStart || isReservedLabel(text, labelStart)) return UNCOMMON;
  // A last label that begins with a digit may make the URL parser read an IPv4 address of any spelling
  const first = text.charCodeAt(labelStart);
  if (first <= 0x39 && first >= 0x30 && !IPV4.test(i === length ? text : text.slice(0, i))) return UNCOMMON;
  return i === length ? NO_PORT : plainPort(text, i);
}

/** Labels that begin with `xn--` must be valid Punycode. */
function isReservedLabel(text: string, start: number): boolean {
  return (text.charCodeAt(start) | 0x20) === 0x78 && text.slice(start + 1, start + 4).toLowerCase() === "n--";
}

/** The port behind the colon at `colon`, if it has one to five digits and no leading zero. */
function plainPort(text: string, colon: number): number {
  const length = text.length;
  if (text.charCodeAt(colon) !== COLON || length - colon < 2 || length - colon > 6) return UNCOMMON;
  if (text.charCodeAt(colon + 1) === 0x30 && length - colon > 2) return UNCOMMON;
  let port = 0;
  for (let i = colon + 1; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return UNCOMMON;
    port = port * 10 + code - 0x30;
  }
  return port <= MAX_PORT ? port : UNCOMMON;
}

/**
 * The target URI (RFC 9112 §3.3) exactly as `new URL().href` would write it.
 *
 * Plain targets on plain authorities are joined without parsing. Throws for nothing that a wire accepted: `authority`
 * valid or empty, `target` of valid characters in one of the four forms.
 *
 * @param scheme `http` or `https`, from the transport; an absolute-form target brings its own
 * @param authority `uri-host [ ":" port ]`; `""` (HTTP/1.0 without Host) reads as `localhost`
 */
export function requestUrl(scheme: string, authority: string, target: string): string {
  const host = authority === "" ? "localhost" : authority;
  if (isOriginForm(target)) {
    const href = `${scheme}://${host}${target}`;
    if (NORMAL_TARGET.test(target) && isNormalAuthority(scheme, host)) return href;
    return new URL(`${scheme}://${host}${withoutDotSegments(target)}`).href;
  }
  // RFC 9112 §3.3: in asterisk-form path and query are empty
  if (target === "*") return new URL(`${scheme}://${host}`).href;
  const absolute = ABSOLUTE_FORM.exec(target);
  if (absolute === null) return new URL(`${scheme}://${target}`).href;
  const [, ownScheme = "", ownHost = "", rest = ""] = absolute;
  return new URL(`${ownScheme}://${ownHost}${rest.startsWith("/") ? withoutDotSegments(rest) : rest}`).href;
}

const DOT_SEGMENT = /\/(?:\.|%2e)/i;

/**
 * A path, with its query perhaps, without dot segments. The URL parser of Node 20 and 22 leaves them where a segment before them
 * begins with a dot (`/a/.b/../../c`), and whoever guards a path, or opens a file, relies on their being gone.
 */
function withoutDotSegments(target: string): string {
  if (!DOT_SEGMENT.test(target)) return target;
  const { path, query } = splitTarget(target);
  return query === null ? removeDotSegments(path) : `${removeDotSegments(path)}?${query}`;
}

/** Whether `new URL()` would leave the authority as it is: it drops a default port and folds case. */
function isNormalAuthority(scheme: string, authority: string): boolean {
  const port = commonPort(authority, false);
  return port !== UNCOMMON && port !== defaultPort(scheme);
}

/**
 * Decodes a path's percent-encodings once (RFC 3986 §2.1), as strict UTF-8.
 *
 * An encoded slash becomes a slash and encoded dots become dots, so a file server must remove dot segments, or refuse
 * them, after this and not before (path traversal).
 *
 * @returns null for a malformed percent-encoding, malformed or overlong UTF-8, and NUL
 */
export function decodePath(path: string): string | null {
  let decoded = path;
  if (path.includes("%")) {
    try {
      decoded = decodeURIComponent(path);
    } catch {
      return null;
    }
  }
  return decoded.includes("\0") ? null : decoded;
}

const ONE_DOT = /^(?:\.|%2e)$/i;
const TWO_DOTS = /^(?:\.|%2e){2}$/i;

/**
 * Removes `.` and `..` segments from a path that begins with `/` (RFC 3986 §5.2.4), encoded ones too, as the URL standard does;
 * it never climbs above the root.
 */
export function removeDotSegments(path: string): string {
  if (!DOT_SEGMENT.test(path)) return path;
  const segments = path.split("/");
  const kept: string[] = [];
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] as string;
    const isUp = TWO_DOTS.test(segment);
    if (isUp) kept.pop();
    if (!isUp && !ONE_DOT.test(segment)) kept.push(segment);
    // A dot segment at the end leaves the slash before it
    else if (i === last) kept.push("");
  }
  return `/${kept.join("/")}`;
}

/** The host of an authority without its port; brackets of an IPv6 literal stay. */
export function hostOf(authority: string): string {
  const colon = authority.lastIndexOf(":");
  // Behind a bracket no colon is left but that of the port
  if (colon === -1 || authority.indexOf("]", colon) !== -1) return authority;
  return authority.slice(0, colon);
}
