/**
 * Signed cookies: values that a client can read but not make up, not change and not move to another name.
 *
 * A signature is HMAC-SHA-256 over name and value, in base64url behind a dot. The first key signs, all verify, so that a key
 * can be replaced without throwing anybody out. Comparison takes the same time whatever it comes to. It hides nothing, and a
 * value stays valid as long as its key: what must end holds a time of its own.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { ServerError } from "../http/errors.ts";
import { renderMistakes } from "../server/option-check.ts";
import { findMistakes, type OptionRule } from "../server/option-rules.ts";
import {
  clearCookie,
  type CookieOptions,
  type Cookies,
  type CookieSource,
  type CookieTarget,
  readCookies,
  setCookie,
} from "./cookies.ts";

/** How cookies are signed. */
export interface SignedCookiesOptions {
  /**
   * Secrets of at least 32 octets each, text or bytes: random, the same on every machine, in no repository. The first signs;
   * all others are still believed. Put a new one in front to replace one, and take the old one out when its cookies are over.
   */
  readonly keys: readonly (string | Uint8Array)[];
}

/** RFC 2104 §3: keys shorter than the hash's output weaken it. */
const MIN_KEY_BYTES = 32;
/** 32 octets in base64url. */
const SIGNATURE = /^[\w-]{43}$/;

const KEYS: OptionRule = {
  allowed: `a list of one or more secrets of at least ${MIN_KEY_BYTES} octets`,
  isAllowed: (value) => Array.isArray(value) && value.length > 0 && value.every(isKey),
};

/** Reads and writes signed cookies. Made by {@link signedCookies}. */
export class SignedCookies {
  readonly #keys: readonly Uint8Array[];

  /** @internal */
  constructor(keys: readonly Uint8Array[]) {
    this.#keys = keys;
  }

  /** The value of a cookie, null if there is none or its signature is not ours. Never throws for what a client sent. */
  read(request: CookieSource, name: string): string | null {
    return this.#verify(name, readCookies(request)[name]);
  }

  /** All cookies with a signature of ours; the others are left out. An object without prototype. */
  readAll(request: CookieSource): Cookies {
    const verified: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
    for (const [name, text] of Object.entries(readCookies(request))) {
      const value = this.#verify(name, text);
      if (value !== null) verified[name] = value;
    }
    return verified;
  }

  /** Sets a signed cookie. Its signature takes 44 of the 4,096 octets. @throws TypeError as `setCookie()` does */
  set(target: CookieTarget, name: string, value: string, options: CookieOptions = {}): void {
    if (typeof value !== "string") throw new TypeError("the value of a cookie must be text");
    setCookie(
      target,
      name,
      `${value}.${this.#sign(this.#keys[0] as Uint8Array, name, value).toString("base64url")}`,
      options,
    );
  }

  /** Has the browser forget a cookie, as `clearCookie()` does. */
  clear(target: CookieTarget, name: string, options: Omit<CookieOptions, "maxAgeSeconds" | "expires"> = {}): void {
    clearCookie(target, name, options);
  }

  #verify(name: string, text: string | undefined): string | null {
    if (text === undefined) return null;
    const dot = text.lastIndexOf(".");
    const signature = text.slice(dot + 1);
    if (dot === -1 || !SIGNATURE.test(signature)) return null;
    const value = text.slice(0, dot);
    const given = Buffer.from(signature, "base64url");
    let isOurs = false;
    // All of them, so that time does not tell which key it was
    for (const key of this.#keys) isOurs = timingSafeEqual(this.#sign(key, name, value), given) || isOurs;
    return isOurs ? value : null;
  }

  /** A token holds no "=", so no other name and value give the same text. */
  #sign(key: Uint8Array, name: string, value: string): Buffer {
    return createHmac("sha256", key).update(`${name}=${value}`).digest();
  }
}

/**
 * Makes a reader and writer of signed cookies. Once, at start.
 *
 * @throws ServerError ERR_OPTIONS if a key is missing or too short; its text is not shown
 */
export function signedCookies(options: SignedCookiesOptions): SignedCookies {
  const { keys = null } = options as { readonly keys?: unknown };
  const mistakes = findMistakes({ ...options, keys }, { keys: KEYS }).map((mistake) =>
    // A secret that stands where a list belongs must not get into a log
    mistake.path === "keys" && typeof keys === "string" ? { ...mistake, given: "text" } : mistake,
  );
  if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", `signedCookies: ${renderMistakes(mistakes)}`);
  return new SignedCookies(options.keys.map((key) => Buffer.from(key as Uint8Array)));
}

function isKey(key: unknown): boolean {
  return (typeof key === "string" || key instanceof Uint8Array) && Buffer.byteLength(key) >= MIN_KEY_BYTES;
}
