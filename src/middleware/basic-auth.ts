/**
 * Name and password before everything else: HTTP's Basic scheme (RFC 7617) in the frame of RFC 9110 §11.
 *
 * Passwords are compared in constant time, and every wrong one costs the same: where one of them is a hash, as many hashes as
 * there are costs, whoever is named, so that time tells nothing (timing attack, enumeration of users). Hashes are scrypt's; what
 * was verified once is remembered by a keyed digest, because a browser sends its password with every request. Guesses cannot
 * keep all threads busy: few are computed at a time.
 */

import { Buffer } from "node:buffer";
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { HttpError } from "../http/errors.ts";
import { renderProblem } from "../http/problem.ts";
import { checkOptions, type OptionRules } from "../server/option-rules.ts";
import type { Middleware } from "../web/handler.ts";
import { Response } from "../web/response.ts";

/** Who may come in. */
export interface BasicAuthOptions {
  /** Passwords by name: plain, or a hash as {@link hashPassword} makes it. */
  readonly users: Readonly<Record<string, string>>;
  /** What the browser's dialogue calls the place. Default `restricted`. */
  readonly realm?: string | undefined;
}

/** @internal */
export const BASIC_AUTH_RULES: OptionRules<BasicAuthOptions> = {
  users: {
    allowed: "an object of passwords by name",
    isAllowed: (value) =>
      typeof value === "object" && value !== null && Object.values(value).every((one) => typeof one === "string"),
  },
  realm: { allowed: "text", isAllowed: (value) => typeof value === "string" },
};

/** OWASP's and RFC 7914 §2's order of magnitude: 2^15 x 8 x 128 octets are 32 MiB and some 80 ms. */
const DEFAULT_COST: Cost = { log2N: 15, blockSize: 8, parallelism: 1 };
/** A hash file must not be able to take all memory. */
const MOST_MEMORY_BYTES = 256 * 1024 * 1024;
const KEY_BYTES = 32;
const HASH = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,2})\$([\w+/-]+={0,2})\$([\w+/-]+={0,2})$/;

/** Hashes that are computed, or wait, at one time. Node's pool has four threads, and files need them too. */
const MOST_GUESSES = 2;
const MOST_WAITING = 64;
/** Verified credentials that are remembered. */
const MOST_REMEMBERED = 256;

interface Cost {
  readonly log2N: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

/** A password that is kept as its hash. */
interface HashedPassword extends Cost {
  readonly salt: Buffer;
  readonly key: Buffer;
}

/**
 * Asks for name and password.
 *
 * @throws TypeError for no user at all, for a name with a colon, and for a hash that is none
 */
export function basicAuth(options: BasicAuthOptions): Middleware {
  checkOptions("basicAuth", options, BASIC_AUTH_RULES);
  const guard = new Guard(options);
  return (request, context, next) => {
    const credentials = readCredentials(request.headers.get("authorization"));
    if (credentials === null) return guard.refuse(request);
    const isRight = guard.check(credentials);
    if (isRight === true) return next(request, context);
    if (isRight === false) return guard.refuse(request);
    return answerLater(
      isRight,
      () => next(request, context),
      () => guard.refuse(request),
    );
  };
}

async function answerLater<T, U>(isRight: Promise<boolean>, answer: () => T, refuse: () => U): Promise<Awaited<T> | U> {
  return (await isRight) ? await answer() : refuse();
}

/** Name, colon, password, as octets: RFC 7617 §2. */
interface Credentials {
  readonly name: string;
  readonly password: Buffer;
}

class Guard {
  readonly #users = new Map<string, Buffer | HashedPassword>();
  readonly #challenge: string;
  /** Of this process alone: digests say nothing to somebody who reads memory of another one. */
  readonly #secret: Buffer = randomBytes(KEY_BYTES);
  readonly #remembered = new Set<string>();
  readonly #underWay = new Map<string, Promise<boolean>>();
  readonly #waiting: (() => void)[] = [];
  #guesses = 0;
  /** For each cost of a hash that somebody has, one that nothing equals. Empty where all passwords are plain. */
  readonly #nobodies: HashedPassword[] = [];
  /** What a plain password for an unknown name is compared with. */
  readonly #nobody: Buffer = randomBytes(KEY_BYTES);

