/**
 * So many requests of one client in so much time, then 429 (RFC 6585 §4) with Retry-After.
 *
 * Answers say how much is left in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, structured fields
 * of RFC 9651). A fixed window begins with a client's first request; a sliding one weighs the window before by how much of it is
 * still in sight, so that nobody gets twice the limit around its edge. Clients are told apart by address, those of IPv6 by
 * their network, because each has 2^64 addresses of it. It must never let keys from clients grow without bounds.
 */

import { createHash } from "node:crypto";
import type { FieldEdit, FieldLines } from "../http/exchange.ts";
import {
  A_FUNCTION,
  A_TIME_SOURCE,
  checkOptions,
  oneOf,
  type OptionRules,
  whole,
  YES_OR_NO,
} from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import type { Context } from "../web/context.ts";
import { type Handler, type Middleware, problemResponse } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { editAnswer, setLine } from "./edit-response.ts";
import { HttpError } from "../http/errors.ts";
import { memoryStore, type RateLimitStore } from "./rate-limit-store.ts";

/** How much of what. */
export interface RateLimitOptions {
  /** Requests of one key in a window. Required, from 1. */
  readonly limit: number;
  /** Length of a window in seconds. Default 60. */
  readonly windowSeconds?: number | undefined;
  /** How windows follow one another: `"fixed"` or `"sliding"`. Default `"sliding"`. */
  readonly window?: "fixed" | "sliding" | undefined;
  /**
   * What is counted together; null for a request that is not counted. Default the address of the connection, of IPv6 its /64:
   * behind a proxy that is the proxy's.
   */
  readonly key?: ((request: Request, context: Context) => string | null) | undefined;
  /** Where is counted. Default in memory, 100,000 keys. */
  readonly store?: RateLimitStore | undefined;
  /** Whether requests go on uncounted while the store fails; else they are answered 503. Default false. */
  readonly failOpen?: boolean | undefined;
  /** Told of each failure of the store. Default nobody: a 503 is reported as a fault by itself. */
  readonly onStoreError?: ((error: unknown) => void) | undefined;
  /** The policy's name in the fields, and part of the keys: limits that share a store need different ones. Default `default`. */
  readonly name?: string | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

/** RFC 9651 §3.1.2, and plain enough to be part of a key. */
const NAME = /^[\w.-]{1,64}$/;
const MAX_WINDOW_SECONDS = 1_000_000;

/** @internal */
export const RATE_LIMIT_RULES: OptionRules<RateLimitOptions> = {
  limit: whole(1, 1_000_000_000, "requests"),
  windowSeconds: whole(1, MAX_WINDOW_SECONDS, "seconds"),
  window: oneOf("fixed", "sliding"),
  key: A_FUNCTION,
  store: {
    allowed: "an object with add and read",
    isAllowed: (value) => typeof value === "object" && value !== null && "add" in value && "read" in value,
  },
  failOpen: YES_OR_NO,
  onStoreError: A_FUNCTION,
  name: {
    allowed: "1 to 64 letters, digits and ._-",
    isAllowed: (value) => typeof value === "string" && NAME.test(value),
  },
  time: A_TIME_SOURCE,
};

const WINDOW_SECONDS = 60;
/** Longer keys are kept as their digest. */
const MAX_KEY_LENGTH = 128;

/**
 * Limits how often a client may ask.
 *
 * @throws TypeError that names every mistake in the options
 */
export function rateLimit(options: RateLimitOptions): Middleware {
  checkOptions("rateLimit", options, RATE_LIMIT_RULES);
  if ((options.limit as number | undefined) === undefined) throw new TypeError("rateLimit: limit is required");
  const limiter = new RateLimiter(options);
  const keyOf = options.key ?? ((_request: Request, context: Context) => networkOf(context.remoteAddress.address));
  return (request, context, next) => {
    const key = keyOf(request, context);
    return key === null ? next(request, context) : limiter.answer(key, request, context, next);
  };
}

/** How a key stands. */
interface Standing {
  readonly isOver: boolean;
  /** Requests that are left. */
  readonly remaining: number;
  /** Seconds until there are more. */
  readonly resetSeconds: number;
}

class RateLimiter {
  readonly #limit: number;
  readonly #windowSeconds: number;
  readonly #isSliding: boolean;
  readonly #store: RateLimitStore;
  readonly #failsOpen: boolean;
  readonly #onStoreError: ((error: unknown) => void) | undefined;
  readonly #name: string;
  readonly #policy: string;
  readonly #time: TimeSource;

