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
    const text = whole.includes("@") ? whole.replace(USER_INFORMATION, `$1${REDACTED}@`) : whole;
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

  #isSecret(encoded: string): boolean {
    if (this.#isAll) return true;
    const name = decode(encoded).toLowerCase();
    if (this.#parameters.has(name)) return true;
    // `user[password]`, `password[]`, `token[a][0]`, as forms write what is nested or several
    return name.endsWith("]") && name.split(BRACKETS).some((part) => this.#parameters.has(part));
  }
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
