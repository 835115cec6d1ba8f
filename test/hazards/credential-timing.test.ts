/**
 * Timing of credentials: each secret is compared by crypto.timingSafeEqual over digests of equal length, as often whether the name
 * exists or not, and nowhere else. Time itself is too noisy to be tested; comparisons are counted instead.
 */
import { createHmac, type timingSafeEqual } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { basicAuth, bearer, hashPassword } from "../../src/middleware/index.ts";
import { signedCookies } from "../../src/replies/index.ts";
import { request } from "../../src/testing/index.ts";
import { Headers } from "../../src/web/headers.ts";
import { Response } from "../../src/web/response.ts";
import { listFiles, readSource } from "../architecture/source.ts";

const compared = vi.hoisted(() => ({ lengths: [] as number[], derivations: 0 }));

vi.mock("node:crypto", async (original) => {
  const real = await original<{ timingSafeEqual: typeof timingSafeEqual; scrypt: (...words: unknown[]) => void }>();
  return {
    ...real,
    timingSafeEqual: (a: Buffer, b: Buffer) => {
      compared.lengths.push(a.length);
      return real.timingSafeEqual(a, b);
    },
    scrypt: (...words: unknown[]) => {
      compared.derivations++;
      real.scrypt(...words);
    },
  };
});

beforeEach(() => {
  compared.lengths = [];
  compared.derivations = 0;
});

const ok = (): Response => new Response("in");

async function statusOf(middleware: ReturnType<typeof basicAuth>, authorization: string): Promise<number> {
  const response = await request((one, context) => middleware(one, context, ok), "/", { headers: { authorization } });
  return response.status;
}

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

describe("names and passwords", () => {
  it.each([
    ["right", "alice", "correct horse", 200],
    ["wrong from the first letter", "alice", "xorrect horse", 401],
    ["wrong at the last letter", "alice", "correct horsx", 401],
    ["empty", "alice", "", 401],
    ["of another length", "alice", "c".repeat(5000), 401],
    ["of nobody", "mallory", "correct horse", 401],
    ["of nobody, and empty", "mallory", "", 401],
  ])("that are %s are compared once, by digests", async (_, name, password, status) => {
    const guard = basicAuth({ users: { alice: "correct horse", bob: "battery staple" } });
    expect(await statusOf(guard, basic(name, password))).toBe(status);
    expect(compared.lengths).toEqual([32]);
  });

  it("that are kept as hashes cost a derivation for nobody too", async () => {
    const guard = basicAuth({ users: { alice: await hashPassword("correct horse") } });
    compared.derivations = 0;
    expect(await statusOf(guard, basic("alice", "wrong"))).toBe(401);
    expect(await statusOf(guard, basic("mallory", "wrong"))).toBe(401);
    expect([compared.derivations, compared.lengths]).toEqual([2, [32, 32]]);
  });
});

describe("tokens", () => {
  it.each(["abcdef", "xbcdef", "abcdex", "x", "x".repeat(5000)])(
    "are all compared, whichever it is: %s",
    async (token) => {
      const gate = bearer({ tokens: ["abcdef", "ghijkl", "mnopqr"] });
      expect(await statusOf(gate, `Bearer ${token}`)).toBe(token === "abcdef" ? 200 : 401);
      expect(compared.lengths).toEqual([32, 32, 32]);
    },
  );
});

describe("signatures of cookies", () => {
  const keys = ["0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"];
  const sign = (key: string): string => createHmac("sha256", key).update("a=b").digest("base64url");

  it.each([
    [sign(keys[0] as string), "b"],
    [sign(keys[1] as string), "b"],
    ["A".repeat(43), null],
    ["short", null],
  ])("are compared with that of each key: %s", (signature, value) => {
    const cookies = signedCookies({ keys });
    expect(cookies.read({ headers: new Headers({ cookie: `a=b.${signature}` }) }, "a")).toBe(value);
    // What has no length of a signature needs no look at a key
    expect(compared.lengths).toEqual(signature === "short" ? [] : [32, 32]);
  });
});

describe("the source", () => {
  /** Files that hold a secret of a client or for one, and so compare. */
  const COMPARING = ["src/middleware/basic-auth.ts", "src/middleware/bearer.ts", "src/replies/signed-cookies.ts"];

  it("compares secrets in these files alone", () => {
    const found = listFiles("src", [".ts"]).filter((path) =>
      /\b(?:timingSafeEqual|createHmac)\b/.test(readSource(path).code),
    );
    expect(found).toEqual(COMPARING);
  });

  it.each(COMPARING)("of %s compares no secret by === or in a set of them", (path) => {
    const { code } = readSource(path);
    const secrets = String.raw`(?:password|token|signature|given|digest\([^)]*\)|credentials\.\w+|key|expected|this\.#sign\([^)]*\))`;
    // Against a literal nothing is compared that was kept
    const byOperator = new RegExp(
      String.raw`(?<![\w.])${secrets}\s*[!=]==?\s*(?!undefined|null)[\w#(]|[\w)\]]\s*[!=]==?\s*${secrets}(?![\w(.])`,
      "g",
    );
    expect(code.match(byOperator) ?? []).toEqual([]);
    expect(code).not.toMatch(
      /\.(?:includes|indexOf|startsWith|localeCompare|has)\(\s*(?:password|token|signature|given)\b/,
    );
  });

  it("reads Authorization in these files alone", () => {
    const found = listFiles("src", [".ts"]).filter((path) =>
      readSource(path).strings.some(({ text }) => text === "authorization"),
    );
    expect(found.filter((path) => !path.startsWith("src/cli/"))).toEqual(
      expect.arrayContaining(["src/middleware/basic-auth.ts", "src/middleware/bearer.ts"]),
    );
    for (const path of found) {
      const isListing = !/\.get\(\s*$/m.test(readSource(path).code) && !COMPARING.includes(path);
      expect(isListing || COMPARING.includes(path), path).toBe(true);
    }
  });
});
