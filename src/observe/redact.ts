/**
 * What is kept out of lines and spans: values of query parameters and of fields whose names say that they are secrets, and the
 * user information of URLs.
 *
 * A log is read by more people than the site's database, and copied to more places (CWE-532). Names are compared as a server
 * would understand them, percent-decoded and without regard to case; all else of a target stays as it was sent.
 */

import { isSecretName } from "../server/secret-names.ts";

/** What stands in place of a value. */
export const REDACTED = "[redacted]";

/** Query parameters that are redacted unless somebody says otherwise. */
export const SECRET_PARAMETERS: readonly string[] = Object.freeze([
  "access_token",
  "api_key",
  "apikey",
  "auth",
  "client_secret",
  "id_token",
  "key",
  "passwd",
  "password",
  "pwd",
  "refresh_token",
  "secret",
  "session",
  "sig",
  "signature",
  "token",
  "x-amz-credential",
  "x-amz-security-token",
  "x-amz-signature",
]);

/** Fields whose values are never written down, even where they are asked for. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

const BRACKETS = /[[\]]+/;

/** Of a URL, before which user information stands, which goes on to the last `@` of the URL (RFC 3986 §3.2.1). */
const SCHEME = /^[a-z][a-z\d+.-]*:\/\//i;
/** The same in an authority-form (RFC 9112 §3.2.3), in which it has no place; a slash behind the colon makes it `unix:/run/a@b`. */
const NAME_AND_PASSWORD = /^[^/?#@:\s]*:(?!\/)[^\t\n\r ]*@/;

const AUTHORITY_END = /[/?#]/;
const WORD_END = /[/?#\t ]/;
/** Of a URL that is a value. */
const VALUE_END = /[/?#&\t ]/;
const IPV6_LITERAL = /^\[[\da-f:.]*\]/i;
/** All that a server accepts (src/http/target.ts): what is served must be logged, or whoever knows how hides from the log. */
const ACCEPTED_PORT = /^0*\d{0,5}$/;
/** No more than five digits, since a password may be digits as well, and not none, since it may begin with a slash. */
const PLAIN_PORT = /^\d{1,5}$/;

/** A request line in which every part is where it belongs, so that its target can be looked at alone (RFC 9112 §3). */
const REQUEST_LINE = /^([\w!#$%&'*+.^`|~-]+ )(\*|\/[!"$-~]*|[a-z][a-z\d+.-]*:\/\/[!"$-~]*)( HTTP\/\d\.\d)$/i;
const VERSION_AT_END = / HTTP\/\d\.\d$/;
const FIRST_WORD = /^[^\t ]*[\t ]+/;
/** What may stand between a name and its sign, and in a name that is encoded or nested. */
const BEHIND_NAME = /["'\s]/;
const IN_NAME = /[\w!$%*+.@[\]^`|~-]/;

/** What decodes to one character, of one to four octets (RFC 3629 §4). */
const ENCODED =
  /%[0-7][\da-f]|%(?:c[2-9a-f]|d[\da-f])%[89ab][\da-f]|%(?:e0%[ab][\da-f]|e[1-9a-cef]%[89ab][\da-f]|ed%[89][\da-f])%[89ab][\da-f]|%(?:f0%[9ab][\da-f]|f[1-3]%[89ab][\da-f]|f4%8[\da-f])%[89ab][\da-f]%[89ab][\da-f]/gi;

/** Names whose values are left out. */
export class Redactor {
  readonly #parameters: ReadonlySet<string>;
  readonly #isAll: boolean;
  readonly #fields: ReadonlySet<string>;

  /**
   * @param parameters names of query parameters, or true for all
   * @param fields names of fields, besides those that hold credentials by their definition
   */
  constructor(parameters: readonly string[] | true, fields: readonly string[]) {
    this.#isAll = parameters === true;
    this.#parameters = new Set(parameters === true ? [] : parameters.map((name) => name.toLowerCase()));
    this.#fields = new Set([...SECRET_FIELDS, ...fields.map((name) => name.toLowerCase())]);
  }

  /** A request-target, or the URL of a Referer, without the secret values of its query and without user information. */
  url(whole: string): string {
    const text = withoutName(whole);
    const start = text.indexOf("?");
    if (start === -1 || (!this.#isAll && this.#parameters.size === 0)) return text;
    const hash = text.indexOf("#", start);
    const end = hash === -1 ? text.length : hash;
    return `${text.slice(0, start + 1)}${this.query(text.slice(start + 1, end))}${text.slice(end)}`;
  }

  /** The same for a query alone, without its question mark. */
  query(text: string): string {
    const pairs = text.split("&");
    let isChanged = false;
    for (let i = 0; i < pairs.length; i++) {
      const pair = pairs[i] as string;
      const equals = pair.indexOf("=");
      if (equals === -1 || !this.#isSecret(pair.slice(0, equals))) continue;
      pairs[i] = `${pair.slice(0, equals + 1)}${REDACTED}`;
      isChanged = true;
    }
    return isChanged ? pairs.join("&") : text;
  }

  /**
   * The first line of a request, which may be none: where it is cut up in another way than its sender meant, secrets stand
   * elsewhere than in a target. A value then ends at the next `&` alone, and one behind a colon with the line. Where the line
   * is cut off, so may be the `@` that tells a password from a host.
   */
  line(text: string): string {
    const [, method = "", target = "", version = ""] = REQUEST_LINE.exec(text) ?? [];
    if (method !== "" && (target.startsWith("/") || !target.includes("@"))) {
      return `${method}${this.url(target)}${version}`;
    }
    const end = VERSION_AT_END.exec(text)?.[0] ?? "";
    return this.#hostile(text.slice(0, text.length - end.length), end !== "") + end;
  }

  /** The value of a field, `name` in lower case. */
  field(name: string, value: string): string {
    return this.#fields.has(name) ? REDACTED : value;
  }

  /** The value of a member of an error that somebody else has made. */
  member(name: string, value: string): string {
    return this.isSecretMember(name) ? REDACTED : this.url(value);
  }

  /** Whether what a record or an error has under this name is not to be written. */
  isSecretMember(name: string): boolean {
    const lower = name.toLowerCase();
    return this.#parameters.has(lower) || this.#fields.has(lower) || isSecretName(name);
  }

  /** @param isWhole whether there was a version behind it */
  #hostile(text: string, isWhole: boolean): string {
    const word = FIRST_WORD.exec(text)?.[0].length ?? 0;
    const isPath = text[word] === "/";
    const start = userInformationStart(text, word);
    if (start === -1) return this.#withoutValues(text);
    const before = text.slice(0, start);
    if (isPath || this.#withoutValues(before) !== before) {
      // A URL in a value, of which no part may be left behind an `@`
      const shown = this.#withoutValues(text);
      return withoutUserInformation(shown, userInformationStart(shown, word), VALUE_END, isWhole);
    }
    // A password may look like a value, behind which the `@` is not seen
    const end = before.endsWith("://") ? AUTHORITY_END : WORD_END;
    return before + this.#withoutValues(withoutUserInformation(text, start, end, isWhole).slice(start));
  }

  #withoutValues(text: string): string {
    let shown = "";
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const sign = text[at];
      if (sign !== "=" && sign !== ":") continue;
      const name = nameBefore(text, at, start);
      const isHidden = sign === "=" ? this.#isSecret(name) : this.isSecretMember(decode(name));
      if (!isHidden) continue;
      shown += text.slice(start, at + 1) + REDACTED;
      const next = sign === "=" ? text.indexOf("&", at) : -1;
      if (next === -1) return shown;
      start = next;
      at = next;
    }
    return shown + text.slice(start);
  }

  #isSecret(encoded: string): boolean {
    if (this.#isAll) return true;
    const name = decode(encoded).toLowerCase();
    if (this.#parameters.has(name)) return true;
    // `user[password]`, `password[]`, `token[a][0]`, as forms write what is nested or several
    return name.endsWith("]") && name.split(BRACKETS).some((part) => this.#parameters.has(part));
  }
}

/** Signs are in no name, so that each character is looked at once at most. */
function nameBefore(text: string, sign: number, start: number): string {
  let end = sign;
  while (end > start && BEHIND_NAME.test(text[end - 1] as string)) end--;
  let first = end;
  while (first > start && IN_NAME.test(text[first - 1] as string)) first--;
  return text.slice(first, end);
}

/**
 * Of what is no path: nothing but a host and a port may stand before it ends, or what is there is no host but a name, and what
 * follows may be a password up to the last `@`, in which there may be anything.
 */
function withoutName(url: string): string {
  if (url.startsWith("/")) return url;
  const scheme = SCHEME.exec(url)?.[0] ?? "";
  if (scheme === "") return url.includes("@") ? url.replace(NAME_AND_PASSWORD, `${REDACTED}@`) : url;
  const authority = upTo(url.slice(scheme.length), AUTHORITY_END);
  if (!authority.includes("@") && !holdsPassword(authority, ACCEPTED_PORT)) return url;
  const at = url.lastIndexOf("@");
  return scheme + REDACTED + (at === -1 ? "" : url.slice(at));
}

/** Where user information may begin, or -1: behind the first `://`, else with the second word if that is no path. */
function userInformationStart(line: string, word: number): number {
  const slashes = line.indexOf("://");
  if (slashes !== -1) return slashes + "://".length;
  return line[word] === "/" ? -1 : word;
}

/**
 * Up to the last `@`, or to the end: where a line is cut off, the last `@` may be one of the password, and where there is none,
 * it may not have come.
 */
function withoutUserInformation(line: string, start: number, end: RegExp, isWhole: boolean): string {
  if (start === -1) return line;
  const at = line.lastIndexOf("@");
  // In a line of one word, nobody was asked for anything: no authority either
  const isUnsure = start > 0 && holdsPassword(upTo(line.slice(start), end), PLAIN_PORT);
  if (isUnsure && (at < start || !isWhole)) return line.slice(0, start) + REDACTED;
  return at > start ? line.slice(0, start) + REDACTED + line.slice(at) : line;
}

/** Whether in what should be a host and a port the colon is not the port's. */
function holdsPassword(authority: string, port: RegExp): boolean {
  const host = authority.replace(IPV6_LITERAL, "");
  const colon = host.indexOf(":");
  return colon !== -1 && !port.test(host.slice(colon + 1));
}

function upTo(text: string, end: RegExp): string {
  const at = text.search(end);
  return at === -1 ? text : text.slice(0, at);
}

/**
 * What cannot be decoded is compared as it is. This is known before it is tried: an exception costs microseconds, and a target has
 * room for thousands of names (CWE-400).
 */
function decode(text: string): string {
  if (!text.includes("%")) return text.includes("+") ? text.replaceAll("+", " ") : text;
  const spaced = text.replaceAll("+", " ");
  return spaced.replaceAll(ENCODED, "").includes("%") ? spaced : decodeURIComponent(spaced);
}
