/**
 * Cookies (RFC 6265): those of a request read, those of a response written.
 *
 * Reading never throws and gives an object without prototype: what a client sends is rubbish as often as not. Writing throws
 * for everything that a browser would drop in silence, or take for something else: names that are no tokens, values beyond
 * 4,096 octets, `__Host-` and `__Secure-` without what they promise, SameSite=None without Secure. Defaults are the strict
 * ones: HttpOnly, Secure, SameSite=Lax, Path=/. Text is parsed and written by cookie-es.
 */

import { parseCookie, serializeCookie } from "cookie-es";
import { isToken } from "../http/fields.ts";
import type { OptionMistake } from "../server/option-check.ts";
import {
  findMistakes,
  mistakeIn,
  oneOf,
  type OptionRules,
  throwMistakes,
  whole,
  YES_OR_NO,
} from "../server/option-rules.ts";

/** Values by name; of several cookies with one name the first, which has the most specific path (RFC 6265 §5.4). */
export type Cookies = Readonly<Record<string, string | undefined>>;

/** What has request headers: a Request of any kind. */
export interface CookieSource {
  readonly headers: { get(name: string): string | null };
}

/** What has response headers: a Response of any kind, or the headers themselves. */
export type CookieTarget = globalThis.Response | globalThis.Headers;

/** How a cookie is kept (RFC 6265 §4.1.2). */
export interface CookieOptions {
  /** Seconds until it ends, from 0; browsers keep none for longer than 400 days. Default: with the browser's session. */
  readonly maxAgeSeconds?: number | undefined;
  /** When it ends; `maxAgeSeconds` goes before it. Default: with the browser's session. */
  readonly expires?: Date | undefined;
  /** Also for hosts below this one. Default: only the host that answers, which is the safer choice. */
  readonly domain?: string | undefined;
  /** For this path and those below. Default `/`. No protection: scripts of other paths can read it all the same. */
  readonly path?: string | undefined;
  /** Kept from scripts. Default true. */
  readonly httpOnly?: boolean | undefined;
  /**
   * Only sent over TLS, default true. Give the context or the request that is answered to have it decided by that: Secure
   * where it came over TLS. That is for development; behind a proxy that ends TLS it is wrong, say true there.
   */
  readonly secure?: boolean | { readonly encrypted: boolean } | { readonly url: string } | undefined;
  /** Whether requests from other sites carry it. Default `"lax"`: only when somebody follows a link here. */
  readonly sameSite?: "strict" | "lax" | "none" | undefined;
  /** Kept apart for each site that embeds this one (CHIPS); asks for Secure. Default false. */
  readonly partitioned?: boolean | undefined;
  /** Which cookies a browser throws away first. Default none. */
  readonly priority?: "low" | "medium" | "high" | undefined;
}

/** What browsers take of name and value together, in octets; more they drop (RFC 6265 §6.1 asks for no less). */
const MAX_COOKIE_BYTES = 4096;
/** What browsers take of an attribute's value, in octets; a longer one they ignore. */
const MAX_ATTRIBUTE_BYTES = 1024;

const RULES: OptionRules<CookieOptions> = {
  maxAgeSeconds: whole(0, Infinity, "seconds"),
  expires: { allowed: "a Date of the years 1601 to 9999", isAllowed: isWritableDate },
  domain: { allowed: "the name of a host", isAllowed: isDomain },
  path: { allowed: 'a path that begins with "/" and holds no control character and no ";"', isAllowed: isCookiePath },
  httpOnly: YES_OR_NO,
  secure: { allowed: "true, false, or the context or request that is answered", isAllowed: isSecureSource },
  sameSite: oneOf("strict", "lax", "none"),
  partitioned: YES_OR_NO,
  priority: oneOf("low", "medium", "high"),
};

/**
 * The cookies of a request. Malformed ones are left out, a value that is not percent-encoded right is given as it stands.
 *
 * @returns an object without prototype, new each time
 */
export function readCookies(request: CookieSource): Cookies {
  const cookies: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  const text = request.headers.get("cookie");
  if (text === null) return cookies;
  for (const [name, value] of Object.entries(parseCookie(text))) {
    // RFC 6265 §4.1.1: a name is a token; one without a name could be read as another cookie by somebody else
    if (isToken(name)) cookies[name] = value;
  }
  return cookies;
}

/**
 * Sets a cookie with a response, in place of one with the same name, domain and path that it sets already.
 *
 * @param value any text; it is percent-encoded
 * @throws TypeError that tells every mistake: name, value, options, and what they have to do with one another; and for
 *   headers that are immutable (those of `Response.redirect()`; `redirect()` of this room has others)
 */
export function setCookie(target: CookieTarget, name: string, value: string, options: CookieOptions = {}): void {
  const line = renderCookie(name, value, options);
  const headers = "headers" in target ? target.headers : target;
  const before = headers.getSetCookie();
  const identity = identityOf(line);
  const kept = before.filter((other) => identityOf(other) !== identity);
  // RFC 6265 §4.1.1: SHOULD NOT set the same cookie twice
  if (kept.length < before.length) {
    headers.delete("set-cookie");
    for (const other of kept) headers.append("set-cookie", other);
  }
  headers.append("set-cookie", line);
}