  constructor(options: RateLimitOptions) {
    this.#limit = options.limit;
    this.#windowSeconds = options.windowSeconds ?? WINDOW_SECONDS;
    this.#isSliding = options.window !== "fixed";
    this.#store = options.store ?? memoryStore();
    this.#failsOpen = options.failOpen ?? false;
    this.#onStoreError = options.onStoreError;
    this.#name = options.name ?? "default";
    this.#policy = `"${this.#name}";q=${this.#limit};w=${this.#windowSeconds}`;
    this.#time = options.time ?? SYSTEM_TIME;
  }

  async answer(
    key: string,
    request: Request,
    context: Context,
    next: Handler,
  ): Promise<globalThis.Response | undefined> {
    let standing: Standing;
    const known = key.length > MAX_KEY_LENGTH ? createHash("sha256").update(key).digest("base64url") : key;
    try {
      standing = await (this.#isSliding ? this.#slide(known) : this.#fix(known));
    } catch (error) {
      this.#tell(error);
      if (this.#failsOpen) return next(request, context);
      // RFC 9110 §15.6.4; a fault, so that the log has it
      throw new HttpError(503, "requests cannot be counted at the moment", {
        cause: error,
        headers: { "retry-after": "5" },
      });
    }
    const { isOver, remaining, resetSeconds } = standing;
    const lines = ["ratelimit-policy", this.#policy, "ratelimit", `"${this.#name}";r=${remaining};t=${resetSeconds}`];
    if (!isOver) return editAnswer(next, request, context, new LimitFields(lines));
    const detail = `more than ${this.#limit} requests in ${this.#windowSeconds} seconds`;
    return problemResponse(request, 429, detail, [...lines, "retry-after", String(resetSeconds)]);
  }

  async #fix(key: string): Promise<Standing> {
    const { count, leftMs } = await this.#store.add(`${this.#name}:${key}`, this.#windowSeconds);
    const remaining = Math.max(0, this.#limit - count);
    return { isOver: count > this.#limit, remaining, resetSeconds: secondsOf(leftMs) };
  }

  async #slide(key: string): Promise<Standing> {
    const windowMs = this.#windowSeconds * 1000;
    const nowMs = this.#time.nowMs();
    const index = Math.floor(nowMs / windowMs);
    const leftMs = windowMs - (nowMs - index * windowMs);
    const prefix = `${this.#name}:${key}`;
    // Both at once: neither changes the other. A window must last until the next one is over.
    const [{ count }, before] = await Promise.all([
      this.#store.add(`${prefix}:${index}`, this.#windowSeconds * 2),
      this.#store.read(`${prefix}:${index - 1}`),
    ]);
    const used = count + before * (leftMs / windowMs);
    const remaining = Math.max(0, Math.floor(this.#limit - used));
    return {
      isOver: used > this.#limit,
      remaining,
      resetSeconds: secondsOf(waitMs(count, before, this.#limit, leftMs, windowMs)),
    };
  }

  #tell(error: unknown): void {
    try {
      this.#onStoreError?.(error);
    } catch {
      // An observer that throws must not decide about requests
    }
  }
}

/** Until one more request would be within the limit, if none is made meanwhile. */
function waitMs(count: number, before: number, limit: number, leftMs: number, windowMs: number): number {
  const free = limit - count - 1;
  // Within this window, as the one before moves out of sight
  if (free >= 0 && before > 0) return Math.max(0, leftMs - (free / before) * windowMs) || leftMs;
  if (free >= 0) return leftMs;
  // In the next one, where this is the one before
  return leftMs + Math.max(0, windowMs - ((limit - 1) / count) * windowMs);
}

/** At least one: what is to be waited for is not now. */
function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

class LimitFields implements FieldEdit {
  readonly #own: FieldLines;

  constructor(own: FieldLines) {
    this.#own = own;
  }

  apply(lines: FieldLines): FieldLines {
    const changed = [...lines];
    for (let i = 0; i < this.#own.length; i += 2) setLine(changed, this.#own[i] as string, this.#own[i + 1] as string);
    return changed;
  }
}

/** An address of IPv4 whole, of IPv6 its first 64 bits: what one customer is given at least (RFC 6177 §2). */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = (address.split("%", 1)[0] ?? "").toLowerCase().split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: gap }, () => "0"), ...back];
  return `${groups.slice(0, 4).join(":")}::/64`;
}
