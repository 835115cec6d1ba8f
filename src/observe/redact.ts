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

/** Of a URL, before the host (RFC 3986 §3.2.1): a name and a password. */
const USER_INFORMATION = /^([a-z][a-z\d+.-]*:\/\/)[^/?#]*@/i;
/** The same in an authority-form (RFC 9112 §3.2.3), in which it has no place. */
const NAME_AND_PASSWORD = /^[^/?#@:\s]*:[^/?#\s]*@/;

/** A request line in which every part is where it belongs, so that its target can be looked at alone (RFC 9112 §3). */
const REQUEST_LINE = /^([\w!#$%&'*+.^`|~-]+ )(\*|\/[!"$-~]*|[a-z][a-z\d+.-]*:\/\/[!"$-~]*)( HTTP\/\d\.\d)$/i;
const VERSION_AT_END = / HTTP\/\d\.\d$/;
/** What may stand between a name and its sign, and in a name that is encoded or nested. */
const BEHIND_NAME = /["'\s]/;
const IN_NAME = /[\w!$%*+.@[\]^`|~-]/;

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
    const text = whole.includes("@")
      ? whole.replace(USER_INFORMATION, `$1${REDACTED}@`).replace(NAME_AND_PASSWORD, `${REDACTED}@`)
      : whole;
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
   * elsewhere than in a target. A value then ends at the next `&` alone, and one behind a colon with the line.
   */
  line(text: string): string {
    const [, method = "", target = "", version = ""] = REQUEST_LINE.exec(text) ?? [];
    if (method !== "") return `${method}${this.url(target)}${version}`;
    const end = VERSION_AT_END.exec(text)?.[0] ?? "";
    return withoutUserInformation(this.#withoutValues(text.slice(0, text.length - end.length))) + end;
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

/** Up to the last `@`: a password may hold anything where nobody has looked at it. */
function withoutUserInformation(line: string): string {
  const at = line.lastIndexOf("@");
  const slashes = line.indexOf("://");
  const word = line.search(/[\t ]/) + 1;
  if (slashes === -1 && line[word] === "/") return line;
  const start = slashes === -1 ? word : slashes + "://".length;
  return at > start ? line.slice(0, start) + REDACTED + line.slice(at) : line;
}

/** What cannot be decoded is compared as it is. */
function decode(text: string): string {
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
