import * as crypto from "node:crypto";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { basicAuth, hashPassword } from "../../src/middleware/basic-auth.ts";
import type { Context } from "../../src/web/context.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";

// Counted, not replaced
vi.mock("node:crypto", async (original) => {
  const actual = await original<typeof crypto>();
  return { ...actual, scrypt: vi.fn<typeof actual.scrypt>(actual.scrypt) };
});

const context = {} as Context;

function requestWith(authorization: string | null, headers: Record<string, string> = {}): Request {
  return new Request("http://a.example/", {
    headers: authorization === null ? headers : { ...headers, authorization },
  });
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function guard(users: Record<string, string>, realm?: string): Handler {
  const middleware = basicAuth({ users, realm });
  return (request, here) => middleware(request, here, () => new Response("in"));
}

async function statusFor(handler: Handler, authorization: string | null): Promise<number> {
  return ((await handler(requestWith(authorization), context)) as Response).status;
}

describe("plain passwords", () => {
  const handler = guard({ ada: "secret", müller: "grüße:1", __proto__: "x" });

  it.each([
    [basic("ada:secret"), 200],
    [`bAsIc   ${basic("ada:secret").slice(6)}`, 200],
    [basic("müller:grüße:1"), 200],
    [basic("ada:Secret"), 401],
    [basic("ada:secret "), 401],
    [basic("ada:"), 401],
    [basic(":secret"), 401],
    [basic("ada"), 401],
    [basic("nobody:secret"), 401],
    [basic("constructor:x"), 401],
    ["Bearer abc", 401],
    ["Basic", 401],
    ["Basic !!!", 401],
    [null, 401],
  ])("%s: %i", async (authorization, status) => {
    expect(await statusFor(handler, authorization)).toBe(status);
  });

  it("are answered at once", () => {
    expect(handler(requestWith(basic("ada:secret")), context)).toBeInstanceOf(Response);
  });
});

describe("a refusal", () => {
  it("has the challenge, says what is needed and is not kept", async () => {
    const response = (await guard({ a: "b" }, 'a "quoted" plÄce')(requestWith(null), context)) as Response;
    expect(response.headers.get("www-authenticate")).toBe(
      String.raw`Basic realm="a \"quoted\" pl?ce", charset="UTF-8"`,
    );
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.text()).toContain("401 Unauthorized");
  });

  it("is JSON where that is wanted", async () => {
    const wish = requestWith(null, { accept: "application/json" });
    expect(((await guard({ a: "b" })(wish, context)) as Response).headers.get("content-type")).toMatch(/json/);
  });
});

describe("hashed passwords", () => {
  let handler: Handler;
  beforeAll(async () => {
    handler = guard({ ada: await hashPassword("secret"), bob: "plain" });
  });

  it.each([
    ["ada:secret", 200],
    ["ada:wrong", 401],
    ["nobody:secret", 401],
    ["bob:plain", 200],
  ])("%s: %i", async (credentials, status) => {
    expect(await statusFor(handler, basic(credentials))).toBe(status);
  });

  it("are computed once for what was right", async () => {
    expect(await statusFor(handler, basic("ada:secret"))).toBe(200);
    expect(handler(requestWith(basic("ada:secret")), context)).toBeInstanceOf(Response);
    expect(handler(requestWith(basic("ada:wrong")), context)).toBeInstanceOf(Promise);
  });

  it("are salted", async () => {
    const [one, two] = await Promise.all([hashPassword("a"), hashPassword("a")]);
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).not.toBe(two);
  });

  it("cannot be guessed in masses: too many at a time are turned away", async () => {
    const cheap = guard({ ada: `$scrypt$ln=10,r=8,p=1$c2FsdA$${"A".repeat(43)}` });
    const guesses = Array.from({ length: 80 }, (_, i) =>
      Promise.resolve()
        .then(() => statusFor(cheap, basic(`ada:guess-${i}`)))
        .catch((error: { status: number }) => error.status),
    );
    const statuses = await Promise.all(guesses);
    expect(statuses.filter((status) => status === 503)).toHaveLength(80 - 66);
    expect(statuses.filter((status) => status === 401)).toHaveLength(66);
    expect(await statusFor(cheap, basic("ada:later"))).toBe(401);
  });
});

describe("time tells nobody which names there are", () => {
  const scrypt = vi.mocked(crypto.scrypt);
  /** Which costs were computed since the last test, cheapest first. */
  const costs = (): number[] => scrypt.mock.calls.map((call) => call[3].N ?? 0).toSorted((a, b) => a - b);
  const hash = (log2N: number): string => `$scrypt$ln=${log2N},r=8,p=1$c2FsdA$${"A".repeat(43)}`;
  const names = ["hashed", "plain", "nobody"];

  beforeEach(() => {
    scrypt.mockClear();
  });

  it.each(names)("where one password is a hash, a wrong one for %s costs a hash", async (name) => {
    expect(await statusFor(guard({ plain: "secret", hashed: hash(5) }), basic(`${name}:wrong`))).toBe(401);
    expect(costs()).toEqual([32]);
  });

  it.each([...names, "dear"])("where hashes differ in cost, a wrong one for %s costs all of them", async (name) => {
    const users = { hashed: hash(5), plain: "secret", again: hash(5), dear: hash(6) };
    expect(await statusFor(guard(users), basic(`${name}:wrong`))).toBe(401);
    expect(costs()).toEqual([32, 64]);
  });

  it("a plain password beside a hash is right all the same, and costs one the first time only", async () => {
    const handler = guard({ plain: "secret", hashed: hash(5), dear: hash(6) });
    for (let i = 0; i < 3; i++) expect(await statusFor(handler, basic("plain:secret"))).toBe(200);
    expect(costs()).toEqual([32, 64]);
  });

  it("plain passwords alone cost none", async () => {
    expect(await statusFor(guard({ plain: "secret" }), basic("nobody:wrong"))).toBe(401);
    expect(costs()).toEqual([]);
  });
});

describe("users", () => {
  it.each([
    [{}, "there is no user"],
    [{ "": "x" }, "no name"],
    [{ "a:b": "x" }, "no name"],
    [{ a: "" }, "a has no password"],
    [{ a: "$2b$12$abcdefghijklmnopqrstuv" }, "no hash that can be used"],
    [{ a: "$scrypt$ln=40,r=8,p=1$c2FsdA$" + "A".repeat(43) }, "no hash that can be used"],
    [{ a: "$scrypt$ln=15,r=8,p=1$c2FsdA$AAAA" }, "no hash that can be used"],
  ])("%j is refused", (users: Record<string, string>, message) => {
    expect(() => basicAuth({ users })).toThrow(message);
  });
});