/**
 * Has the browser forget a cookie. Domain and path must be those that it was set with.
 *
 * @throws TypeError as {@link setCookie} does
 */
export function clearCookie(
  target: CookieTarget,
  name: string,
  options: Omit<CookieOptions, "maxAgeSeconds" | "expires"> = {},
): void {
  // RFC 6265 §3.1: an end in the past; some clients know only Expires, some prefer Max-Age
  setCookie(target, name, "", { ...options, maxAgeSeconds: 0, expires: new Date(0) });
}

/** A Set-Cookie value. @throws TypeError that tells every mistake */
function renderCookie(name: string, value: string, options: CookieOptions): string {
  const mistakes = findMistakes(options, RULES);
  if (typeof name !== "string" || !isToken(name))
    mistakes.push(mistakeIn("name", `must be a token, not ${JSON.stringify(name)}`));
  const encoded = encode(value);
  if (encoded === null) mistakes.push(mistakeIn("value", "must be well-formed text"));
  else if (name.length + encoded.length > MAX_COOKIE_BYTES) {
    const octets = name.length + encoded.length;
    mistakes.push(mistakeIn("value", `it has ${octets} octets with the name, browsers take ${MAX_COOKIE_BYTES}`));
  }
  const isSecure = isSecureBy(options.secure ?? true);
  const path = options.path ?? "/";
  if (mistakes.length === 0) findContradictions(name, options, isSecure, path, mistakes);
  throwMistakes(`the cookie ${JSON.stringify(String(name).slice(0, 80))}`, mistakes);
  const { maxAgeSeconds, expires, domain, partitioned, priority } = options;
  return serializeCookie(name, value, {
    ...(maxAgeSeconds === undefined ? {} : { maxAge: maxAgeSeconds }),
    ...(expires === undefined ? {} : { expires }),
    ...(domain === undefined ? {} : { domain }),
    path,
    httpOnly: options.httpOnly ?? true,
    secure: isSecure,
    sameSite: options.sameSite ?? "lax",
    ...(partitioned === undefined ? {} : { partitioned }),
    ...(priority === undefined ? {} : { priority }),
  });
}

/** What browsers drop a cookie for. Prefixes count in any case, as a server elsewhere may fold names. */
function findContradictions(
  name: string,
  options: CookieOptions,
  isSecure: boolean,
  path: string,
  mistakes: OptionMistake[],
): void {
  const folded = name.toLowerCase();
  const isOfHost = folded.startsWith("__host-");
  if ((isOfHost || folded.startsWith("__secure-")) && !isSecure)
    mistakes.push(mistakeIn("secure", "its prefix asks for Secure"));
  if (isOfHost && path !== "/") mistakes.push(mistakeIn("path", "its prefix asks for the path /"));
  if (isOfHost && options.domain !== undefined) mistakes.push(mistakeIn("domain", "its prefix forbids a domain"));
  if (options.sameSite === "none" && !isSecure) mistakes.push(mistakeIn("sameSite", "SameSite=None asks for Secure"));
  if (options.partitioned === true && !isSecure) mistakes.push(mistakeIn("partitioned", "Partitioned asks for Secure"));
}

function encode(value: string): string | null {
  try {
    return typeof value === "string" ? encodeURIComponent(value) : null;
  } catch {
    // Half of a surrogate pair
    return null;
  }
}

/** RFC 6265 §5.3 step 11: name, domain and path say which cookie it is. */
function identityOf(line: string): string {
  const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
  const of = (name: string): string => attributes.find((one) => one.toLowerCase().startsWith(name)) ?? name;
  return `${pair.slice(0, pair.indexOf("="))};${of("domain=").toLowerCase()};${of("path=")}`;
}

function isSecureBy(source: NonNullable<CookieOptions["secure"]>): boolean {
  if (typeof source === "boolean") return source;
  return "encrypted" in source ? source.encrypted : source.url.startsWith("https:");
}

function isSecureSource(value: unknown): boolean {
  if (typeof value === "boolean") return true;
  if (typeof value !== "object" || value === null) return false;
  const { encrypted, url } = value as { encrypted?: unknown; url?: unknown };
  return typeof encrypted === "boolean" || typeof url === "string";
}

/** RFC 6265 §5.1.1 reads years from 1601; HTTP-date has four digits. */
function isWritableDate(value: unknown): boolean {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return false;
  const year = value.getUTCFullYear();
  return year >= 1601 && year <= 9999;
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const DOMAIN = new RegExp(String.raw`^\.?${LABEL}(?:\.${LABEL})*$`, "i");

function isDomain(value: unknown): boolean {
  return typeof value === "string" && value.length <= 254 && DOMAIN.test(value);
}

/** RFC 6265 §4.1.1 path-value; one that does not begin with "/" is ignored by browsers (§5.2.4). */
function isCookiePath(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_ATTRIBUTE_BYTES && /^\/[\x20-\x3a\x3c-\x7e]*$/.test(value);
}
