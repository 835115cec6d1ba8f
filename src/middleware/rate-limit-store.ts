/**
 * Where requests are counted: in memory, or in Redis for several machines; the counting itself is rate-limiter-flexible's.
 *
 * The package is loaded with the first request that is counted. In memory no more keys are held than the option says: those
 * whose window began longest ago are forgotten first. It must never know what a key stands for.
 */

import type { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { checkOptions, type OptionRules, TEXT, whole } from "../server/option-rules.ts";

/** What was counted. */
export interface Count {
  /** Requests of the key in its window, this one among them. */
  readonly count: number;
  /** Milliseconds until the window ends. */
  readonly leftMs: number;
}

/** Counts requests by key; whatever has these two methods will do. A rejection is a store that fails. */
export interface RateLimitStore {
  /** Counts one more for `key`, whose window begins with its first and lasts `windowSeconds`. */
  add(key: string, windowSeconds: number): Promise<Count>;
  /** The count of a key without counting; 0 for none. */
  read(key: string): Promise<number>;
}

/** How the store in memory is bounded. */
export interface MemoryStoreOptions {
  /** The most keys that are held. Default 100,000, some 30 MB. */
  readonly maxKeys?: number | undefined;
}

const MAX_KEYS = 100_000;
const MEMORY_STORE_RULES: OptionRules<MemoryStoreOptions> = { maxKeys: whole(1, Infinity, "keys") };
/** Every limit is ours to compare with; the package's own must not be reached. */
const NO_LIMIT: number = Number.MAX_SAFE_INTEGER;

type Limiter = Pick<RateLimiterMemory, "penalty" | "get" | "delete">;

/**
 * A store for one process.
 *
 * @throws TypeError that names every mistake in the options
 */
export function memoryStore(options: MemoryStoreOptions = {}): RateLimitStore {
  checkOptions("memoryStore", options, MEMORY_STORE_RULES);
  return new MemoryStore(options.maxKeys ?? MAX_KEYS);
}

class MemoryStore implements RateLimitStore {
  readonly #maxKeys: number;
  /** In the order in which their windows began. */
  readonly #keys: Set<string>;
  #limiter: Promise<Limiter> | Limiter | null;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
    this.#keys = new Set();
    this.#limiter = null;
  }

  async add(key: string, windowSeconds: number): Promise<Count> {
    const limiter = await this.#load();
    const result = await limiter.penalty(key, 1, { customDuration: windowSeconds });
    if (result.consumedPoints === 1) this.#remember(limiter, key);
    return { count: result.consumedPoints, leftMs: result.msBeforeNext };
  }

  async read(key: string): Promise<number> {
    const limiter = await this.#load();
    return (await limiter.get(key))?.consumedPoints ?? 0;
  }

  #load(): Promise<Limiter> | Limiter {
    this.#limiter ??= import("rate-limiter-flexible").then((lib) => {
      this.#limiter = new lib.RateLimiterMemory({ points: NO_LIMIT, duration: 1 });
      return this.#limiter;
    });
    return this.#limiter;
  }

  #remember(limiter: Limiter, key: string): void {
    this.#keys.delete(key);
    for (const oldest of this.#keys) {
      if (this.#keys.size < this.#maxKeys) break;
      this.#keys.delete(oldest);
      // In memory that is done at once
      void limiter.delete(oldest);
    }
    this.#keys.add(key);
  }
}

/** How keys are called in Redis. */
export interface RedisStoreOptions {
  /** Before each key. Default `fairlead`. */
  readonly prefix?: string | undefined;
}

const REDIS_STORE_RULES: OptionRules<RedisStoreOptions> = { prefix: TEXT };

/**
 * A store for several machines, through the client that an application has already.
 *
 * @param client of ioredis or of redis (node-redis 4 and later), connected by the application, which closes it as well
 * @throws TypeError for what is no such client, and that names every mistake in the options
 */
export function redisStore(client: object, options: RedisStoreOptions = {}): RateLimitStore {
  checkOptions("redisStore", options, REDIS_STORE_RULES);
  const isIoredis = "defineCommand" in client;
  if (!isIoredis && !("eval" in client && "multi" in client)) {
    throw new TypeError("redisStore: the client must be one of ioredis or of redis");
  }
  return new RedisStore(client, options.prefix ?? "fairlead", !isIoredis);
}

class RedisStore implements RateLimitStore {
  readonly #client: object;
  readonly #prefix: string;
  readonly #isNodeRedis: boolean;
  #limiter: Promise<RateLimiterRedis> | null;

  constructor(client: object, prefix: string, isNodeRedis: boolean) {
    this.#client = client;
    this.#prefix = prefix;
    this.#isNodeRedis = isNodeRedis;
    this.#limiter = null;
  }

  async add(key: string, windowSeconds: number): Promise<Count> {
    const limiter = await this.#load();
    const result: RateLimiterRes = await limiter.penalty(key, 1, { customDuration: windowSeconds });
    return { count: result.consumedPoints, leftMs: result.msBeforeNext };
  }

  async read(key: string): Promise<number> {
    const limiter = await this.#load();
    return (await limiter.get(key))?.consumedPoints ?? 0;
  }

  #load(): Promise<RateLimiterRedis> {
    this.#limiter ??= import("rate-limiter-flexible").then(
      (lib) =>
        new lib.RateLimiterRedis({
          storeClient: this.#client,
          useRedisPackage: this.#isNodeRedis,
          keyPrefix: this.#prefix,
          points: NO_LIMIT,
          duration: 1,
          // A request waits for no connection that may come back in a minute
          rejectIfRedisNotReady: true,
        }),
    );
    return this.#limiter;
  }
}
