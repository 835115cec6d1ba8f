import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { BEARER, bearer, type BearerOptions } from "../../src/middleware/bearer.ts";
import { Response } from "../../src/web/response.ts";
import { arrive, ask } from "./support/ask.ts";

async function answerTo(authorization: string | null, options: BearerOptions): Promise<Response> {
  return ask(bearer(options), (_request, context) => Response.json(context.get(BEARER)), {
    headers: authorization === null ? {} : { authorization },
  });
}

const KNOWN: BearerOptions = { tokens: ["abc.DEF-1_2~3+4/5==", "second"] };

describe("a token that is known", () => {
  it.each<[string | null, number, string]>([
    ["Bearer abc.DEF-1_2~3+4/5==", 200, ""],
    ["bEARER   second ", 200, ""],
    ["Bearer third", 401, "invalid_token"],
    ["Bearer Second", 401, "invalid_token"],
    ["Bearer", 400, "invalid_request"],
    ["Bearer a b", 400, "invalid_request"],
    ["Bearer second\u00a0", 400, "invalid_request"],
    ["Bearer \tsecond", 400, "invalid_request"],
    ["Bearer  ", 400, "invalid_request"],
    ["Bearer a,b", 400, "invalid_request"],
    ["Bearersecond", 401, ""],
    ["Basic c2Vjb25k", 401, ""],
    [null, 401, ""],
  ])("%s: %i %s", async (authorization, status, error) => {
    const response = await answerTo(authorization, KNOWN);
    expect(response.status).toBe(status);
    const challenge = response.headers.get("www-authenticate");
    if (status === 200) expect(challenge).toBeNull();
    else expect(challenge).toMatch(error === "" ? /^Bearer realm="restricted"$/ : new RegExp(`, error="${error}"`));
  });

  it("is answered at once", () => {
    const { request, context } = arrive({ headers: { authorization: "Bearer second" } });
    expect(bearer(KNOWN)(request, context, () => new Response("in"))).toBeInstanceOf(Response);
  });

  it("that is wrong is shown to nobody, and the refusal is kept by nobody", async () => {
    const response = await answerTo("Bearer wr0ng", KNOWN);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(`${await response.text()}${JSON.stringify([...response.headers])}`).not.toContain("wr0ng");
  });
});

describe("a function", () => {
  it("says whose token it is, now or later", async () => {
    expect(await (await answerTo("Bearer ada", { verify: (token) => ({ user: token }) })).json()).toEqual({
      user: "ada",
    });
    const later: BearerOptions = { verify: async (token) => (token === "ada" ? { user: "ada" } : null) };
    expect(await (await answerTo("Bearer ada", later)).json()).toEqual({ user: "ada" });
    expect((await answerTo("Bearer bob", later)).status).toBe(401);
  });

  it.each([false, null, undefined])("turns away with %s", async (verdict) => {
    expect((await answerTo("Bearer ada", { verify: () => verdict })).status).toBe(401);
  });

  it("may answer otherwise, and fail", async () => {
    const refuse = (): never => {
      throw new HttpError(403, "not enough");
    };
    await expect(answerTo("Bearer ada", { verify: refuse })).rejects.toMatchObject({ status: 403 });
    await expect(answerTo("Bearer ada", { verify: async () => refuse() })).rejects.toMatchObject({ status: 403 });
  });
});

describe("options", () => {
  it("name the place", async () => {
    const response = await answerTo(null, { ...KNOWN, realm: 'a "b" \\' });
    expect(response.headers.get("www-authenticate")).toBe(String.raw`Bearer realm="a \"b\" \\"`);
  });

  it.each([
    [{}, "either tokens or verify"],
    [{ tokens: ["a"], verify: () => true }, "either tokens or verify"],
    [{ tokens: [] }, "nobody could come in"],
    [{ tokens: ["a b"] }, "tokens"],
    [{ token: ["a"] }, "tokens?"],
    [{ tokens: ["a"], realm: "é" }, "realm"],
  ])("%j are refused", (options, message) => {
    expect(() => bearer(options as BearerOptions)).toThrow(message);
  });
});
