/** Invariant: whatever a handler throws, its fault is exactly one line of JSON, of bounded length, that has its id. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog } from "../../src/observe/access-log.ts";
import type { AccessLogOptions } from "../../src/observe/access-options.ts";
import { exchangeOf, HandTime } from "./support/exchanges.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-fault-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Described = Readonly<Record<string, unknown>> & {
  readonly stack?: string;
  readonly cause?: Described;
  readonly errors?: readonly Described[];
};

let count = 0;

/** The one line that there is of it. */
async function lineOf(error: unknown, options: AccessLogOptions = {}): Promise<string> {
  const path = join(folder, `${count++}.log`);
  const log = accessLog({ destination: path, time: new HandTime(), format: "json", ...options });
  log.onFault?.({ id: "f-1", error, exchange: exchangeOf() });
  await log.close();
  const text = readFileSync(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  expect(text.trimEnd()).not.toContain("\n");
  expect(JSON.parse(text)).toMatchObject({ level: "error", msg: "fault", id: "f-1" });
  return text;
}

async function described(error: unknown, options: AccessLogOptions = {}): Promise<Described> {
  return (JSON.parse(await lineOf(error, options)) as { err: Described }).err;
}

function throwing(): never {
  throw new Error("no");
}

function circle(): Error {
  const a = new Error("A");
  const b = new Error("B", { cause: a });
  a.cause = b;
  return a;
}

function chainOf(length: number): Error {
  let error = new Error("innermost");
  for (let i = 1; i < length; i++) error = new Error(`around ${i}`, { cause: error });
  return error;
}

function aggregateOfItself(): Error {
  const errors: Error[] = [];
  const all = new AggregateError(errors, "all");
  all.errors.push(all);
  return all;
}

/** 16 to the power of `depth` errors if each were told. */
function aggregateTree(depth: number): Error {
  const inner = depth === 0 ? new Error("leaf") : aggregateTree(depth - 1);
  return new AggregateError(
    Array.from({ length: 16 }, () => Object.assign(new AggregateError([inner], "x"), { n: depth })),
    "tree",
  );
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const THROWING_PROXY: ProxyHandler<object> = {
  get: throwing,
  getPrototypeOf: throwing,
  ownKeys: throwing,
  getOwnPropertyDescriptor: throwing,
};

const HOSTILE: ReadonlyArray<readonly [what: string, make: () => unknown]> = [
  ["causes in a circle", circle],
  ["a chain of 20,000 causes", () => chainOf(20_000)],
  ["an AggregateError that holds itself", aggregateOfItself],
  ["a tree of AggregateErrors", () => aggregateTree(6)],
  ["an AggregateError of 100,000", () => new AggregateError(Array.from({ length: 100_000 }, () => new Error("x")))],
  ["an AggregateError whose errors are none", () => Object.assign(new AggregateError([]), { errors: 7 })],
  ["an object without prototype", () => Object.create(null) as unknown],
  ["a stack that throws", () => Object.defineProperty(new Error("x"), "stack", { get: throwing })],
  ["a message that throws", () => Object.defineProperty(new Error("x"), "message", { get: throwing })],
  ["a cause that throws", () => Object.defineProperty(new Error("x"), "cause", { get: throwing })],
  ["a name that is an object", () => Object.assign(new Error("x"), { name: Object.create(null) as string })],
  ["a message that is a symbol", () => Object.assign(new Error("x"), { message: Symbol("s") })],
  ["a text that throws", () => ({ toString: throwing, toJSON: throwing, [Symbol.toPrimitive]: throwing })],
  ["a proxy that throws", () => new Proxy({}, THROWING_PROXY)],
  ["a proxy of an error that throws", () => new Proxy(new Error("x"), THROWING_PROXY)],
  ["a proxy that is revoked", revoked],
  ["a member that throws", () => Object.defineProperty(new Error("x"), "a", { get: throwing, enumerable: true })],
  ["a member called __proto__", () => JSON.parse('{"__proto__":"x"}') as unknown],
  ["10,000 members", () => Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`m${i}`, "x".repeat(1000)]))],
  ["a message of 5 MB", () => new Error("x".repeat(5_000_000))],
  ["a text of 5 MB", () => "\u{1F600}".repeat(2_500_000)],
  ["a symbol", () => Symbol("s")],
  ["a large integer", () => 1n],
  ["undefined", () => undefined],
  ["null", () => null],
];

function withMembers(error: Error, members: Readonly<Record<string, () => unknown>>): Error {
  for (const [name, make] of Object.entries(members))
    Object.defineProperty(error, name, { value: make(), enumerable: true, configurable: true });
  return error;
}

