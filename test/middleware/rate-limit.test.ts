import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { networkOf, rateLimit, type RateLimitOptions } from "../../src/middleware/rate-limit.ts";
import { type Count, memoryStore, type RateLimitStore, redisStore } from "../../src/middleware/rate-limit-store.ts";
import type { Middleware } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { ask } from "./support/ask.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

async function get(middleware: Middleware, remoteAddress = "203.0.113.9"): Promise<Response> {
  return ask(middleware, () => new Response("ok"), { remoteAddress });
}

async function statuses(middleware: Middleware, times: number): Promise<string> {
  const seen: number[] = [];
  for (let i = 0; i < times; i++) seen.push((await get(middleware)).status);
  return seen.join(" ");
}

describe("a fixed window", () => {
  it("lets so many in, says how many are left, then 429", async () => {
    const middleware = rateLimit({ limit: 2, windowSeconds: 60, window: "fixed" });
    const first = await get(middleware);
    expect(first.headers.get("ratelimit-policy")).toBe('"default";q=2;w=60');
    expect(first.headers.get("ratelimit")).toBe('"default";r=1;t=60');
    vi.advanceTimersByTime(20_000);
    expect((await get(middleware)).headers.get("ratelimit")).toBe('"default";r=0;t=40');
    const refused = await get(middleware);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("40");
    expect(refused.headers.get("ratelimit")).toBe('"default";r=0;t=40');
    expect(await refused.text()).toContain("ore than 2 requests in 60 seconds.");
    vi.advanceTimersByTime(40_000);
    expect(await statuses(middleware, 3)).toBe("200 200 429");
  });

  it("is each client's own", async () => {
    const middleware = rateLimit({ limit: 1, window: "fixed" });
    expect((await get(middleware, "203.0.113.1")).status).toBe(200);
    expect((await get(middleware, "203.0.113.2")).status).toBe(200);
    expect((await get(middleware, "203.0.113.1")).status).toBe(429);
  });
});

describe("a sliding window", () => {
  it("gives nobody twice the limit around its edge", async () => {
    const middleware = rateLimit({ limit: 10, windowSeconds: 60 });
    vi.advanceTimersByTime(59_000);
    expect(await statuses(middleware, 11)).toBe(`${"200 ".repeat(10)}429`);
    // Into the next window: nearly all of the one before still counts
    vi.advanceTimersByTime(2000);
    expect((await get(middleware)).status).toBe(429);
    vi.advanceTimersByTime(30_000);
    expect((await get(middleware)).status).toBe(200);
  });

  it("says when it is worth asking again, and keeps its word", async () => {
    const middleware = rateLimit({ limit: 5, windowSeconds: 60 });
    for (const pauseMs of [0, 13_000, 61_000, 100_000]) {
      vi.advanceTimersByTime(pauseMs);
      let response = await get(middleware);
      while (response.status === 200) response = await get(middleware);
      const seconds = Number(response.headers.get("retry-after"));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(120);
      vi.advanceTimersByTime(seconds * 1000);
      expect((await get(middleware)).status).toBe(200);
    }
  });
});

describe("a key", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["/run/app.sock", "/run/app.sock"],
  ])("for %s is %s", (address, key) => {
    expect(networkOf(address)).toBe(key);
  });

  it("may be anything, or nothing to be counted", async () => {
    const seen: string[] = [];
    const store: RateLimitStore = {
      add: async (key) => (seen.push(key), { count: 1, leftMs: 1000 }),
      read: async () => 0,
    };
    const key = (request: Request): string | null => request.headers.get("x-key");
    const middleware = rateLimit({ limit: 1, window: "fixed", store, key, name: "api" });
    const askWith = (value: string): Promise<Response> =>
      ask(middleware, () => new Response("ok"), { headers: { "x-key": value } });
    await askWith("ada");
    await askWith("x".repeat(5000));
    const free = await ask(middleware, () => new Response("ok"));
    expect(free.headers.has("ratelimit")).toBe(false);
    expect(seen).toEqual(["api:ada", expect.stringMatching(/^api:[\w-]{43}$/)]);
  });
});