  constructor({ users, realm = "restricted" }: BasicAuthOptions) {
    for (const [name, password] of Object.entries(users)) {
      // RFC 7617 §2: the first colon ends the name
      if (name === "" || name.includes(":"))
        throw new TypeError(`${JSON.stringify(name)} is no name: empty, or a colon`);
      if (password === "") throw new TypeError(`${name} has no password`);
      const hashed = password.startsWith("$") ? parseHash(name, password) : null;
      this.#users.set(name, hashed ?? this.#digest(Buffer.from(password)));
    }
    if (this.#users.size === 0) throw new TypeError("nobody could come in: there is no user");
    for (const one of this.#users.values()) {
      if (Buffer.isBuffer(one) || this.#nobodies.some((nobody) => isSameCost(nobody, one))) continue;
      this.#nobodies.push({ ...one, salt: randomBytes(16), key: randomBytes(one.key.length) });
    }
    const quoted = realm.replaceAll(/[^\x20-\x7e]/g, "?").replaceAll(/["\\]/g, String.raw`\$&`);
    this.#challenge = `Basic realm="${quoted}", charset="UTF-8"`;
  }

  /** Whether these are right: known at once, or after a hash. @throws HttpError 503 if too many wait for one */
  check({ name, password }: Credentials): boolean | Promise<boolean> {
    const expected = this.#users.get(name);
    if (this.#nobodies.length === 0) return this.#isPlain(password, expected) && expected !== undefined;
    const ticket = this.#digest(Buffer.concat([Buffer.from(`${name}:`), password])).toString("base64");
    if (this.#remembered.has(ticket)) return true;
    const already = this.#underWay.get(ticket);
    if (already !== undefined) return already;
    if (this.#waiting.length >= MOST_WAITING) throw new HttpError(503, "", { headers: { "retry-after": "2" } });
    const verdict = this.#verify(password, expected)
      .then((isRight) => {
        if (isRight) this.#remember(ticket);
        return isRight;
      })
      .finally(() => this.#underWay.delete(ticket));
    this.#underWay.set(ticket, verdict);
    return verdict;
  }

  /** 401 with the challenge, which is a MUST (RFC 9110 §15.5.2). */
  refuse(request: Request): Response {
    const problem = { status: 401, title: "Unauthorized", detail: "this needs a name and a password" };
    const { contentType, text } = renderProblem(problem, request.headers.get("accept"));
    const headers = {
      "content-type": contentType,
      "www-authenticate": this.#challenge,
      // The answer to somebody with a password must not be replaced by this one
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    };
    return new Response(request.method === "HEAD" ? null : text, { status: 401, headers });
  }

  async #verify(password: Buffer, expected: Buffer | HashedPassword | undefined): Promise<boolean> {
    if (this.#guesses >= MOST_GUESSES) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#guesses++;
    try {
      let isRight = Buffer.isBuffer(expected) && this.#isPlain(password, expected);
      for (const nobody of this.#nobodies) {
        const isHere = expected !== undefined && !Buffer.isBuffer(expected) && isSameCost(nobody, expected);
        const { salt, key } = isHere ? expected : nobody;
        const isEqual = timingSafeEqual(await derive(password, salt, key.length, nobody), key);
        isRight ||= isHere && isEqual;
      }
      return isRight;
    } finally {
      this.#guesses--;
      this.#waiting.shift()?.();
    }
  }

  #isPlain(password: Buffer, expected: Buffer | HashedPassword | undefined): boolean {
    return timingSafeEqual(this.#digest(password), Buffer.isBuffer(expected) ? expected : this.#nobody);
  }

  #remember(ticket: string): void {
    for (const oldest of this.#remembered) {
      if (this.#remembered.size < MOST_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    this.#remembered.add(ticket);
  }

  /** Of equal length whatever the text, so that comparing tells nothing of its length. */
  #digest(text: Buffer): Buffer {
    return createHmac("sha256", this.#secret).update(text).digest();
  }
}

/**
 * The name in an Authorization field, right or wrong; null for none.
 *
 * @internal
 */
export function basicNameOf(authorization: string | null): string | null {
  return readCredentials(authorization)?.name ?? null;
}

/** RFC 7617 §2, RFC 9110 §11.4: the scheme in any case, then token68. Null for anything else. */
function readCredentials(authorization: string | null): Credentials | null {
  const encoded = /^basic +([\w+/-]+={0,2}) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return null;
  const bytes = Buffer.from(encoded, "base64");
  const colon = bytes.indexOf(":");
  if (colon === -1) return null;
  return { name: bytes.toString("utf8", 0, colon), password: bytes.subarray(colon + 1) };
}

/**
 * Makes a hash of a password, to be kept in its place.
 *
 * @returns one line: `$scrypt$ln=15,r=8,p=1$salt$key`
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(Buffer.from(password), salt, KEY_BYTES, DEFAULT_COST);
  const { log2N, blockSize, parallelism } = DEFAULT_COST;
  return `$scrypt$ln=${log2N},r=${blockSize},p=${parallelism}$${unpadded(salt)}$${unpadded(key)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/={1,2}$/, "");
}

function parseHash(name: string, text: string): HashedPassword {
  const [, log2N = "", blockSize = "", parallelism = "", salt = "", key = ""] = HASH.exec(text) ?? [];
  const hash: HashedPassword = {
    log2N: Number(log2N),
    blockSize: Number(blockSize),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, "base64"),
    key: Buffer.from(key, "base64"),
  };
  const isSound = hash.log2N > 0 && hash.blockSize > 0 && hash.parallelism > 0 && hash.key.length >= 16;
  if (!isSound || memoryOf(hash) > MOST_MEMORY_BYTES) {
    throw new TypeError(
      `the password of ${name} begins with $ but is no hash that can be used: $scrypt$ln=,r=,p=$salt$key`,
    );
  }
  return hash;
}

function isSameCost(one: Cost, other: Cost): boolean {
  return one.log2N === other.log2N && one.blockSize === other.blockSize && one.parallelism === other.parallelism;
}

function memoryOf({ log2N, blockSize, parallelism }: Cost): number {
  return 128 * blockSize * (2 ** log2N + parallelism);
}

function derive(password: Buffer, salt: Buffer, keyBytes: number, cost: Cost): Promise<Buffer> {
  // Twice what it needs: the check of the library is stricter than the sum
  const options = { N: 2 ** cost.log2N, r: cost.blockSize, p: cost.parallelism, maxmem: 2 * memoryOf(cost) };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