/** A line is read as a whole, by people and by programs that have limits of their own. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

describe("a fault in the log", () => {
  it.each(HOSTILE)("is one line with its id, for %s", async (_what, make) => {
    expect((await lineOf(make())).length).toBeLessThan(MOST_CHARACTERS);
  });

  it("is one line with its id, whatever is thrown", async () => {
    // Made when it is thrown: fast-check looks into values, at which some of them throw
    const thrown = fc.letrec<{ any: () => unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(...HOSTILE.filter(([what]) => !/MB|000/.test(what)).map(([, make]) => make)),
        fc
          .anything({ withBigInt: true, withNullPrototype: true, withMap: true, withDate: true, withTypedArray: true })
          .map((value) => () => value),
        fc.tuple(fc.string({ unit: "binary" }), tie("any"), fc.dictionary(fc.string(), tie("any"))).map(
          ([message, cause, members]) =>
            () =>
              withMembers(new Error(message, { cause: cause() }), members),
        ),
        fc.array(tie("any"), { maxLength: 4 }).map(
          (errors) => () =>
            new AggregateError(
              errors.map((make) => make()),
              "several",
            ),
        ),
      ),
    })).any;
    await fc.assert(
      fc.asyncProperty(thrown, async (make) => {
        expect((await lineOf(make())).length).toBeLessThan(MOST_CHARACTERS);
      }),
      { numRuns: 200 },
    );
  });

  it.each<[string, AccessLogOptions]>([
    ["throws", { serializers: { err: throwing } }],
    ["gives a circle", { serializers: { err: (): unknown => aggregateCircle() } }],
  ])("has its id also where a serialiser %s", async (_how, options) => {
    expect(JSON.parse(await lineOf(new Error("x"), options))).toHaveProperty("id", "f-1");
  });

  it("tells causes in a circle once each", async () => {
    const err = await described(circle());
    expect(err).toMatchObject({ message: "A", cause: { message: "B", cause: { message: "[told above]" } } });
  });

  it("says where it leaves causes out", async () => {
    let err: Described | undefined = await described(chainOf(20_000));
    let last = err;
    for (; err !== undefined; err = err.cause) last = err;
    expect(last["message"]).toBe("[more causes left out]");
  });

  it("says how many of several errors it leaves out", async () => {
    const { errors = [] } = await described(new AggregateError(Array.from({ length: 100 }, () => new Error("x"))));
    expect(errors.at(-1)).toEqual({ type: "omitted", message: "[84 more errors left out]" });
    expect(errors).toHaveLength(17);
  });

  it("cuts a long message and keeps the frames of its stack", async () => {
    const err = await described(new Error("x".repeat(5_000_000)));
    expect(err["message"]).toMatch(/^x{65536}… \[4934464 more characters left out\]$/);
    expect(err.stack).toMatch(/^Error: x+… \[\d+ more characters left out\]\n {4}at /);
  });

  it("has the members of an error", async () => {
    const error = Object.assign(new Error("duplicate key"), {
      code: "23505",
      detail: "Key (id)=(7) already exists.",
      severity: 3,
      isFatal: false,
      columns: ["id", 2],
      where: null,
      internal: { a: 1 },
      retry: () => {},
    });
    const err = await described(error);
    expect(err).toMatchObject({ type: "Error", message: "duplicate key", code: "23505", severity: 3, isFatal: false });
    expect(err).toMatchObject({ detail: "Key (id)=(7) already exists.", columns: ["id", 2], where: null });
    // Clients of HTTP hang requests with their fields and contents on errors
    expect(err["internal"]).toBe("[object]");
    expect(err).not.toHaveProperty("retry");
  });

  it("has the members of an object that is no error", async () => {
    expect(await described({ reason: "WHY", status: 503 })).toEqual({
      type: "object",
      message: "[object Object]",
      reason: "WHY",
      status: 503,
    });
    expect(await described({ message: "said so", code: 4 })).toEqual({ type: "object", message: "said so", code: 4 });
  });

  it("leaves out what the names of members say is secret, and the secrets of URLs", async () => {
    const error = Object.assign(new Error("x"), {
      password: "p",
      Authorization: "Basic abc",
      apiKey: "k",
      url: "https://ada:pw@a.example/?token=t&n=1",
      own: "z",
    });
    const err = await described(error, { redact: { fields: ["own"] } });
    expect(err).toMatchObject({ password: "[redacted]", Authorization: "[redacted]", apiKey: "[redacted]" });
    expect(err).toMatchObject({ own: "[redacted]", url: "https://[redacted]@a.example/?token=[redacted]&n=1" });
  });
});

function aggregateCircle(): object {
  const circle: Record<string, unknown> = {};
  circle["self"] = circle;
  return circle;
}