describe("the store in memory", () => {
  it("holds no more keys than it may, the latest", async () => {
    const store = memoryStore({ maxKeys: 3 });
    for (const key of ["a", "b", "c", "d"]) await store.add(key, 60);
    const counts = await Promise.all(["a", "b", "c", "d"].map((key) => store.read(key)));
    expect(counts).toEqual([0, 1, 1, 1]);
  });

  it("forgets a window that is over", async () => {
    const store = memoryStore();
    expect(await store.add("a", 60)).toEqual({ count: 1, leftMs: 60_000 });
    vi.advanceTimersByTime(59_000);
    expect(await store.add("a", 60)).toEqual({ count: 2, leftMs: 1000 });
    vi.advanceTimersByTime(1000);
    expect(await store.read("a")).toBe(0);
  });

  it("refuses options that there are not, and names the one that was meant", () => {
    expect(() => memoryStore({ maxKey: 5 } as object)).toThrow("did you mean maxKeys?");
    expect(() => redisStore({ defineCommand: () => {} }, { prefixx: "a" } as object)).toThrow("did you mean prefix?");
  });

  it.each([0, 1.5, NaN])("refuses maxKeys %d", (maxKeys) => {
    expect(() => memoryStore({ maxKeys })).toThrow(TypeError);
  });
});

/** As much of Redis as counts. */
class FakeRedis {
  readonly counts = new Map<string, number>();
  add(key: string, points: number): [number, number] {
    const count = (this.counts.get(key) ?? 0) + points;
    this.counts.set(key, count);
    return [count, 60_000];
  }
}

describe("the store in Redis", () => {
  it("speaks through a client of ioredis", async () => {
    const redis = new FakeRedis();
    const client = {
      status: "ready",
      defineCommand: () => {},
      rlflxIncr: async ([key, points]: [string, string]) => redis.add(key, Number(points)),
      multi: () => {
        let asked = "";
        const chain = {
          get: (key: string) => ((asked = key), chain),
          pttl: () => chain,
          exec: async () => [
            [null, redis.counts.has(asked) ? String(redis.counts.get(asked)) : null],
            [null, 60_000],
          ],
        };
        return chain;
      },
    };
    const store = redisStore(client, { prefix: "own" });
    expect(await store.read("a")).toBe(0);
    expect(await store.add("a", 60)).toEqual({ count: 1, leftMs: 60_000 });
    expect(await store.add("a", 60)).toEqual({ count: 2, leftMs: 60_000 });
    expect(await store.read("a")).toBe(2);
    expect([...redis.counts.keys()]).toEqual(["own:a"]);
  });

  it("speaks through a client of redis", async () => {
    const redis = new FakeRedis();
    const client = {
      isReady: true,
      eval: async (_script: string, { keys, arguments: given }: { keys: string[]; arguments: string[] }) =>
        redis.add(keys[0] ?? "", Number(given[0])),
      multi: () => {
        let asked = "";
        const chain = {
          get: (key: string) => ((asked = key), chain),
          pTTL: () => chain,
          exec: async () => [redis.counts.has(asked) ? String(redis.counts.get(asked)) : null, 60_000],
        };
        return chain;
      },
    };
    const store = redisStore(client);
    expect(await store.add("a", 60)).toEqual({ count: 1, leftMs: 60_000 });
    expect(await store.read("a")).toBe(1);
    client.isReady = false;
    await expect(store.add("a", 60)).rejects.toThrow("not ready");
  });

  it("refuses what is no client", () => {
    expect(() => redisStore({})).toThrow(TypeError);
  });
});

describe("a store that fails", () => {
  const broken = new Error("connection lost");
  const store: RateLimitStore = { add: () => Promise.reject(broken), read: async () => 0 };

  it("closes the door, unless it is to be left open", async () => {
    const told: unknown[] = [];
    const options = { limit: 1, store, onStoreError: (error: unknown) => void told.push(error) };
    await expect(get(rateLimit(options))).rejects.toMatchObject({
      status: 503,
      headers: { "retry-after": "5" },
      cause: broken,
    });
    const open = await get(rateLimit({ ...options, failOpen: true }));
    expect([open.status, open.headers.has("ratelimit")]).toEqual([200, false]);
    expect(told).toEqual([broken, broken]);
  });

  it("decides nothing by an observer that throws", async () => {
    const onStoreError = (): never => {
      throw new Error("log full");
    };
    expect((await get(rateLimit({ limit: 1, store, failOpen: true, onStoreError }))).status).toBe(200);
  });

  it("may fail at once", async () => {
    const add = (): Promise<Count> => {
      throw broken;
    };
    await expect(get(rateLimit({ limit: 1, store: { add, read: async () => 0 } }))).rejects.toMatchObject({
      status: 503,
    });
  });
});

it.each([
  {},
  { limit: 0 },
  { limit: 1, windowSeconds: 0.5 },
  { limit: 1, window: "leaky" },
  { limit: 1, name: 'a"b' },
  { limit: 1, store: {} },
  { limit: 1, windowSecond: 3 },
])("options: refuses %j", (options) => {
  expect(() => rateLimit(options as RateLimitOptions)).toThrow(TypeError);
});
